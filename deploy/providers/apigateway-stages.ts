import type {
  Account,
  AccountArgs,
  BasePathMapping,
  BasePathMappingArgs,
  Deployment,
  DeploymentArgs,
  DomainName,
  DomainNameArgs,
  Stage,
  StageArgs,
} from "@pulumi/aws/apigateway";
import { patchMap, replaceChanged } from "./patches";
import { tagChanges, tagMap } from "./tags";
import { type PlainArgs, type ProviderContext, resourceType } from "./types";
import { retryWhile, unlessGone } from "./wait";

const deployment = resourceType<DeploymentArgs, Deployment>({
  // A deployment is a snapshot: a changed API needs a new one, which is what triggers are for.
  replaceOn: ["restApi", "triggers", "variables"],
  async create(args, { clients }) {
    const { id = "", createdDate } = await clients.apiGateway.createDeployment({
      restApiId: args.restApi,
      description: args.description,
      variables: args.variables,
    });
    return { id, outputs: { createdDate: createdDate?.toISOString() } };
  },
  async read(id, { clients }, known) {
    const restApiId = known?.inputs.restApi;
    const found = await unlessGone(clients.apiGateway.getDeployment({ restApiId, deploymentId: id }));
    return found && { createdDate: found.createdDate?.toISOString() };
  },
  async update(id, args, old, { clients }) {
    const patchOperations = replaceChanged([["/description", old.inputs.description, args.description]]);
    await clients.apiGateway.updateDeployment({ restApiId: args.restApi, deploymentId: id, patchOperations });
    return old.outputs;
  },
  async delete(id, { inputs }, { clients }) {
    await clients.apiGateway.deleteDeployment({ restApiId: inputs.restApi, deploymentId: id });
  },
});

/** Where the stage is called: at a local endpoint the URL that works there, else AWS's own. */
function stageUrl(api: string, stage: string, { endpoint, local, region }: ProviderContext): string {
  if (!local) return `https://${api}.execute-api.${region}.amazonaws.com/${stage}`;
  const host = /^(127\.|\[::1\]|0\.0\.0\.0)/.test(endpoint.hostname) ? "localhost" : endpoint.hostname;
  const port = endpoint.port && `:${endpoint.port}`;
  return `${endpoint.protocol}//${host}${port}/_aws/execute-api/${api}/${stage}`;
}

const stageOutputs = async (api: string, stage: string, context: ProviderContext) => ({
  arn: `arn:aws:apigateway:${context.region}::/restapis/${api}/stages/${stage}`,
  executionArn: `arn:aws:execute-api:${context.region}:${await context.account()}:${api}/${stage}`,
  invokeUrl: stageUrl(api, stage, context),
  webAclArn: "",
});

const logPatches = (args: PlainArgs<StageArgs>, old?: PlainArgs<StageArgs>) => {
  const now = args.accessLogSettings;
  const before = old?.accessLogSettings;
  if (!now) return before ? [{ op: "remove" as const, path: "/accessLogSettings" }] : [];
  return replaceChanged([
    // The ARN of a log group may end with ":*", which AWS refuses here.
    ["/accessLogSettings/destinationArn", before?.destinationArn, now.destinationArn.replace(/:\*$/, "")],
    ["/accessLogSettings/format", before?.format, now.format],
  ]);
};

const stage = resourceType<StageArgs, Stage>({
  replaceOn: ["restApi", "stageName"],
  deleteBeforeReplace: true,
  async create(args, context) {
    const { clients, tags } = context;
    const { restApi: restApiId, stageName } = args;
    await clients.apiGateway.createStage({
      restApiId,
      stageName,
      deploymentId: args.deployment,
      description: args.description,
      variables: args.variables,
      tracingEnabled: args.xrayTracingEnabled,
      cacheClusterEnabled: args.cacheClusterEnabled,
      cacheClusterSize: args.cacheClusterSize as "0.5",
      documentationVersion: args.documentationVersion,
      canarySettings: args.canarySettings,
      tags: tagMap(tags(args.tags)),
    });
    const patchOperations = logPatches(args);
    if (patchOperations.length > 0) await clients.apiGateway.updateStage({ restApiId, stageName, patchOperations });
    return { id: `ags-${restApiId}-${stageName}`, outputs: await stageOutputs(restApiId, stageName, context) };
  },
  async read(_id, context, known) {
    if (!known) return undefined;
    const { restApi: restApiId, stageName } = known.inputs;
    const found = await unlessGone(context.clients.apiGateway.getStage({ restApiId, stageName }));
    return found && stageOutputs(restApiId, stageName, context);
  },
  async update(_id, args, old, context) {
    const { apiGateway } = context.clients;
    const { restApi: restApiId, stageName } = args;
    const before = old.inputs;
    const patchOperations = [
      ...replaceChanged([
        ["/deploymentId", before.deployment, args.deployment],
        ["/description", before.description, args.description],
        ["/tracingEnabled", before.xrayTracingEnabled ?? false, args.xrayTracingEnabled ?? false],
        ["/cacheClusterEnabled", before.cacheClusterEnabled ?? false, args.cacheClusterEnabled ?? false],
        ["/cacheClusterSize", before.cacheClusterSize, args.cacheClusterSize],
      ]),
      ...patchMap("/variables", before.variables, args.variables),
      ...logPatches(args, before),
    ];
    if (patchOperations.length > 0) await apiGateway.updateStage({ restApiId, stageName, patchOperations });
    const { set, remove } = tagChanges(context.tags(before.tags), context.tags(args.tags));
    const resourceArn = old.outputs.arn;
    if (Object.keys(set).length > 0) await apiGateway.tagResource({ resourceArn, tags: set });
    if (remove.length > 0) await apiGateway.untagResource({ resourceArn, tagKeys: remove });
    return stageOutputs(restApiId, stageName, context);
  },
  async delete(_id, { inputs }, { clients }) {
    await clients.apiGateway.deleteStage({ restApiId: inputs.restApi, stageName: inputs.stageName });
  },
});

async function setAccount(args: PlainArgs<AccountArgs>, context: ProviderContext) {
  const value = args.cloudwatchRoleArn ?? "";
  const call = () =>
    context.clients.apiGateway.updateAccount({
      patchOperations: [{ op: "replace", path: "/cloudwatchRoleArn", value }],
    });
  // A role that was made a moment ago is not known to API Gateway at once.
  const { apiKeyVersion, features, throttleSettings } = await retryWhile(
    context,
    (error) => /role ARN|required permissions/.test(error.message),
    call,
  );
  return {
    ...{ apiKeyVersion, features },
    throttleSettings: throttleSettings && [
      { burstLimit: throttleSettings.burstLimit ?? 5000, rateLimit: throttleSettings.rateLimit ?? 10_000 },
    ],
  };
}

const account = resourceType<AccountArgs, Account>({
  async create(args, context) {
    return { id: "api-gateway-account", outputs: await setAccount(args, context) };
  },
  update: (_id, args, _old, context) => setAccount(args, context),
  // The provider leaves the setting of the account as it is, because other stacks use it too.
});

const domainName = resourceType<DomainNameArgs, DomainName>({
  replaceOn: ["domainName"],
  deleteBeforeReplace: true,
  async create(args, { clients, region, tags }) {
    const made = await clients.apiGateway.createDomainName({
      domainName: args.domainName,
      certificateArn: args.certificateArn,
      regionalCertificateArn: args.regionalCertificateArn,
      securityPolicy: args.securityPolicy as "TLS_1_2",
      endpointConfiguration: args.endpointConfiguration && {
        types: [args.endpointConfiguration.types as "REGIONAL"],
      },
      tags: tagMap(tags(args.tags)),
    });
    return {
      id: args.domainName,
      outputs: {
        arn: `arn:aws:apigateway:${region}::/domainnames/${args.domainName}`,
        regionalDomainName: made.regionalDomainName,
        regionalZoneId: made.regionalHostedZoneId,
        cloudfrontDomainName: made.distributionDomainName,
        cloudfrontZoneId: made.distributionHostedZoneId,
      },
    };
  },
  async delete(id, _known, { clients }) {
    await clients.apiGateway.deleteDomainName({ domainName: id });
  },
});

const basePathMapping = resourceType<BasePathMappingArgs, BasePathMapping>({
  deleteBeforeReplace: true,
  async create(args, { clients }) {
    await clients.apiGateway.createBasePathMapping({
      domainName: args.domainName,
      basePath: args.basePath,
      restApiId: args.restApi,
      stage: args.stageName,
    });
    return { id: `${args.domainName}/${args.basePath ?? ""}`, outputs: {} };
  },
  async delete(_id, { inputs }, { clients }) {
    // The empty base path is named so in the API.
    const basePath = inputs.basePath || "(none)";
    await clients.apiGateway.deleteBasePathMapping({ domainName: inputs.domainName, basePath });
  },
});

export const types = {
  "aws:apigateway/deployment:Deployment": deployment,
  "aws:apigateway/stage:Stage": stage,
  "aws:apigateway/account:Account": account,
  "aws:apigateway/domainName:DomainName": domainName,
  "aws:apigateway/basePathMapping:BasePathMapping": basePathMapping,
};
