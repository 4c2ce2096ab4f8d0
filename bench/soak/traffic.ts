import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import { GetQueueAttributesCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import type { Deployment } from "../../deploy";
import { connectDevice } from "../iot";
import { reach } from "../live";
import { takeItems, takeLogs, takeObjects } from "../stored";
import { connectAll } from "../viewers";
import { feed } from "./feeder";
import { readPostbox } from "./reader";

/** How often a second each is done. */
const rates = { posts: 5, publishes: 5, mqtt: 10, queued: 5, comers: 1 };
/** Readings in each post. */
const readings = 4;
const viewerCount = 3;

/** What has come in so far, and what has become of it. */
export interface Tally {
  /** By the ingest's REST API, by MQTT, by the live queue, and to the postbox. */
  readonly accepted: { ingest: number; iot: number; live: number; postbox: number };
  readonly stored: { ingest: number; iot: number; postbox: number };
  /** Of the postbox's queue. */
  readonly announced: number;
  /** Records that each viewer has seen, and how many it has seen more than once. */
  readonly shown: readonly number[];
  readonly repeated: number;
  readonly refused: number;
  /** Why, for each door that refused something. */
  readonly reasons: readonly string[];
}

/** A stack that is used at a steady rate. */
export interface Traffic {
  /** Takes away what has been stored since the last time, logs included, and counts it. */
  tally(): Promise<Tally>;
  /** Ends what comes in; viewers and readers go on. */
  endFeeding(): Promise<void>;
  /** Messages of dead-letter queues, and objects that nobody was told of. */
  leftovers(): Promise<{ deadLetters: number; objects: number }>;
  /** Ends everything. */
  end(): Promise<void>;
  /** Takes away the logs, and ends the last connections. */
  close(): Promise<void>;
}

/** Whether everything that was accepted is stored, announced and shown. */
export const isSettled = ({ accepted, stored, announced, shown }: Tally): boolean =>
  stored.ingest >= accepted.ingest &&
  stored.iot >= accepted.iot &&
  Math.min(stored.postbox, announced) >= accepted.postbox &&
  shown.every((count) => count >= accepted.ingest + accepted.iot + accepted.live);

/** Begins to use all four components of a deployed stack, each by its own door. */
export async function startTraffic(deployment: Deployment, url: string): Promise<Traffic> {
  const text = (name: string) => String(deployment.outputs[name]?.value);
  const settings = {
    ...{ endpoint: url, region: "eu-west-1" },
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  };
  const sqs = new SQSClient(settings);
  const s3 = new S3Client({ ...settings, forcePathStyle: true });
  const dynamodb = new DynamoDBClient(settings);
  const logs = new CloudWatchLogsClient(settings);

  const { post, liveUrl, liveToken } = reach(deployment);
  const viewers = await connectAll(viewerCount, liveUrl, liveToken);
  const { client, topic } = await connectDevice(deployment, url);
  const reader = readPostbox({ sqs, s3 }, text("postboxQueueUrl"));
  let number = 0;
  const feeders = {
    ingest: feed(rates.posts, async () => {
      await post(readings);
      return readings;
    }),
    iot: feed(rates.mqtt, async () => {
      await client.publishAsync(topic, JSON.stringify({ temp: number++ }), { qos: 1 });
      return 1;
    }),
    live: feed(rates.queued, async () => {
      const MessageBody = JSON.stringify({ deviceId: "queued", number: number++ });
      await sqs.send(new SendMessageCommand({ QueueUrl: text("liveQueueUrl"), MessageBody }));
      return 1;
    }),
    postbox: feed(rates.publishes, async () => {
      const headers = { AuthDetails: text("postboxToken"), "content-type": "text/plain" };
      const answer = await fetch(text("postboxUrl"), { method: "POST", headers, body: `message ${number++}` });
      if (answer.status !== 200) throw new Error(`publish: ${answer.status} ${await answer.text()}`);
      await answer.arrayBuffer();
      return 1;
    }),
    // Viewers that come, look and go.
    comers: feed(rates.comers, async () => {
      const [viewer] = await connectAll(1, liveUrl, liveToken);
      viewer!.socket.close();
      return 1;
    }),
  };
  const stored = { ingest: 0, iot: 0 };
  return {
    async tally() {
      stored.ingest += await takeItems(dynamodb, text("tableName"), ["tuid", "sortKey"]);
      stored.iot += await takeItems(dynamodb, text("iotTableName"), ["ident", "sortKey"]);
      // A mark for each object that was announced, and the lines that functions write.
      await takeObjects(s3, text("postboxBucket"), "announced/");
      await takeLogs(logs);
      const all = Object.entries(feeders);
      const { ingest, iot, live, postbox } = feeders;
      return {
        accepted: {
          ...{ ingest: ingest.accepted, iot: iot.accepted },
          ...{ live: live.accepted, postbox: postbox.accepted },
        },
        stored: { ...stored, postbox: reader.stored },
        announced: reader.announced,
        shown: viewers.map(({ seen }) => seen.size),
        repeated: viewers.flatMap(({ seen }) => [...seen.values()].filter((times) => times > 1)).length,
        refused: all.reduce((sum, [, { refused }]) => sum + refused, 0),
        reasons: all.flatMap(([name, { why }]) => (why === undefined ? [] : [`${name}: ${why}`])),
      };
    },
    async endFeeding() {
      await Promise.all(Object.values(feeders).map((feeder) => feeder.stop()));
    },
    async leftovers() {
      const names = ["deadLetterQueueUrl", "liveDeadLetterQueueUrl", "postboxErrorQueueUrl"];
      const queues = [...names, "iotDeadLetterQueueUrl", "iotFailureQueueUrl"].map(text);
      const AttributeNames = ["ApproximateNumberOfMessages"] as const;
      const asked = queues.map(async (QueueUrl) => {
        const input = { QueueUrl, AttributeNames: [...AttributeNames] };
        const { Attributes } = await sqs.send(new GetQueueAttributesCommand(input));
        return Number(Attributes?.ApproximateNumberOfMessages);
      });
      const deadLetters = (await Promise.all(asked)).reduce((sum, count) => sum + count, 0);
      return { deadLetters, objects: await takeObjects(s3, text("postboxBucket"), "published/") };
    },
    async end() {
      await reader.stop();
      for (const { socket } of viewers) socket.close();
      await client.endAsync();
    },
    async close() {
      await takeLogs(logs);
      for (const one of [sqs, s3, dynamodb, logs]) one.destroy();
    },
  };
}
