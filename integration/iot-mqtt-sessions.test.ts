import { once } from "node:events";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { UpdateCertificateCommand } from "@aws-sdk/client-iot";
import { GetConnectionCommand, IoTDataPlaneClient, ListSubscriptionsCommand } from "@aws-sdk/client-iot-data-plane";
import type { MqttClient } from "mqtt";
import { generate, type Packet } from "mqtt-packet";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { closed, Devices, type Identity, inbox, iotArn, suback } from "./harness/devices";
import { settings, useEmulator } from "./harness/emulator";

const emulator = useEmulator();
let devices: Devices;
let identity: Identity;
let sender: MqttClient;
beforeAll(async () => {
  devices = new Devices(emulator.current);
  identity = await devices.certificate();
  sender = await devices.connect(identity, { clientId: "sender", keepalive: 1200 });
});
afterAll(() => devices.close());

const everything = (topic: string) => [
  { Action: ["iot:Connect", "iot:Publish", "iot:Receive"], Resource: "*" },
  { Action: "iot:Subscribe", Resource: iotArn(`topicfilter/${topic}`) },
];

const stay = (who: Identity, clientId: string, early?: (client: MqttClient) => void) =>
  devices.connect(who, { clientId, clean: false, keepalive: 1200 }, early);

/** What waits for the session of a client, up to a message on `end` that is published now. */
async function waiting(who: Identity, clientId: string, end: string): Promise<[string, string][]> {
  await sender.publishAsync(end, "", { qos: 1 });
  const messages: [string, string][] = [];
  await stay(who, clientId, (client) => inbox(client, messages));
  await vi.waitFor(() => expect(messages.map(([topic]) => topic)).toContain(end));
  return messages.filter(([topic]) => topic !== end);
}

/** A connection that is spoken to by hand. */
async function raw({ cert, key }: Identity, ...packets: Packet[]): Promise<TLSSocket> {
  const { url, ca } = await devices.endpoint();
  const { hostname, port } = new URL(url);
  const socket = connectTls({ host: hostname, port: Number(port), ca, cert, key });
  socket.on("error", () => {});
  await once(socket, "secureConnect");
  for (const packet of packets) socket.write(generate(packet));
  return socket;
}

const hello = (clientId: string): Packet => ({
  cmd: "connect",
  clientId,
  protocolVersion: 4,
  clean: true,
  keepalive: 0,
});

describe("a session", () => {
  test("goes on with the connection that took the client id over, after the hour of the one before, too", async () => {
    const first = await stay(identity, "resumed");
    await first.subscribeAsync("resumed/in", { qos: 1 });
    const second = await stay(identity, "resumed");
    await closed(first);
    for (let minutes = 0; minutes < 65; minutes += 13) {
      await emulator.current.clock.advance("13 minutes");
      for (const client of [second, sender]) await client.publishAsync("alive", "", { qos: 1 });
    }
    await second.endAsync();
    await sender.publishAsync("resumed/in", "1", { qos: 1 });
    const messages: [string, string][] = [];
    await stay(identity, "resumed", (client) => inbox(client, messages));
    await vi.waitFor(() => expect(messages).toEqual([["resumed/in", "1"]]));
  });

  test("keeps nothing of a filter that was refused in the same request as one that was granted", async () => {
    const modest = await devices.certificate(everything("own/*"));
    const client = await stay(modest, "modest");
    expect(await suback(client, ["own/a", "others/a"], 1)).toEqual([1, 128]);
    await client.endAsync();
    await sender.publishAsync("others/a", "not yours", { qos: 1 });
    expect(await waiting(modest, "modest", "own/a")).toEqual([]);
  });

  test("brings another certificate only what that one may subscribe to", async () => {
    const [first, second] = [await devices.certificate(everything("*")), await devices.certificate(everything("b/*"))];
    const client = await stay(first, "shared");
    await client.subscribeAsync(["a/1", "b/1"], { qos: 1 });
    await client.endAsync();
    await sender.publishAsync("a/1", "of the first", { qos: 1 });
    expect(await waiting(second, "shared", "b/1")).toEqual([]);
  });

  test.each([
    ["beside what its certificate must not receive", ["few/#"]],
    ["that several of its filters take in", ["few/#", "few/yes/+"]],
  ])("loses no message %s", async (_why, filters) => {
    const reader = await devices.certificate([
      { Action: "iot:*", Resource: "*" },
      { Effect: "Deny", Action: "iot:Receive", Resource: iotArn("topic/few/no/*") },
    ]);
    const clientId = `reader-${filters.length}`;
    const messages: [string, string][] = [];
    const client = await stay(reader, clientId, (one) => inbox(one, messages));
    await client.subscribeAsync(filters, { qos: 1 });
    const numbers = Array.from({ length: 200 }, (_, index) => String(index));
    await Promise.all(
      numbers.flatMap((number) => [
        sender.publishAsync("few/yes/a", number, { qos: 1 }),
        sender.publishAsync("few/no/a", number, { qos: 1 }),
      ]),
    );
    await vi.waitFor(() => expect(messages.map(([, text]) => text)).toEqual(numbers));
    expect(client.connected).toBe(true);
    await client.endAsync();
    expect(await waiting(reader, clientId, "few/yes/end")).toEqual([]);
  });
});

describe("a client", () => {
  test("that does not read holds nobody up, and is disconnected when it is too far behind", async () => {
    const stuck = await raw(identity, hello("stuck"), {
      cmd: "subscribe",
      messageId: 1,
      subscriptions: [{ topic: "flood", qos: 0 }],
    });
    await once(stuck, "data");
    stuck.pause();
    const data = new IoTDataPlaneClient(settings(emulator.current));
    const state = () => data.send(new GetConnectionCommand({ clientId: "stuck" }));
    const reader = await devices.connect(identity, { clientId: "quick" });
    let count = 0;
    reader.on("message", () => count++);
    await reader.subscribeAsync("flood");
    await vi.waitFor(async () => {
      const { subscriptions } = await data.send(new ListSubscriptionsCommand({ clientId: "stuck" }));
      expect(subscriptions).toHaveLength(1);
    });
    const payload = Buffer.alloc(100_000);
    let sent = 0;
    for (; sent < 300; sent++) await sender.publishAsync("flood", payload, { qos: 1 });
    await vi.waitFor(() => expect(count).toBe(sent));
    await vi.waitFor(async () =>
      expect(await state()).toMatchObject({ connected: false, disconnectReason: "THROTTLED" }),
    );
    stuck.destroy();
    data.destroy();
  });

  test("that announces a packet of 256 MB is disconnected before it has sent it", async () => {
    const socket = await raw(identity, hello("giant"));
    await once(socket, "data");
    socket.resume();
    socket.write(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]));
    await once(socket, "close");
  });

  test("that has no name is told so where its session would be kept", async () => {
    const socket = await raw(identity);
    // CONNECT without client id and without the flag for a clean session, which no client library sends.
    socket.write(Buffer.from("100c00044d5154540400003c0000", "hex"));
    expect(String((await once(socket, "data")).map((data) => data.toString("hex")))).toBe("20020002");
    await once(socket, "close");
  });

  test("that publishes before it is let in loses nothing of it", async () => {
    const socket = await raw(identity);
    const numbers = Array.from({ length: 1000 }, (_, index) => index + 1);
    const messages = numbers.map((messageId) =>
      generate({ cmd: "publish", topic: "early", payload: "", qos: 1, messageId, dup: false, retain: false }),
    );
    let bytes = 0;
    socket.on("data", (data) => {
      bytes += data.length;
    });
    socket.write(Buffer.concat([generate(hello("early")), ...messages]));
    // CONNACK and each PUBACK have four bytes.
    await vi.waitFor(() => expect(bytes).toBe(4 + 4 * numbers.length));
    socket.destroy();
  });

  test("whose certificate is deactivated leaves no will behind", async () => {
    const revoked = await devices.certificate();
    const messages = inbox(sender);
    await sender.subscribeAsync("wills/+");
    const will = (name: string) => ({ topic: `wills/${name}`, payload: Buffer.from("gone"), qos: 1 as const });
    const client = await devices.connect(revoked, { clientId: "revoked", will: will("revoked") });
    await devices.iot.send(new UpdateCertificateCommand({ certificateId: revoked.id, newStatus: "INACTIVE" }));
    await closed(client);
    const other = await devices.connect(identity, { clientId: "lost", will: will("lost") });
    other.stream.destroy();
    await vi.waitFor(() => expect(messages).toEqual([["wills/lost", "gone"]]));
  });

  test.each([["a/".repeat(8)], ["x".repeat(257)], ["$aws/events/presence/connected/me"]])(
    "is not let in with a will on %s",
    async (topic) => {
      const will = { topic, payload: Buffer.from("gone"), qos: 0 as const };
      await expect(devices.connect(identity, { clientId: "willing", will })).rejects.toThrow("Not authorized");
    },
  );
});
