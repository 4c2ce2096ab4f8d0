import type { GatewayResponseType } from "@aws-sdk/client-api-gateway";
import type {
  Authorizer,
  AuthorizerArgs,
  Model,
  ModelArgs,
  RequestValidator,
  RequestValidatorArgs,
  Resource,
  ResourceArgs,
  Response,
  ResponseArgs,
  RestApi,
  RestApiArgs,
  RestApiPolicy,
  RestApiPolicyArgs,
} from "@pulumi/aws/apigateway";
import { InvalidInput } from "../errors";
import { documentText } from "./json";
import { patchSet, replaceChanged } from "./patches";
import { tagChanges, tagMap } from "./tags";
import { type PlainArgs, type ProviderContext, resourceType } from "./types";
import { unlessGone } from "./wait";

async function apiOutputs(id: string, { clients, region, account }: ProviderContext) {
  const api = await unlessGone(clients.apiGateway.getRestApi({ restApiId: id }));
  if (!api) return undefined;
  const rootResourceId = api.rootResourceId ?? (await findRoot(id, clients));
  return {
    name: api.name,
    arn: `arn:aws:apigateway:${region}::/restapis/${id}`,
    executionArn: `arn:aws:execute-api:${region}:${await account()}:${id}`,
    rootResourceId,
    createdDate: api.createdDate?.toISOString(),
    apiKeySource: api.apiKeySource ?? "HEADER",
    binaryMediaTypes: api.binaryMediaTypes ?? [],
    description: api.description,
  };
}

/** Older endpoints do not tell the root with the API itself. */
async function findRoot(restApiId: string, { apiGateway }: ProviderContext["clients"]) {
  const { items = [] } = await apiGateway.getResources({ restApiId, limit: 500 });
  return items.find(({ path }) => path === "/")?.id;
}

const restApi = resourceType<RestApiArgs, RestApi>({
  autoname: { property: "name", max: 255 },
  async create(args, { clients, tags }) {
    if (args.body) {
      throw new InvalidInput(
        "`body` (an OpenAPI document) is not supported by the Sensorcast engine: use resources and methods",
      );
    }
    const size = args.minimumCompressionSize;
    const { id = "" } = await clients.apiGateway.createRestApi({
      name: args.name,
      description: args.description,
      apiKeySource: args.apiKeySource as "HEADER",
      binaryMediaTypes: args.binaryMediaTypes,
      disableExecuteApiEndpoint: args.disableExecuteApiEndpoint,
      minimumCompressionSize: size === undefined || size === "" ? undefined : Number(size),
      policy: documentText("policy", args.policy),
      endpointConfiguration: args.endpointConfiguration && {
        types: [args.endpointConfiguration.types as "EDGE"],
        vpcEndpointIds: args.endpointConfiguration.vpcEndpointIds,
      },
      tags: tagMap(tags(args.tags)),
    });
    return { id };
  },
  read: apiOutputs,
  async update(id, args, old, context) {
    const { apiGateway } = context.clients;
    const before = old.inputs;
    const patchOperations = [
      ...replaceChanged([
        ["/name", before.name, args.name],
        ["/description", before.description, args.description],
        ["/apiKeySource", before.apiKeySource ?? "HEADER", args.apiKeySource ?? "HEADER"],
        ["/minimumCompressionSize", before.minimumCompressionSize, args.minimumCompressionSize],
        ["/policy", documentText("policy", before.policy), documentText("policy", args.policy)],
        [
          "/disableExecuteApiEndpoint",
          before.disableExecuteApiEndpoint ?? false,
          args.disableExecuteApiEndpoint ?? false,
        ],
        ["/endpointConfiguration/types/0", before.endpointConfiguration?.types, args.endpointConfiguration?.types],
      ]),
      ...patchSet("/binaryMediaTypes", before.binaryMediaTypes, args.binaryMediaTypes),
    ];
    if (patchOperations.length > 0) await apiGateway.updateRestApi({ restApiId: id, patchOperations });
    const { set, remove } = tagChanges(context.tags(before.tags), context.tags(args.tags));
    const resourceArn = old.outputs.arn;
    if (Object.keys(set).length > 0) await apiGateway.tagResource({ resourceArn, tags: set });
    if (remove.length > 0) await apiGateway.untagResource({ resourceArn, tagKeys: remove });
  },
  async delete(id, _known, { clients }) {
    await clients.apiGateway.deleteRestApi({ restApiId: id });
  },
});

const resource = resourceType<ResourceArgs, Resource>({
  replaceOn: ["restApi", "pathPart"],
  deleteBeforeReplace: true,
  async create({ restApi: restApiId, parentId, pathPart }, { clients }) {
    const { id = "", path } = await clients.apiGateway.createResource({ restApiId, parentId, pathPart });
    return { id, outputs: { path } };
  },
  async read(id, { clients }, known) {
    const found = await unlessGone(
      clients.apiGateway.getResource({ restApiId: known?.inputs.restApi, resourceId: id }),
    );
    return found && { path: found.path };
  },
  async update(id, { restApi: restApiId, parentId }, _old, { clients }) {
    const patchOperations = [{ op: "replace" as const, path: "/parentId", value: parentId }];
    const { path } = await clients.apiGateway.updateResource({ restApiId, resourceId: id, patchOperations });
    return { path };
  },
  async delete(id, { inputs }, { clients }) {
    await clients.apiGateway.deleteResource({ restApiId: inputs.restApi, resourceId: id });
  },
});

const authorizerFields = (args: PlainArgs<AuthorizerArgs>) => ({
  name: args.name,
  type: (args.type ?? "TOKEN") as "TOKEN",
  authorizerUri: args.authorizerUri,
  authorizerCredentials: args.authorizerCredentials,
  // The provider's own default, unless the authorizer is one of a user pool.
  identitySource: args.identitySource ?? "method.request.header.Authorization",
  identityValidationExpression: args.identityValidationExpression,
  authorizerResultTtlInSeconds: args.authorizerResultTtlInSeconds ?? 300,
});

const authorizer = resourceType<AuthorizerArgs, Authorizer>({
  autoname: { property: "name", max: 128 },
  replaceOn: ["restApi"],
  async create(args, { clients, region }) {
    const { id = "" } = await clients.apiGateway.createAuthorizer({
      restApiId: args.restApi,
      ...authorizerFields(args),
      providerARNs: args.providerArns,
    });
    return { id, outputs: { arn: `arn:aws:apigateway:${region}::/restapis/${args.restApi}/authorizers/${id}` } };
  },
  async read(id, { clients, region }, known) {
    const restApiId = known?.inputs.restApi;
    const found = await unlessGone(clients.apiGateway.getAuthorizer({ restApiId, authorizerId: id }));
    return found && { arn: `arn:aws:apigateway:${region}::/restapis/${restApiId}/authorizers/${id}` };
  },
  async update(id, args, old, { clients }) {
    const before: Record<string, unknown> = authorizerFields(old.inputs);
    const now = Object.entries(authorizerFields(args));
    await clients.apiGateway.updateAuthorizer({
      restApiId: args.restApi,
      authorizerId: id,
      patchOperations: [
        ...replaceChanged(now.map(([name, value]) => [`/${name}`, before[name], value])),
        ...(old.inputs.providerArns ?? [])
          .filter((arn) => !args.providerArns?.includes(arn))
          .map((value) => ({ op: "remove" as const, path: "/providerARNs", value })),
        ...(args.providerArns ?? [])
          .filter((arn) => !old.inputs.providerArns?.includes(arn))
          .map((value) => ({ op: "add" as const, path: "/providerARNs", value })),
      ],
    });
  },
  async delete(id, { inputs }, { clients }) {
    await clients.apiGateway.deleteAuthorizer({ restApiId: inputs.restApi, authorizerId: id });
  },
});

const putResponse = (args: PlainArgs<ResponseArgs>, { clients }: ProviderContext) =>
  clients.apiGateway.putGatewayResponse({
    restApiId: args.restApiId,
    responseType: args.responseType as GatewayResponseType,
    statusCode: args.statusCode,
    responseParameters: args.responseParameters,
    responseTemplates: args.responseTemplates,
  });

const gatewayResponse = resourceType<ResponseArgs, Response>({
  replaceOn: ["restApiId", "responseType"],
  deleteBeforeReplace: true,
  async create(args, context) {
    await putResponse(args, context);
    return { id: `aggr-${args.restApiId}-${args.responseType}`, outputs: {} };
  },
  async update(_id, args, _old, context) {
    await putResponse(args, context);
    return {};
  },
  async delete(_id, { inputs }, { clients }) {
    const responseType = inputs.responseType as GatewayResponseType;
    await clients.apiGateway.deleteGatewayResponse({ restApiId: inputs.restApiId, responseType });
  },
});

const requestValidator = resourceType<RequestValidatorArgs, RequestValidator>({
  autoname: { property: "name", max: 128 },
  replaceOn: ["restApi"],
  async create(args, { clients }) {
    const { id = "" } = await clients.apiGateway.createRequestValidator({
      restApiId: args.restApi,
      name: args.name,
      validateRequestBody: args.validateRequestBody ?? false,
      validateRequestParameters: args.validateRequestParameters ?? false,
    });
    return { id, outputs: {} };
  },
  async update(id, args, { inputs: before }, { clients }) {
    await clients.apiGateway.updateRequestValidator({
      restApiId: args.restApi,
      requestValidatorId: id,
      patchOperations: replaceChanged([
        ["/name", before.name, args.name],
        ["/validateRequestBody", before.validateRequestBody ?? false, args.validateRequestBody ?? false],
        [
          "/validateRequestParameters",
          before.validateRequestParameters ?? false,
          args.validateRequestParameters ?? false,
        ],
      ]),
    });
    return {};
  },
  async delete(id, { inputs }, { clients }) {
    await clients.apiGateway.deleteRequestValidator({ restApiId: inputs.restApi, requestValidatorId: id });
  },
});

const model = resourceType<ModelArgs, Model>({
  autoname: { property: "name", max: 128 },
  replaceOn: ["restApi", "name", "contentType"],
  async create(args, { clients }) {
    const { id = "" } = await clients.apiGateway.createModel({
      restApiId: args.restApi,
      // A model's name takes letters and digits only.
      name: args.name?.replaceAll(/[^A-Za-z0-9]/g, ""),
      contentType: args.contentType,
      description: args.description,
      schema: documentText("schema", args.schema),
    });
    return { id, outputs: { name: args.name?.replaceAll(/[^A-Za-z0-9]/g, "") } };
  },
  async update(_id, args, old, { clients }) {
    await clients.apiGateway.updateModel({
      restApiId: args.restApi,
      modelName: old.outputs.name,
      patchOperations: replaceChanged([
        ["/description", old.inputs.description, args.description],
        ["/schema", documentText("schema", old.inputs.schema), documentText("schema", args.schema)],
      ]),
    });
    return { name: old.outputs.name };
  },
  async delete(_id, { inputs, outputs }, { clients }) {
    await clients.apiGateway.deleteModel({ restApiId: inputs.restApi, modelName: outputs.name });
  },
});

const setPolicy = (restApiId: string, policy: unknown, { clients }: ProviderContext) =>
  clients.apiGateway.updateRestApi({
    restApiId,
    patchOperations: [{ op: "replace", path: "/policy", value: documentText("policy", policy) ?? "" }],
  });

const restApiPolicy = resourceType<RestApiPolicyArgs, RestApiPolicy>({
  replaceOn: ["restApiId"],
  async create(args, context) {
    await setPolicy(args.restApiId, args.policy, context);
    return { id: args.restApiId, outputs: {} };
  },
  async update(_id, args, _old, context) {
    await setPolicy(args.restApiId, args.policy, context);
    return {};
  },
  async delete(_id, { inputs }, context) {
    await setPolicy(inputs.restApiId, undefined, context);
  },
});

export const types = {
  "aws:apigateway/restApi:RestApi": restApi,
  "aws:apigateway/restApiPolicy:RestApiPolicy": restApiPolicy,
  "aws:apigateway/resource:Resource": resource,
  "aws:apigateway/authorizer:Authorizer": authorizer,
  "aws:apigateway/response:Response": gatewayResponse,
  "aws:apigateway/requestValidator:RequestValidator": requestValidator,
  "aws:apigateway/model:Model": model,
};
