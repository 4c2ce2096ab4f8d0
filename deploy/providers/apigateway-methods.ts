import type {
  Integration,
  IntegrationArgs,
  IntegrationResponse,
  IntegrationResponseArgs,
  Method,
  MethodArgs,
  MethodResponse,
  MethodResponseArgs,
  MethodSettings,
  MethodSettingsArgs,
} from "@pulumi/aws/apigateway";
import { escapePath, patchMap, patchSet, replaceChanged } from "./patches";
import { type PlainArgs, type ProviderContext, resourceType } from "./types";
import { unlessGone } from "./wait";

/** Which method of which API something belongs to. */
interface MethodKey {
  restApi: string;
  resourceId: string;
  httpMethod: string;
}

const key = ({ restApi, resourceId, httpMethod }: MethodKey) => ({ restApiId: restApi, resourceId, httpMethod });

const moved = ["restApi", "resourceId", "httpMethod"];

const method = resourceType<MethodArgs, Method>({
  replaceOn: moved,
  deleteBeforeReplace: true,
  async create(args, { clients }) {
    await clients.apiGateway.putMethod({
      ...key(args),
      authorizationType: args.authorization,
      authorizerId: args.authorizerId,
      authorizationScopes: args.authorizationScopes,
      apiKeyRequired: args.apiKeyRequired ?? false,
      operationName: args.operationName,
      requestModels: args.requestModels,
      requestParameters: args.requestParameters,
      requestValidatorId: args.requestValidatorId,
    });
    return { id: `agm-${args.restApi}-${args.resourceId}-${args.httpMethod}`, outputs: {} };
  },
  async read(_id, { clients }, known) {
    return known && (await unlessGone(clients.apiGateway.getMethod(key(known.inputs)))) ? {} : undefined;
  },
  async update(_id, args, { inputs: before }, { clients }) {
    await clients.apiGateway.updateMethod({
      ...key(args),
      patchOperations: [
        ...replaceChanged([
          ["/authorizationType", before.authorization, args.authorization],
          ["/authorizerId", before.authorizerId, args.authorizerId],
          ["/apiKeyRequired", before.apiKeyRequired ?? false, args.apiKeyRequired ?? false],
          ["/operationName", before.operationName, args.operationName],
          ["/requestValidatorId", before.requestValidatorId, args.requestValidatorId],
        ]),
        ...patchSet("/authorizationScopes", before.authorizationScopes, args.authorizationScopes),
        ...patchMap("/requestModels", before.requestModels, args.requestModels),
        ...patchMap("/requestParameters", before.requestParameters, args.requestParameters),
      ],
    });
    return {};
  },
  async delete(_id, { inputs }, { clients }) {
    await clients.apiGateway.deleteMethod(key(inputs));
  },
});

const methodResponse = resourceType<MethodResponseArgs, MethodResponse>({
  replaceOn: [...moved, "statusCode"],
  deleteBeforeReplace: true,
  async create(args, { clients }) {
    await clients.apiGateway.putMethodResponse({
      ...key(args),
      statusCode: args.statusCode,
      responseModels: args.responseModels,
      responseParameters: args.responseParameters,
    });
    return { id: `agmr-${args.restApi}-${args.resourceId}-${args.httpMethod}-${args.statusCode}`, outputs: {} };
  },
  async update(_id, args, { inputs: before }, { clients }) {
    await clients.apiGateway.updateMethodResponse({
      ...key(args),
      statusCode: args.statusCode,
      patchOperations: [
        ...patchMap("/responseModels", before.responseModels, args.responseModels),
        ...patchMap("/responseParameters", before.responseParameters, args.responseParameters),
      ],
    });
    return {};
  },
  async delete(_id, { inputs }, { clients }) {
    await clients.apiGateway.deleteMethodResponse({ ...key(inputs), statusCode: inputs.statusCode });
  },
});

/** PutIntegration replaces the integration as a whole, and with it its responses. */
const putIntegration = (args: PlainArgs<IntegrationArgs>, { clients }: ProviderContext) =>
  clients.apiGateway.putIntegration({
    ...key(args),
    type: args.type as "AWS_PROXY",
    integrationHttpMethod: args.integrationHttpMethod,
    uri: args.uri,
    credentials: args.credentials,
    connectionType: args.connectionType as "INTERNET",
    connectionId: args.connectionId,
    contentHandling: args.contentHandling as "CONVERT_TO_TEXT",
    passthroughBehavior: args.passthroughBehavior,
    requestParameters: args.requestParameters,
    requestTemplates: args.requestTemplates,
    timeoutInMillis: args.timeoutMilliseconds,
    cacheKeyParameters: args.cacheKeyParameters,
    cacheNamespace: args.cacheNamespace,
    tlsConfig: args.tlsConfig && { insecureSkipVerification: args.tlsConfig.insecureSkipVerification },
  });

const integration = resourceType<IntegrationArgs, Integration>({
  replaceOn: [...moved, "type"],
  deleteBeforeReplace: true,
  async create(args, context) {
    const made = await putIntegration(args, context);
    return {
      id: `agi-${args.restApi}-${args.resourceId}-${args.httpMethod}`,
      outputs: { passthroughBehavior: made.passthroughBehavior, cacheNamespace: made.cacheNamespace },
    };
  },
  async update(_id, args, { inputs: before }, { clients }) {
    await clients.apiGateway.updateIntegration({
      ...key(args),
      patchOperations: [
        ...replaceChanged([
          ["/uri", before.uri, args.uri],
          ["/httpMethod", before.integrationHttpMethod, args.integrationHttpMethod],
          ["/credentials", before.credentials, args.credentials],
          ["/contentHandling", before.contentHandling, args.contentHandling],
          [
            "/passthroughBehavior",
            before.passthroughBehavior ?? "WHEN_NO_MATCH",
            args.passthroughBehavior ?? "WHEN_NO_MATCH",
          ],
          ["/timeoutInMillis", before.timeoutMilliseconds ?? 29_000, args.timeoutMilliseconds ?? 29_000],
          ["/connectionType", before.connectionType ?? "INTERNET", args.connectionType ?? "INTERNET"],
          ["/connectionId", before.connectionId, args.connectionId],
        ]),
        ...patchMap("/requestParameters", before.requestParameters, args.requestParameters),
        ...patchMap("/requestTemplates", before.requestTemplates, args.requestTemplates),
        ...patchSet("/cacheKeyParameters", before.cacheKeyParameters, args.cacheKeyParameters),
      ],
    });
    return {};
  },
  async delete(_id, { inputs }, { clients }) {
    await clients.apiGateway.deleteIntegration(key(inputs));
  },
});

const putIntegrationResponse = (args: PlainArgs<IntegrationResponseArgs>, { clients }: ProviderContext) =>
  clients.apiGateway.putIntegrationResponse({
    ...key(args),
    statusCode: args.statusCode,
    selectionPattern: args.selectionPattern,
    contentHandling: args.contentHandling as "CONVERT_TO_TEXT",
    responseParameters: args.responseParameters,
    responseTemplates: args.responseTemplates,
  });

const integrationResponse = resourceType<IntegrationResponseArgs, IntegrationResponse>({
  replaceOn: [...moved, "statusCode"],
  deleteBeforeReplace: true,
  async create(args, context) {
    await putIntegrationResponse(args, context);
    return { id: `agir-${args.restApi}-${args.resourceId}-${args.httpMethod}-${args.statusCode}`, outputs: {} };
  },
  async update(_id, args, _old, context) {
    await putIntegrationResponse(args, context);
    return {};
  },
  async delete(_id, { inputs }, { clients }) {
    await clients.apiGateway.deleteIntegrationResponse({ ...key(inputs), statusCode: inputs.statusCode });
  },
});

/** Settings and where they are in a stage: `/<method path>/logging/loglevel`. */
const settingPaths = {
  loggingLevel: "logging/loglevel",
  dataTraceEnabled: "logging/dataTrace",
  metricsEnabled: "metrics/enabled",
  throttlingBurstLimit: "throttling/burstLimit",
  throttlingRateLimit: "throttling/rateLimit",
  cachingEnabled: "caching/enabled",
  cacheTtlInSeconds: "caching/ttlInSeconds",
  cacheDataEncrypted: "caching/dataEncrypted",
  requireAuthorizationForCacheControl: "caching/requireAuthorizationForCacheControl",
  unauthorizedCacheControlHeaderStrategy: "caching/unauthorizedCacheControlHeaderStrategy",
} as const;

/** `users/POST` is `/~1users/POST` in the stage; the path of all methods stays as it is. */
const settingsRoot = (methodPath: string) => {
  if (methodPath === "*/*") return "/*/*";
  const parts = methodPath.replace(/^\/+/, "").split("/");
  const verb = parts.pop() ?? "*";
  return `/${escapePath(`/${parts.join("/")}`)}/${verb}`;
};

async function applySettings(
  args: PlainArgs<MethodSettingsArgs>,
  before: PlainArgs<MethodSettingsArgs>["settings"],
  { clients }: ProviderContext,
) {
  const patchOperations = replaceChanged(
    Object.entries(settingPaths).map(([name, path]) => {
      const property = name as keyof typeof settingPaths;
      return [`${settingsRoot(args.methodPath)}/${path}`, before[property], args.settings[property]];
    }),
  ).filter(({ value }) => value !== "");
  if (patchOperations.length === 0) return;
  await clients.apiGateway.updateStage({ restApiId: args.restApi, stageName: args.stageName, patchOperations });
}

const methodSettings = resourceType<MethodSettingsArgs, MethodSettings>({
  replaceOn: ["restApi", "stageName", "methodPath"],
  async create(args, context) {
    await applySettings(args, {}, context);
    return { id: `${args.restApi}-${args.stageName}-${args.methodPath}`, outputs: {} };
  },
  async update(_id, args, old, context) {
    await applySettings(args, old.inputs.settings, context);
    return {};
  },
  async delete(_id, { inputs }, { clients }) {
    const path = settingsRoot(inputs.methodPath);
    const { restApi: restApiId, stageName } = inputs;
    await clients.apiGateway.updateStage({ restApiId, stageName, patchOperations: [{ op: "remove", path }] });
  },
});

export const types = {
  "aws:apigateway/method:Method": method,
  "aws:apigateway/methodResponse:MethodResponse": methodResponse,
  "aws:apigateway/integration:Integration": integration,
  "aws:apigateway/integrationResponse:IntegrationResponse": integrationResponse,
  "aws:apigateway/methodSettings:MethodSettings": methodSettings,
};
