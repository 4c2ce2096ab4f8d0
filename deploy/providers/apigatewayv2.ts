import type {
  CreateApiRequest,
  CreateAuthorizerRequest,
  CreateIntegrationRequest,
  CreateIntegrationResponseRequest,
  CreateModelRequest,
  CreateRouteRequest,
  CreateRouteResponseRequest,
} from "@aws-sdk/client-apigatewayv2";
import type {
  Api,
  ApiArgs,
  Authorizer,
  AuthorizerArgs,
  Integration,
  IntegrationArgs,
  IntegrationResponse,
  IntegrationResponseArgs,
  Model,
  ModelArgs,
  Route,
  RouteArgs,
  RouteResponse,
  RouteResponseArgs,
} from "@pulumi/aws/apigatewayv2";
import { InvalidInput } from "../errors";
import { apiUrl, changes, named, orNothing } from "./apigatewayv2-fields";
import { documentText } from "./json";
import { tagChanges, tagMap } from "./tags";
import { type PlainArgs, type ProviderContext, resourceType } from "./types";
import { unlessGone } from "./wait";

const apiFields = (args: PlainArgs<ApiArgs>) => ({
  ...named<CreateApiRequest>(
    args,
    ...["name", "description", "version", "routeSelectionExpression", "apiKeySelectionExpression"],
    ...["disableExecuteApiEndpoint", "credentialsArn", "routeKey", "target", "ipAddressType"],
  ),
  CorsConfiguration:
    args.corsConfiguration &&
    named<NonNullable<CreateApiRequest["CorsConfiguration"]>>(
      args.corsConfiguration,
      ...["allowCredentials", "allowHeaders", "allowMethods", "allowOrigins", "exposeHeaders", "maxAge"],
    ),
});

async function apiOutputs(ApiId: string, context: ProviderContext) {
  const { clients, region } = context;
  const found = await unlessGone(clients.apiGatewayV2.getApi({ ApiId }));
  if (!found) return undefined;
  const { ProtocolType = "HTTP", Tags } = found;
  return {
    name: found.Name,
    description: found.Description,
    protocolType: ProtocolType,
    routeSelectionExpression: found.RouteSelectionExpression ?? "$request.method $request.path",
    apiKeySelectionExpression: found.ApiKeySelectionExpression ?? "$request.header.x-api-key",
    disableExecuteApiEndpoint: found.DisableExecuteApiEndpoint ?? false,
    ipAddressType: found.IpAddressType ?? "ipv4",
    version: found.Version,
    tags: Tags,
    arn: `arn:aws:apigateway:${region}::/apis/${ApiId}`,
    executionArn: `arn:aws:execute-api:${region}:${await context.account()}:${ApiId}`,
    apiEndpoint: apiUrl({ id: ApiId, protocol: ProtocolType }, context),
  };
}

const api = resourceType<ApiArgs, Api>({
  autoname: { property: "name", max: 128 },
  replaceOn: ["protocolType"],
  async create(args, { clients, tags }) {
    if (args.body) {
      throw new InvalidInput(
        "`body` (an OpenAPI document) is not supported by the Sensorcast engine: use routes and integrations",
      );
    }
    const { ApiId = "" } = await clients.apiGatewayV2.createApi({
      ...apiFields(args),
      Name: args.name,
      ProtocolType: args.protocolType as "HTTP",
      Tags: tagMap(tags(args.tags)),
    });
    return { id: ApiId };
  },
  read: apiOutputs,
  async update(ApiId, args, old, { clients: { apiGatewayV2 }, tags }) {
    const { CorsConfiguration, ...rest } = changes(apiFields(old.inputs), apiFields(args));
    if (old.inputs.corsConfiguration && !args.corsConfiguration) await apiGatewayV2.deleteCorsConfiguration({ ApiId });
    const cors = args.corsConfiguration && CorsConfiguration;
    await apiGatewayV2.updateApi({ ApiId, ...rest, ...(cors && { CorsConfiguration: cors }) });
    const { set, remove } = tagChanges(tags(old.inputs.tags), tags(args.tags));
    const ResourceArn = old.outputs.arn;
    if (Object.keys(set).length > 0) await apiGatewayV2.tagResource({ ResourceArn, Tags: set });
    if (remove.length > 0) await apiGatewayV2.untagResource({ ResourceArn, TagKeys: remove });
  },
  async delete(ApiId, _known, { clients }) {
    await clients.apiGatewayV2.deleteApi({ ApiId });
  },
});

const routeFields = (args: PlainArgs<RouteArgs>) => ({
  ...named<CreateRouteRequest>(
    args,
    ...["routeKey", "target", "authorizationType", "authorizerId", "authorizationScopes", "apiKeyRequired"],
    ...["modelSelectionExpression", "operationName", "requestModels", "routeResponseSelectionExpression"],
  ),
  RequestParameters:
    args.requestParameters &&
    Object.fromEntries(
      args.requestParameters.map(({ requestParameterKey, required }) => [requestParameterKey, { Required: required }]),
    ),
});

const route = resourceType<RouteArgs, Route>({
  replaceOn: ["apiId"],
  async create(args, { clients }) {
    const { RouteId = "" } = await clients.apiGatewayV2.createRoute({
      ...routeFields(args),
      ApiId: args.apiId,
      RouteKey: args.routeKey,
    });
    return { id: RouteId, outputs: { authorizationType: args.authorizationType ?? "NONE" } };
  },
  async read(id, { clients }, known) {
    const found = await unlessGone(clients.apiGatewayV2.getRoute({ ApiId: known?.inputs.apiId, RouteId: id }));
    return found && { routeKey: found.RouteKey, target: found.Target, authorizationType: found.AuthorizationType };
  },
  async update(RouteId, args, { inputs }, { clients }) {
    const changed = changes(routeFields(inputs), routeFields(args));
    // Before an authorizer can go, nothing may be said to need it.
    const open = "AuthorizationType" in changed && !args.authorizationType && { AuthorizationType: "NONE" as const };
    await clients.apiGatewayV2.updateRoute({ ApiId: args.apiId, RouteId, ...changed, ...open });
    return { authorizationType: args.authorizationType ?? "NONE" };
  },
  async delete(RouteId, { inputs }, { clients }) {
    await clients.apiGatewayV2.deleteRoute({ ApiId: inputs.apiId, RouteId });
  },
});

const integrationFields = (args: PlainArgs<IntegrationArgs>) => ({
  ...named<CreateIntegrationRequest>(
    args,
    ...["connectionId", "connectionType", "contentHandlingStrategy", "credentialsArn", "description"],
    ...["integrationMethod", "integrationSubtype", "integrationType", "integrationUri", "passthroughBehavior"],
    ...["payloadFormatVersion", "requestParameters", "requestTemplates", "templateSelectionExpression"],
  ),
  TimeoutInMillis: args.timeoutMilliseconds,
  TlsConfig: args.tlsConfig && orNothing({ ServerNameToVerify: args.tlsConfig.serverNameToVerify }),
  ResponseParameters:
    args.responseParameters &&
    Object.fromEntries(args.responseParameters.map(({ statusCode, mappings }) => [statusCode, mappings])),
});

const integration = resourceType<IntegrationArgs, Integration>({
  replaceOn: ["apiId", "integrationType", "integrationSubtype"],
  async create(args, { clients }) {
    const made = await clients.apiGatewayV2.createIntegration({
      ...integrationFields(args),
      ApiId: args.apiId,
      IntegrationType: args.integrationType as "AWS_PROXY",
    });
    const integrationResponseSelectionExpression = made.IntegrationResponseSelectionExpression ?? "";
    return { id: made.IntegrationId ?? "", outputs: { integrationResponseSelectionExpression } };
  },
  async read(id, { clients }, known) {
    const ids = { ApiId: known?.inputs.apiId, IntegrationId: id };
    const found = await unlessGone(clients.apiGatewayV2.getIntegration(ids));
    return found && { integrationResponseSelectionExpression: found.IntegrationResponseSelectionExpression ?? "" };
  },
  async update(IntegrationId, args, { inputs, outputs }, { clients }) {
    const changed = changes(integrationFields(inputs), integrationFields(args));
    await clients.apiGatewayV2.updateIntegration({ ApiId: args.apiId, IntegrationId, ...changed });
    return { integrationResponseSelectionExpression: outputs.integrationResponseSelectionExpression };
  },
  async delete(IntegrationId, { inputs }, { clients }) {
    await clients.apiGatewayV2.deleteIntegration({ ApiId: inputs.apiId, IntegrationId });
  },
});

const integrationResponseFields = (args: PlainArgs<IntegrationResponseArgs>) =>
  named<CreateIntegrationResponseRequest>(
    args,
    ...["integrationResponseKey", "contentHandlingStrategy", "responseTemplates", "templateSelectionExpression"],
  );

const integrationResponse = resourceType<IntegrationResponseArgs, IntegrationResponse>({
  replaceOn: ["apiId", "integrationId"],
  async create(args, { clients }) {
    const { IntegrationResponseId = "" } = await clients.apiGatewayV2.createIntegrationResponse({
      ...integrationResponseFields(args),
      ApiId: args.apiId,
      IntegrationId: args.integrationId,
      IntegrationResponseKey: args.integrationResponseKey,
    });
    return { id: IntegrationResponseId, outputs: {} };
  },
  async update(IntegrationResponseId, args, { inputs }, { clients }) {
    const ids = { ApiId: args.apiId, IntegrationId: args.integrationId, IntegrationResponseId };
    const changed = changes(integrationResponseFields(inputs), integrationResponseFields(args));
    await clients.apiGatewayV2.updateIntegrationResponse({ ...ids, ...changed });
    return {};
  },
  async delete(IntegrationResponseId, { inputs }, { clients }) {
    const ids = { ApiId: inputs.apiId, IntegrationId: inputs.integrationId, IntegrationResponseId };
    await clients.apiGatewayV2.deleteIntegrationResponse(ids);
  },
});

const routeResponseFields = (args: PlainArgs<RouteResponseArgs>) =>
  named<CreateRouteResponseRequest>(args, "routeResponseKey", "modelSelectionExpression", "responseModels");

const routeResponse = resourceType<RouteResponseArgs, RouteResponse>({
  replaceOn: ["apiId", "routeId"],
  // A route has one response of a key.
  deleteBeforeReplace: true,
  async create(args, { clients }) {
    const { RouteResponseId = "" } = await clients.apiGatewayV2.createRouteResponse({
      ...routeResponseFields(args),
      ApiId: args.apiId,
      RouteId: args.routeId,
      RouteResponseKey: args.routeResponseKey,
    });
    return { id: RouteResponseId, outputs: {} };
  },
  async update(RouteResponseId, args, { inputs }, { clients }) {
    const changed = changes(routeResponseFields(inputs), routeResponseFields(args));
    const ids = { ApiId: args.apiId, RouteId: args.routeId, RouteResponseId };
    await clients.apiGatewayV2.updateRouteResponse({ ...ids, ...changed });
    return {};
  },
  async delete(RouteResponseId, { inputs }, { clients }) {
    await clients.apiGatewayV2.deleteRouteResponse({ ApiId: inputs.apiId, RouteId: inputs.routeId, RouteResponseId });
  },
});

const authorizerFields = (args: PlainArgs<AuthorizerArgs>) => ({
  ...named<CreateAuthorizerRequest>(
    args,
    ...["name", "authorizerType", "authorizerUri", "authorizerCredentialsArn", "authorizerPayloadFormatVersion"],
    ...["authorizerResultTtlInSeconds", "enableSimpleResponses"],
  ),
  IdentitySource: args.identitySources,
  JwtConfiguration: args.jwtConfiguration && {
    Audience: args.jwtConfiguration.audiences,
    Issuer: args.jwtConfiguration.issuer,
  },
});

const authorizer = resourceType<AuthorizerArgs, Authorizer>({
  autoname: { property: "name", max: 128 },
  replaceOn: ["apiId"],
  async create(args, { clients }) {
    const { AuthorizerId = "" } = await clients.apiGatewayV2.createAuthorizer({
      ...authorizerFields(args),
      ApiId: args.apiId,
      Name: args.name,
      AuthorizerType: args.authorizerType as "REQUEST",
      IdentitySource: args.identitySources ?? [],
    });
    return { id: AuthorizerId, outputs: {} };
  },
  async update(AuthorizerId, args, { inputs }, { clients }) {
    const changed = changes(authorizerFields(inputs), authorizerFields(args));
    await clients.apiGatewayV2.updateAuthorizer({ ApiId: args.apiId, AuthorizerId, ...changed });
    return {};
  },
  async delete(AuthorizerId, { inputs }, { clients }) {
    await clients.apiGatewayV2.deleteAuthorizer({ ApiId: inputs.apiId, AuthorizerId });
  },
});

const modelFields = (args: PlainArgs<ModelArgs>) => ({
  ...named<CreateModelRequest>(args, "contentType", "description"),
  // A model's name takes letters and digits only.
  Name: args.name?.replaceAll(/[^A-Za-z0-9]/g, ""),
  Schema: documentText("schema", args.schema),
});

const model = resourceType<ModelArgs, Model>({
  autoname: { property: "name", max: 128 },
  replaceOn: ["apiId"],
  async create(args, { clients }) {
    const { ModelId = "", Name } = await clients.apiGatewayV2.createModel({ ApiId: args.apiId, ...modelFields(args) });
    return { id: ModelId, outputs: { name: Name } };
  },
  async update(ModelId, args, { inputs }, { clients }) {
    const changed = changes(modelFields(inputs), modelFields(args));
    const { Name } = await clients.apiGatewayV2.updateModel({ ApiId: args.apiId, ModelId, ...changed });
    return { name: Name };
  },
  async delete(ModelId, { inputs }, { clients }) {
    await clients.apiGatewayV2.deleteModel({ ApiId: inputs.apiId, ModelId });
  },
});

export const types = {
  "aws:apigatewayv2/api:Api": api,
  "aws:apigatewayv2/route:Route": route,
  "aws:apigatewayv2/integration:Integration": integration,
  "aws:apigatewayv2/integrationResponse:IntegrationResponse": integrationResponse,
  "aws:apigatewayv2/routeResponse:RouteResponse": routeResponse,
  "aws:apigatewayv2/authorizer:Authorizer": authorizer,
  "aws:apigatewayv2/model:Model": model,
};
