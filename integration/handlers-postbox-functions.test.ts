import { setTimeout } from "node:timers/promises";
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { CreateQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { PostboxMessage, ReconcileReport } from "../components";
import type { ApiAnswer } from "../handlers/api-answer";
import type { BatchAnswer } from "../handlers/batch-answer";
import { announceArrivals } from "../handlers/postbox/announce";
import { consumeMessages } from "../handlers/postbox/consume";
import { receivePublications } from "../handlers/postbox/receive";
import { reconcile } from "../handlers/postbox/reconcile";
import { mapConcurrent } from "../handlers/retry";
import { settings, useEmulator } from "./harness/emulator";
import { type FaultyAws, startFaultyAws } from "./harness/faulty-aws";
import { functionCode, type RunningFunction, startFunction } from "./harness/function";
import { keysIn, read, takeAll } from "./harness/postbox";
import { s3Client } from "./harness/s3";

const emulator = useEmulator();
const Bucket = "bodies";
let s3: S3Client;
let sqs: SQSClient;
let queueUrl: string;
let aws: FaultyAws;
beforeAll(async () => {
  s3 = s3Client(emulator.current);
  sqs = new SQSClient(settings(emulator.current));
  await s3.send(new CreateBucketCommand({ Bucket }));
  queueUrl = (await sqs.send(new CreateQueueCommand({ QueueName: "queue" }))).QueueUrl!;
  aws = await startFaultyAws(emulator.current);
});
beforeEach(() => aws.reset());
afterAll(async () => {
  s3.destroy();
  sqs.destroy();
  await aws[Symbol.asyncDispose]();
});

const atFaults = (url: string) => url.replace(/^http:\/\/[^/]+/, aws.endpoint);
const start = async (factory: () => unknown, environment: Record<string, string> = {}) =>
  startFunction(await functionCode(factory), {
    ...{ AWS_ENDPOINT_URL: aws.endpoint, POSTBOX_BUCKET: Bucket, POSTBOX_QUEUE: atFaults(queueUrl) },
    ...environment,
  });

const time = Date.now();
const keyOf = (id: string) => `published/${time}/${id}`;
const store = (...ids: string[]) =>
  Promise.all(ids.map((id) => s3.send(new PutObjectCommand({ Bucket, Key: keyOf(id), Body: id }))));
const failed = ({ batchItemFailures }: BatchAnswer) => batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);

describe("the function that announces", () => {
  let announcing: RunningFunction;
  beforeAll(async () => {
    announcing = await start(announceArrivals);
  });
  afterAll(() => announcing[Symbol.asyncDispose]());

  const arrival = (id: string, { count = 1, after = 1_000 } = {}) => ({
    messageId: id,
    body: JSON.stringify({ Records: [{ s3: { object: { key: keyOf(id) } } }] }),
    attributes: { ApproximateReceiveCount: `${count}`, ApproximateFirstReceiveTimestamp: `${time + after}` },
  });
  const announce = async (...Records: { messageId: string }[]) => failed(await announcing.invoke({ Records }));
  const announced = async () => (await takeAll<PostboxMessage>(sqs, queueUrl)).map(({ requestId }) => requestId).sort();

  test("asks S3 once for each new object, SQS once for ten, and says nothing to its log", async () => {
    const ids = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
    await store(...ids);
    expect(await announce(...ids.map((id) => arrival(id)))).toEqual([]);
    expect(aws.calls).toEqual({ HEAD: 12, SendMessageBatch: 2, PUT: 12 });
    expect(await announced()).toEqual(ids);
    expect(await keysIn(s3, Bucket, "announced/")).toHaveLength(12);
    expect(announcing.log).toBe("");
  });

  test("announces an object once though S3 tells of it twice, now or later, or what was given up is taken back", async () => {
    await store("twice");
    expect(await announce(arrival("twice"), { ...arrival("twice"), messageId: "other" })).toEqual([]);
    expect(await announced()).toEqual(["twice"]);
    expect(await announce(arrival("twice", { count: 2 }))).toEqual([]);
    expect(await announce(arrival("twice", { after: 61_000 }))).toEqual([]);
    expect(await announced()).toEqual([]);
  });

  test("fails for those that cannot be announced, and for no others", async () => {
    await store("good", "refused");
    const isRefused = ({ MessageBody }: { MessageBody: string }) => MessageBody.includes("refused");
    aws.request = (_operation, body) => {
      if (!body) return body;
      const { Entries, ...rest } = JSON.parse(body);
      return JSON.stringify({ ...rest, Entries: Entries.filter((entry: never) => !isRefused(entry)) });
    };
    const unreadable = { ...arrival("unreadable"), body: "{" };
    const test = { ...arrival("test"), body: JSON.stringify({ Event: "s3:TestEvent" }) };
    // SQS says nothing of the one that it did not get.
    expect(await announce(arrival("good"), unreadable, arrival("refused"), test, arrival("gone"))).toEqual([
      "unreadable",
      "refused",
    ]);
    expect(await announced()).toEqual(["good"]);
    expect(await keysIn(s3, Bucket, `announced/${time}/refused`)).toEqual([]);
  });

  test("fails for all of a batch that SQS does not answer, and marks none", async () => {
    await store("one", "two");
    aws.fault = (operation) => (operation === "SendMessageBatch" ? { status: 403, code: "AccessDenied" } : undefined);
    expect(await announce(arrival("one"), arrival("two"))).toEqual(["one", "two"]);
    expect(aws.calls.PUT).toBeUndefined();
    expect(await announced()).toEqual([]);
  });
});

test("a consumer's messages that fail, hang or have lost their object come again, and no others", async () => {
  const onMessage = async ({ requestId, body }: { requestId: string; body: AsyncIterable<Uint8Array> }) => {
    if (requestId === "throws") throw new Error("no");
    if (requestId === "hangs") await new Promise(() => {});
    if (requestId === "unread") return;
    for await (const part of body) if (`${part}` !== requestId) throw new Error(`${part}`);
  };
  await using consuming = await start(consumeMessages({ onMessage }));
  await store("read", "throws", "hangs", "unread");
  const Records = ["read", "throws", "hangs", "unread", "lost"].map((requestId) => ({
    messageId: requestId,
    body: JSON.stringify({ bucket: Bucket, key: keyOf(requestId), requestId }),
    attributes: { ApproximateReceiveCount: "1" },
  }));
  const answer = await Promise.race([
    consuming.invoke<BatchAnswer>({ Records }, { remainingMs: 2_000 }),
    setTimeout(20_000),
  ]);
  expect(failed(answer as BatchAnswer)).toEqual(["throws", "hangs", "lost"]);
});

describe("the function that takes bodies in", () => {
  let receiving: RunningFunction;
  beforeAll(async () => {
    // Answers what the body says.
    const onPublish = ({ body }: { body: Buffer }) => JSON.parse(body.toString()).answer;
    receiving = await start(receivePublications({ onPublish }));
  });
  afterAll(() => receiving[Symbol.asyncDispose]());

  const receive = (requestId: string, body: object) =>
    receiving.invoke<ApiAnswer>({
      ...{ body: JSON.stringify(body), isBase64Encoded: false, headers: null },
      requestContext: { requestId, requestTimeEpoch: time },
    });

  test("never stores over another body, whatever id a client chooses", async () => {
    expect(await receive("chosen", { first: true })).toMatchObject({ statusCode: 200, body: '{"id":"chosen"}' });
    expect(await receive("chosen", { first: false })).toMatchObject({ statusCode: 409 });
    expect((await read(s3, Bucket, keyOf("chosen"))).bytes.toString()).toBe('{"first":true}');
  });

  const another = "onPublish must return nothing, { annotations } with texts, or { reject: { statusCode, message } }";
  const refusal = "onPublish must reject with a status of 400 to 499 and a message";
  test.each([
    [true, another],
    ["no", another],
    [{}, another],
    [{ annotations: { count: 1 } }, another],
    [{ reject: { statusCode: 200, message: "no" } }, refusal],
    [{ reject: { statusCode: 404.5, message: "no" } }, refusal],
    [{ reject: { statusCode: 404 } }, refusal],
  ])("does not understand %j of onPublish, and stores nothing", async (answer, message) => {
    await expect(receive("misunderstood", { answer })).rejects.toThrow(message);
    expect(await keysIn(s3, Bucket, keyOf("misunderstood"))).toEqual([]);
  });
});

describe("the reconciliation", () => {
  const Swept = "swept";
  let foundUrl: string;
  let reconciling: RunningFunction;
  beforeAll(async () => {
    await s3.send(new CreateBucketCommand({ Bucket: Swept }));
    await sqs.send(new CreateQueueCommand({ QueueName: "unannounced" }));
    foundUrl = (await sqs.send(new CreateQueueCommand({ QueueName: "found" }))).QueueUrl!;
    reconciling = await start(reconcile, {
      ...{ POSTBOX_BUCKET: Swept, POSTBOX_QUEUE: atFaults(foundUrl), POSTBOX_GRACE_MINUTES: "15" },
      POSTBOX_UNANNOUNCED: atFaults(foundUrl).replace(/found$/, "unannounced"),
    });
  });
  afterAll(() => reconciling[Symbol.asyncDispose]());

  const HOUR = 60 * 60 * 1000;
  const begin = Date.now() - 5 * HOUR;
  /** The n-th of a thousand and more objects, ten of them in each millisecond. */
  const suffix = (n: number) => `${begin + Math.floor(n / 10)}/${n % 10}-${n}`;
  /** Without the SDK, which takes longer than S3. */
  const put = async (key: string) => {
    const url = `${emulator.current.endpoint}/${Swept}/${key}`;
    // What is signed with the key of the account's administrator is not looked at.
    const authorization = "AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/s3/aws4_request";
    expect((await fetch(url, { method: "PUT", body: "x", headers: { authorization } })).status).toBe(200);
  };
  const run = (event: object = {}, remainingMs?: number) => reconciling.invoke<ReconcileReport>(event, { remainingMs });
  const announced = async () => (await takeAll<PostboxMessage>(sqs, foundUrl)).map(({ key }) => key).sort();

  test("finds what was never announced among thousands that were, page by page, and goes on where its time was over", async () => {
    const numbers = Array.from({ length: 1_050 }, (_, n) => n);
    const missing = [0, 7, 999, 1_000, 1_049];
    await mapConcurrent(numbers, 32, async (n) => {
      await put(`published/${suffix(n)}`);
      if (!missing.includes(n)) await put(`announced/${suffix(n)}`);
    });
    // No object of the postbox's, and one that may be on its way.
    await put("published/by-somebody-else");
    await put(`published/${Date.now()}/young`);

    // Of no time, a fifth is kept to end in order: one page is looked at.
    expect(await run({}, 0)).toMatchObject({ checked: 1_000, announced: 3, complete: false });
    expect(await announced()).toEqual([0, 7, 999].map((n) => `published/${suffix(n)}`).sort());
    const rest = await run();
    expect(rest).toMatchObject({ checked: 60, announced: 2, complete: true });
    expect(rest.from).toBe(new Date(begin + 99).toISOString());
    expect(await announced()).toEqual([1_000, 1_049].map((n) => `published/${suffix(n)}`).sort());

    // Only objects without a mark are looked at one by one: for the mark once more, and for what they are.
    expect(aws.calls.HEAD).toBe(2 * missing.length);

    const again = await run({ since: new Date(begin).toISOString() });
    expect(again).toMatchObject({ checked: 1_050, announced: 0, complete: true });
  }, 60_000);

  test("looks again at the last hour, and at all where what it noted is gone", async () => {
    const age = Date.now() - Date.parse((await run()).from);
    expect(age).toBeGreaterThanOrEqual(HOUR);
    expect(age).toBeLessThan(1.5 * HOUR);
    const Key = "reconciliation/checkpoint.json";
    await s3.send(new GetObjectCommand({ Bucket: Swept, Key }));
    await s3.send(new DeleteObjectCommand({ Bucket: Swept, Key }));
    expect(await run()).toMatchObject({ checked: 1_050, announced: 0, from: "1970-01-01T00:00:00.000Z" });
  });
});
