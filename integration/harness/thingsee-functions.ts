import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import type { ApiAnswer } from "../../handlers/api-answer";
import type { ThingseeMessage } from "../../handlers/thingsee/message";
import { receiveMessages } from "../../handlers/thingsee/receive";
import { replayDeadLetters } from "../../handlers/thingsee/replay";
import { createTable } from "./dynamodb";
import { settings, useEmulator } from "./emulator";
import { type FaultyAws, startFaultyAws } from "./faulty-aws";
import { functionCode, type RunningFunction, startFunction } from "./function";
import { drain } from "./queues";

/** What the functions of one test work with. */
export interface ThingseeWorld {
  aws: FaultyAws;
  dynamodb: DynamoDBClient;
  sqs: SQSClient;
  s3: S3Client;
  environment: Record<string, string>;
  deadLetters: string;
  forward: string;
  /** The variables that make a function forward messages to the queue. */
  forwarding: Record<string, string>;
}

export const message = (n: number, fields: Partial<ThingseeMessage> = {}): ThingseeMessage => ({
  tsmId: 12100,
  tsmEv: 10,
  tsmTs: 1520416221 + n,
  tsmTuid: "TSPR04E2O90201558",
  temp: 21.3,
  ...fields,
});
export const many = (count: number) => Array.from({ length: count }, (_, n) => message(n));
export const throttled = { status: 400, code: "ProvisionedThroughputExceededException" };

/** The ingest's functions in processes of their own, on an emulator that is reset for each test and fails as told. */
export function useThingseeFunctions() {
  const emulator = useEmulator();

  let world: ThingseeWorld;
  /** Functions that run, by code and environment: starting one takes longer than most tests. */
  const functions = new Map<string, RunningFunction>();
  let aws: FaultyAws;
  const code = { receive: "", withCallback: "", replay: "" };

  beforeAll(async () => {
    aws = await startFaultyAws(emulator.current);
    code.receive = await functionCode(receiveMessages());
    code.replay = await functionCode(replayDeadLetters());
    // Does what the message's field `todo` says.
    code.withCallback = await functionCode(
      receiveMessages({
        onMessage: async (message, { requestId }) => {
          if (message.todo === "drop") return null;
          if (message.todo === "throw") throw new Error("too cold");
          if (message.todo === "forget") return undefined as unknown as null;
          if (message.todo === "hang") return new Promise(() => undefined);
          return Object.assign(message, {
            fahrenheit: Number(message.temp) * 1.8 + 32,
            requestId,
            random: Math.random(),
          });
        },
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
    await createTable(dynamodb, "messages", "tuid", "sortKey");
    const makeQueue = async (QueueName: string) => {
      const { QueueUrl } = await sqs.send(
        new CreateQueueCommand({ QueueName, Attributes: { MaximumMessageSize: "1048576" } }),
      );
      return QueueUrl!;
    };
    // The SQS client goes where the queue's URL says, whatever the endpoint.
    const throughFaults = (url: string) => aws.endpoint + new URL(url).pathname;
    const [deadLetters, forward] = await Promise.all([makeQueue("dead-letters"), makeQueue("forward")]);
    for (const Bucket of ["letters", "archive"]) {
      await s3.send(
        new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: "eu-west-1" } }),
      );
    }
    const environment = {
      AWS_ENDPOINT_URL: aws.endpoint,
      AWS_S3_FORCE_PATH_STYLE: "true",
      THINGSEE_TABLE: "messages",
      THINGSEE_TTL_DAYS: "0",
      THINGSEE_FORWARD_QUEUES: "[]",
      THINGSEE_ARCHIVE_BUCKET: "",
      THINGSEE_DEAD_LETTER_QUEUE: throughFaults(deadLetters),
      THINGSEE_DEAD_LETTER_BUCKET: "letters",
    };
    const forwarding = { THINGSEE_FORWARD_QUEUES: JSON.stringify([throughFaults(forward)]) };
    world = { aws, dynamodb, sqs, s3, environment, deadLetters, forward, forwarding };
  });

  afterEach(() => {
    for (const client of [world.dynamodb, world.sqs, world.s3]) client.destroy();
  });

  afterAll(async () => {
    for (const running of functions.values()) await running[Symbol.asyncDispose]();
    await aws[Symbol.asyncDispose]();
  });

  function start(name: keyof typeof code, environment: Record<string, string> = {}): RunningFunction {
    const key = JSON.stringify([name, environment]);
    const running = functions.get(key) ?? startFunction(code[name], { ...world.environment, ...environment });
    functions.set(key, running);
    return running;
  }

  const post = async (running: RunningFunction, body: unknown, options?: { remainingMs?: number }) => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const event = { body: text, isBase64Encoded: false, requestContext: { requestId: "request-1" } };
    const answer = await running.invoke<ApiAnswer>(event, options);
    const { status: _, ...content } = JSON.parse(answer.body) as Record<string, unknown>;
    return { http: answer.statusCode, ...content } as Record<string, unknown>;
  };
  const stored = async () => {
    const { Items = [] } = await world.dynamodb.send(new ScanCommand({ TableName: "messages" }));
    return Items;
  };

  const takeAll = (QueueUrl: string) => drain(world.sqs, QueueUrl);

  return {
    get world() {
      return world;
    },
    /** What the emulator itself does wrong. */
    get faults() {
      return emulator.current.faults;
    },
    /** The variables that make a function call the emulator itself. */
    get direct(): Record<string, string> {
      return { AWS_ENDPOINT_URL: emulator.current.endpoint, THINGSEE_DEAD_LETTER_QUEUE: world.deadLetters };
    },
    ...{ start, post, stored, drain: takeAll },
  };
}
