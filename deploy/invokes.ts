import { InvalidInput } from "./errors";
import { availabilityZones, networkSources } from "./invokes-network";
import type { ProviderHost } from "./providers/host";
import { policyDocument } from "./providers/policy-document";
import type { ProviderContext } from "./providers/types";
import { type PlainObject, toWire, type WireObject } from "./values";

type DataSource = (args: PlainObject, context: ProviderContext) => Promise<object> | object;

const managedPolicyArn = (name: string) => `arn:aws:iam::aws:policy/${name}`;

/** The data sources that work without the provider, by their token without the repeated function name. */
const dataSources: Record<string, DataSource> = {
  ...networkSources,
  "aws:index/getCallerIdentity": async (_args, { clients }) => {
    const { Account, Arn, UserId } = await clients.sts.getCallerIdentity({});
    return { accountId: Account, arn: Arn, userId: UserId, id: Account };
  },
  "aws:index/getRegion": (args, context) => {
    const region = String(args.region ?? args.name ?? context.region);
    return { name: region, region, id: region, description: region, endpoint: `ec2.${region}.amazonaws.com` };
  },
  "aws:index/getRegions": (_args, { region }) => ({ id: "aws", names: [region] }),
  "aws:index/getPartition": () => ({
    ...{ id: "aws", partition: "aws", dnsSuffix: "amazonaws.com", reverseDnsPrefix: "com.amazonaws" },
  }),
  "aws:index/getAvailabilityZones": (_args, { region }) => ({
    ...{ id: region, region, groupNames: [region], names: availabilityZones(region) },
    // Zone ids start with the region's short name: eu-west-1 is euw1.
    zoneIds: [1, 2, 3].map((n) => `${region.replace(/-(\w)\w*-(\d)$/, "$1$2")}-az${n}`),
  }),
  "aws:index/getAvailabilityZone": (args, { region }) => {
    const name = String(args.name ?? `${region}a`);
    return {
      ...{ id: name, name, region, groupName: region, state: "available" },
      nameSuffix: name.slice(region.length),
    };
  },
  "aws:index/getArn": (args) => {
    const [, partition, service, region, account, ...resource] = String(args.arn).split(":");
    return { id: args.arn, arn: args.arn, partition, service, region, account, resource: resource.join(":") };
  },
  "aws:index/getServicePrincipal": (args, { region }) => {
    const name = `${args.serviceName}.amazonaws.com`;
    return { ...{ id: name, name, region, suffix: "amazonaws.com" }, serviceName: args.serviceName };
  },
  "aws:index/getDefaultTags": (_args, context) => ({ id: "aws", tags: context.tags(undefined) }),
  "aws:iam/getPolicyDocument": policyDocument,
  "aws:iam/getPolicy": async (args, { clients }) => {
    const arn = String(args.arn ?? managedPolicyArn(String(args.name)));
    const { Policy } = await clients.iam.getPolicy({ PolicyArn: arn });
    return { id: arn, arn, name: Policy?.PolicyName, path: Policy?.Path, policyId: Policy?.PolicyId };
  },
  "aws:iam/getRole": async (args, { clients }) => {
    const { Role } = await clients.iam.getRole({ RoleName: String(args.name) });
    return {
      ...{ id: Role?.RoleName, name: Role?.RoleName, arn: Role?.Arn, path: Role?.Path, uniqueId: Role?.RoleId },
      assumeRolePolicy: decodeURIComponent(Role?.AssumeRolePolicyDocument ?? ""),
    };
  },
  "aws:iot/getEndpoint": async ({ endpointType = "iot:Data" }, { clients }) => {
    const { endpointAddress } = await clients.iot.describeEndpoint({ endpointType: String(endpointType) });
    return { id: endpointAddress, endpointAddress, endpointType };
  },
  "aws:sqs/getQueue": async (args, { clients }) => {
    const { QueueUrl } = await clients.sqs.getQueueUrl({ QueueName: String(args.name) });
    const { Attributes } = await clients.sqs.getQueueAttributes({ QueueUrl, AttributeNames: ["QueueArn"] });
    return { id: QueueUrl, url: QueueUrl, name: args.name, arn: Attributes?.QueueArn };
  },
  "aws:s3/getBucket": async (args, { clients, region }) => {
    const bucket = String(args.bucket);
    await clients.s3.headBucket({ Bucket: bucket });
    return {
      id: bucket,
      bucket,
      arn: `arn:aws:s3:::${bucket}`,
      region,
      bucketDomainName: `${bucket}.s3.amazonaws.com`,
    };
  },
  "aws:lambda/getFunction": async (args, { clients }) => {
    const { Configuration } = await clients.lambda.getFunction({ FunctionName: String(args.functionName) });
    return { id: args.functionName, functionName: args.functionName, arn: Configuration?.FunctionArn };
  },
  "aws:cloudwatch/getLogGroup": async (args, { clients }) => {
    const { logGroups = [] } = await clients.logs.describeLogGroups({ logGroupNamePrefix: String(args.name) });
    const group = logGroups.find(({ logGroupName }) => logGroupName === args.name);
    if (!group) throw new InvalidInput(`there is no log group "${args.name}"`);
    return {
      id: args.name,
      name: args.name,
      arn: group.arn?.replace(/:\*$/, ""),
      retentionInDays: group.retentionInDays,
    };
  },
};

/** Answers a data source of the program: `aws.getCallerIdentity()`, `aws.iam.getPolicyDocument(...)` and so on. */
export async function callFunction(token: string, args: PlainObject, host: ProviderHost): Promise<WireObject> {
  const source = dataSources[token.replace(/:[^:]*$/, "")];
  if (!source) {
    const known = Object.keys(dataSources).join(", ");
    throw new InvalidInput(`the function ${token} is not supported by the Sensorcast engine (it knows ${known})`);
  }
  const context = host.context(typeof args.region === "string" ? args.region : undefined, 60_000);
  return toWire({ ...args, ...(await source(args, context)) }) as WireObject;
}
