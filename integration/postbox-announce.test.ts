import { randomInt } from "node:crypto";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import {
  GetFunctionConfigurationCommand,
  InvokeCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
  UpdateEventSourceMappingCommand,
  UpdateFunctionConfigurationCommand,
} from "@aws-sdk/client-lambda";
import { GetBucketPolicyCommand, PutBucketPolicyCommand, type S3Client } from "@aws-sdk/client-s3";
import { SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { PostboxMessage, ReconcileReport } from "../components";
import { mapConcurrent } from "../handlers/retry";
import { useDeployed } from "./harness/deployed";
import { settings } from "./harness/emulator";
import { type FaultyAws, startFaultyAws } from "./harness/faulty-aws";
import { binary, depth, keysIn, publish, read, sha256, takeAll } from "./harness/postbox";
import { s3Client } from "./harness/s3";

interface Outputs {
  url: string;
  bucket: string;
  queueUrl: string;
  arrivalsUrl: string;
  unannouncedUrl: string;
  announceFunction: string;
  authorizerLogs: string;
  reconcileFunction: string;
}

/** Functions work on their own time. */
const WAIT = { timeout: 60_000, interval: 100 };
// Requests are changed on their way, whose signatures would not be right any more.
const deployed = useDeployed<Outputs>("postbox-secret", undefined, { verifySignatures: false });
let s3: S3Client;
let sqs: SQSClient;
let lambda: LambdaClient;
let faulty: FaultyAws;
beforeAll(async () => {
  const { emulator, outputs } = deployed.current;
  s3 = s3Client(emulator);
  sqs = new SQSClient(settings(emulator));
  lambda = new LambdaClient(settings(emulator));
  faulty = await startFaultyAws(emulator);
  // The function that announces reaches its queue by way of the faults.
  const FunctionName = outputs.announceFunction;
  const { Environment } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
  const Variables = {
    ...Environment?.Variables,
    POSTBOX_QUEUE: outputs.queueUrl.replace(/^http:\/\/[^/]+/, faulty.endpoint),
  };
  await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Environment: { Variables } }));
  // Each environment takes its start; two show as much as ten.
  const { EventSourceMappings = [] } = await lambda.send(new ListEventSourceMappingsCommand({ FunctionName }));
  const ScalingConfig = { MaximumConcurrency: 2 };
  for (const { UUID } of EventSourceMappings) {
    await lambda.send(new UpdateEventSourceMappingCommand({ UUID, ScalingConfig }));
  }
});
afterAll(async () => {
  for (const client of [s3, sqs, lambda]) client.destroy();
  await faulty[Symbol.asyncDispose]();
});

interface Entry {
  readonly Id: string;
  readonly MessageBody: string;
}

const send = (body: Uint8Array) =>
  publish(deployed.current.outputs.url, body, { "X-Secret": "a-secret-of-the-senders", "content-type": "image/png" });
/** A message can come twice where an answer was late. */
const idsOf = (messages: PostboxMessage[]) => new Set(messages.map(({ requestId }) => requestId));
const advance = (time: string) => deployed.current.emulator.clock.advance(time as "1 second");

async function reconcile(event: object = {}): Promise<ReconcileReport & { errorMessage?: string }> {
  const FunctionName = deployed.current.outputs.reconcileFunction;
  const { Payload } = await lambda.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(event) }));
  return JSON.parse(Buffer.from(Payload!).toString());
}

test("who has not the secret may not publish, and is asked for it each time where no answer is kept", async () => {
  const { url, authorizerLogs: logGroupName } = deployed.current.outputs;
  expect((await publish(url, "x")).status).toBe(401);
  for (let time = 0; time < 2; time++) {
    expect((await publish(url, "x", { "X-Secret": "a-secret-of-the-sender" })).status).toBe(403);
  }
  const logs = new CloudWatchLogsClient(settings(deployed.current.emulator));
  const { events = [] } = await logs.send(
    new FilterLogEventsCommand({ logGroupName, filterPattern: '"START RequestId"' }),
  );
  logs.destroy();
  expect(events).toHaveLength(2);
});

test("an announcement whose mark is lost is made once more, and the reconciliation says what it cannot do", async () => {
  const { bucket, queueUrl, arrivalsUrl } = deployed.current.outputs;
  const { Policy = "" } = await s3.send(new GetBucketPolicyCommand({ Bucket: bucket }));
  const Resource = `arn:aws:s3:::${bucket}/announced/*`;
  const noMarks = { Effect: "Deny", Principal: "*", Action: "s3:PutObject", Resource };
  const Statement = [...JSON.parse(Policy).Statement, noMarks];
  await s3.send(
    new PutBucketPolicyCommand({ Bucket: bucket, Policy: JSON.stringify({ ...JSON.parse(Policy), Statement }) }),
  );
  const { body } = await send(binary(10));
  const first = await vi.waitFor(async () => {
    const messages = await takeAll(sqs, queueUrl);
    expect(messages).toHaveLength(1);
    return messages[0]!;
  }, WAIT);
  await vi.waitFor(async () => expect(await depth(sqs, arrivalsUrl)).toBe(0), WAIT);
  expect(await reconcile({ graceMinutes: 0 })).toMatchObject({
    errorMessage: /^1 objects could not be announced; the first of them is published\/.*: its mark could not be set$/,
  });
  expect(await takeAll(sqs, queueUrl)).toEqual([first]);
  await s3.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }));
  expect((await keysIn(s3, bucket, "announced/")).some((key) => key.endsWith(body.id!))).toBe(false);
  // It is younger than a quarter of an hour: it may still be on its way.
  expect(await reconcile()).toMatchObject({ checked: 0, announced: 0, complete: true });
  expect(await reconcile({ graceMinutes: 0 })).toMatchObject({ checked: 1, announced: 1, complete: true });
  expect(await takeAll(sqs, queueUrl)).toEqual([first]);
  expect(await reconcile({ since: "yesterday" })).toMatchObject({ errorMessage: /since must be a time in ISO 8601/ });
  expect(await reconcile({ graceMinutes: -1 })).toMatchObject({ errorMessage: /graceMinutes must be a number/ });
});

test("a run of the reconciliation begins where the last one came to, or where it is told to", async () => {
  expect(await reconcile({ graceMinutes: 0 })).toMatchObject({ checked: 1, announced: 0 });
  const { from } = await reconcile({ graceMinutes: 0 });
  // An hour before, as requests may have been on their way.
  expect(Date.now() - Date.parse(from)).toBeGreaterThanOrEqual(60 * 60 * 1000);
  expect(Date.now() - Date.parse(from)).toBeLessThan(2 * 60 * 60 * 1000);
  const since = "2026-01-01T00:00:00.000Z";
  expect(await reconcile({ graceMinutes: 0, since })).toMatchObject({ from: since, checked: 1, announced: 0 });
});

test("500 publishes, a fifth of which cannot be announced, are 500 objects and 500 messages after the reconciliation", async () => {
  const { bucket, queueUrl, arrivalsUrl, unannouncedUrl } = deployed.current.outputs;
  const seen = new Map<string, number>();
  const refusals = new Map<string, number>();
  const keyOf = ({ MessageBody }: Entry) => (JSON.parse(MessageBody) as PostboxMessage).key;
  const isRefused = (entry: Entry) => seen.get(keyOf(entry))! % 5 === 4;
  const entriesOf = (body: string) => (JSON.parse(body) as { Entries: Entry[] }).Entries;
  faulty.fault = (_operation, body) => {
    const entries = entriesOf(body);
    for (const key of entries.map(keyOf)) if (!seen.has(key)) seen.set(key, seen.size);
    const refused = entries.filter(isRefused).map(keyOf);
    for (const key of refused) refusals.set(key, (refusals.get(key) ?? 0) + 1);
    // An empty batch is none.
    return refused.length === entries.length ? { status: 403, code: "AccessDenied" } : undefined;
  };
  // SQS takes the others of a batch, and says of these that it did not.
  faulty.request = (_operation, body) =>
    JSON.stringify({ ...JSON.parse(body), Entries: entriesOf(body).filter((entry) => !isRefused(entry)) });
  faulty.answer = (_operation, answer, body) => {
    const refusal = { SenderFault: false, Code: "InternalError", Message: "Try again" };
    const Failed = entriesOf(body)
      .filter(isRefused)
      .map(({ Id }) => ({ Id, ...refusal }));
    return JSON.stringify({ ...JSON.parse(answer), Failed });
  };

  const bodies = Array.from({ length: 500 }, () => binary(randomInt(1, 20_000)));
  const answers = await mapConcurrent(bodies, 8, (body) => send(body));
  expect(answers.every(({ status }) => status === 200)).toBe(true);
  const hashes = Object.fromEntries(answers.map(({ body }, i) => [body.id!, sha256(bodies[i]!)]));
  expect(Object.keys(hashes)).toHaveLength(500);

  // What fails comes again and again, and then waits, to be seen.
  await vi.waitFor(async () => expect(await depth(sqs, arrivalsUrl)).toBe(100), WAIT);
  for (let delivery = 1; delivery <= 5; delivery++) {
    await vi.waitFor(() => {
      expect([...refusals.values()].filter((times) => times >= delivery)).toHaveLength(100);
    }, WAIT);
    await advance("3 minutes");
  }
  await vi.waitFor(async () => expect(await depth(sqs, unannouncedUrl)).toBe(100), WAIT);
  const messages = await takeAll(sqs, queueUrl);
  expect(idsOf(messages).size).toBe(400);

  faulty.reset();
  expect(await reconcile({ graceMinutes: 0 })).toMatchObject({ checked: 501, announced: 100, complete: true });
  messages.push(...(await takeAll(sqs, queueUrl)));
  expect(idsOf(messages)).toEqual(new Set(Object.keys(hashes)));

  // Nothing more comes: neither from what was given up, which goes once more to be announced, nor from another run.
  await vi.waitFor(async () => {
    expect([await depth(sqs, unannouncedUrl), await depth(sqs, arrivalsUrl)]).toEqual([0, 0]);
  }, WAIT);
  expect(faulty.calls).toEqual({});
  expect(await reconcile({ graceMinutes: 0 })).toMatchObject({ announced: 0, complete: true });
  expect(await depth(sqs, queueUrl)).toBe(0);

  expect(await keysIn(s3, bucket, "published/")).toHaveLength(1 + 500);
  const stored = await mapConcurrent(messages, 16, async ({ key, requestId, size }) => {
    const { bytes } = await read(s3, bucket, key);
    return bytes.length === size && sha256(bytes) === hashes[requestId];
  });
  expect(stored.every((equal) => equal)).toBe(true);
}, 150_000);
