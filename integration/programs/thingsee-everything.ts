import { readdirSync } from "node:fs";
import * as aws from "@pulumi/aws";
import { strToU8 } from "fflate";
import { ThingseeIngest } from "../../components";

/** An ingest with all that can be asked of it, around a queue, a topic and a table of the program's own. */

const queue = new aws.sqs.Queue("live", { maxMessageSize: 1024 * 1024 });
const table = new aws.dynamodb.Table("own", {
  billingMode: "PAY_PER_REQUEST",
  hashKey: "tuid",
  rangeKey: "sortKey",
  attributes: [
    { name: "tuid", type: "S" },
    { name: "sortKey", type: "S" },
  ],
  ttl: { enabled: true, attributeName: "expiresAt" },
});
const offset = 0.5;

const ingest = new ThingseeIngest("all", {
  auth: "none",
  table: { existing: table, ttlDays: 30 },
  archive: { expiryDays: 90, forceDestroy: true },
  forwardTo: [queue],
  deadLetter: { retentionDays: 7 },
  environment: { SITE: "Oulu" },
  logRetentionDays: 30,
  tracing: false,
  memorySize: 256,
  timeout: 10,
  alarms: { topicArn: "arn:aws:sns:eu-west-1:000000000000:alarms" },
  onMessage: (message) => {
    if (message.tsmEv === 0) return null;
    if (typeof message.temp !== "number") throw new Error("no temperature");
    // A captured constant, a variable of the function's environment, a module of the program, and what Lambda unpacked.
    return {
      ...message,
      temp: message.temp + offset,
      site: process.env.SITE,
      bytes: strToU8(message.tsmTuid).length,
      files: readdirSync(process.env.LAMBDA_TASK_ROOT ?? "."),
    };
  },
});

export const url = ingest.url;
export const tableName = ingest.table.name;
export const queueUrl = queue.url;
export const archiveBucket = ingest.archive?.bucket;
export const deadLetterQueueUrl = ingest.deadLetterQueue.url;
export const deadLetterBucket = ingest.nodes.deadLetterBucket.bucket;
export const replayFunction = ingest.replay.name;
export const receiveFunction = ingest.nodes.receive.function.name;
export const receiveRole = ingest.nodes.receive.role.name;
export const receiveLogs = ingest.nodes.receive.logGroup.name;
export const accessLogs = ingest.nodes.accessLogs.name;
