import type { IClientOptions, MqttClient } from "mqtt";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { missing, type Statement, Subjects, type User } from "./harness/access";
import { Devices, inbox, iotArn, suback, variable } from "./harness/devices";
import { useEmulator } from "./harness/emulator";
import { signedMqttUrl } from "./harness/signed-mqtt";
import { openSocket } from "./harness/sockets";

const emulator = useEmulator();
let devices: Devices;
let subjects: Subjects;
let count = 0;
beforeAll(() => {
  devices = new Devices(emulator.current);
  subjects = new Subjects(emulator.current);
});
afterAll(() => devices.close());

const user = (...statements: Statement[]) => subjects.user(`user-${++count}`, statements);
const open = (who: Pick<User, "credentials">, clientId: string, options: IClientOptions = {}) =>
  devices.open(signedMqttUrl(emulator.current, who.credentials), { clientId, ...options });
const admin = () => open({ credentials: { accessKeyId: "test", secretAccessKey: "test" } }, `admin-${++count}`);

const connect = { Action: "iot:Connect", Resource: iotArn("client/*") };
const publish = (topic: string) => ({ Action: "iot:Publish", Resource: iotArn(`topic/${topic}`) });
const subscribe = (filter: string) => ({ Action: "iot:Subscribe", Resource: iotArn(`topicfilter/${filter}`) });
const receive = (topic: string) => ({ Action: "iot:Receive", Resource: iotArn(`topic/${topic}`) });
const ended = (client: MqttClient) => new Promise<void>((resolve) => client.once("close", () => resolve()));
const denial = () => emulator.current.denials.at(-1)!;

it("lets a user connect as the clients that the user's policies name, and tells what others would need", async () => {
  const ann = await user({ ...connect, Resource: iotArn("client/ann-*") });
  await open(ann, "ann-phone");
  await expect(open(ann, "ben-phone")).rejects.toThrow("Not authorized");
  expect(denial()).toMatchObject({
    principal: ann.arn,
    message: missing(ann.arn, "iot:Connect", iotArn("client/ben-phone")),
    statement: { Effect: "Allow", Action: "iot:Connect", Resource: iotArn("client/ben-phone") },
  });
  await ann.allow({ ...denial().statement! });
  await open(ann, "ben-phone");
});

it("takes messages for the topics that are allowed, and ends the connection at any other", async () => {
  const all = await admin();
  const received = inbox(all);
  await all.subscribeAsync("#", { qos: 1 });
  const client = await open(await user(connect, publish("up/*")), "publisher");
  await client.publishAsync("up/1", "good", { qos: 1 });
  const closed = ended(client);
  client.publish("down/1", "bad", { qos: 1 });
  await closed;
  await vi.waitFor(() => expect(received).toEqual([["up/1", "good"]]));
  expect(denial()).toMatchObject({ action: "iot:Publish", resource: iotArn("topic/down/1") });
});

it("grants the filters that are allowed, and 0x80 for any other", async () => {
  const client = await open(await user(connect, subscribe("news/#")), "subscriber");
  expect(await suback(client, ["news/#", "secret/#"])).toEqual([0, 128]);
});

it("hands a subscriber only messages that may be received", async () => {
  const client = await open(await user(connect, subscribe("news/#"), receive("news/open/*")), "reader");
  const received = inbox(client);
  await client.subscribeAsync("news/#", { qos: 1 });
  const all = await admin();
  await all.publishAsync("news/closed/1", "secret", { qos: 1 });
  await all.publishAsync("news/open/1", "open", { qos: 1 });
  await vi.waitFor(() => expect(received).toEqual([["news/open/1", "open"]]));
});

it("retains messages only where iot:RetainPublish is allowed, too", async () => {
  const ann = await user(connect, publish("state/*"));
  const client = await open(ann, "retainer");
  const closed = ended(client);
  client.publish("state/1", "on", { qos: 1, retain: true });
  await closed;
  await ann.allow({ Action: "iot:RetainPublish", Resource: iotArn("topic/state/*") });
  await (await open(ann, "retainer")).publishAsync("state/1", "on", { qos: 1, retain: true });
});

it("does not let a client in whose will may not be published", async () => {
  const ann = await user(connect, publish("gone/ann"));
  const will = (topic: string) => ({ will: { topic, payload: Buffer.from("gone"), qos: 0 as const, retain: false } });
  await open(ann, "ann", will("gone/ann"));
  await expect(open(ann, "ben", will("gone/ben"))).rejects.toThrow("Not authorized");
});

it("asks the policies as they are now", async () => {
  const ann = await user(connect, publish("*"));
  const client = await open(ann, "changing");
  await client.publishAsync("a", "1", { qos: 1 });
  await ann.clear();
  const closed = ended(client);
  client.publish("a", "2", { qos: 1 });
  await closed;
});

it("knows the client's id, its address and its user's name in conditions and variables", async () => {
  const ann = await user(
    { Action: "iot:Connect", Resource: iotArn(`client/${variable("aws:username")}`) },
    {
      Action: "iot:Publish",
      Resource: iotArn(`topic/${variable("iot:ClientId")}/*`),
      Condition: { IpAddress: { "aws:SourceIp": "127.0.0.0/8" } },
    },
  );
  await expect(open(ann, "somebody")).rejects.toThrow("Not authorized");
  const client = await open(ann, ann.name);
  await client.publishAsync(`${ann.name}/a`, "1", { qos: 1 });
  const closed = ended(client);
  client.publish("other/a", "1", { qos: 1 });
  await closed;
});

it("holds sessions of roles to their session policy", async () => {
  const role = await subjects.role("devices", [{ Action: "iot:*" }]);
  const Policy = JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      { Effect: "Allow", Action: "iot:Connect", Resource: "*" },
      { Effect: "Allow", Action: "iot:Publish", Resource: iotArn("topic/mine/*") },
    ],
  });
  const client = await open(await subjects.session(role, { Policy }), "narrow");
  await client.publishAsync("mine/1", "1", { qos: 1 });
  const closed = ended(client);
  client.publish("yours/1", "1", { qos: 1 });
  await closed;
  expect(denial().message).toContain("because no session policy allows the iot:Publish action");
});

it("answers 403 to credentials that have expired", async () => {
  const session = await subjects.session(await subjects.role("short", [{ Action: "iot:*" }]), { DurationSeconds: 900 });
  await emulator.current.clock.advance("901 seconds");
  await expect(openSocket(signedMqttUrl(emulator.current, session.credentials), ["mqtt"])).rejects.toThrow("403");
});
