import type { Method, MethodResponse } from "@aws-sdk/client-api-gateway";
import { badRequest, conflict, notFound } from "../errors";
import { entries, flag, type PatchRule, patched, text, toBoolean } from "../patch";
import type { Api } from "../state";
import type { Part, Store } from "../store";

/** The verbs that a method can have; ANY stands for those the resource does not name. */
export const verbs = ["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD", "ANY"];

const methodRules: PatchRule<Method>[] = [
  text("/authorizationType", "authorizationType"),
  text("/authorizerId", "authorizerId"),
  flag("/apiKeyRequired", "apiKeyRequired"),
  text("/operationName", "operationName"),
  {
    path: "/requestValidatorId",
    apply: (method, { value }) => {
      method.requestValidatorId = value || undefined;
    },
  },
  {
    path: "/authorizationScopes",
    ops: ["add", "remove", "replace"],
    apply: (method, { op, value }) => {
      const others = (method.authorizationScopes ?? []).filter((scope) => scope !== value);
      method.authorizationScopes = op === "remove" ? others : op === "add" ? [...others, value] : value.split(",");
    },
  },
  entries("requestParameters", toBoolean),
  entries("requestModels"),
];

const responseRules: PatchRule<MethodResponse>[] = [
  entries("responseParameters", toBoolean),
  entries("responseModels"),
];

/** Method and MethodResponse. */
export function methods(store: Store): Part {
  const apiOf = (context: Parameters<Store["of"]>[0], id: string | undefined): Api => {
    const api = store.of(context).apis.get(id ?? "");
    if (!api) throw notFound("Resource");
    return api;
  };
  const responseOf = (method: Method, statusCode: string | undefined): MethodResponse => {
    const responses = method.methodResponses ?? {};
    if (!Object.hasOwn(responses, statusCode ?? "")) throw notFound("Response status code");
    return responses[statusCode!]!;
  };

  return {
    PutMethod({ restApiId, resourceId, httpMethod, ...input }, context) {
      const api = apiOf(context, restApiId);
      const resource = api.resource(resourceId ?? "");
      if (!verbs.includes(httpMethod ?? ""))
        throw badRequest(`Invalid HttpMethod specified. Valid options are ${verbs.join(",")}`);
      if (resource.resourceMethods[httpMethod!]) throw conflict("Method already exists for this resource");
      const method: Method = {
        httpMethod,
        authorizationType: input.authorizationType,
        authorizerId: needsAuthorizer(input) ? input.authorizerId : undefined,
        apiKeyRequired: input.apiKeyRequired ?? false,
        requestValidatorId: input.requestValidatorId,
        operationName: input.operationName,
        requestParameters: input.requestParameters,
        requestModels: input.requestModels,
        authorizationScopes: input.authorizationScopes,
      };
      check(api, method);
      resource.resourceMethods[httpMethod!] = method;
      return method;
    },
    GetMethod: ({ restApiId, resourceId, httpMethod }, context) =>
      apiOf(context, restApiId).method(resourceId ?? "", httpMethod ?? ""),
    UpdateMethod({ restApiId, resourceId, httpMethod, patchOperations }, context) {
      const api = apiOf(context, restApiId);
      const method = api.method(resourceId ?? "", httpMethod ?? "");
      const updated = patched(method, patchOperations, methodRules, { input: "updateMethodInput" });
      if (!needsAuthorizer(updated)) delete updated.authorizerId;
      check(api, updated);
      api.resource(resourceId ?? "").resourceMethods[httpMethod!] = updated;
      return updated;
    },
    DeleteMethod({ restApiId, resourceId, httpMethod }, context) {
      const api = apiOf(context, restApiId);
      api.method(resourceId ?? "", httpMethod ?? "");
      delete api.resource(resourceId ?? "").resourceMethods[httpMethod!];
      return {};
    },

    PutMethodResponse({ restApiId, resourceId, httpMethod, statusCode, responseParameters, responseModels }, context) {
      const api = apiOf(context, restApiId);
      const method = api.method(resourceId ?? "", httpMethod ?? "");
      checkStatus(statusCode);
      if (method.methodResponses?.[statusCode!]) throw conflict("Response already exists for this resource");
      for (const name of Object.keys(responseParameters ?? {}))
        if (!/^method\.response\.(header|multivalueheader)\..+$/.test(name))
          throw badRequest(
            `Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression parameter specified: ${name}]`,
          );
      checkModels(api, responseModels);
      const response = { statusCode, responseParameters, responseModels };
      method.methodResponses = { ...method.methodResponses, [statusCode!]: response };
      return response;
    },
    GetMethodResponse: ({ restApiId, resourceId, httpMethod, statusCode }, context) =>
      responseOf(apiOf(context, restApiId).method(resourceId ?? "", httpMethod ?? ""), statusCode),
    UpdateMethodResponse({ restApiId, resourceId, httpMethod, statusCode, patchOperations }, context) {
      const api = apiOf(context, restApiId);
      const method = api.method(resourceId ?? "", httpMethod ?? "");
      const updated = patched(responseOf(method, statusCode), patchOperations, responseRules, {
        input: "updateMethodResponseInput",
      });
      checkModels(api, updated.responseModels);
      method.methodResponses = { ...method.methodResponses, [statusCode!]: updated };
      return updated;
    },
    DeleteMethodResponse({ restApiId, resourceId, httpMethod, statusCode }, context) {
      const method = apiOf(context, restApiId).method(resourceId ?? "", httpMethod ?? "");
      responseOf(method, statusCode);
      const { [statusCode!]: _gone, ...rest } = method.methodResponses!;
      method.methodResponses = Object.keys(rest).length ? rest : undefined;
      return {};
    },
  };
}

export function checkStatus(statusCode: string | undefined): void {
  if (!/^[1-5]\d\d$/.test(statusCode ?? "")) throw badRequest("Invalid status code specified");
}

const needsAuthorizer = ({ authorizationType }: Method) =>
  authorizationType === "CUSTOM" || authorizationType === "COGNITO_USER_POOLS";

function checkModels({ definition }: Api, models: Record<string, string> | undefined): void {
  for (const name of Object.values(models ?? {}))
    if (!definition.models.some((model) => model.name === name))
      throw badRequest(`Invalid model identifier specified: ${name}`);
}

function check(api: Api, method: Method): void {
  const { definition } = api;
  const type = method.authorizationType;
  if (!["NONE", "AWS_IAM", "CUSTOM", "COGNITO_USER_POOLS"].includes(type ?? ""))
    throw badRequest(
      "Invalid authorization type specified. Valid options are NONE, AWS_IAM, CUSTOM, and COGNITO_USER_POOLS",
    );
  if (needsAuthorizer(method)) {
    const authorizer = definition.authorizers.find(({ id }) => id === method.authorizerId);
    if (!authorizer || (authorizer.type === "COGNITO_USER_POOLS") !== (type === "COGNITO_USER_POOLS"))
      throw badRequest(
        "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid authorizer.",
      );
  }
  if (method.requestValidatorId && !definition.validators.some(({ id }) => id === method.requestValidatorId))
    throw badRequest("Invalid Request Validator identifier specified");
  checkModels(api, method.requestModels);
  const seen = new Set<string>();
  for (const parameter of Object.keys(method.requestParameters ?? {})) {
    const name = /^method\.request\.(?:querystring|header|path|multivaluequerystring|multivalueheader)\.(.+)$/.exec(
      parameter,
    )?.[1];
    if (!name)
      throw badRequest(
        `Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression parameter specified: ${parameter}]`,
      );
    if (seen.has(name)) throw badRequest("Parameter names must be unique across querystring, header and path");
    seen.add(name);
  }
}
