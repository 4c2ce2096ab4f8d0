import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import type { MqttClient } from "mqtt";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { FlespiHandler } from "../handlers/flespi/handler";
import { toIoT } from "../handlers/flespi/handler-iot";
import { toMqtt } from "../handlers/flespi/handler-mqtt";
import { toQueue } from "../handlers/flespi/handler-queue";
import { readMessages } from "../handlers/flespi/message";
import { problemOfTemplate, topicOf } from "../handlers/flespi/topic";
import { Devices, inbox, iotArn } from "./harness/devices";
import { settings, useEmulator } from "./harness/emulator";
import { type FaultyAws, startFaultyAws } from "./harness/faulty-aws";
import { position } from "./harness/flespi-standin";
import { takeAll } from "./harness/postbox";

const emulator = useEmulator();
let devices: Devices;
beforeAll(() => {
  devices = new Devices(emulator.current);
});
afterAll(() => devices.close());
const many = (count: number) => Array.from({ length: count }, (_, n) => position(`truck-${n % 3}`, n));
const messagesOf = (elements: unknown[]) => readMessages(elements).messages;
const made: FlespiHandler[] = [];
const keep = (handler: FlespiHandler) => {
  made.push(handler);
  return handler;
};
afterEach(async () => {
  for (const handler of made.splice(0)) await handler.close?.();
});

describe("the handler for AWS IoT by MQTT", () => {
  let listener: MqttClient;
  let heard: [string, string][];
  beforeAll(async () => {
    listener = await devices.connect(await devices.certificate(), { clientId: "listener" });
    await listener.subscribeAsync("flespi/#", { qos: 1 });
  });
  beforeEach(() => {
    listener.removeAllListeners("message");
    heard = inbox(listener);
    vi.spyOn(console, "error").mockReturnValue(undefined);
  });

  const connecting = async (statements?: Parameters<Devices["certificate"]>[0], clientId?: string) => {
    const { url, ca } = await devices.endpoint();
    const { cert, key } = await devices.certificate(statements);
    const endpoint = url.replace("mqtts://", "");
    return keep(toMqtt(`flespi/\${ident}`, { endpoint, cert, key, ca, clientId, rate: 10_000 })());
  };

  test("publishes each message to the topic of its device, those of a device in their order", async () => {
    const handler = await connecting();
    expect(await handler.handle(messagesOf(many(30)))).toEqual({});
    await vi.waitFor(() => expect(heard).toHaveLength(30));
    for (let n = 0; n < 3; n++) {
      const ofDevice = heard.filter(([topic]) => topic === `flespi/truck-${n}`).map(([, json]) => JSON.parse(json));
      expect(ofDevice).toEqual(many(30).filter(({ ident }) => ident === `truck-${n}`));
    }
  });

  test("lets two processes publish side by side, as each has a client id of its own", async () => {
    const [one, two] = [await connecting(), await connecting()];
    for (let n = 0; n < 3; n++) {
      await Promise.all([one.handle(messagesOf([position("one", n)])), two.handle(messagesOf([position("two", n)]))]);
    }
    await vi.waitFor(() => expect(heard).toHaveLength(6));
  });

  test("connects anew after another one with its client id has thrown it out", async () => {
    const [one, two] = [await connecting(undefined, "same"), await connecting(undefined, "same")];
    for (let n = 0; n < 2; n++) {
      for (const handler of [one, two]) {
        // What it is told when the connection has gone in the meantime; a receiver tries again.
        await handler
          .handle(messagesOf([position("x", n)]))
          .catch(() => handler.handle(messagesOf([position("x", n)])));
      }
    }
    await vi.waitFor(() => expect(heard.length).toBeGreaterThanOrEqual(4));
  });

  test("says so when it may not publish, and does not count the messages as handled", async () => {
    const handler = await connecting([
      { Action: "iot:Connect", Resource: "*" },
      { Action: "iot:Publish", Resource: iotArn("topic/flespi/allowed") },
    ]);
    expect(await handler.handle(messagesOf([position("allowed", 1)]))).toEqual({});
    await expect(handler.handle(messagesOf([position("forbidden", 1)]))).rejects.toThrow(
      /AWS IoT ended the connection of sensorcast-flespi-.*: it may not publish to this topic/,
    );
    expect(await handler.handle(messagesOf([position("allowed", 2)]))).toEqual({});
    await vi.waitFor(() => expect(heard).toHaveLength(2));
  });

  test("rejects when it cannot connect", async () => {
    const { cert, key } = await devices.certificate();
    const handler = keep(toMqtt(`\${ident}`, { endpoint: "127.0.0.1:9", cert, key })());
    await expect(handler.handle(messagesOf(many(1)))).rejects.toThrow("ECONNREFUSED");
  });
});

/** Lets clients that are made without settings reach an endpoint. */
function reach(endpoint: string) {
  const keys = { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };
  const variables = { ...keys, AWS_ENDPOINT_URL: endpoint.replace("127.0.0.1", "localhost"), AWS_REGION: "eu-west-1" };
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
}

describe("the handler for AWS IoT over HTTPS", () => {
  let aws: FaultyAws;
  let heard: [string, string][];
  beforeAll(async () => {
    aws = await startFaultyAws(emulator.current);
    const listener = await devices.connect(await devices.certificate(), { clientId: "https-listener" });
    await listener.subscribeAsync("cars/#", { qos: 1 });
    heard = inbox(listener);
    reach(aws.endpoint);
  });
  beforeEach(() => {
    aws.reset();
    heard.length = 0;
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await aws[Symbol.asyncDispose]();
  });
  const handler = () => keep(toIoT(`cars/\${ident}`)());
  const timesHeard = (message: object) => heard.filter(([, json]) => json === JSON.stringify(message)).length;

  test("publishes each message once, though AWS fails now and then", async () => {
    aws.fault = () =>
      (aws.calls.POST ?? 0) % 5 === 0 ? { status: 503, code: "ServiceUnavailableException" } : undefined;
    expect(await handler().handle(messagesOf(many(20)))).toEqual({});
    await vi.waitFor(() => expect(heard).toHaveLength(20));
    for (const message of many(20)) expect(timesHeard(message)).toBe(1);
  });

  test("rejects when one message cannot be published, and publishes nothing of its device that comes after it", async () => {
    aws.fault = (_, body) =>
      JSON.parse(body).timestamp === position("truck-0", 6).timestamp
        ? { status: 403, code: "ForbiddenException" }
        : undefined;
    const one = handler();
    await expect(one.handle(messagesOf(many(20)))).rejects.toThrow("ForbiddenException");
    for (const n of [6, 9, 12, 15, 18]) expect(timesHeard(position("truck-0", n))).toBe(0);
    aws.fault = () => undefined;
    expect(await one.handle(messagesOf(many(20)))).toEqual({});
    await vi.waitFor(() => {
      for (const message of many(20)) expect(timesHeard(message)).toBeGreaterThanOrEqual(1);
    });
  });

  test("refuses a message that AWS IoT does not take, and publishes the others", async () => {
    aws.fault = (_, body) =>
      JSON.parse(body).ident === "bad" ? { status: 400, code: "InvalidRequestException", message: "no" } : undefined;
    const messages = messagesOf([position("bad", 1), position("good", 2)]);
    expect(await handler().handle(messages)).toEqual({ [messages[0]!.id]: "InvalidRequestException: no" });
    await vi.waitFor(() => expect(timesHeard(position("good", 2))).toBe(1));
  });
});

describe("the handler for queues", () => {
  let sqs: SQSClient;
  beforeAll(() => {
    sqs = new SQSClient(settings(emulator.current));
    reach(emulator.current.endpoint);
  });
  afterAll(() => {
    sqs.destroy();
    vi.unstubAllEnvs();
  });
  const makeQueue = async (QueueName: string) => {
    const Attributes = { MaximumMessageSize: "1048576", ...(QueueName.endsWith(".fifo") && { FifoQueue: "true" }) };
    return (await sqs.send(new CreateQueueCommand({ QueueName, Attributes }))).QueueUrl!;
  };

  test("sends each message as one of its own, with its id", async () => {
    const url = await makeQueue("single");
    const messages = messagesOf([position("Müller 7\u0007", 1)]);
    expect(await keep(toQueue(url)()).handle(messages)).toEqual({});
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: url, MessageAttributeNames: ["All"], MaxNumberOfMessages: 10 }),
    );
    expect(Messages.map(({ Body }) => JSON.parse(Body!))).toEqual([position("Müller 7\u0007", 1)]);
    expect(Messages[0]?.MessageAttributes?.id?.StringValue).toBe(messages[0]!.id);
  });

  test("sends many, large ones among them, in as few calls as they need, and refuses what is too large", async () => {
    const url = await makeQueue("many");
    const large = Array.from({ length: 5 }, (_, n) => ({ ...position("large", n), text: "x".repeat(400 * 1024) }));
    const [tooLarge] = messagesOf([{ ...position("too-large", 1), text: "x".repeat(1024 * 1024) }]);
    const messages = [...messagesOf(many(25)), tooLarge!, ...messagesOf(large)];
    const refused = await keep(toQueue(url)()).handle(messages);
    expect(refused).toEqual({ [tooLarge!.id]: "it is larger than the 1 MiB of a queue's message" });
    expect(await takeAll(sqs, url)).toHaveLength(30);
  });

  test("is dropped a copy by a FIFO queue", async () => {
    const url = await makeQueue("ordered.fifo");
    const handler = keep(toQueue(url)());
    for (let n = 0; n < 2; n++) await handler.handle(messagesOf(many(12)));
    expect(await takeAll(sqs, url)).toHaveLength(12);
  });

  test("rejects when the queue is not there", async () => {
    const url = (await makeQueue("gone")).replace("gone", "never");
    await expect(keep(toQueue(url)()).handle(messagesOf(many(1)))).rejects.toThrow("does not exist");
  });
});

describe("a template for topics", () => {
  test.each([
    [`\${ident}`, "truck-1"],
    [`flespi/\${channel.id}/\${ident}`, "flespi/429/truck-1"],
    [`$aws/rules/mine/\${ident}`, "$aws/rules/mine/truck-1"],
  ])("%s gives a topic", (template, topic) => {
    expect(topicOf(template, position("truck-1", 1))).toEqual({ topic });
  });

  test.each([
    ["", "the topic must not be empty"],
    ["a/#", "must not hold +, #"],
    ["a/{ident}", `write fields as \${ident}`],
    [`a/\${}`, "name a field in each"],
    ["1/2/3/4/5/6/7/8/9", "at most 7 slashes"],
    ["x".repeat(257), "at most 256 bytes"],
  ])("%j is refused", (template, problem) => {
    expect(problemOfTemplate(template)).toContain(problem);
  });

  test.each([
    ["$aws/things/x/shadow/update", "a number or a text without /"],
    ["$SYS", "the topic must not begin with $"],
    ["", "a number or a text without /"],
    [null, "a number or a text without /"],
    ["#", "must not hold +, #"],
  ])("lets no device that calls itself %j out of its place", (ident, problem) => {
    expect(topicOf(`\${ident}`, { ident })).toContain(problem);
  });
});
