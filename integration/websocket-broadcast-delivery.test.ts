import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { ReceiveMessageCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { useDeployed } from "./harness/deployed";
import { settings } from "./harness/emulator";
import { handshake, type LiveClient, openSocket } from "./harness/sockets";

interface Outputs {
  url: string;
  token: string;
  managementEndpoint: string;
  postUrl: string;
  queueUrl: string;
  tableName: string;
  deadLetterQueueUrl: string;
  splitUrl: string;
  splitQueueUrl: string;
}

const deployed = useDeployed<Outputs>("websocket-live");
const clients: LiveClient[] = [];

/** Connects with the token, and subscribes. */
async function join(...devices: string[]): Promise<LiveClient> {
  const { url, token } = deployed.current.outputs;
  const client = await openSocket(url, ["sensorcast.v1", token]);
  clients.push(client);
  if (devices.length > 0) {
    expect(await client.ask({ action: "subscribe", devices })).toEqual({ type: "subscribed", devices });
  }
  return client;
}
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
});

const made: { destroy(): void }[] = [];
const sqs = () => made[made.push(new SQSClient(settings(deployed.current.emulator))) - 1] as SQSClient;
const dynamodb = () => made[made.push(new DynamoDBClient(settings(deployed.current.emulator))) - 1] as DynamoDBClient;
afterAll(() => {
  for (const client of made) client.destroy();
});

/** The first broadcast waits for functions to start, on a machine that may be busy. */
const soon = (check: () => void) => vi.waitFor(check, { timeout: 15_000, interval: 20 });
const reading = (device: string, n = 0) => ({
  tsmId: 12100,
  tsmEv: 10,
  tsmTs: 1_767_225_600 + n,
  tsmTuid: device,
  temp: n,
});
async function post(...messages: unknown[]): Promise<void> {
  const answer = await fetch(deployed.current.outputs.postUrl, { method: "POST", body: JSON.stringify(messages) });
  expect(await answer.json()).toMatchObject({ accepted: messages.length });
}
const send = (body: string, queueUrl = deployed.current.outputs.queueUrl) =>
  sqs().send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body }));
const rows = async () => {
  const { Items = [] } = await dynamodb().send(new ScanCommand({ TableName: deployed.current.outputs.tableName }));
  // Which devices somebody subscribed to is not about one client.
  return Items.map(({ pk, sk }) => `${pk!.S} ${sk!.S}`).filter((row) => !row.startsWith("devices#"));
};

describe("what is posted to the ingest", () => {
  test("reaches the clients that subscribed to its device, and no others", async () => {
    const [all, one, other] = await Promise.all([join("*"), join("TSPR1"), join("TSPR2")]);
    await post(reading("TSPR1"), reading("TSPR3"));
    await soon(() => expect(all.records).toHaveLength(2));
    await soon(() => expect(one.records).toHaveLength(1));
    expect(one.records[0]).toMatchObject({ device: "TSPR1", data: reading("TSPR1") });
    expect(other.records).toEqual([]);
  });

  test("reaches a client no more after it unsubscribed", async () => {
    const [client, witness] = await Promise.all([join("TSPR1", "TSPR2"), join("*")]);
    expect(await client.ask({ action: "unsubscribe", devices: ["TSPR1"] })).toMatchObject({ type: "unsubscribed" });
    await post(reading("TSPR1"), reading("TSPR2"));
    await soon(() => expect(client.records).toHaveLength(1));
    await soon(() => expect(witness.records).toHaveLength(2));
    expect(client.records[0]!.device).toBe("TSPR2");
  });
});

test("a client that vanished without a word is forgotten at the next broadcast, and nobody else misses a record", async () => {
  await expect.poll(rows, { timeout: 10_000 }).toEqual([]);
  const killed = await join("*", "TSPR1");
  const before = new Set(await rows());
  const witness = await join("*");
  killed.socket.terminate();
  await post(reading("TSPR1"));
  await soon(() => expect(witness.records).toHaveLength(1));
  await expect.poll(async () => (await rows()).filter((row) => before.has(row)), { timeout: 10_000 }).toEqual([]);
  expect(await rows()).not.toEqual([]);
});

test("a client that says goodbye leaves no rows", async () => {
  const client = await join("a", "b", "*");
  await client.close();
  await expect.poll(rows, { timeout: 10_000 }).toEqual([]);
});

test("bad JSON on the queue ends in the dead-letter queue, with the reason", async () => {
  const { deadLetterQueueUrl } = deployed.current.outputs;
  const witness = await join("*");
  await send("{oops");
  await send(JSON.stringify({ deviceId: "x", temp: 1 }));
  await soon(() => expect(witness.records).toMatchObject([{ device: "x" }]));
  const receive = new ReceiveMessageCommand({ QueueUrl: deadLetterQueueUrl, WaitTimeSeconds: 5 });
  const { Messages = [] } = await sqs().send(receive);
  expect(JSON.parse(Messages[0]!.Body!)).toMatchObject({
    stage: "parse",
    reason: expect.stringContaining("not valid JSON"),
    body: "{oops",
  });
});

test("everyone may connect where auth is said to be none, at the stage that was asked for", async () => {
  const { splitUrl } = deployed.current.outputs;
  expect(splitUrl).toMatch(/^ws:.*\/public$/);
  expect(await handshake(splitUrl)).toBe(101);
  expect(await handshake(splitUrl, ["sensorcast.v1"])).toBe(101);
});

describe("frames of clients", () => {
  test("are answered: ping, an action of one's own, and what is none", async () => {
    const client = await join();
    expect(await client.ask({ action: "ping" })).toEqual({ type: "pong" });
    expect(await client.ask({ action: "set", value: 7 })).toEqual({ type: "set", value: 7, knows: true });
    expect(await client.ask({ action: "dance", requestId: "1" })).toMatchObject({ type: "error", requestId: "1" });
    expect(await client.ask("{oops")).toEqual({ type: "error", message: "the frame is not valid JSON" });
  });

  test("go to all others with the action message", async () => {
    const [sender, other] = await Promise.all([join("*"), join()]);
    expect(await sender.ask({ action: "message", data: "hello" })).toEqual({ type: "sent" });
    await soon(() => expect(other.records).toMatchObject([{ from: "token", data: "hello" }]));
    expect(sender.records).toEqual([]);
  });
});

test("a hundred messages of one POST reach a hundred clients in one frame each, every record once", async () => {
  const many = await Promise.all(Array.from({ length: 100 }, () => join("*")));
  await post(...Array.from({ length: 100 }, (_, n) => reading(`TSPR${n % 10}`, n)));
  await soon(() => {
    for (const { records } of many) expect(records).toHaveLength(100);
  });
  for (const { records, frames } of many) {
    expect(new Set(records.map(({ id }) => id)).size).toBe(100);
    expect(frames).toBe(1);
  }
});

test("above the threshold, all shards get all records, one a frame where that is asked for", async () => {
  const { splitUrl, splitQueueUrl } = deployed.current.outputs;
  const many = await Promise.all(Array.from({ length: 10 }, () => openSocket(splitUrl, ["sensorcast.v1"])));
  clients.push(...many);
  await send(JSON.stringify([{ robot: "r1" }, { robot: "r2" }]), splitQueueUrl);
  await soon(() => {
    for (const { records } of many) expect(records).toHaveLength(2);
  });
  for (const { records, frames } of many) {
    expect(records.map(({ device }) => device)).toEqual(["r1", "r2"]);
    expect(frames).toBe(2);
  }
});
