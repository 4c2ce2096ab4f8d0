import { createHash } from "node:crypto";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import * as aws from "@pulumi/aws";
import { type ConsumerArgs, Postbox } from "../../components";

/** Postboxes with each kind of door: a callback and a consumer behind it; everyone, and a function that looks. */

const results = new aws.sqs.Queue("results", {});
const guarded = new Postbox("guarded", {
  auth: {
    authorize: (token) => {
      console.log("asked");
      if (token === "unknown") throw new Error("Unauthorized");
      return token.startsWith("open ") ? { id: token.slice(5) } : undefined;
    },
  },
  forceDestroy: true,
  alarms: { topicArn: "arn:aws:sns:eu-west-1:000000000000:alarms" },
});
const consumer = guarded.onMessage(
  "hash",
  async ({ body, ...message }) => {
    if (message.contentType === "application/x-poison") throw new Error("it is poison");
    const hash = createHash("sha256");
    for await (const part of body) hash.update(part);
    const MessageBody = JSON.stringify({ ...message, sha256: hash.digest("hex") });
    await new SQSClient({}).send(new SendMessageCommand({ QueueUrl: process.env.RESULTS, MessageBody }));
  },
  {
    environment: { RESULTS: results.url },
    statements: [{ actions: ["sqs:SendMessage"], resources: [results.arn] }],
  },
);

const looked = new Postbox("looked", {
  auth: "none",
  description: "Readings of the cellar",
  stageName: "v1",
  mode: "lambda",
  binaryMediaTypes: ["application/octet-stream", "image/*"],
  environment: { SITE: "Oulu" },
  onPublish: ({ body, contentType, principal }) => {
    if (contentType === "application/json") {
      try {
        JSON.parse(body.toString());
      } catch {
        return { reject: { statusCode: 422, message: "The body is not JSON" } };
      }
    }
    const annotations = { site: process.env.SITE ?? "", first: `${body[0]}`, principal: `${principal}` };
    // What is done to the bytes here is not done to what is stored.
    body.fill(0);
    return { annotations };
  },
  delaySeconds: 0,
  waitSeconds: 0,
  retentionDays: 4,
  expiryDays: 5,
  maxReceiveCount: 2,
  logRetentionDays: 30,
  tracing: false,
  vpc: true,
  reconcile: { schedule: "none", graceMinutes: 30 },
  forceDestroy: true,
});

/** What is said to consumers that cannot be. */
const mistakes = (name: string, args: ConsumerArgs) => {
  try {
    guarded.onMessage(name, () => undefined, args);
    return "";
  } catch (error) {
    return (error as Error).message;
  }
};
export const mistaken = mistakes("Mistaken", { timeout: 31, batchSize: 11 });
export const taken = mistakes("announce", { environment: { AWS_REGION: "eu-west-1" } });

export const url = guarded.url;
export const queueUrl = guarded.queue.url;
export const errorQueueUrl = guarded.errorQueue.url;
export const bucket = guarded.bucket.bucket;
export const resultsUrl = results.url;
export const consumerLogs = consumer.logGroup.name;
export const reconcileLogs = guarded.nodes.reconcile.logGroup.name;
export const authorizerLogs = guarded.nodes.authorizerFunction?.logGroup.name;
export const logGroups = [
  guarded.nodes.accessLogs.name,
  guarded.nodes.announce.logGroup.name,
  guarded.nodes.authorizerFunction?.logGroup.name,
  consumer.logGroup.name,
];
export const roles = [
  guarded.nodes.storeRole?.name,
  guarded.nodes.announce.role.name,
  guarded.nodes.reconcile.role.name,
];
export const arrivalsUrl = guarded.nodes.arrivals.url;
export const apiId = guarded.nodes.api.id;

export const lookedUrl = looked.url;
export const lookedApiId = looked.nodes.api.id;
export const lookedQueueUrl = looked.queue.url;
export const lookedBucket = looked.bucket.bucket;
export const lookedFunction = looked.nodes.receive?.function.name;
export const lookedReconcile = looked.reconcile.name;
