import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { FlespiReceiver, IoTStream } from "../../components";

/** Receivers of flespi channels: into a stream, to a FIFO queue, and to a handler of its own. */
const urls = new pulumi.Config().requireObject<{ stream: string; queue: string; own: string }>("urls");
const token = new pulumi.Config().requireSecret("token");
const channel = { channelId: 429, token, limitCount: 20 };

const stream = new IoTStream("trucks", {
  topic: "flespi/+",
  flespi: { ...channel, url: urls.stream },
  alarms: { topicArn: new aws.sns.Topic("alarms").arn },
});
const streaming = stream.flespi!;

const queue = new aws.sqs.Queue("queue", { fifoQueue: true, name: "flespi.fifo" });
const queueing = new FlespiReceiver("queueing", { ...channel, url: urls.queue, publishTo: queue, schedule: "none" });

const results = new aws.sqs.Queue("results");
const own = new FlespiReceiver("own", {
  ...channel,
  url: urls.own,
  schedule: "none",
  handler: () => {
    const sqs = new SQSClient({});
    return {
      async handle(messages) {
        const MessageBody = JSON.stringify(messages.map(({ ident, timestamp }) => ({ ident, timestamp })));
        await sqs.send(new SendMessageCommand({ QueueUrl: process.env.RESULTS, MessageBody }));
      },
    };
  },
  environment: { RESULTS: results.url },
  statements: [{ actions: ["sqs:SendMessage"], resources: [results.arn] }],
});

export const table = stream.table?.name;
export const streamDeadLetters = stream.deadLetterQueue.url;
export const queueUrl = queue.url;
export const resultsUrl = results.url;
export const functions = { streaming: streaming.poll.name, queueing: queueing.poll.name, own: own.poll.name };
export const cursors = { streaming: streaming.cursorTable.name, queueing: queueing.cursorTable.name };
export const deadLetters = { streaming: streaming.deadLetterQueue.url, queueing: queueing.deadLetterQueue.url };
export const logs = { streaming: streaming.nodes.poll.logGroup.name, queueing: queueing.nodes.poll.logGroup.name };
