import * as aws from "@pulumi/aws";
import { IoTStream } from "../../components";

/** Streams with all that can be asked of them. */

const queue = new aws.sqs.Queue("live", { maxMessageSize: 1024 * 1024 });
const seen = new aws.sqs.Queue("seen", {});
const table = new aws.dynamodb.Table("own", {
  billingMode: "PAY_PER_REQUEST",
  hashKey: "ident",
  rangeKey: "sortKey",
  attributes: [
    { name: "ident", type: "S" },
    { name: "sortKey", type: "S" },
  ],
});

const all = new IoTStream("all", {
  topic: ["plants/+/air/+", "rooms/+"],
  where: "temp < 1000",
  sinks: [
    { dynamodb: { existing: table, ttlDays: 30 } },
    { queue },
    { s3: { expiryDays: 90, forceDestroy: true } },
    {
      onRecords: async (records) => {
        const { SQSClient, SendMessageCommand } = await import("@aws-sdk/client-sqs");
        const MessageBody = JSON.stringify(records.map(({ data }) => data.temp));
        await new SQSClient({}).send(new SendMessageCommand({ QueueUrl: process.env.SEEN, MessageBody }));
        return undefined;
      },
    },
  ],
  environment: { SEEN: seen.url },
  statements: [{ actions: ["sqs:SendMessage"], resources: [seen.arn] }],
  transform: (data, { ident, topic }) => {
    if (data.temp === -273) throw new Error("too cold");
    if (data.temp === 13) process.exit(1);
    return data.temp === 0 ? null : { ...data, place: `${ident} ${topic.split("/").at(-1)}` };
  },
  stream: { shards: 2, retentionHours: 48 },
  batch: { size: 100, windowSeconds: 0 },
  retries: 1,
  giveUpAfterSeconds: 60,
  deadLetter: { retentionDays: 7 },
  logRetentionDays: 30,
  tracing: false,
  memorySize: 256,
  timeout: 30,
  alarms: { topicArn: "arn:aws:sns:eu-west-1:000000000000:alarms" },
});

const byField = new IoTStream("field", { topic: "flespi/#", device: "ident", time: "timestamp", fleet: true });
const direct = new IoTStream("direct", { topic: "meters/+/data", direct: { ttlDays: 7 } });

export const queueUrl = queue.url;
export const seenUrl = seen.url;
export const tableName = table.name;
export const archiveBucket = all.nodes.archives[0]?.bucket;
export const deadLetterQueueUrl = all.deadLetterQueue.url;
export const failureQueueUrl = all.failureQueue?.url;
export const streamArn = all.stream?.arn;
export const functionName = all.nodes.consume?.function.name;
export const roles = { rule: all.nodes.ruleRole.name, consume: all.nodes.consume?.role.name };
export const alarms = all.nodes.alarms.map(({ metricName }) => metricName);
export const fieldTableName = byField.table?.name;
export const fieldDeadLetterQueueUrl = byField.deadLetterQueue.url;
export const fieldStreamName = byField.stream?.name;
export const fieldReplayName = byField.replay?.name;
export const fleetPolicy = byField.nodes.devicePolicy?.policy;
export const directTableName = direct.table?.name;
export const directDeadLetterQueueUrl = direct.deadLetterQueue.url;
