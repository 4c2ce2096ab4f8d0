import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { DynamoDBClient, GetItemCommand, QueryCommand, ScanCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { RoundReport } from "../handlers/flespi";
import { useDeployed } from "./harness/deployed";
import { settings } from "./harness/emulator";
import { type ChannelFault, type FlespiStandin, position, startFlespi, token } from "./harness/flespi-standin";
import { invoke } from "./harness/functions";
import { takeAll } from "./harness/postbox";

interface Outputs {
  table: string;
  streamDeadLetters: string;
  queueUrl: string;
  resultsUrl: string;
  functions: Record<"streaming" | "queueing" | "own", string>;
  cursors: Record<"streaming" | "queueing", string>;
  deadLetters: Record<"streaming" | "queueing", string>;
  logs: Record<"streaming" | "queueing", string>;
}

const flespi = {} as Record<"stream" | "queue" | "own", FlespiStandin>;
beforeAll(async () => {
  for (const name of ["stream", "queue", "own"] as const) flespi[name] = await startFlespi();
});
const deployed = useDeployed<Outputs>("flespi-receivers", () => ({
  urls: Object.fromEntries(Object.entries(flespi).map(([name, { url }]) => [name, url])),
  token,
}));
let dynamodb: DynamoDBClient;
let lambda: LambdaClient;
let sqs: SQSClient;
let logs: CloudWatchLogsClient;
beforeAll(() => {
  const config = settings(deployed.current.emulator);
  dynamodb = new DynamoDBClient(config);
  lambda = new LambdaClient(config);
  sqs = new SQSClient(config);
  logs = new CloudWatchLogsClient(config);
});
beforeEach(() => {
  for (const standin of Object.values(flespi)) standin.fault = () => undefined;
});
afterAll(async () => {
  for (const standin of Object.values(flespi)) {
    expect(standin.mistakes).toEqual([]);
    await standin[Symbol.asyncDispose]();
  }
  for (const client of [dynamodb, lambda, sqs, logs]) client.destroy();
});

const many = (count: number) => Array.from({ length: count }, (_, n) => position(`truck-${n % 7}`, n));
const poll = (name: keyof Outputs["functions"]) =>
  invoke(lambda, deployed.current.outputs.functions[name], {}) as Promise<{ error?: string; result: RoundReport }>;
const cursor = async (name: keyof Outputs["cursors"]) => {
  const { outputs } = deployed.current;
  const { Item } = await dynamodb.send(
    new GetItemCommand({ TableName: outputs.cursors[name], Key: { channel: { S: "429" } } }),
  );
  return Item;
};
/** Makes a channel another receiver's until a time. */
const hold = (name: keyof Outputs["cursors"], until: number) =>
  dynamodb.send(
    new UpdateItemCommand({
      TableName: deployed.current.outputs.cursors[name],
      Key: { channel: { S: "429" } },
      UpdateExpression: "SET heldBy = :other, heldUntil = :until",
      ExpressionAttributeValues: { ":other": { S: "another" }, ":until": { N: String(until) } },
    }),
  );

// First of all: the process lives in real time, which no test has moved the functions away from yet.
test("when a process is killed in the middle, the function takes its place, and every message is in the table once", async () => {
  const { emulator, outputs } = deployed.current;
  const ours = Array.from({ length: 90 }, (_, n) => position("killed", 1000 + n));
  flespi.stream.add(...ours);
  const first = flespi.stream.requests.length;
  flespi.stream.fault = ({ number }) => (number === first + 4 ? "hang" : undefined);
  const child = spawn(
    process.execPath,
    [
      ...[resolve(__dirname, "../dist/cli/flespi.js"), "--channel", "429", "--url", flespi.stream.url],
      ...["--table", outputs.cursors.streaming, "--iot", "--topic", `flespi/\${ident}`, "--limit-count", "20"],
      ...["--dead-letter-queue", outputs.deadLetters.streaming],
    ],
    {
      env: {
        ...{ PATH: process.env.PATH, FLESPI_TOKEN: token, AWS_REGION: "eu-west-1" },
        ...{ AWS_ENDPOINT_URL: emulator.endpoint, AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" },
      },
    },
  );
  const ended = once(child, "close");
  await vi.waitFor(() => expect(flespi.stream.requests).toHaveLength(first + 4), 15_000);
  child.kill("SIGKILL");
  await ended;
  expect((await poll("streaming")).result).toMatchObject({ outcome: "busy" });
  await hold("streaming", Date.now() - 1);
  expect((await poll("streaming")).result).toMatchObject({ outcome: "drained", messages: 30 });
  const stored = () =>
    dynamodb.send(
      new QueryCommand({
        TableName: outputs.table,
        KeyConditionExpression: "ident = :ident",
        ExpressionAttributeValues: { ":ident": { S: "killed" } },
      }),
    );
  await expect.poll(async () => (await stored()).Count, { timeout: 15_000 }).toBe(90);
  expect((await stored()).Items?.map(({ timestamp }) => Number(timestamp?.N))).toEqual(
    ours.map(({ timestamp }) => Number(timestamp) * 1000),
  );
}, 60_000);

test("after a minute, every message of a channel is in the stream's table once, however often flespi fails", async () => {
  const { emulator, outputs } = deployed.current;
  const faults: ChannelFault[] = ["cut", { status: 429 }, "repeat", { status: 500 }, "garbage", "refuse", "errors"];
  flespi.stream.fault = ({ number }) => (number % 3 === 0 ? faults.shift() : undefined);
  flespi.stream.add(...many(300));
  await emulator.clock.advance("1 minute");
  await expect
    .poll(async () => (await dynamodb.send(new ScanCommand({ TableName: outputs.table, Select: "COUNT" }))).Count, {
      timeout: 20_000,
    })
    .toBe(390);
  expect(faults).toEqual([]);
  const { Items = [] } = await dynamodb.send(new ScanCommand({ TableName: outputs.table }));
  expect(new Set(Items.map(({ ident, timestamp }) => `${ident?.S} ${timestamp?.N}`)).size).toBe(390);
  expect(Items[0]).toMatchObject({ topic: { S: expect.stringMatching(/^flespi\/(truck-\d|killed)$/) } });
  expect((await cursor("streaming"))?.nextKey).toEqual({ S: "391" });
}, 60_000);

describe("a receiver with a FIFO queue", () => {
  test("sends each message once with its id, those of a device in their order", async () => {
    const { outputs } = deployed.current;
    flespi.queue.fault = ({ number }) => (number % 3 === 0 ? "repeat" : undefined);
    flespi.queue.add(...many(50));
    expect((await poll("queueing")).result).toMatchObject({ outcome: "drained", deadLetters: 0 });
    const taken = await takeAll<{ ident: string; timestamp: number }>(sqs, outputs.queueUrl);
    expect(taken).toHaveLength(50);
    const of = (device: string) => taken.filter(({ ident }) => ident === device).map(({ timestamp }) => timestamp);
    for (let n = 0; n < 7; n++) expect(of(`truck-${n}`)).toEqual([...of(`truck-${n}`)].sort((a, b) => a - b));
  });

  test("keeps what names no device as a dead letter", async () => {
    flespi.queue.add({ timestamp: 1 });
    expect((await poll("queueing")).result).toMatchObject({ messages: 1, deadLetters: 1 });
    const letters = await takeAll(sqs, deployed.current.outputs.deadLetters.queueing);
    expect(letters).toMatchObject([{ stage: "read", reason: "the field ident must name the device" }]);
  });

  test("leaves the channel to a receiver that is at work, until its time is over", async () => {
    await hold("queueing", deployed.current.emulator.clock.now() + 60_000);
    const before = flespi.queue.requests.length;
    expect((await poll("queueing")).result).toMatchObject({ outcome: "busy" });
    expect(flespi.queue.requests).toHaveLength(before);
    await hold("queueing", Date.now() - 1);
    expect((await poll("queueing")).result).toMatchObject({ outcome: "drained" });
    expect(await cursor("queueing")).not.toHaveProperty("heldBy");
  });

  test("does not ask before the time that flespi has named", async () => {
    flespi.queue.fault = () => ({ status: 429, retryAfter: "900" });
    expect((await poll("queueing")).result).toMatchObject({ outcome: "paused" });
    const before = flespi.queue.requests.length;
    expect((await poll("queueing")).result).toMatchObject({ outcome: "busy" });
    expect(flespi.queue.requests).toHaveLength(before);
    expect(Number((await cursor("queueing"))?.heldUntil?.N) - Date.now()).toBeGreaterThan(800_000);
  });
});

test("a handler of one's own gets the messages, with its variables and its rights", async () => {
  flespi.own.add(position("a", 1), position("b", 2));
  expect((await poll("own")).result).toMatchObject({ messages: 2 });
  expect(await takeAll(sqs, deployed.current.outputs.resultsUrl)).toEqual([
    [
      { ident: "a", timestamp: 1_706_905_171 },
      { ident: "b", timestamp: 1_706_905_172 },
    ],
  ]);
});

test("what can never be published is a dead letter with the reason, and its neighbours are published", async () => {
  const { outputs } = deployed.current;
  flespi.stream.add(
    position("a/b", 100),
    position("a+b", 101),
    position("x".repeat(300), 102),
    { ...position("big", 103), text: "x".repeat(130 * 1024) },
    { timestamp: 1 },
    position("fine", 104),
  );
  expect((await poll("streaming")).result).toMatchObject({ outcome: "drained", messages: 6, deadLetters: 5 });
  const letters = await takeAll<{ reason: string; ident?: string; message: unknown }>(
    sqs,
    outputs.deadLetters.streaming,
  );
  const reasons = Object.fromEntries(letters.map(({ ident = "", reason }) => [ident.slice(0, 3), reason]));
  expect(reasons).toEqual({
    "": "the field ident must name the device",
    "a/b": "the field ident must be a number or a text without / to stand in a topic",
    "a+b": "the topic must not hold +, # or a null character",
    xxx: "the topic must have at most 256 bytes",
    big: expect.stringMatching(/^its \d+ bytes are more than the 131072 of an MQTT message$/),
  });
  expect(letters.find(({ ident }) => ident === "a/b")?.message).toEqual(position("a/b", 100));
});

test("a run that fails tells why, and nobody is told the token", async () => {
  const { outputs } = deployed.current;
  flespi.own.fault = () => ({ status: 401, reason: `bad token ${token}` });
  const failed = await poll("own");
  expect(failed.error).toBe("Unhandled");
  expect(JSON.stringify(failed)).toContain("flespi refused the token (HTTP 401)");
  expect(JSON.stringify(failed)).not.toContain(token);
  const logGroups = Object.values(outputs.logs);
  for (const logGroupName of logGroups) {
    const { events = [] } = await logs.send(new FilterLogEventsCommand({ logGroupName }));
    const text = events.map(({ message }) => message).join("\n");
    expect(text).toContain('"message":"received"');
    expect(text).toMatch(/"FlespiReceiver":"[\w-]+","Messages":\d+,"DeadLetters":\d+,"Lag":0/);
    expect(text).not.toContain(token);
    expect(text).not.toContain("truck-1");
  }
});

describe("what is deployed", () => {
  const inputsOf = (name: string) => {
    const found = deployed.current.stack.resources.find((resource) => resource.name === name);
    if (!found) throw new Error(`there is no ${name}`);
    return found.inputs;
  };
  const valuesOf = (name: string) =>
    Object.fromEntries(Object.entries(inputsOf(name)).map(([key, { value }]) => [key, value]));
  const actionsOf = (name: string) => {
    const { Statement } = JSON.parse(String(valuesOf(name).policy)) as {
      Statement: { Action: string[]; Resource: string[] }[];
    };
    return Object.fromEntries(Statement.flatMap(({ Action, Resource }) => Action.map((action) => [action, Resource])));
  };

  test("may do what its handlers do, and nothing else", () => {
    const region = "eu-west-1:000000000000";
    const always = ["dynamodb:UpdateItem", "logs:CreateLogStream", "logs:PutLogEvents", "sqs:SendMessage"];
    const traces = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"];
    const stream = actionsOf("trucks-flespi-poll-policy");
    expect(Object.keys(stream).sort()).toEqual([...always, ...traces, "iot:Publish"].sort());
    expect(stream["iot:Publish"]).toEqual([`arn:aws:iot:${region}:topic/flespi/*`]);
    expect(stream["sqs:SendMessage"]).toEqual([expect.stringContaining(`arn:aws:sqs:${region}:trucks-flespi-dead`)]);
    const queue = actionsOf("queueing-poll-policy");
    expect(Object.keys(queue).sort()).toEqual([...always, ...traces].sort());
    expect(queue["sqs:SendMessage"]).toContain(`arn:aws:sqs:${region}:flespi.fifo`);
  });

  test("keeps the token as a secret, runs once for each tick, and tells when messages wait", () => {
    expect(inputsOf("trucks-flespi-poll-function").environment).toMatchObject({
      secret: true,
      value: { variables: { FLESPI_TOKEN: token, FLESPI_TOPIC: `flespi/\${ident}` } },
    });
    expect(valuesOf("trucks-flespi-poll-retries")).toMatchObject({ maximumRetryAttempts: 0 });
    expect(valuesOf("trucks-flespi-poll-schedule")).toMatchObject({ scheduleExpression: "rate(1 minute)" });
    expect(valuesOf("trucks-flespi-lag-alarm")).toMatchObject({
      ...{ namespace: "Sensorcast", metricName: "Lag", threshold: 900_000 },
      dimensions: { FlespiReceiver: "trucks-flespi" },
    });
    const made = deployed.current.stack.resources.map(({ name }) => name);
    expect(made).not.toContain("queueing-poll-schedule");
  });
});
