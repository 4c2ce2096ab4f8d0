import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { startStack } from "sensorcast/testing";

test("a display sees its own device only, an operator sees all, and a stranger is not let in", async () => {
  await using stack = await startStack<{ url: string; queueUrl: string }>({ program: import.meta.dirname });
  const { url, queueUrl } = stack.outputs;

  /** Connects, subscribes to all that the token may see, and gives what comes, frame by frame. */
  const connect = async (token: string) => {
    const socket = new WebSocket(url, ["sensorcast.v1", token]);
    await once(socket, "open");
    const next = async () => JSON.parse((await once(socket, "message"))[0].data);
    socket.send(JSON.stringify({ action: "subscribe", devices: ["*"] }));
    assert.equal((await next()).type, "subscribed");
    return { next, close: () => socket.close() };
  };
  const [display, operator] = [await connect("display-oven"), await connect("operator")];
  const [onDisplay, onOperator] = [display.next(), operator.next()];

  const records = [
    { deviceId: "freezer", temp: -18 },
    { deviceId: "oven", temp: 180 },
  ];
  await stack
    .client(SQSClient)
    .send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify(records) }));
  const devices = (frame: { device: string }[]) => frame.map(({ device }) => device);
  assert.deepEqual(devices(await onDisplay), ["oven"]);
  assert.deepEqual(devices(await onOperator), ["freezer", "oven"]);
  display.close();
  operator.close();

  const stranger = new WebSocket(url, ["sensorcast.v1", "stranger"]);
  const [event] = await once(stranger, "error");
  assert.equal(event.type, "error");
});
