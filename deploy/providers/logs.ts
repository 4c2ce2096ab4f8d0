import type { StandardUnit } from "@aws-sdk/client-cloudwatch-logs";
import type {
  LogGroup,
  LogGroupArgs,
  LogMetricFilter,
  LogMetricFilterArgs,
  LogStream,
  LogStreamArgs,
  LogSubscriptionFilter,
  LogSubscriptionFilterArgs,
} from "@pulumi/aws/cloudwatch";
import { tagChanges, tagMap } from "./tags";
import { type PlainArgs, type ProviderContext, resourceType } from "./types";
import { unlessGone } from "./wait";

async function groupOutputs(name: string, { clients }: ProviderContext) {
  const { logGroups = [] } = await clients.logs.describeLogGroups({ logGroupNamePrefix: name });
  const group = logGroups.find(({ logGroupName }) => logGroupName === name);
  // The provider gives the ARN without the ":*" that AWS's answer ends with.
  return group && { name, arn: group.arn?.replace(/:\*$/, ""), retentionInDays: group.retentionInDays ?? 0 };
}

const logGroup = resourceType<LogGroupArgs, LogGroup>({
  autoname: { property: "name", max: 512 },
  replaceOn: ["name", "namePrefix", "logGroupClass"],
  async create(args, context) {
    const { clients, tags } = context;
    const logGroupName = args.name!;
    await clients.logs.createLogGroup({
      logGroupName,
      kmsKeyId: args.kmsKeyId,
      logGroupClass: args.logGroupClass as "STANDARD",
      tags: tagMap(tags(args.tags)),
    });
    const { retentionInDays } = args;
    if (retentionInDays) await clients.logs.putRetentionPolicy({ logGroupName, retentionInDays });
    return { id: logGroupName };
  },
  read: (id, context) => groupOutputs(id, context),
  async update(id, args, old, context) {
    const { logs } = context.clients;
    if (old.changed("retentionInDays")) {
      const { retentionInDays } = args;
      if (retentionInDays) await logs.putRetentionPolicy({ logGroupName: id, retentionInDays });
      else await logs.deleteRetentionPolicy({ logGroupName: id });
    }
    const { set, remove } = tagChanges(context.tags(old.inputs.tags), context.tags(args.tags));
    const resourceArn = old.outputs.arn;
    if (Object.keys(set).length > 0) await logs.tagResource({ resourceArn, tags: set });
    if (remove.length > 0) await logs.untagResource({ resourceArn, tagKeys: remove });
  },
  async delete(id, { inputs }, { clients }) {
    if (!inputs.skipDestroy) await clients.logs.deleteLogGroup({ logGroupName: id });
  },
});

const logStream = resourceType<LogStreamArgs, LogStream>({
  autoname: { property: "name", max: 512 },
  async create(args, { clients, region, account }) {
    await clients.logs.createLogStream({ logGroupName: args.logGroupName, logStreamName: args.name });
    const arn = `arn:aws:logs:${region}:${await account()}:log-group:${args.logGroupName}:log-stream:${args.name}`;
    return { id: args.name!, outputs: { arn } };
  },
  async delete(id, { inputs }, { clients }) {
    await clients.logs.deleteLogStream({ logGroupName: inputs.logGroupName, logStreamName: id });
  },
});

const putMetricFilter = (args: PlainArgs<LogMetricFilterArgs>, { clients }: ProviderContext) => {
  const { name, namespace, value, defaultValue, unit, dimensions } = args.metricTransformation;
  return clients.logs.putMetricFilter({
    filterName: args.name,
    logGroupName: args.logGroupName,
    filterPattern: args.pattern,
    metricTransformations: [
      {
        metricName: name,
        metricNamespace: namespace,
        metricValue: value,
        defaultValue: defaultValue === undefined ? undefined : Number(defaultValue),
        unit: unit as StandardUnit,
        dimensions,
      },
    ],
  });
};

const logMetricFilter = resourceType<LogMetricFilterArgs, LogMetricFilter>({
  autoname: { property: "name", max: 512 },
  replaceOn: ["name", "logGroupName"],
  async create(args, context) {
    await putMetricFilter(args, context);
    return { id: args.name!, outputs: {} };
  },
  async update(_id, args, _old, context) {
    await putMetricFilter(args, context);
    return {};
  },
  async delete(id, { inputs }, { clients }) {
    await clients.logs.deleteMetricFilter({ filterName: id, logGroupName: inputs.logGroupName });
  },
});

const putSubscription = (args: PlainArgs<LogSubscriptionFilterArgs>, { clients }: ProviderContext) =>
  clients.logs.putSubscriptionFilter({
    filterName: args.name,
    logGroupName: args.logGroup,
    filterPattern: args.filterPattern,
    destinationArn: args.destinationArn,
    roleArn: args.roleArn,
    distribution: args.distribution as "ByLogStream",
  });

const logSubscriptionFilter = resourceType<LogSubscriptionFilterArgs, LogSubscriptionFilter>({
  autoname: { property: "name", max: 512 },
  replaceOn: ["name", "logGroup"],
  async create(args, context) {
    await putSubscription(args, context);
    return { id: `${args.logGroup}|${args.name}`, outputs: {} };
  },
  async update(_id, args, _old, context) {
    await putSubscription(args, context);
    return {};
  },
  async delete(_id, { inputs }, { clients }) {
    await unlessGone(clients.logs.deleteSubscriptionFilter({ filterName: inputs.name, logGroupName: inputs.logGroup }));
  },
});

export const types = {
  "aws:cloudwatch/logGroup:LogGroup": logGroup,
  "aws:cloudwatch/logStream:LogStream": logStream,
  "aws:cloudwatch/logMetricFilter:LogMetricFilter": logMetricFilter,
  "aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter": logSubscriptionFilter,
};
