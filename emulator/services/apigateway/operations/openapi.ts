import type { Context } from "../../../core/service";
import { badRequest } from "../errors";
import { Api, type ApiDefinition } from "../state";
import { type Part, Store } from "../store";
import { authorizers } from "./authorizers";
import { gatewayResponses } from "./gateway-responses";
import { integrations } from "./integrations";
import { methods } from "./methods";
import { models } from "./models";
import { resources } from "./resources";
import { policyText } from "./rest-apis";

/** A JSON object of the document; everything in it is unknown until it was looked at. */
type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const object = (value: unknown): Json => (isObject(value) ? value : {});
const text = (value: unknown): string | undefined =>
  value === undefined || value === null ? undefined : String(value);
const strings = (value: unknown): Record<string, string> | undefined =>
  isObject(value) ? Object.fromEntries(Object.entries(value).map(([name, item]) => [name, String(item)])) : undefined;

const invalid = (problem: string) => badRequest(`Invalid OpenAPI input: ${problem}`);

/** Reads an OpenAPI 3 or Swagger 2 document; what it says of the API itself is in `info` and the extensions. */
export function readDocument(body: Uint8Array | undefined): Json {
  let document: unknown;
  try {
    document = JSON.parse(Buffer.from(body ?? []).toString());
  } catch {
    // Not emulated: YAML documents, which AWS takes, too.
    throw invalid("the document is not JSON");
  }
  const { swagger, openapi } = object(document);
  if (swagger !== "2.0" && !text(openapi)?.startsWith("3.0"))
    throw invalid("it must be Swagger 2.0 or OpenAPI 3.0 (members `swagger` or `openapi`)");
  return document as Json;
}

/**
 * Builds an API's definition from a document with API Gateway's extensions
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html).
 * It goes through the same operations as a client's calls, on a draft: a document that is refused changes nothing.
 */
export function buildDefinition(document: Json, draft: ApiDefinition, context: Context): ApiDefinition {
  return new Builder(document, draft, context).build();
}

class Builder {
  private readonly operations: Part;
  private readonly api: Api;
  private readonly restApiId: string;
  private readonly validators = new Map<string, string>();
  private readonly schemes = new Map<string, { apiKey?: true; authorizationType?: string; authorizerId?: string }>();

  constructor(
    private readonly document: Json,
    draft: ApiDefinition,
    private readonly context: Context,
  ) {
    const store = new Store();
    this.api = new Api(store.of(context).scope, draft);
    this.restApiId = this.api.id;
    store.of(context).apis.set(this.restApiId, this.api);
    this.operations = {
      ...resources(store),
      ...methods(store),
      ...integrations(store),
      ...models(store),
      ...gatewayResponses(store),
      ...authorizers(store, () => {}),
    };
  }

  build(): ApiDefinition {
    this.settings();
    this.addModels();
    this.addValidators();
    this.addSchemes();
    for (const [path, item] of Object.entries(object(this.document.paths))) this.addPath(path, object(item));
    return this.api.definition;
  }

  private settings(): void {
    const { document } = this;
    const { api } = this.api.definition;
    const { title, description, version } = object(document.info);
    api.name = text(title) ?? api.name;
    api.description = text(description) || api.description;
    api.version = text(version) ?? api.version;
    const types = document["x-amazon-apigateway-binary-media-types"];
    if (Array.isArray(types)) api.binaryMediaTypes = types.map(String);
    const size = document["x-amazon-apigateway-minimum-compression-size"];
    if (typeof size === "number") api.minimumCompressionSize = size;
    const source = document["x-amazon-apigateway-api-key-source"];
    if (source === "HEADER" || source === "AUTHORIZER") api.apiKeySource = source;
    const policy = document["x-amazon-apigateway-policy"];
    if (isObject(policy)) api.policy = policyText(JSON.stringify(policy));
    const responses = object(document["x-amazon-apigateway-gateway-responses"]);
    for (const [responseType, response] of Object.entries(responses)) {
      const { statusCode, responseParameters, responseTemplates } = object(response);
      const type = { restApiId: this.restApiId, responseType: responseType as "DEFAULT_4XX" };
      void this.operations.PutGatewayResponse!(
        {
          ...type,
          statusCode: text(statusCode),
          responseParameters: strings(responseParameters),
          responseTemplates: strings(responseTemplates),
        },
        this.context,
      );
    }
  }

  private addModels(): void {
    const schemas = object(this.document.definitions ?? object(this.document.components).schemas);
    for (const [name, schema] of Object.entries(schemas)) {
      const refer = (_: string, value: unknown) =>
        typeof value === "string" && /^#\/(definitions|components\/schemas)\//.test(value)
          ? `https://apigateway.amazonaws.com/restapis/${this.restApiId}/models/${value.split("/").at(-1)}`
          : value;
      const model = { name, contentType: "application/json", schema: JSON.stringify(schema, refer) };
      this.api.definition.models = this.api.definition.models.filter((known) => known.name !== name);
      void this.operations.CreateModel!({ restApiId: this.restApiId, ...model }, this.context);
    }
  }

  private addValidators(): void {
    for (const [name, value] of Object.entries(object(this.document["x-amazon-apigateway-request-validators"]))) {
      const { validateRequestBody, validateRequestParameters } = object(value);
      this.api.definition.validators = this.api.definition.validators.filter((known) => known.name !== name);
      void this.operations.CreateRequestValidator!(
        {
          restApiId: this.restApiId,
          name,
          validateRequestBody: validateRequestBody === true,
          validateRequestParameters: validateRequestParameters === true,
        },
        this.context,
      );
      this.validators.set(name, this.api.definition.validators.at(-1)!.id);
    }
  }

  private addSchemes(): void {
    const { document } = this;
    const schemes = object(document.securityDefinitions ?? object(document.components).securitySchemes);
    for (const [name, value] of Object.entries(schemes)) {
      const scheme = object(value);
      const authorizer = scheme["x-amazon-apigateway-authorizer"];
      if (scheme["x-amazon-apigateway-authtype"] === "awsSigv4") {
        this.schemes.set(name, { authorizationType: "AWS_IAM" });
      } else if (isObject(authorizer)) {
        const type = text(authorizer.type)?.toUpperCase() as "TOKEN";
        const header = scheme.in === "header" ? `method.request.header.${scheme.name}` : undefined;
        this.api.definition.authorizers = this.api.definition.authorizers.filter((known) => known.name !== name);
        void this.operations.CreateAuthorizer!(
          {
            restApiId: this.restApiId,
            name,
            type,
            authType: text(scheme["x-amazon-apigateway-authtype"]),
            providerARNs: Array.isArray(authorizer.providerARNs) ? authorizer.providerARNs.map(String) : undefined,
            authorizerUri: text(authorizer.authorizerUri),
            authorizerCredentials: text(authorizer.authorizerCredentials),
            identitySource: text(authorizer.identitySource) ?? header,
            identityValidationExpression: text(authorizer.identityValidationExpression),
            authorizerResultTtlInSeconds:
              authorizer.authorizerResultTtlInSeconds === undefined
                ? undefined
                : Number(authorizer.authorizerResultTtlInSeconds),
          },
          this.context,
        );
        this.schemes.set(name, {
          authorizationType: type === ("COGNITO_USER_POOLS" as string) ? type : "CUSTOM",
          authorizerId: this.api.definition.authorizers.at(-1)!.id,
        });
      } else if (scheme.type === "apiKey") {
        this.schemes.set(name, { apiKey: true });
      }
    }
  }

  private addPath(path: string, item: Json): void {
    if (!path.startsWith("/")) throw invalid(`the path ${path} must start with a slash`);
    const resourceId = this.resource(path);
    for (const [key, value] of Object.entries(item)) {
      const verb = key === "x-amazon-apigateway-any-method" ? "ANY" : key.toUpperCase();
      if (!/^(GET|PUT|POST|DELETE|PATCH|OPTIONS|HEAD|ANY)$/.test(verb)) continue;
      this.addMethod(resourceId, verb, object(value), [item.parameters, object(value).parameters]);
    }
  }

  /** The resource of a path; those above it are made, too. */
  private resource(path: string): string {
    const known = this.api.definition.resources.find((resource) => resource.path === (path.replace(/\/$/, "") || "/"));
    if (known) return known.id;
    const cut = path.replace(/\/$/, "").lastIndexOf("/");
    const parentId = this.resource(path.slice(0, cut) || "/");
    const pathPart = path.replace(/\/$/, "").slice(cut + 1);
    void this.operations.CreateResource!({ restApiId: this.restApiId, parentId, pathPart }, this.context);
    return this.api.definition.resources.at(-1)!.id;
  }

  private addMethod(resourceId: string, httpMethod: string, operation: Json, parameterLists: unknown[]): void {
    const where = { restApiId: this.restApiId, resourceId, httpMethod };
    delete this.api.resource(resourceId).resourceMethods[httpMethod];
    const parameters = parameterLists.flat().map((parameter) => this.resolved(parameter));
    const requestParameters: Record<string, boolean> = {};
    for (const { in: location, name, required } of parameters) {
      const kind = { query: "querystring", header: "header", path: "path" }[text(location) ?? ""];
      if (kind) requestParameters[`method.request.${kind}.${name}`] = required === true;
    }
    const validator =
      operation["x-amazon-apigateway-request-validator"] ?? this.document["x-amazon-apigateway-request-validator"];
    void this.operations.PutMethod!(
      {
        ...where,
        ...this.security(operation),
        operationName: text(operation.operationId),
        requestParameters: Object.keys(requestParameters).length ? requestParameters : undefined,
        requestModels: this.requestModels(operation, parameters),
        requestValidatorId: this.validators.get(String(validator)),
      },
      this.context,
    );
    for (const [statusCode, response] of Object.entries(object(operation.responses))) {
      if (!/^\d{3}$/.test(statusCode)) continue;
      const headers = Object.keys(object(this.resolved(response).headers));
      const responseParameters = Object.fromEntries(headers.map((name) => [`method.response.header.${name}`, false]));
      void this.operations.PutMethodResponse!({ ...where, statusCode, responseParameters }, this.context);
    }
    const integration = operation["x-amazon-apigateway-integration"];
    if (isObject(integration)) this.addIntegration(where, integration);
  }

  private addIntegration(where: { restApiId: string; resourceId: string; httpMethod: string }, value: Json): void {
    void this.operations.PutIntegration!(
      {
        ...where,
        type: text(value.type)?.toUpperCase() as "AWS",
        integrationHttpMethod: text(value.httpMethod),
        uri: text(value.uri),
        connectionType: text(value.connectionType) as "INTERNET" | undefined,
        connectionId: text(value.connectionId),
        credentials: text(value.credentials),
        requestParameters: strings(value.requestParameters),
        requestTemplates: strings(value.requestTemplates),
        passthroughBehavior: text(value.passthroughBehavior),
        contentHandling: text(value.contentHandling) as "CONVERT_TO_TEXT" | undefined,
        cacheNamespace: text(value.cacheNamespace),
        cacheKeyParameters: Array.isArray(value.cacheKeyParameters) ? value.cacheKeyParameters.map(String) : undefined,
        timeoutInMillis: value.timeoutInMillis === undefined ? undefined : Number(value.timeoutInMillis),
        tlsConfig: isObject(value.tlsConfig)
          ? { insecureSkipVerification: value.tlsConfig.insecureSkipVerification === true }
          : undefined,
      },
      this.context,
    );
    for (const [pattern, response] of Object.entries(object(value.responses))) {
      const { statusCode, responseParameters, responseTemplates, contentHandling } = object(response);
      void this.operations.PutIntegrationResponse!(
        {
          ...where,
          statusCode: text(statusCode),
          selectionPattern: pattern === "default" ? undefined : pattern,
          responseParameters: strings(responseParameters),
          responseTemplates: strings(responseTemplates),
          contentHandling: text(contentHandling) as "CONVERT_TO_TEXT" | undefined,
        },
        this.context,
      );
    }
  }

  private security(operation: Json) {
    const method: {
      authorizationType: string;
      authorizerId?: string;
      apiKeyRequired?: boolean;
      authorizationScopes?: string[];
    } = { authorizationType: "NONE" };
    if (object(operation["x-amazon-apigateway-auth"]).type === "AWS_IAM") method.authorizationType = "AWS_IAM";
    const requirements = operation.security ?? this.document.security;
    for (const requirement of Array.isArray(requirements) ? requirements : []) {
      for (const [name, scopes] of Object.entries(object(requirement))) {
        const { apiKey, ...scheme } = this.schemes.get(name) ?? {};
        if (apiKey) method.apiKeyRequired = true;
        else Object.assign(method, scheme);
        if (Array.isArray(scopes) && scopes.length) method.authorizationScopes = scopes.map(String);
      }
    }
    return method;
  }

  private requestModels(operation: Json, parameters: readonly Json[]): Record<string, string> | undefined {
    const name = (schema: unknown) => text(object(schema).$ref)?.split("/").at(-1);
    const found: Record<string, string> = {};
    for (const parameter of parameters) {
      const model = parameter.in === "body" ? name(parameter.schema) : undefined;
      if (model) found["application/json"] = model;
    }
    for (const [type, media] of Object.entries(object(this.resolved(operation.requestBody).content))) {
      const model = name(object(media).schema);
      if (model) found[type] = model;
    }
    return Object.keys(found).length ? found : undefined;
  }

  /** The object behind a `$ref` of the document. */
  private resolved(value: unknown): Json {
    const reference = text(object(value).$ref);
    if (!reference?.startsWith("#/")) return object(value);
    let found: unknown = this.document;
    for (const part of reference.slice(2).split("/")) found = object(found)[part];
    return object(found);
  }
}
