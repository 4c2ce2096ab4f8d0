import { WebSocketBroadcast } from "../../components";

/** A broadcast with all that can be asked of it. */

const all = new WebSocketBroadcast("all", {
  auth: {
    authorize: (token) => (token === process.env.EXPECTED ? { id: "house" } : null),
    environment: { EXPECTED: "t" },
  },
  idOf: ({ key }) => key as string | undefined,
  messages: true,
  actions: { set: { onAction: () => process.env.SITE, environment: { SITE: "Oulu" } } },
  stageName: "v1",
  domain: {
    domainName: "live.example.com",
    certificateArn: "arn:aws:acm:eu-west-1:000000000000:certificate/1",
    path: "iot",
  },
  throttle: { rateLimit: 50 },
  shards: 2,
  parallel: 50,
  batch: { size: 50, windowSeconds: 2 },
  maxConcurrency: 20,
  fanOut: { above: 100, maxConcurrency: 5 },
  deadLetter: { retentionDays: 7 },
  memorySize: 512,
  timeout: 20,
  logRetentionDays: 30,
  tracing: false,
  alarms: { topicArn: "arn:aws:sns:eu-west-1:000000000000:alarms" },
});

const { nodes } = all;
const functions = {
  ...{ authorizer: nodes.authorizerFunction!, connect: nodes.connect, disconnect: nodes.disconnect },
  ...{ actions: nodes.actions, set: nodes.customActions.set!, broadcast: nodes.broadcast, fanOut: nodes.fanOut },
};

export const { url, managementEndpoint } = all;
export const apiId = nodes.api.id;
export const executionArn = nodes.api.executionArn;
export const roles = Object.fromEntries(Object.entries(functions).map(([name, { role }]) => [name, role.name]));
export const functionNames = Object.fromEntries(
  Object.entries(functions).map(([name, made]) => [name, made.function.name]),
);
export const logGroups = [nodes.accessLogs.name, ...Object.values(functions).map(({ logGroup }) => logGroup.name)];
export const tableArn = all.table.arn;
export const tableName = all.table.name;
export const queueArn = all.queue.arn;
export const queueUrl = all.queue.url;
export const fanOutQueueArn = nodes.fanOutQueue.arn;
export const deadLetterQueueArn = all.deadLetterQueue.arn;
export const target = nodes.domain?.domainNameConfiguration.targetDomainName;
