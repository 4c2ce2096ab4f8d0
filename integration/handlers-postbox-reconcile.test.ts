import { CreateBucketCommand, DeleteObjectCommand, GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { CreateQueueCommand, GetQueueUrlCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { PostboxMessage, ReconcileReport } from "../components";
import { reconcile } from "../handlers/postbox/reconcile";
import { mapConcurrent } from "../handlers/retry";
import { settings, useEmulator } from "./harness/emulator";
import { type FaultyAws, startFaultyAws } from "./harness/faulty-aws";
import { functionCode, type RunningFunction, startFunction } from "./harness/function";
import { takeAll } from "./harness/postbox";
import { s3Client } from "./harness/s3";

const emulator = useEmulator();
const Bucket = "bodies";
let s3: S3Client;
let sqs: SQSClient;
let queueUrl: string;
/** Without faults: it counts the calls. */
let aws: FaultyAws;
let running: RunningFunction;
beforeAll(async () => {
  s3 = s3Client(emulator.current);
  sqs = new SQSClient(settings(emulator.current));
  await s3.send(new CreateBucketCommand({ Bucket }));
  await sqs.send(new CreateQueueCommand({ QueueName: "queue" }));
  await sqs.send(new CreateQueueCommand({ QueueName: "unannounced" }));
  queueUrl = (await sqs.send(new GetQueueUrlCommand({ QueueName: "queue" }))).QueueUrl!;
  aws = await startFaultyAws(emulator.current);
  running = startFunction(await functionCode(reconcile), {
    AWS_ENDPOINT_URL: aws.endpoint,
    POSTBOX_BUCKET: Bucket,
    POSTBOX_QUEUE: queueUrl,
    POSTBOX_UNANNOUNCED: queueUrl.replace(/queue$/, "unannounced"),
    POSTBOX_GRACE_MINUTES: "15",
  });
});
afterAll(async () => {
  await running[Symbol.asyncDispose]();
  await aws[Symbol.asyncDispose]();
  s3.destroy();
  sqs.destroy();
});

const HOUR = 60 * 60 * 1000;
const start = Date.now() - 5 * HOUR;
/** The n-th of a thousand and more objects, ten of them in each millisecond. */
const suffix = (n: number) => `${start + Math.floor(n / 10)}/${n % 10}-${n}`;
/** Without the SDK, which takes longer than S3. */
const put = async (key: string) => {
  const url = `${emulator.current.endpoint}/${Bucket}/${key}`;
  expect((await fetch(url, { method: "PUT", body: "x" })).status).toBe(200);
};
const run = (event: object = {}, remainingMs?: number) => running.invoke<ReconcileReport>(event, { remainingMs });
const announced = async () => (await takeAll<PostboxMessage>(sqs, queueUrl)).map(({ key }) => key).sort();

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
  expect(rest.from).toBe(new Date(start + 99).toISOString());
  expect(await announced()).toEqual([1_000, 1_049].map((n) => `published/${suffix(n)}`).sort());

  // Only objects without a mark are looked at one by one: for the mark once more, and for what they are.
  expect(aws.calls.HEAD).toBe(2 * missing.length);

  const again = await run({ since: new Date(start).toISOString() });
  expect(again).toMatchObject({ checked: 1_050, announced: 0, complete: true });
}, 60_000);

test("looks again at the last hour, and at all where what it noted is gone", async () => {
  const age = Date.now() - Date.parse((await run()).from);
  expect(age).toBeGreaterThanOrEqual(HOUR);
  expect(age).toBeLessThan(1.5 * HOUR);
  const Key = "reconciliation/checkpoint.json";
  await s3.send(new GetObjectCommand({ Bucket, Key }));
  await s3.send(new DeleteObjectCommand({ Bucket, Key }));
  expect(await run()).toMatchObject({ checked: 1_050, announced: 0, from: "1970-01-01T00:00:00.000Z" });
});
