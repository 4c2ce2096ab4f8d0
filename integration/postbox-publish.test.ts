import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import type { S3Client } from "@aws-sdk/client-s3";
import { GetQueueAttributesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { PostboxMessage } from "../components";
import { AwsError } from "../emulator";
import { useDeployed } from "./harness/deployed";
import { settings } from "./harness/emulator";
import { binary, depth, keysIn, publish, read, sha256, takeAll } from "./harness/postbox";
import { s3Client } from "./harness/s3";

interface Outputs {
  url: string;
  queueUrl: string;
  errorQueueUrl: string;
  arrivalsUrl: string;
  bucket: string;
  resultsUrl: string;
  authorizerLogs: string;
  consumerLogs: string;
  reconcileLogs: string;
  logGroups: string[];
  lookedUrl: string;
  mistaken: string;
  taken: string;
  lookedQueueUrl: string;
  lookedBucket: string;
}

const deployed = useDeployed<Outputs>("postbox-doors");
const MB = 1024 * 1024;
/** Functions work on their own time. */
const WAIT = { timeout: 15_000, interval: 50 };
let s3: S3Client;
let sqs: SQSClient;
let logs: CloudWatchLogsClient;
beforeAll(() => {
  const { emulator } = deployed.current;
  s3 = s3Client(emulator);
  sqs = new SQSClient(settings(emulator));
  logs = new CloudWatchLogsClient(settings(emulator));
});
afterAll(() => {
  for (const client of [s3, sqs, logs]) client.destroy();
});

const advance = (time: string) => deployed.current.emulator.clock.advance(time as "1 second");
const asAmy = { AuthDetails: "open Ämy", "content-type": "application/octet-stream" };
const post = (body: string | Uint8Array, headers: Record<string, string> = {}) =>
  publish(deployed.current.outputs.url, body, { ...asAmy, ...headers });
const linesOf = async (logGroupName: string) => {
  const { events = [] } = await logs.send(new FilterLogEventsCommand({ logGroupName, limit: 1000 }));
  return events.map(({ message = "" }) => message);
};

/** Ends the delay of messages, if there is one: more time would be lost for functions that are at work. */
async function release(): Promise<void> {
  const wanted = "ApproximateNumberOfMessagesDelayed";
  const { queueUrl: QueueUrl } = deployed.current.outputs;
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [wanted] }));
  if (Attributes?.[wanted] !== "0") await advance("3 seconds");
}

type Result = PostboxMessage & { sha256: string; receiveCount: number };
const results: Result[] = [];
/** What the consumer says of a publication. */
const resultOf = (id: string) =>
  vi.waitFor(async () => {
    await release();
    results.push(...(await takeAll<Result>(sqs, deployed.current.outputs.resultsUrl)));
    const found = results.find(({ requestId }) => requestId === id);
    if (!found) throw new Error("it has not come yet");
    return found;
  }, WAIT);

/** Waits until so many messages are left, and no others are being worked on, which more time would bring twice. */
const left = (count: number) =>
  vi.waitFor(async () => {
    await release();
    const { arrivalsUrl, queueUrl } = deployed.current.outputs;
    expect([await depth(sqs, arrivalsUrl), await depth(sqs, queueUrl)]).toEqual([0, count]);
  }, WAIT);
const failures = async () => {
  const lines = await linesOf(deployed.current.outputs.consumerLogs);
  return lines.filter((line) => line.includes("was not consumed"));
};
/** Publishes what the consumer fails on each time, and waits until its message is in the error queue. */
async function publishPoison() {
  await left(0);
  const before = (await failures()).length;
  const { body } = await post("poison", { "content-type": "application/x-poison" });
  await left(1);
  for (let delivery = 1; delivery <= 5; delivery++) {
    await vi.waitFor(async () => expect(await failures()).toHaveLength(before + delivery), WAIT);
    await advance("3 minutes");
  }
  const { errorQueueUrl } = deployed.current.outputs;
  await vi.waitFor(async () => expect(await depth(sqs, errorQueueUrl)).toBe(1), WAIT);
  return { id: body.id!, failures: (await failures()).slice(before) };
}

describe("what is published", () => {
  const json = JSON.stringify({ temp: 21.5, note: "å".repeat(1000) });
  test.each([
    ["1 byte", binary(1), "application/octet-stream"],
    ["64 KB of bytes", binary(64 * 1024), "image/png"],
    [
      "64 KB of text that is not UTF-8",
      Buffer.alloc(64 * 1024, "\xe4\xf6\n", "latin1"),
      "text/plain; charset=iso-8859-1",
    ],
    ["JSON", Buffer.from(json), "application/json"],
    ["6 MB of bytes", binary(6 * MB), "application/x-anything"],
    ["10 MB of bytes", binary(10 * MB), "application/octet-stream"],
    ["10 MB of text", Buffer.alloc(10 * MB, "21.5 °C\n"), "text/plain"],
  ])("is kept byte by byte with its type and sender, and announced: %s", async (_, body, type) => {
    const { bucket } = deployed.current.outputs;
    const { status, body: answer } = await post(body, { "content-type": type });
    expect({ status, answer }).toEqual({ status: 200, answer: { id: expect.stringMatching(/^[\da-f-]{36}$/) } });
    const result = await resultOf(answer.id!);
    expect(result).toEqual({
      ...{ bucket, size: body.length, contentType: type, requestId: answer.id, principal: "Ämy", receiveCount: 1 },
      key: expect.stringMatching(new RegExp(`^published/\\d{13}/${answer.id}$`)),
      submittedAt: new Date(Number(result.key.split("/")[1])).toISOString(),
      sha256: sha256(body),
    });
    const object = await read(s3, bucket, result.key);
    expect([sha256(object.bytes), object.ContentType, object.ServerSideEncryption]).toEqual([
      ...[sha256(body), type, "AES256"],
    ]);
  });

  test("is refused when it is empty or larger than 10 MB, and nothing is kept of it", async () => {
    const { bucket } = deployed.current.outputs;
    const before = await keysIn(s3, bucket, "published/");
    expect(await post("")).toEqual({
      status: 400,
      body: { message: "The body is empty; send what is to be published" },
    });
    expect(await post(binary(10 * MB + 1))).toEqual({
      status: 413,
      body: { message: "The body is too large; send at most 10 MB" },
    });
    expect(await keysIn(s3, bucket, "published/")).toEqual(before);
  });
});

describe("what S3 does not take", () => {
  const again = "The body could not be stored; send it again";
  test.each([
    ["PreconditionFailed", 412, 409, "A request with this id was stored already"],
    ["ConditionalRequestConflict", 409, 503, again],
    ["SlowDown", 503, 503, again],
    ["InternalError", 500, 503, again],
    ["AccessDenied", 403, 500, "The body could not be stored"],
    ["RequestTimeout", 400, 500, "The body could not be stored"],
  ])("is no 200: %s", async (code, status, expected, message) => {
    const stop = deployed.current.emulator.intercept(({ operation, input }) => {
      const isBody = operation === "PutObject" && String(input.Key).startsWith("published/");
      if (isBody) throw new AwsError(code, "No", status);
    });
    try {
      expect(await post("x")).toEqual({ status: expected, body: { message } });
    } finally {
      stop();
    }
  });
});

describe("who publishes", () => {
  const status = async (headers: Record<string, string>) =>
    (await publish(deployed.current.outputs.url, "x", headers)).status;

  test("needs a token that the callback takes", async () => {
    expect(await status({})).toBe(401);
    expect(await status({ AuthDetails: "unknown" })).toBe(401);
    expect(await status({ AuthDetails: "let me in" })).toBe(403);
    expect(await status({ authdetails: "open Ben" })).toBe(200);
  });

  test("is asked for again when ten seconds are over, and not before", async () => {
    const { authorizerLogs } = deployed.current.outputs;
    const asked = async () => (await linesOf(authorizerLogs)).filter((line) => line.includes("asked")).length;
    const before = await asked();
    const cleo = { AuthDetails: "open Cleo" };
    await status(cleo);
    await advance("9 seconds");
    await status(cleo);
    expect(await asked()).toBe(before + 1);
    await advance("2 seconds");
    await status(cleo);
    expect(await asked()).toBe(before + 2);
  });

  test("gets AWS's own refusal for other methods and paths", async () => {
    const { url } = deployed.current.outputs;
    for (const answer of [
      await fetch(url),
      await fetch(`${url}/more`, { method: "POST", body: "x", headers: asAmy }),
    ]) {
      expect([answer.status, await answer.json()]).toEqual([403, { message: "Missing Authentication Token" }]);
    }
  });
});

test("a message whose consumer fails comes five times and then waits in the error queue, alone", async () => {
  const good = await post("good");
  const poison = await publishPoison();
  expect(poison.failures).toHaveLength(5);
  expect(poison.failures.every((line) => line.includes(poison.id) && line.includes("it is poison"))).toBe(true);
  const messages = await takeAll(sqs, deployed.current.outputs.errorQueueUrl);
  expect(messages).toEqual([expect.objectContaining({ requestId: poison.id, contentType: "application/x-poison" })]);
  expect(await resultOf(good.body.id!)).toMatchObject({ receiveCount: 1 });
});

test("neither tokens nor bodies are logged", async () => {
  await post("a body that must not be told");
  await publish(deployed.current.outputs.url, "x", { AuthDetails: "a-token-that-must-not-be-told" });
  const lines = (await Promise.all(deployed.current.outputs.logGroups.map(linesOf))).flat();
  expect(lines.length).toBeGreaterThan(10);
  expect(lines.join("\n")).not.toContain("must-not-be-told");
  expect(lines.join("\n")).not.toContain("must not be told");
});

describe("a function that looks at bodies first", () => {
  const look = (body: string | Uint8Array, type: string) =>
    publish(deployed.current.outputs.lookedUrl, body, { "content-type": type });

  test("takes them with notes for the consumers", async () => {
    const { lookedUrl, lookedQueueUrl, lookedBucket } = deployed.current.outputs;
    expect(lookedUrl).toMatch(/\/v1\/publish$/);
    const bodies = [Buffer.from([0, 255, 254]), Buffer.from('{"temp":21.5}')];
    const bytes = await look(bodies[0]!, "image/png");
    const text = await look(bodies[1]!, "application/json");
    expect([bytes.status, text.status]).toEqual([200, 200]);
    const messages: PostboxMessage[] = [];
    await vi.waitFor(async () => {
      messages.push(...(await takeAll(sqs, lookedQueueUrl)));
      expect(messages).toHaveLength(2);
    }, 10_000);
    const [image, json] = [bytes, text].map(({ body }) => messages.find(({ requestId }) => requestId === body.id)!);
    expect(image).toMatchObject({
      ...{ size: 3, contentType: "image/png", principal: null },
      annotations: { site: "Oulu", first: "0", principal: "null" },
    });
    expect(json).toMatchObject({ size: 13, annotations: { first: "123" } });
    expect((await read(s3, lookedBucket, image!.key)).bytes).toEqual(bodies[0]);
    expect((await read(s3, lookedBucket, json!.key)).bytes).toEqual(bodies[1]);
  });

  test("refuses with its own status and words, and keeps nothing", async () => {
    const { lookedBucket } = deployed.current.outputs;
    const before = await keysIn(s3, lookedBucket, "published/");
    expect(await look("{", "application/json")).toEqual({ status: 422, body: { message: "The body is not JSON" } });
    expect(await look(Buffer.from("K\xe4lte", "latin1"), "text/plain")).toEqual({
      status: 400,
      body: { message: "The body is not UTF-8, or holds U+FFFD" },
    });
    expect(await look("", "text/plain")).toMatchObject({ status: 400, body: { message: /body is empty/ } });
    expect(await look(binary(10), "application/zip")).toEqual({
      status: 415,
      body: {
        message: "application/zip is not taken here: it is neither a text type nor one of the API's binary media types",
      },
    });
    expect(await keysIn(s3, lookedBucket, "published/")).toEqual(before);
  });

  test("gets 6 MB of text and 4.5 MB of bytes, and more is refused", async () => {
    const least = 5 * 1024;
    expect((await look("x".repeat(6 * MB - least), "text/plain")).status).toBe(200);
    expect((await look(binary(4.5 * MB - least), "image/png")).status).toBe(200);
    const tooLarge = {
      status: 413,
      body: { message: "The body is too large; send at most 6 MB, or 4.5 MB where it is not text" },
    };
    expect(await look("x".repeat(6 * MB), "text/plain")).toEqual(tooLarge);
    expect(await look(binary(4.6 * MB), "image/png")).toEqual(tooLarge);
  });
});

describe("what is deployed", () => {
  const inputs = (name: string, type = "") => {
    const { resources } = deployed.current.stack;
    const found = resources.find((resource) => resource.name === name && resource.type.endsWith(type));
    if (!found) throw new Error(`there is no ${name}`);
    return Object.fromEntries(Object.entries(found.inputs).map(([key, { value }]) => [key, value]));
  };
  const policyOf = (name: string) => JSON.parse(String(inputs(name).policy)).Statement as Record<string, unknown>[];

  test("keeps to the defaults of its options", () => {
    expect(inputs("guarded-stage")).toMatchObject({ stageName: "beta", xrayTracingEnabled: true });
    expect(inputs("guarded-authorizer", "Authorizer")).toMatchObject({
      identitySource: "method.request.header.AuthDetails",
      authorizerResultTtlInSeconds: 10,
    });
    expect(inputs("guarded-queue", "Queue")).toMatchObject({
      ...{ delaySeconds: 3, receiveWaitTimeSeconds: 20, messageRetentionSeconds: 14 * 86_400 },
      ...{ sqsManagedSseEnabled: true, visibilityTimeoutSeconds: 180 },
    });
    expect(inputs("guarded-reconcile-schedule")).toMatchObject({ scheduleExpression: "rate(1 hour)" });
    for (const part of ["announce", "reconcile", "authorizer", "hash"]) {
      expect(inputs(`guarded-${part}-logs`)).toMatchObject({ retentionInDays: 7 });
      expect(inputs(`guarded-${part}-function`)).toMatchObject({ tracingConfig: { mode: "Active" } });
    }
    expect(inputs("guarded-access-logs")).toMatchObject({ retentionInDays: 7 });
  });

  test("does as it is told", () => {
    expect(inputs("looked-api")).toMatchObject({
      description: "Readings of the cellar",
      binaryMediaTypes: ["application/octet-stream", "image/*"],
    });
    expect(inputs("looked-stage")).toMatchObject({ stageName: "v1", xrayTracingEnabled: false });
    const queue = inputs("looked-queue", "Queue");
    expect(queue).toMatchObject({ delaySeconds: 0, receiveWaitTimeSeconds: 0, messageRetentionSeconds: 4 * 86_400 });
    expect(JSON.parse(String(queue.redrivePolicy))).toMatchObject({ maxReceiveCount: 2 });
    expect(inputs("looked-bodies-expiry")).toMatchObject({ rules: [{ expiration: { days: 5 } }] });
    for (const part of ["receive", "announce", "reconcile"]) {
      expect(inputs(`looked-${part}-logs`)).toMatchObject({ retentionInDays: 30 });
      expect(inputs(`looked-${part}-function`)).toMatchObject({
        tracingConfig: { mode: "PassThrough" },
        vpcConfig: { subnetIds: [expect.stringMatching(/^subnet-/), expect.stringMatching(/^subnet-/)] },
      });
    }
    expect(() => inputs("looked-reconcile-schedule")).toThrow("there is no");
  });

  test("lets nobody reach bodies and messages but by TLS, and S3 write of this bucket only", async () => {
    expect(inputs("guarded-bodies-access")).toMatchObject({
      ...{ blockPublicAcls: true, blockPublicPolicy: true, ignorePublicAcls: true, restrictPublicBuckets: true },
    });
    expect(inputs("guarded-bodies-ownership")).toMatchObject({ rule: { objectOwnership: "BucketOwnerEnforced" } });
    const onlyByTls = { Effect: "Deny", Principal: "*", Condition: { Bool: { "aws:SecureTransport": "false" } } };
    for (const part of ["bodies", "queue", "errors", "arrivals", "unannounced"]) {
      expect(policyOf(`guarded-${part}-policy`)).toContainEqual(expect.objectContaining(onlyByTls));
    }
    const { bucket } = deployed.current.outputs;
    expect(policyOf("guarded-arrivals-policy")[1]).toMatchObject({
      Principal: { Service: "s3.amazonaws.com" },
      Action: "sqs:SendMessage",
      Condition: {
        ArnEquals: { "aws:SourceArn": `arn:aws:s3:::${bucket}` },
        StringEquals: { "aws:SourceAccount": "000000000000" },
      },
    });
  });

  test("lets each function do what it does, on what it does it to", () => {
    const { bucket } = deployed.current.outputs;
    const bodies = `arn:aws:s3:::${bucket}/published/*`;
    const may = (part: string) =>
      policyOf(`guarded-${part}-policy`)
        .filter(({ Action }) => !/logs:|xray:/.test(String(Action)))
        .map(({ Action, Resource }) => [Action, Resource].flat());
    expect(may("store")).toEqual([["s3:PutObject", bodies]]);
    expect(may("authorizer")).toEqual([]);
    expect(may("hash")).toEqual([
      ["s3:GetObject", bodies],
      [
        ...["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
        expect.stringMatching(/^arn:aws:sqs:.*:guarded-queue-/),
      ],
      ["sqs:SendMessage", expect.stringMatching(/^arn:aws:sqs:.*:results-/)],
    ]);
    expect(JSON.stringify(may("announce"))).not.toContain('"*"');
    expect(JSON.stringify(may("reconcile"))).not.toContain('"*"');
  });

  test("has no consumer with mistakes, which are told together", () => {
    expect(deployed.current.outputs.mistaken).toBe(
      'Postbox "guarded": onMessage "Mistaken": the name must be lower-case letters, digits, -, not "Mistaken"; use "consumer". ' +
        'Also: onMessage "Mistaken".batchSize must be a whole number from 1 to 10 (messages), not 11; use 10. ' +
        'Also: onMessage "Mistaken".timeout must be a whole number from 1 to 30 (seconds), not 31; use 30',
    );
    expect(deployed.current.outputs.taken).toBe(
      'Postbox "guarded": onMessage "announce": the name must not be that of a function of the postbox itself; use "consumer". ' +
        'Also: onMessage "announce".environment.AWS_REGION must not begin with POSTBOX_ or AWS_; use MY_AWS_REGION',
    );
  });

  test("has alarms where they are asked for", () => {
    const alarms = deployed.current.stack.resources.filter(({ type }) => type.endsWith(":MetricAlarm"));
    expect(alarms.map(({ name }) => name).sort()).toEqual([
      ...["guarded-announce-errors-alarm", "guarded-announce-throttles-alarm", "guarded-arrivals-alarm"],
      ...["guarded-dead-letters-alarm", "guarded-hash-errors-alarm", "guarded-hash-throttles-alarm"],
      ...["guarded-reconcile-errors-alarm", "guarded-reconcile-throttles-alarm", "guarded-server-errors-alarm"],
      "guarded-unannounced-alarm",
    ]);
  });
});

test("two weeks take objects and messages away, after every run of the reconciliation in between", async () => {
  const { bucket, queueUrl, errorQueueUrl } = deployed.current.outputs;
  const { clock } = deployed.current.emulator;
  const { id } = await publishPoison();
  const has = async () => (await keysIn(s3, bucket, "published/")).some((key) => key.endsWith(id));
  await clock.idle();
  await clock.advance("13 days");
  expect([await has(), await depth(sqs, errorQueueUrl)]).toEqual([true, 1]);
  await clock.advance("1 day");
  expect([await depth(sqs, queueUrl), await depth(sqs, errorQueueUrl)]).toEqual([0, 0]);
  // Logs are kept for a week.
  const runs = (await linesOf(deployed.current.outputs.reconcileLogs)).filter((line) => line.includes("reconciled"));
  expect(Math.abs(runs.length - 7 * 24)).toBeLessThanOrEqual(1);
  // S3 removes objects at the midnight after they are due.
  await clock.advance("1 day");
  expect(await has()).toBe(false);
}, 60_000);
