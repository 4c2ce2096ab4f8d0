import fc from "fast-check";
import type { IClientOptions, MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { matchesFilter } from "../emulator/services/iot/topics";
import { closed, Devices, type Identity, inbox, suback } from "./harness/devices";
import { useEmulator } from "./harness/emulator";

const emulator = useEmulator();
let devices: Devices;
let identity: Identity;
let sender: MqttClient;
beforeAll(async () => {
  devices = new Devices(emulator.current);
  identity = await devices.certificate();
  sender = await connect("sender");
});
afterAll(() => devices.close());

const connect = (clientId: string, options: IClientOptions = {}, early?: (client: MqttClient) => void) =>
  devices.connect(identity, { clientId, ...options }, early);

/** Everything that a client gets for a filter until a message on `end` shows that there is no more. */
async function receivedBy(client: MqttClient, messages: [string, string][], end = "end"): Promise<[string, string][]> {
  await client.subscribeAsync(end);
  await sender.publishAsync(end, "", { qos: 1 });
  await vi.waitFor(() => expect(messages.map(([topic]) => topic)).toContain(end));
  return messages.filter(([topic]) => topic !== end);
}

describe("retained messages", () => {
  test("come with the retain flag to whoever subscribes later, the last of each topic, with no more QoS than was asked for", async () => {
    await sender.publishAsync("kept/a", "1", { qos: 1, retain: true });
    await sender.publishAsync("kept/a", "2", { qos: 1, retain: true });
    await sender.publishAsync("kept/b", "3", { qos: 1, retain: true });
    const client = await connect("late");
    const flags: [string, string, boolean][] = [];
    client.on("message", (topic, payload, { retain }) => flags.push([topic, String(payload), retain]));
    await client.subscribeAsync("kept/+", { qos: 1 });
    await vi.waitFor(() => expect(flags).toHaveLength(2));
    await sender.publishAsync("kept/a", "4", { qos: 1, retain: true });
    await vi.waitFor(() => expect(flags).toHaveLength(3));
    expect(flags.sort()).toEqual([
      ["kept/a", "2", true],
      ["kept/a", "4", false],
      ["kept/b", "3", true],
    ]);
    const modest = await connect("modest");
    const levels: number[] = [];
    modest.on("message", (_topic, _payload, { qos }) => levels.push(qos));
    await modest.subscribeAsync("kept/#", { qos: 0 });
    await vi.waitFor(() => expect(levels).toEqual([0, 0]));
    for (const topic of ["kept/a", "kept/b"]) await sender.publishAsync(topic, "", { qos: 1, retain: true });
  });

  test("go away with an empty one", async () => {
    await sender.publishAsync("cleared/a", "1", { qos: 1, retain: true });
    await sender.publishAsync("cleared/a", "", { qos: 1, retain: true });
    const client = await connect("later");
    const messages = inbox(client);
    await client.subscribeAsync("cleared/#");
    expect(await receivedBy(client, messages)).toEqual([]);
  });
});

describe("sessions", () => {
  test("keep what comes with QoS 1 for a client that is away, and nothing that comes with QoS 0", async () => {
    const first = await connect("sleeper", { clean: false });
    await first.subscribeAsync("dreams/#", { qos: 1 });
    await first.endAsync();
    await sender.publishAsync("dreams/1", "kept", { qos: 1 });
    await sender.publishAsync("dreams/2", "lost", { qos: 0 });
    const messages: [string, string][] = [];
    await connect("sleeper", { clean: false }, (client) => inbox(client, messages));
    await vi.waitFor(() => expect(messages).toContainEqual(["dreams/1", "kept"]));
    await sender.publishAsync("dreams/3", "live", { qos: 1 });
    await vi.waitFor(() => expect(messages.map(([, text]) => text)).toEqual(["kept", "live"]));
  });

  test("end an hour after their client went", async () => {
    for (const [clientId, wait, present] of [
      ["for-an-hour", "59 minutes", true],
      ["for-long", "61 minutes", false],
    ] as const) {
      const first = await connect(clientId, { clean: false });
      await first.subscribeAsync("dreams/#", { qos: 1 });
      await first.endAsync();
      await vi.waitFor(() => expect(first.connected).toBe(false));
      await connect("between").then((client) => client.endAsync());
      await emulator.current.clock.advance(wait);
      sender = await connect("sender");
      let sessionPresent: boolean | undefined;
      const again = await connect(clientId, { clean: false }, (client) =>
        client.once("connect", (packet) => {
          sessionPresent = packet.sessionPresent;
        }),
      );
      expect([clientId, sessionPresent]).toEqual([clientId, present]);
      await again.endAsync();
    }
  });
});

describe("wills", () => {
  const will = { topic: "wills/w", payload: Buffer.from("gone"), qos: 1 as const, retain: false };

  test("are published when a connection is lost, and not when the client says goodbye", async () => {
    const watcher = await connect("mourner");
    const messages = inbox(watcher);
    await watcher.subscribeAsync("wills/#", { qos: 1 });
    await (await connect("polite", { will })).endAsync();
    (await connect("lost", { will: { ...will, topic: "wills/lost" } })).stream.destroy();
    await vi.waitFor(() => expect(messages).toEqual([["wills/lost", "gone"]]));
  });
});

describe("limits", () => {
  const refusedMessages: [what: string, topic: string, payload: string | Buffer, qos: 0 | 1 | 2][] = [
    ["a payload of more than 128 KB", "a", Buffer.alloc(128 * 1024 + 1), 1],
    ["a topic of more than 256 bytes", `${"ä".repeat(128)}x`, "", 1],
    ["a topic with more than 7 slashes", "1/2/3/4/5/6/7/8/9", "", 1],
    ["QoS 2", "a", "", 2],
    ["a topic that is AWS's own", "$aws/events/presence/connected/me", "", 1],
    ["a topic that begins with $", "$mine", "", 1],
  ];
  test.each(refusedMessages)("ends the connection that publishes %s", async (_what, topic, payload, qos) => {
    const client = await connect("offender");
    client.publish(topic, payload, { qos });
    await closed(client);
  });

  test("takes what is just within them", async () => {
    const client = await connect("exact");
    const messages: [string, number][] = [];
    client.on("message", (topic, payload) => messages.push([topic, payload.length]));
    await client.subscribeAsync(["#"], { qos: 1 });
    const topics = ["ä".repeat(128), "1/2/3/4/5/6/7/8"];
    for (const topic of topics) await client.publishAsync(topic, Buffer.alloc(128 * 1024), { qos: 1 });
    await vi.waitFor(() => expect(messages).toEqual(topics.map((topic) => [topic, 128 * 1024])));
  });

  test("ends the connection that subscribes to more than 8 filters at once", async () => {
    const client = await connect("greedy");
    const filters = Array.from({ length: 9 }, (_, index) => `f/${index}`);
    await client.subscribeAsync(filters.slice(0, 8));
    client.subscribe(filters);
    await closed(client);
  });

  test("ends the connection that has more than 50 subscriptions", async () => {
    const client = await connect("collector");
    for (let index = 0; index < 50; index++) await client.subscribeAsync(`c/${index}`);
    await client.unsubscribeAsync("c/0");
    await client.subscribeAsync(["c/0", "c/1"]);
    client.subscribe("c/50");
    await closed(client);
  });

  test("does not grant QoS 2", async () => {
    expect(await suback(await connect("too-sure"), ["a"], 2)).toEqual([128]);
  });

  test("shows AWS's own topics only to filters that begin with $aws", async () => {
    const client = await connect("curious");
    const messages = inbox(client);
    await client.subscribeAsync(["#", "+/events/#"]);
    await (await connect("seen")).endAsync();
    expect(await receivedBy(client, messages, "curious/end")).toEqual([]);
  });

  test("grants no filter to what is not there, and none that is no filter", async () => {
    const client = await connect("refused");
    expect(await suback(client, ["$SYS/#", "$share/group/a", "$aws/rules/#", "1/2/3/4/5/6/7/8/9", "a"])).toEqual([
      128, 128, 128, 128, 0,
    ]);
  });
});

test("delivers Basic Ingest to nobody", async () => {
  const client = await connect("ingest");
  const messages = inbox(client);
  await client.subscribeAsync(["#", "$aws/things/#"]);
  await client.publishAsync("$aws/rules/mine/plant/1/2/3/4/5/6/7", "in", { qos: 1, retain: true });
  expect(await receivedBy(client, messages, "ingest/end")).toEqual([]);
});

describe("topic filters", () => {
  const level = fc.constantFrom("", "a", "b", "$x");
  const topicOf = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join("/"));
  const filterOf = fc
    .tuple(fc.array(fc.oneof(level, fc.constant("+")), { minLength: 1, maxLength: 4 }), fc.boolean())
    .map(([levels, open]) => [...levels, ...(open ? ["#"] : [])].join("/"));

  /** The rules of MQTT 3.1.1, 4.7, as a regular expression. */
  const reference = (filter: string, topic: string) => {
    if (topic.startsWith("$") && /^[#+]/.test(filter)) return false;
    const source = filter
      .replace(/\$/g, "\\$")
      .replace(/\+/g, "[^/]*")
      .replace(/(^|\/)#$/, (_all, slash) => (slash ? "(/.*)?" : ".*"));
    return new RegExp(`^${source}$`).test(topic);
  };

  test("match as MQTT says", () => {
    fc.assert(
      fc.property(filterOf, topicOf, (filter, topic) => {
        expect(matchesFilter(filter, topic)).toBe(reference(filter, topic));
      }),
    );
  });
});
