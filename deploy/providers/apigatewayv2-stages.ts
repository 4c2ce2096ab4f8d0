import type { CreateStageRequest, DomainNameConfiguration, RouteSettings } from "@aws-sdk/client-apigatewayv2";
import type {
  ApiMapping,
  ApiMappingArgs,
  Deployment,
  DeploymentArgs,
  DomainName,
  DomainNameArgs,
  Stage,
  StageArgs,
} from "@pulumi/aws/apigatewayv2";
import { apiUrl, changes, named } from "./apigatewayv2-fields";
import { tagChanges, tagMap } from "./tags";
import { type PlainArgs, type ProviderContext, resourceType } from "./types";
import { unlessGone } from "./wait";

const deployment = resourceType<DeploymentArgs, Deployment>({
  // A deployment is a snapshot: a changed API needs a new one, which is what triggers are for.
  replaceOn: ["apiId", "triggers"],
  async create(args, { clients }) {
    const { apiId: ApiId, description: Description } = args;
    const { DeploymentId = "", AutoDeployed = false } = await clients.apiGatewayV2.createDeployment({
      ApiId,
      Description,
    });
    return { id: DeploymentId, outputs: { autoDeployed: AutoDeployed } };
  },
  async read(id, { clients }, known) {
    const ids = { ApiId: known?.inputs.apiId, DeploymentId: id };
    const found = await unlessGone(clients.apiGatewayV2.getDeployment(ids));
    return found && { autoDeployed: found.AutoDeployed ?? false };
  },
  async update(DeploymentId, args, old, { clients }) {
    const ids = { ApiId: args.apiId, DeploymentId };
    await clients.apiGatewayV2.updateDeployment({ ...ids, Description: args.description ?? "" });
    return old.outputs;
  },
  async delete(DeploymentId, { inputs }, { clients }) {
    await clients.apiGatewayV2.deleteDeployment({ ApiId: inputs.apiId, DeploymentId });
  },
});

type Settings = NonNullable<PlainArgs<StageArgs>["defaultRouteSettings"]>;

/** The logging level has a meaning for WebSocket APIs only, and HTTP APIs refuse it. */
const routeSettings = (settings: Settings): RouteSettings =>
  named<RouteSettings>(
    settings,
    ...["dataTraceEnabled", "detailedMetricsEnabled", "loggingLevel", "throttlingBurstLimit", "throttlingRateLimit"],
  );

const stageFields = (args: PlainArgs<StageArgs>) => ({
  ...named<CreateStageRequest>(
    args,
    ...["autoDeploy", "clientCertificateId", "deploymentId", "description", "stageVariables"],
  ),
  AccessLogSettings: args.accessLogSettings && {
    // The ARN of a log group may end with ":*", which AWS refuses here.
    DestinationArn: args.accessLogSettings.destinationArn.replace(/:\*$/, ""),
    Format: args.accessLogSettings.format,
  },
  DefaultRouteSettings: args.defaultRouteSettings && routeSettings(args.defaultRouteSettings),
  RouteSettings:
    args.routeSettings &&
    Object.fromEntries(args.routeSettings.map((settings) => [settings.routeKey, routeSettings(settings)])),
});

/** The stage's name when the program leaves it out comes from the resource's: it is the last part of the URL. */
async function stageOutputs(ApiId: string, StageName: string, context: ProviderContext) {
  const { clients, region } = context;
  const { ProtocolType = "HTTP" } = await clients.apiGatewayV2.getApi({ ApiId });
  // The default stage of an HTTP API has no part of the path.
  const path = StageName === "$default" ? "/" : `/${StageName}`;
  return {
    name: StageName,
    arn: `arn:aws:apigateway:${region}::/apis/${ApiId}/stages/${StageName}`,
    executionArn: `arn:aws:execute-api:${region}:${await context.account()}:${ApiId}/${StageName}`,
    invokeUrl: apiUrl({ id: ApiId, path, protocol: ProtocolType }, context),
  };
}

const stage = resourceType<StageArgs, Stage>({
  autoname: { property: "name", max: 128 },
  replaceOn: ["apiId", "name"],
  deleteBeforeReplace: true,
  async create(args, context) {
    const { apiId: ApiId, name: StageName = "$default" } = args;
    const Tags = tagMap(context.tags(args.tags));
    const made = await context.clients.apiGatewayV2.createStage({ ...stageFields(args), ApiId, StageName, Tags });
    const outputs = await stageOutputs(ApiId, StageName, context);
    return { id: StageName, outputs: { ...outputs, deploymentId: args.deploymentId ?? made.DeploymentId ?? "" } };
  },
  async read(id, context, known) {
    if (!known) return undefined;
    const ApiId = known.inputs.apiId;
    const found = await unlessGone(context.clients.apiGatewayV2.getStage({ ApiId, StageName: id }));
    return found && { ...(await stageOutputs(ApiId, id, context)), deploymentId: found.DeploymentId ?? "" };
  },
  async update(StageName, args, old, context) {
    const { apiGatewayV2 } = context.clients;
    const ids = { ApiId: args.apiId, StageName };
    const before = old.inputs;
    const { AccessLogSettings, RouteSettings, ...rest } = changes(stageFields(before), stageFields(args));
    if (before.accessLogSettings && !args.accessLogSettings) await apiGatewayV2.deleteAccessLogSettings(ids);
    const kept = new Set(args.routeSettings?.map(({ routeKey }) => routeKey));
    for (const { routeKey: RouteKey } of before.routeSettings ?? []) {
      if (!kept.has(RouteKey)) await apiGatewayV2.deleteRouteSettings({ ...ids, RouteKey });
    }
    const { DeploymentId } = await apiGatewayV2.updateStage({
      ...ids,
      ...rest,
      ...(args.accessLogSettings && AccessLogSettings && { AccessLogSettings }),
      ...(args.routeSettings && RouteSettings && { RouteSettings }),
    });
    const { set, remove } = tagChanges(context.tags(before.tags), context.tags(args.tags));
    const ResourceArn = old.outputs.arn;
    if (Object.keys(set).length > 0) await apiGatewayV2.tagResource({ ResourceArn, Tags: set });
    if (remove.length > 0) await apiGatewayV2.untagResource({ ResourceArn, TagKeys: remove });
    const deploymentId = args.deploymentId ?? DeploymentId ?? "";
    return { ...(await stageOutputs(args.apiId, StageName, context)), deploymentId };
  },
  async delete(StageName, { inputs }, { clients }) {
    await clients.apiGatewayV2.deleteStage({ ApiId: inputs.apiId, StageName });
  },
});

const domainFields = (args: PlainArgs<DomainNameArgs>) => ({
  DomainNameConfigurations: [
    named<DomainNameConfiguration>(
      args.domainNameConfiguration,
      ...["certificateArn", "endpointType", "securityPolicy", "ownershipVerificationCertificateArn", "ipAddressType"],
    ),
  ],
  MutualTlsAuthentication: args.mutualTlsAuthentication && {
    TruststoreUri: args.mutualTlsAuthentication.truststoreUri,
    TruststoreVersion: args.mutualTlsAuthentication.truststoreVersion,
  },
});

const domainName = resourceType<DomainNameArgs, DomainName>({
  replaceOn: ["domainName"],
  deleteBeforeReplace: true,
  async create(args, context) {
    const Tags = tagMap(context.tags(args.tags));
    await context.clients.apiGatewayV2.createDomainName({ ...domainFields(args), DomainName: args.domainName, Tags });
    return { id: args.domainName };
  },
  async read(id, { clients, region }, known) {
    const found = await unlessGone(clients.apiGatewayV2.getDomainName({ DomainName: id }));
    if (!found) return undefined;
    const [configuration] = found.DomainNameConfigurations ?? [];
    const asked = known?.inputs.domainNameConfiguration;
    return {
      domainName: id,
      arn: `arn:aws:apigateway:${region}::/domainnames/${id}`,
      apiMappingSelectionExpression: found.ApiMappingSelectionExpression ?? "$request.basepath",
      domainNameConfiguration: {
        certificateArn: configuration?.CertificateArn ?? asked?.certificateArn ?? "",
        endpointType: configuration?.EndpointType ?? asked?.endpointType ?? "REGIONAL",
        securityPolicy: configuration?.SecurityPolicy ?? asked?.securityPolicy ?? "TLS_1_2",
        ipAddressType: configuration?.IpAddressType ?? "ipv4",
        ownershipVerificationCertificateArn: configuration?.OwnershipVerificationCertificateArn ?? "",
        hostedZoneId: configuration?.HostedZoneId ?? "",
        targetDomainName: configuration?.ApiGatewayDomainName ?? "",
      },
    };
  },
  async update(DomainName, args, old, { clients: { apiGatewayV2 }, tags }) {
    await apiGatewayV2.updateDomainName({ DomainName, ...domainFields(args) });
    const { set, remove } = tagChanges(tags(old.inputs.tags), tags(args.tags));
    const ResourceArn = old.outputs.arn;
    if (Object.keys(set).length > 0) await apiGatewayV2.tagResource({ ResourceArn, Tags: set });
    if (remove.length > 0) await apiGatewayV2.untagResource({ ResourceArn, TagKeys: remove });
  },
  async delete(DomainName, _known, { clients }) {
    await clients.apiGatewayV2.deleteDomainName({ DomainName });
  },
});

const mappingFields = ({ apiId, stage, apiMappingKey, domainName }: PlainArgs<ApiMappingArgs>) => ({
  ApiId: apiId,
  Stage: stage,
  ApiMappingKey: apiMappingKey ?? "",
  DomainName: domainName,
});

const apiMapping = resourceType<ApiMappingArgs, ApiMapping>({
  replaceOn: ["domainName"],
  async create(args, { clients }) {
    const { ApiMappingId = "" } = await clients.apiGatewayV2.createApiMapping(mappingFields(args));
    return { id: ApiMappingId, outputs: {} };
  },
  async update(ApiMappingId, args, _old, { clients }) {
    await clients.apiGatewayV2.updateApiMapping({ ...mappingFields(args), ApiMappingId });
    return {};
  },
  async delete(ApiMappingId, { inputs }, { clients }) {
    await clients.apiGatewayV2.deleteApiMapping({ ApiMappingId, DomainName: inputs.domainName });
  },
});

export const types = {
  "aws:apigatewayv2/deployment:Deployment": deployment,
  "aws:apigatewayv2/stage:Stage": stage,
  "aws:apigatewayv2/domainName:DomainName": domainName,
  "aws:apigatewayv2/apiMapping:ApiMapping": apiMapping,
};
