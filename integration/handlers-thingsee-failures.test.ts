import { gunzipSync } from "node:zlib";
import { CreateTableCommand, DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ThingseeMessage } from "../handlers/thingsee/message";
import { type ReceiveAnswer, receiveMessages } from "../handlers/thingsee/receive";
import { type ReplayReport, replayDeadLetters } from "../handlers/thingsee/replay";
import { settings, useEmulator } from "./harness/emulator";
import { type FaultyAws, startFaultyAws } from "./harness/faulty-aws";
import { functionCode, type RunningFunction, startFunction } from "./harness/function";

const emulator = useEmulator();

interface World {
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
let world: World;
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
  await fetch(`${emulator.current.endpoint}/_emulator/reset`, { method: "POST" });
  aws.reset();
  const config = settings(emulator.current);
  const dynamodb = new DynamoDBClient(config);
  const sqs = new SQSClient(config);
  const s3 = new S3Client({ ...config, forcePathStyle: true });
  await dynamodb.send(
    new CreateTableCommand({
      TableName: "messages",
      BillingMode: "PAY_PER_REQUEST",
      KeySchema: [
        { AttributeName: "tuid", KeyType: "HASH" },
        { AttributeName: "sortKey", KeyType: "RANGE" },
      ],
      AttributeDefinitions: [
        { AttributeName: "tuid", AttributeType: "S" },
        { AttributeName: "sortKey", AttributeType: "S" },
      ],
    }),
  );
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
    await s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: "eu-west-1" } }));
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

const message = (n: number, fields: Partial<ThingseeMessage> = {}): ThingseeMessage => ({
  tsmId: 12100,
  tsmEv: 10,
  tsmTs: 1520416221 + n,
  tsmTuid: "TSPR04E2O90201558",
  temp: 21.3,
  ...fields,
});
const many = (count: number) => Array.from({ length: count }, (_, n) => message(n));
const post = async (running: RunningFunction, body: unknown, options?: { remainingMs?: number }) => {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const event = { body: text, isBase64Encoded: false, requestContext: { requestId: "request-1" } };
  const answer = await running.invoke<ReceiveAnswer>(event, options);
  const { status: _, ...content } = JSON.parse(answer.body) as Record<string, unknown>;
  return { http: answer.statusCode, ...content } as Record<string, unknown>;
};
const stored = async () => {
  const { Items = [] } = await world.dynamodb.send(new ScanCommand({ TableName: "messages" }));
  return Items;
};

/** Takes everything out of a queue. */
async function drain(QueueUrl: string): Promise<Record<string, unknown>[]> {
  const all: Record<string, unknown>[] = [];
  for (;;) {
    const { Messages = [] } = await world.sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
    if (Messages.length === 0) return all;
    all.push(...Messages.map(({ Body }) => JSON.parse(Body!) as Record<string, unknown>));
    const Entries = Messages.map(({ ReceiptHandle }, i) => ({ Id: String(i), ReceiptHandle }));
    await world.sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
  }
}

const throttled = { status: 400, code: "ProvisionedThroughputExceededException" };

describe("the function behind POST", () => {
  test("stores one message with one AWS call", async () => {
    const receive = start("receive");
    expect(await post(receive, [message(0)])).toEqual({ http: 200, accepted: 1, rejected: 0 });
    expect(world.aws.calls).toEqual({ BatchWriteItem: 1 });
    expect(await stored()).toHaveLength(1);
  });

  test("stores 1,000 messages with 40 calls", async () => {
    const receive = start("receive");
    expect(await post(receive, many(1000))).toMatchObject({ accepted: 1000, rejected: 0 });
    expect(world.aws.calls).toEqual({ BatchWriteItem: 40 });
    const { Count } = await world.dynamodb.send(new ScanCommand({ TableName: "messages", Select: "COUNT" }));
    expect(Count).toBe(1000);
  });

  test("stores the good messages beside broken ones, and dead-letters those with their reasons", async () => {
    const receive = start("receive");
    const body = `[${JSON.stringify(message(0))}, {"tsmId": 9007199254740993}, null, ${JSON.stringify(message(1))}]`;
    expect(await post(receive, body)).toEqual({ http: 200, accepted: 2, rejected: 2 });
    expect(await stored()).toHaveLength(2);
    const letters = await drain(world.deadLetters);
    expect(letters).toEqual([
      expect.objectContaining({
        index: 1,
        stage: "validate",
        requestId: "request-1",
        message: { tsmId: 9007199254740992 },
      }),
      expect.objectContaining({ index: 2, reason: "a message must be a JSON object, not null", message: null }),
    ]);
    expect(letters[0]!.reason).toContain("tsmTuid");
  });

  test("makes one item of a message that comes twice in a request, or in two", async () => {
    const receive = start("receive");
    expect(await post(receive, [message(0), message(0)])).toMatchObject({ accepted: 2, rejected: 0 });
    expect(await post(receive, [message(0)])).toMatchObject({ accepted: 1 });
    expect(await stored()).toHaveLength(1);
  });

  test("keeps several messages of one device from the same second", async () => {
    const receive = start("receive");
    await post(receive, [message(0), message(0, { tsmId: 1110 }), message(0, { temp: 22 })]);
    expect(await stored()).toHaveLength(3);
  });

  test("writes again, after a wait, what DynamoDB throttled", async () => {
    const receive = start("receive");
    world.aws.fault = () => ((world.aws.calls.BatchWriteItem ?? 0) < 3 ? throttled : undefined);
    expect(await post(receive, many(10))).toMatchObject({ accepted: 10, rejected: 0 });
    expect(world.aws.calls.BatchWriteItem).toBe(3);
    expect(await stored()).toHaveLength(10);
  });

  test("writes again only the items that DynamoDB left unprocessed", async () => {
    const receive = start("receive");
    const sizes: number[] = [];
    world.aws.fault = (_, body) => {
      sizes.push((JSON.parse(body) as { RequestItems: { messages: [] } }).RequestItems.messages.length);
      return undefined;
    };
    world.aws.answer = (_, body, request) => {
      if (sizes.length > 1) return body;
      const { messages } = (JSON.parse(request) as { RequestItems: { messages: [] } }).RequestItems;
      return JSON.stringify({ UnprocessedItems: { messages: messages.slice(0, 4) } });
    };
    expect(await post(receive, many(10))).toMatchObject({ accepted: 10, rejected: 0 });
    expect(sizes).toEqual([10, 4]);
  });

  test("dead-letters the messages when DynamoDB stays unavailable, and still answers 200", async () => {
    const receive = start("receive");
    world.aws.fault = (operation) => (operation === "BatchWriteItem" ? throttled : undefined);
    expect(await post(receive, many(30), { remainingMs: 500 })).toMatchObject({ accepted: 0, rejected: 30 });
    const letters = await drain(world.deadLetters);
    expect(letters).toHaveLength(30);
    expect(letters[0]).toMatchObject({ stage: "store", requestId: "request-1" });
    expect(letters[0]!.reason).toContain("ProvisionedThroughputExceededException");
  });

  test("dead-letters the messages when connections to DynamoDB break", async () => {
    const receive = start("receive");
    world.aws.fault = (operation) => (operation === "BatchWriteItem" ? "drop" : undefined);
    expect(await post(receive, many(3), { remainingMs: 500 })).toMatchObject({ accepted: 0, rejected: 3 });
    expect(await drain(world.deadLetters)).toHaveLength(3);
  });

  test("dead-letters the messages at once when the table is not there", async () => {
    const receive = start("receive", { THINGSEE_TABLE: "gone" });
    expect(await post(receive, many(3))).toMatchObject({ accepted: 0, rejected: 3 });
    expect(world.aws.calls).toEqual({ BatchWriteItem: 1, SendMessageBatch: 1 });
    expect((await drain(world.deadLetters))[0]!.reason).toContain("ResourceNotFoundException");
  });

  test("stores the others when DynamoDB refuses one item of a batch", async () => {
    const receive = start("receive");
    const refused = { status: 400, code: "ValidationException", message: "refused" };
    world.aws.fault = (_, body) => (body.includes('"poison"') ? refused : undefined);
    expect(await post(receive, [...many(24), message(24, { note: "poison" })])).toMatchObject({
      accepted: 24,
      rejected: 1,
    });
    world.aws.fault = () => undefined;
    expect(await stored()).toHaveLength(24);
  });

  test("asks the sender to try again only when the dead-letter queue fails too", async () => {
    const receive = start("receive", {
      THINGSEE_TABLE: "gone",
      THINGSEE_DEAD_LETTER_QUEUE: `${world.deadLetters}-x`,
    });
    const answer = await post(receive, many(3));
    expect(answer).toMatchObject({ http: 503, requestId: "request-1" });
    expect(answer.message).toContain("send the request again");
  });

  test("answers 400 to what is not JSON, and keeps it in the dead-letter queue", async () => {
    const receive = start("receive");
    expect(await post(receive, "temp=21\u0000\ufffe")).toMatchObject({
      http: 400,
      message: "the body is not JSON; send a JSON array of Thingsee messages",
    });
    expect(await drain(world.deadLetters)).toEqual([
      expect.objectContaining({ stage: "parse", body: "temp=21\u0000\ufffe" }),
    ]);
  });

  test("answers 400 to an empty body, and 200 to an empty array", async () => {
    const receive = start("receive");
    expect(await post(receive, "  ")).toMatchObject({ http: 400 });
    expect(await receive.invoke({ body: null, requestContext: { requestId: "r" } })).toMatchObject({ statusCode: 400 });
    expect(await post(receive, [])).toEqual({ http: 200, accepted: 0, rejected: 0 });
    expect(world.aws.calls).toEqual({});
  });

  test("takes one object, and bodies that arrive as base64", async () => {
    const receive = start("receive");
    expect(await post(receive, message(0))).toMatchObject({ accepted: 1 });
    const body = Buffer.from(`\ufeff${JSON.stringify([message(1)])}`).toString("base64");
    const event = { body, isBase64Encoded: true, requestContext: { requestId: "r" } };
    expect(await receive.invoke(event)).toMatchObject({ statusCode: 200 });
    expect(await stored()).toHaveLength(2);
  });

  test("dead-letters a message nested a million levels deep, whole, beside one that it stores", async () => {
    const receive = start("receive");
    const deep = `{"tsmTuid":"a","tsmId":1,"tsmEv":1,"tsmTs":1,"a":${"[".repeat(1e6)}${"]".repeat(1e6)}}`;
    expect(await post(receive, `[${deep},${JSON.stringify(message(0))}]`)).toMatchObject({ accepted: 1, rejected: 1 });
    const [letter] = (await drain(world.deadLetters)) as { s3: { key: string } }[];
    const { Body } = await world.s3.send(new GetObjectCommand({ Bucket: "letters", Key: letter!.s3.key }));
    expect(await Body!.transformToString()).toContain(deep);
  });

  test("answers a body of half a million elements that are no messages, and keeps it as one letter", async () => {
    const receive = start("receive");
    const body = `[${JSON.stringify(message(0))}${",0".repeat(5e5)},${JSON.stringify(message(1))}]`;
    expect(await post(receive, body)).toMatchObject({ http: 200, accepted: 2, rejected: 5e5 });
    expect(await stored()).toHaveLength(2);
    const [letter, ...others] = await drain(world.deadLetters);
    expect(others).toEqual([]);
    expect(letter!.reason).toContain("500000 messages failed, the first of them, number 1: a message must be");
  });

  test("writes to its log how many messages it dead-lettered and why, but nothing of what they said", async () => {
    const receive = start("withCallback");
    await post(receive, [message(0, { todo: "throw", text: "confidential" }), { secret: "confidential" }]);
    await expect.poll(() => receive.log).toContain('"stages":{"onMessage":1,"validate":1}');
    expect(receive.log).not.toContain("confidential");
  });
});

describe("a callback", () => {
  test("changes, drops and refuses messages one by one", async () => {
    const receive = start("withCallback");
    const body = ["keep", "drop", "throw", "forget"].map((todo, n) => message(n, { temp: 0, todo }));
    expect(await post(receive, body)).toMatchObject({ accepted: 2, rejected: 2 });
    const [item, ...others] = await stored();
    expect(others).toEqual([]);
    expect(item!.data!.M).toMatchObject({ fahrenheit: { N: "32" }, requestId: { S: "request-1" } });
    const letters = await drain(world.deadLetters);
    expect(letters).toEqual([
      expect.objectContaining({ index: 2, stage: "onMessage", reason: "Error: too cold", message: body[2] }),
      expect.objectContaining({ index: 3, stage: "onMessage" }),
    ]);
    expect(letters[1]!.reason).toContain("return the message, or null to drop it");
  });

  test("that adds something new each time still makes one item of a repeated message", async () => {
    const receive = start("withCallback");
    await post(receive, [message(0)]);
    await post(receive, [message(0)]);
    expect(await stored()).toHaveLength(1);
  });

  test("that hangs on one message does not keep the others from being stored", async () => {
    const receive = start("withCallback");
    const answer = await post(receive, [message(0, { todo: "hang" }), message(1)], { remainingMs: 1000 });
    expect(answer).toMatchObject({ accepted: 1, rejected: 1 });
    expect((await drain(world.deadLetters))[0]!.reason).toContain("did not finish in time");
  });
});

describe("forwarding", () => {
  test("sends what is stored of one request as one array, each message once", async () => {
    const receive = start("receive", world.forwarding);
    await post(receive, [message(0), {}, message(1), message(0)]);
    expect(await drain(world.forward)).toEqual([[message(0), message(1)]]);
  });

  test("splits what does not fit 1 MiB", async () => {
    const receive = start("receive", world.forwarding);
    const body = [0, 1, 2, 3].map((n) => message(n, { text: "x".repeat(300_000) }));
    expect(await post(receive, body)).toMatchObject({ accepted: 4 });
    const parts = (await drain(world.forward)) as unknown as ThingseeMessage[][];
    expect(parts.map(({ length }) => length).sort()).toEqual([1, 3]);
    expect(parts.flat()).toHaveLength(4);
  });

  test("dead-letters what did not reach the queue, though it is stored, and replay completes it", async () => {
    const receive = start("receive", world.forwarding);
    const missing = { status: 400, code: "AccessDenied" };
    world.aws.fault = (operation) => (operation === "SendMessage" ? missing : undefined);
    expect(await post(receive, many(2))).toMatchObject({ accepted: 2, rejected: 0 });
    expect(await stored()).toHaveLength(2);
    world.aws.fault = () => undefined;
    const writes = world.aws.calls.BatchWriteItem;
    const replay = start("replay", world.forwarding);
    expect(await replay.invoke<ReplayReport>({})).toMatchObject({ replayed: 2, stillFailing: 0, remaining: 0 });
    expect(await drain(world.forward)).toEqual([many(2)]);
    expect(world.aws.calls.BatchWriteItem).toBe(writes);
  });
});

describe("the archive", () => {
  const archived = async () => {
    const { Contents = [] } = await world.s3.send(new ListObjectsV2Command({ Bucket: "archive" }));
    const [{ Key } = {}] = Contents;
    if (!Key) return undefined;
    const { Body } = await world.s3.send(new GetObjectCommand({ Bucket: "archive", Key }));
    return {
      Key,
      lines: gunzipSync(await Body!.transformToByteArray())
        .toString()
        .trimEnd()
        .split("\n"),
    };
  };

  test("holds a request's messages as they came, a line each, by date and hour", async () => {
    const receive = start("receive", { THINGSEE_ARCHIVE_BUCKET: "archive" });
    await post(receive, `[ {"a":\n 12345678901234567890},\r\n${JSON.stringify(message(0))}]`);
    const { Key, lines } = (await archived())!;
    expect(Key).toMatch(/^date=\d{4}-\d\d-\d\d\/hour=\d\d\/request-1\.ndjson\.gz$/);
    expect(lines).toEqual(['{"a":  12345678901234567890}', JSON.stringify(message(0))]);
  });

  test("gets by replay what it could not take at first", async () => {
    const receive = start("receive", { THINGSEE_ARCHIVE_BUCKET: "archive" });
    world.aws.fault = (operation) => (operation === "PUT" ? { status: 403, code: "AccessDenied" } : undefined);
    expect(await post(receive, [message(0)])).toMatchObject({ accepted: 1, rejected: 0 });
    expect(await archived()).toBeUndefined();
    world.aws.fault = () => undefined;
    const replay = start("replay", { THINGSEE_ARCHIVE_BUCKET: "archive" });
    expect(await replay.invoke<ReplayReport>({})).toMatchObject({ replayed: 1, remaining: 0 });
    expect((await archived())!.lines).toEqual([JSON.stringify(message(0))]);
  });
});

describe("replay", () => {
  test("stores what failed for want of DynamoDB, as the same items, with the time of their first receipt", async () => {
    const receive = start("receive");
    const { tsmTs: _, ...off } = message(0, { tsmEv: 18 });
    const timed = [...many(14), message(20, { serial: 1, text: "x".repeat(300_000) })];
    world.aws.fault = (operation) => (operation === "BatchWriteItem" ? throttled : undefined);
    await post(receive, [...timed, off], { remainingMs: 500 });
    const received = Date.now();
    world.aws.fault = () => undefined;
    const replay = start("replay");
    expect(await replay.invoke<ReplayReport>({})).toEqual({
      replayed: 16,
      stillFailing: 0,
      remaining: 0,
      failures: [],
    });
    const { receivedAt } = (await stored()).find(({ event }) => event!.N === "18")!;
    expect(Date.parse(receivedAt!.S!)).toBeLessThanOrEqual(received);
    await post(receive, timed);
    expect(await stored()).toHaveLength(16);
  });

  test("keeps what still fails, visible, and says why", async () => {
    const receive = start("receive");
    await post(receive, [{ tsmTuid: "a" }, message(0)]);
    await world.sqs.send(new SendMessageCommand({ QueueUrl: world.deadLetters, MessageBody: "not a letter" }));
    const replay = start("replay");
    const report = await replay.invoke<ReplayReport>({});
    expect(report).toMatchObject({ replayed: 0, stillFailing: 2, remaining: 2 });
    expect(report.failures.map(({ reason }) => reason)).toContainEqual(expect.stringContaining("tsmId must be"));
  });

  test("takes no more letters than it is told to", async () => {
    const receive = start("receive", { THINGSEE_TABLE: "gone" });
    await post(receive, many(15));
    const replay = start("replay");
    expect(await replay.invoke<ReplayReport>({ max: 12 })).toMatchObject({ replayed: 12, remaining: 3 });
    expect(await stored()).toHaveLength(12);
  });

  test("takes letters of more than 1 MiB out of S3, and removes them there when they got through", async () => {
    const inS3 = async () => (await world.s3.send(new ListObjectsV2Command({ Bucket: "letters" }))).KeyCount;
    const body = `[${JSON.stringify(message(0)).replace(",", `,${" ".repeat(1024 * 1024)}`)}]`;
    await post(start("receive", { THINGSEE_TABLE: "gone" }), body);
    await post(start("receive"), `${body}x`);
    expect(await inS3()).toBe(2);
    const replay = start("replay");
    expect(await replay.invoke<ReplayReport>({})).toMatchObject({ replayed: 1, stillFailing: 1, remaining: 1 });
    expect(await stored()).toHaveLength(1);
    expect(await inS3()).toBe(1);
  });

  test("leaves in S3 what belongs to a letter that SQS did not delete, and takes it through once more", async () => {
    const body = `[${JSON.stringify(message(0)).replace(",", `,${" ".repeat(1024 * 1024)}`)}]`;
    await post(start("receive", { THINGSEE_TABLE: "gone" }), body);
    const replay = start("replay");
    const refusal = JSON.stringify({
      Successful: [],
      Failed: [{ Id: "0", Code: "InternalError", SenderFault: false }],
    });
    world.aws.fault = (operation) =>
      operation === "DeleteMessageBatch" ? { status: 200, code: "", body: refusal } : undefined;
    expect(await replay.invoke<ReplayReport>({})).toMatchObject({ replayed: 0, stillFailing: 1, remaining: 1 });
    world.aws.fault = () => undefined;
    expect(await replay.invoke<ReplayReport>({})).toMatchObject({ replayed: 1, stillFailing: 0, remaining: 0 });
    expect(await stored()).toHaveLength(1);
  });

  test("refuses a number of letters that makes no sense", async () => {
    const replay = start("replay");
    await expect(replay.invoke({ max: 0 })).rejects.toThrow("max must be a whole number of 1 or more");
  });
});
