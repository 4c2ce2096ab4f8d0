import type { MqttClient } from "mqtt";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import type { FaultOptions } from "../emulator";
import { closed, Devices, type Identity, inbox } from "./harness/devices";
import { useEmulator } from "./harness/emulator";
import { useRules } from "./harness/rules";

const emulator = useEmulator();
const rules = useRules(emulator);
let devices: Devices;
let identity: Identity;
beforeAll(async () => {
  devices = new Devices(emulator.current);
  identity = await devices.certificate();
});
afterEach(() => emulator.current.faults.clear());
afterAll(() => devices.close());

const inject = (options: FaultOptions) => emulator.current.faults.inject(options);
const connect = (clientId: string) => devices.connect(identity, { clientId });
const service = "iotdata";

/** The payload, QoS and DUP flag of each message on a topic. */
async function listen(client: MqttClient, topic: string, qos: 0 | 1) {
  const seen: [payload: string, qos: number, dup: boolean][] = [];
  client.on("message", (_topic, payload, packet) => seen.push([String(payload), packet.qos, packet.dup]));
  await client.subscribeAsync(topic, { qos });
  return seen;
}

test("a message of QoS 1 comes twice to those who asked for QoS 1, the second time marked as a duplicate, and to rules", async () => {
  const [sender, eager, modest] = [await connect("sender"), await connect("eager"), await connect("modest")];
  const twice = await listen(eager, "readings/#", 1);
  const once = await listen(modest, "readings/#", 0);
  const queue = await rules.queue();
  await rules.create([queue.action], { sql: "SELECT * FROM 'readings/a'" });
  inject({ fault: "duplicate", service, resource: "arn:aws:iot:*:*:topic/readings/a", count: 1 });
  await sender.publishAsync("readings/a", '{"n":1}', { qos: 1 });
  await sender.publishAsync("readings/b", "end", { qos: 1 });
  await vi.waitFor(() => expect(twice).toHaveLength(3));
  await vi.waitFor(() => expect(once.at(-1)![0]).toBe("end"));
  expect(twice).toEqual([
    ['{"n":1}', 1, false],
    ['{"n":1}', 1, true],
    ["end", 1, false],
  ]);
  expect(once.map(([payload]) => payload)).toEqual(['{"n":1}', "end"]);
  expect(await queue.take(2)).toEqual(['{"n":1}', '{"n":1}']);
});

test("a message of QoS 0 comes once", async () => {
  const [sender, client] = [await connect("sender-0"), await connect("client-0")];
  const seen = inbox(client);
  await client.subscribeAsync("plain", { qos: 1 });
  const fault = inject({ fault: "duplicate", service });
  await sender.publishAsync("plain", "1", { qos: 0 });
  await vi.waitFor(() => expect(seen).toEqual([["plain", "1"]]));
  expect(fault.matched).toBe(0);
});

test("a device loses its connection before its message is taken", async () => {
  const [sender, client] = [await connect("dropped"), await connect("watching")];
  const seen = inbox(client);
  await client.subscribeAsync("lost/#", { qos: 1 });
  inject({ fault: "drop", service, operation: "Publish", resource: "lost/a", count: 1 });
  const end = closed(sender);
  sender.publish("lost/a", "never", { qos: 1 });
  await end;
  const again = await connect("dropped");
  await again.publishAsync("lost/b", "end", { qos: 1 });
  await vi.waitFor(() => expect(seen).toEqual([["lost/b", "end"]]));
});

test("a device that gets no PUBACK sends again what was taken", async () => {
  const client = await connect("counting");
  const seen = inbox(client);
  await client.subscribeAsync("kept/a", { qos: 1 });
  inject({ fault: "drop", service, operation: "Publish", resource: "kept/a", after: true, count: 1 });
  const { url, ca } = await devices.endpoint();
  const sender = await devices.open(url, { ...identity, ca, clientId: "stubborn", clean: false, reconnectPeriod: 10 });
  await sender.publishAsync("kept/a", "twice", { qos: 1 });
  await vi.waitFor(() =>
    expect(seen).toEqual([
      ["kept/a", "twice"],
      ["kept/a", "twice"],
    ]),
  );
});

test("a device's end is told with the reason that AWS IoT has for it", async () => {
  const watcher = await connect("presence");
  const seen = inbox(watcher);
  await watcher.subscribeAsync("$aws/events/presence/disconnected/+");
  for (const [fault, disconnectReason] of [
    ["throttle", "THROTTLED"],
    ["error", "SERVER_ERROR"],
    ["drop", "CONNECTION_LOST"],
  ] as const) {
    const sender = await connect(`ends-by-${fault}`);
    const injected = inject({ fault, service, operation: "Publish" });
    const end = closed(sender);
    sender.publish("x", "x", { qos: 1 });
    await end;
    injected.remove();
    await vi.waitFor(() =>
      expect(JSON.parse(seen.at(-1)![1])).toMatchObject({ clientId: `ends-by-${fault}`, disconnectReason }),
    );
  }
});
