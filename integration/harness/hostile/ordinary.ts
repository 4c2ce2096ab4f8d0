import { QueryCommand } from "@aws-sdk/client-dynamodb";
import { HeadObjectCommand } from "@aws-sdk/client-s3";
import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { connectAsync } from "mqtt";
import { expect, vi } from "vitest";
import { takeAll } from "../postbox";
import { type LiveClient, openSocket } from "../sockets";
import type { Stack } from "./stack";

/** How many items a table holds under a partition key. */
async function count({ clients }: Stack, TableName: string, key: string, value: string): Promise<number> {
  const { Count = 0 } = await clients.dynamodb.send(
    new QueryCommand({
      TableName,
      KeyConditionExpression: "#key = :value",
      ExpressionAttributeNames: { "#key": key },
      ExpressionAttributeValues: { ":value": { S: value } },
    }),
  );
  return Count;
}

/** How long a message may be on its way while functions start, in milliseconds. */
const timeout = 15_000;

/** Waits until a browser has seen a message, once. */
const seen = (viewer: LiveClient, name: string) =>
  vi.waitFor(
    () => expect(viewer.records.filter(({ data }) => JSON.stringify(data).includes(name))).toHaveLength(1),
    timeout,
  );

/** A reading by HTTPS: stored, and shown. */
async function post(stack: Stack, viewer: LiveClient, name: string): Promise<void> {
  const headers = { "x-api-key": stack.text("apiKey"), "content-type": "application/json", connection: "close" };
  const body = JSON.stringify([{ tsmId: 12100, tsmEv: 10, tsmTs: 1_700_000_000, tsmTuid: name, temp: 21.5 }]);
  const answer = await fetch(stack.text("url"), { method: "POST", headers, body });
  expect([answer.status, await answer.json()]).toMatchObject([200, { accepted: 1, rejected: 0 }]);
  expect(await count(stack, stack.text("tableName"), "tuid", name)).toBe(1);
  await seen(viewer, name);
}

/** Anything to the postbox: stored, and announced. */
async function publish(stack: Stack, advance: (duration: string) => Promise<void>): Promise<void> {
  const headers = { AuthDetails: stack.text("postboxToken"), "content-type": "text/plain", connection: "close" };
  const answer = await fetch(stack.text("postboxUrl"), { method: "POST", headers, body: "hello" });
  const { id } = (await answer.json()) as { id: string };
  expect(answer.status).toBe(200);
  const { sqs, s3 } = stack.clients;
  const announced = async () => {
    // The queue's delay.
    await advance("4 seconds");
    const messages = await takeAll(sqs, stack.text("postboxQueueUrl"));
    expect(messages.map(({ requestId }) => requestId)).toContain(id);
    return messages.find(({ requestId }) => requestId === id)!;
  };
  const { bucket: Bucket, key: Key, size } = await vi.waitFor(announced, timeout);
  expect(size).toBe(5);
  expect((await s3.send(new HeadObjectCommand({ Bucket, Key }))).ContentLength).toBe(5);
}

/** A reading by MQTT: stored, and shown. */
async function publishByMqtt(stack: Stack, viewer: LiveClient, device: string, name: string): Promise<void> {
  const { certificate: cert, privateKey: key, topics } = stack.devices[device]!;
  const client = await connectAsync({
    ...{ protocol: "mqtts" as const, host: "localhost", port: stack.mqttPort, ca: stack.ca, cert, key },
    ...{ clientId: device, reconnectPeriod: 0 },
  });
  await client.publishAsync(topics[0]!, JSON.stringify({ temp: 21.5, name }), { qos: 1 });
  await client.endAsync();
  await seen(viewer, name);
  await vi.waitFor(
    async () => expect(await count(stack, stack.text("iotTableName"), "ident", device)).toBe(1),
    timeout,
  );
}

/**
 * An ordinary message through each door: to its store, to its queue, and to a browser.
 *
 * @param name of the messages; told apart by it.
 * @param device nobody else publishes as it.
 */
export async function ordinaryMessages(
  stack: Stack,
  { name, device, advance }: { name: string; device: string; advance: (duration: string) => Promise<void> },
): Promise<void> {
  const viewer = await openSocket(stack.text("liveUrl"), ["sensorcast.v1", stack.text("liveToken")]);
  expect(await viewer.ask({ action: "subscribe", devices: ["*"] })).toMatchObject({ type: "subscribed" });
  await post(stack, viewer, `${name}-posted`);
  await publish(stack, advance);
  await publishByMqtt(stack, viewer, device, `${name}-by-mqtt`);
  const MessageBody = JSON.stringify({ deviceId: "d", name: `${name}-queued` });
  await stack.clients.sqs.send(new SendMessageCommand({ QueueUrl: stack.text("liveQueueUrl"), MessageBody }));
  await seen(viewer, `${name}-queued`);
  await viewer.close();
}
