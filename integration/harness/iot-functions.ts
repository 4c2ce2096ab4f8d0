import { CreateTableCommand, DynamoDBClient, QueryCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { consumeStream, type StreamAnswer } from "../../handlers/iot/consume";
import type { SinkSettings } from "../../handlers/iot/environment";
import type { Envelope, StreamRecord } from "../../handlers/iot/record";
import { replayLetters } from "../../handlers/iot/replay";
import { settings, useEmulator } from "./emulator";
import { type FaultyAws, startFaultyAws } from "./faulty-aws";
import { functionCode, type RunningFunction, startFunction } from "./function";
import { drain } from "./queues";

/** What the functions of one test work with. */
interface World {
  emulator: { readonly endpoint: string };
  aws: FaultyAws;
  dynamodb: DynamoDBClient;
  sqs: SQSClient;
  s3: S3Client;
  deadLetters: string;
  failures: string;
  live: string;
}

/** The sequence number of the n-th record. */
export const sequence = (n: number) => String(49_590_338_271n * 10n ** 45n + BigInt(n));

/** The n-th record of a shard, as the topic rule makes it; a payload that is text is sent as it is. */
export function streamRecord(
  n: number,
  payload: unknown,
  fields: Partial<Envelope> = {},
  arrived = Date.now(),
): StreamRecord {
  const text = typeof payload === "string" ? payload : JSON.stringify(payload);
  const device = fields.device ?? "sensor-1";
  const envelope = {
    payload: Buffer.from(text).toString("base64"),
    device,
    topic: `devices/${device}/telemetry`,
    receivedAt: Date.parse("2026-11-21T05:00:00Z") + n,
    clientId: String(device),
    ...fields,
  };
  return rawRecord(n, JSON.stringify(envelope), arrived);
}

/** The n-th record of a shard with any data. */
export const rawRecord = (n: number, data: string, arrived = Date.now()): StreamRecord => ({
  eventID: `shardId-000000000000:${sequence(n)}`,
  kinesis: {
    sequenceNumber: sequence(n),
    data: Buffer.from(data).toString("base64"),
    approximateArrivalTimestamp: arrived / 1000,
  },
});

/** A failure that nobody tries again by himself, for a test's speed. */
export const denied = { status: 400, code: "AccessDeniedException" };
export const throttled = { status: 400, code: "ProvisionedThroughputExceededException" };

/** Records of one device, numbered. */
export const many = (count: number, from = 0) =>
  Array.from({ length: count }, (_, n) => streamRecord(from + n, { n: from + n }));

/** The stream's function in a thread of its own, on an emulator that is reset for each test and fails as told. */
export function useIoTFunctions() {
  const emulator = useEmulator();
  let world: World;
  let aws: FaultyAws;
  /** Functions that run, by code and environment: starting one takes longer than most tests. */
  const running = new Map<string, RunningFunction>();
  const code = { plain: "", withCallbacks: "", replay: "" };

  beforeAll(async () => {
    aws = await startFaultyAws(emulator.current);
    code.plain = await functionCode(consumeStream());
    code.replay = await functionCode(replayLetters());
    // Both do what the payload's field `todo` says.
    code.withCallbacks = await functionCode(
      consumeStream({
        transform: (data, info) => {
          const { ident } = info;
          if (data.todo === "rename") Object.assign(info, { ident: "sensor-9" });
          if (data.todo === "grow") return { ...data, text: "x".repeat(1024 * 1024) };
          if (data.todo === "throw at first" && process.env.CONTAINER === undefined) throw new Error("not yet");
          if (data.todo === "drop") return null;
          if (data.todo === "throw") throw new Error("too cold: confidential");
          if (data.todo === "hang") return new Promise(() => undefined);
          if (data.todo === "forget") return undefined as unknown as null;
          if (data.todo === "count") return { ...data, count: 1n };
          return { ...data, from: ident };
        },
        onRecords: [
          (records) => {
            console.log(`seen ${records.map(({ data }) => data.n).join()}`);
            if (records.some(({ data }) => data.todo === "fail")) throw new Error("down");
            if (records.some(({ data }) => data.todo === "wait")) {
              return new Promise((resolve) => setTimeout(resolve, 20, {}));
            }
            for (const { data } of records) if (data.todo === "spoil") data.n = "spoilt";
            return Object.fromEntries(
              records.filter(({ data }) => data.todo === "refuse").map(({ id }) => [id, "not for me"]),
            );
          },
        ],
      }),
    );
  });

  beforeEach(async () => {
    await emulator.current.reset();
    aws.reset();
    const config = settings(emulator.current);
    const dynamodb = new DynamoDBClient(config);
    const sqs = new SQSClient(config);
    const s3 = new S3Client({ ...config, forcePathStyle: true });
    const makeTable = (TableName: string, [hash, range]: [string, string]) =>
      dynamodb.send(
        new CreateTableCommand({
          ...{ TableName, BillingMode: "PAY_PER_REQUEST" },
          KeySchema: [
            { AttributeName: hash, KeyType: "HASH" },
            { AttributeName: range, KeyType: "RANGE" },
          ],
          AttributeDefinitions: [hash, range].map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
        }),
      );
    await makeTable("records", ["ident", "sortKey"]);
    await makeTable("progress", ["shardId", "sink"]);
    const makeQueue = async (QueueName: string) => {
      const Attributes = { MaximumMessageSize: "1048576" };
      const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes }));
      return QueueUrl!;
    };
    const [deadLetters = "", failures = "", live = ""] = await Promise.all(
      ["dead-letters", "failures", "live"].map(makeQueue),
    );
    await s3.send(
      new CreateBucketCommand({ Bucket: "archive", CreateBucketConfiguration: { LocationConstraint: "eu-west-1" } }),
    );
    world = { emulator: emulator.current, aws, dynamodb, sqs, s3, deadLetters, failures, live };
  });

  afterEach(() => {
    for (const client of [world.dynamodb, world.sqs, world.s3]) client.destroy();
  });

  afterAll(async () => {
    for (const one of running.values()) await one[Symbol.asyncDispose]();
    await aws[Symbol.asyncDispose]();
  });

  // The SQS client goes where the queue's URL says, whatever the endpoint.
  const throughFaults = (url: string) => aws.endpoint + new URL(url).pathname;
  const sinks = {
    table: { name: "dynamodb", kind: "dynamodb", table: "records", ttlDays: 0 },
    archive: { name: "s3", kind: "s3", bucket: "archive" },
    callback: { name: "onRecords", kind: "onRecords" },
    timestream: { name: "timestream", kind: "timestream", database: "iot", table: "telemetry" },
    get queue() {
      return { name: "queue", kind: "queue", url: throughFaults(world.live) } as const;
    },
  } as const;

  /** Starts the function with these sinks, or finds it; other variables make another container. */
  function start(
    used: SinkSettings[] = [sinks.table],
    more: Record<string, string> = {},
    name: keyof typeof code = "plain",
  ) {
    const environment = {
      AWS_ENDPOINT_URL: aws.endpoint,
      // Kinesis is spoken to by HTTP/2, which the faults do not pass on.
      AWS_ENDPOINT_URL_KINESIS: world.emulator.endpoint,
      AWS_S3_FORCE_PATH_STYLE: "true",
      IOT_NAME: "fleet",
      IOT_TIME: "",
      IOT_SINKS: JSON.stringify(used),
      IOT_PROGRESS_TABLE: used.length > 1 ? "progress" : "",
      IOT_DEAD_LETTER_QUEUE: throughFaults(world.deadLetters),
      IOT_FAILURE_QUEUE: throughFaults(world.failures),
      IOT_RULES: JSON.stringify({ by_topic: "topic(2)", by_field: "device.id" }),
      IOT_GIVE_UP_SECONDS: "300",
      ...more,
    };
    const key = JSON.stringify([name, environment]);
    const one = running.get(key) ?? startFunction(code[name], environment);
    running.set(key, one);
    return one;
  }

  /** Runs the function; gives the number of the record from which on the batch is to come again. */
  async function consume(one: RunningFunction, records: readonly StreamRecord[], options?: { remainingMs?: number }) {
    const { batchItemFailures } = await one.invoke<StreamAnswer>({ Records: records }, options);
    const [first] = batchItemFailures;
    return first ? Number(BigInt(first.itemIdentifier) - BigInt(sequence(0))) : undefined;
  }

  const letters = () => drain(world.sqs, world.deadLetters);
  const stored = async () => (await world.dynamodb.send(new ScanCommand({ TableName: "records" }))).Items ?? [];
  /** The readings `n` of a device as the table orders them. */
  const inOrder = async (ident = "sensor-1") => {
    const { Items = [] } = await world.dynamodb.send(
      new QueryCommand({
        TableName: "records",
        KeyConditionExpression: "ident = :ident",
        ExpressionAttributeValues: { ":ident": { S: ident } },
      }),
    );
    return Items.map(({ data }) => Number(data?.M?.n?.N));
  };

  return {
    get world() {
      return world;
    },
    ...{ sinks, start, consume, letters, stored, inOrder },
  };
}
