import {
  DeleteThingShadowCommand,
  GetThingShadowCommand,
  IoTDataPlaneClient,
  ListNamedShadowsForThingCommand,
  UpdateThingShadowCommand,
} from "@aws-sdk/client-iot-data-plane";
import fc from "fast-check";
import type { MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { Devices, inbox } from "./harness/devices";
import { settings, useEmulator } from "./harness/emulator";
import { refusal } from "./harness/policies";

const emulator = useEmulator();
let devices: Devices;
let data: IoTDataPlaneClient;
beforeAll(() => {
  devices = new Devices(emulator.current);
  data = new IoTDataPlaneClient(settings(emulator.current));
});
afterAll(() => devices.close());

const read = (payload: Uint8Array | undefined) => JSON.parse(Buffer.from(payload!).toString("utf8"));
const update = async (thingName: string, document: unknown, shadowName?: string) => {
  const payload = Buffer.from(typeof document === "string" ? document : JSON.stringify(document));
  return read((await data.send(new UpdateThingShadowCommand({ thingName, shadowName, payload }))).payload);
};
const get = async (thingName: string, shadowName?: string) =>
  read((await data.send(new GetThingShadowCommand({ thingName, shadowName }))).payload);
const remove = async (thingName: string, shadowName?: string) =>
  read((await data.send(new DeleteThingShadowCommand({ thingName, shadowName }))).payload);

const anyTime = expect.any(Number);

describe("documents", () => {
  test("hold what is desired and reported, when it was set, and what differs", async () => {
    const desired = { light: { on: true, level: 5 }, mode: "auto" };
    expect(await update("lamp", { state: { desired }, clientToken: "t-1" })).toEqual({
      state: { desired },
      metadata: {
        desired: { light: { on: { timestamp: anyTime }, level: { timestamp: anyTime } }, mode: { timestamp: anyTime } },
      },
      version: 1,
      timestamp: anyTime,
      clientToken: "t-1",
    });
    await update("lamp", { state: { reported: { light: { on: false, level: 5 }, mode: "auto" } } });
    const document = await get("lamp");
    expect(document.state).toEqual({
      desired,
      reported: { light: { on: false, level: 5 }, mode: "auto" },
      delta: { light: { on: true } },
    });
    expect(document.metadata.delta).toEqual({ light: { on: { timestamp: anyTime } } });
    expect([document.version, document.timestamp]).toEqual([2, anyTime]);
  });

  test("keep the time at which each member was last set", async () => {
    await update("clock", { state: { reported: { a: 1, b: 1 } } });
    await emulator.current.clock.advance("1 hour");
    await update("clock", { state: { reported: { b: 2, list: [1, { c: 1 }] } } });
    const { reported } = (await get("clock")).metadata;
    expect(reported.b.timestamp - reported.a.timestamp).toBeGreaterThanOrEqual(3600);
    expect(reported.list).toEqual([{ timestamp: anyTime }, { c: { timestamp: anyTime } }]);
  });

  test("lose what is set to null, and the objects that hold nothing any more", async () => {
    await update("nulls", { state: { desired: { a: { b: 1 }, c: 1 }, reported: { d: 1 } } });
    await update("nulls", { state: { desired: { a: { b: null } } } });
    expect((await get("nulls")).state).toEqual({ desired: { c: 1 }, reported: { d: 1 }, delta: { c: 1 } });
    await update("nulls", { state: { desired: null } });
    const document = await get("nulls");
    expect([document.state, document.metadata]).toEqual([
      { reported: { d: 1 } },
      { reported: { d: { timestamp: anyTime } } },
    ]);
  });

  test("end up as the changes say, one after the other, whatever they are", async () => {
    const leaf = fc.oneof(fc.integer(), fc.string(), fc.boolean(), fc.constant(null), fc.array(fc.integer()));
    const name = fc.constantFrom("a", "b", "__proto__", "constructor");
    const change = fc.dictionary(name, fc.oneof(leaf, fc.dictionary(name, leaf)));
    let run = 0;
    /** JSON merge patch (RFC 7396), and what holds nothing goes. */
    const apply = (state: Map<string, unknown>, patch: object): Map<string, unknown> => {
      for (const [key, value] of Object.entries(patch)) {
        const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
        const before = state.get(key);
        const next = isObject ? apply(before instanceof Map ? new Map(before) : new Map(), value) : value;
        if (next === null || (next instanceof Map && next.size === 0)) state.delete(key);
        else state.set(key, next);
      }
      return state;
    };
    const plain = (value: unknown): unknown =>
      value instanceof Map ? [...value].map(([key, item]) => [key, plain(item)]).sort() : value;
    const entries = (value: unknown): unknown =>
      typeof value === "object" && value !== null && !Array.isArray(value)
        ? Object.entries(value)
            .map(([key, item]) => [key, entries(item)])
            .sort()
        : value;
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        const thing = `any-${++run}`;
        let expected = new Map<string, unknown>();
        for (const reported of changes) {
          await update(thing, { state: { reported } });
          expected = apply(expected, reported);
        }
        expect(entries((await get(thing)).state.reported ?? {})).toEqual(plain(expected));
      }),
      { numRuns: 25 },
    );
  });
});

describe("versions", () => {
  test("refuse a change that was made for another one", async () => {
    await update("counted", { state: { desired: { a: 1 } } });
    expect((await update("counted", { state: { desired: { a: 2 } }, version: 1 })).version).toBe(2);
    expect(await refusal(update("counted", { state: { desired: { a: 3 } }, version: 1 }))).toEqual([
      "ConflictException",
      "Version conflict",
      409,
    ]);
    expect((await get("counted")).state.desired).toEqual({ a: 2 });
  });

  test("go on after a shadow was deleted, for two days", async () => {
    await update("phoenix", { state: { desired: { a: 1 } } });
    expect(await remove("phoenix")).toEqual({ version: 1, timestamp: anyTime });
    expect((await refusal(get("phoenix")))[2]).toBe(404);
    expect((await update("phoenix", { state: { desired: { a: 1 } } })).version).toBe(2);
    await remove("phoenix");
    await emulator.current.clock.advance("49 hours");
    expect((await update("phoenix", { state: { desired: { a: 1 } } })).version).toBe(1);
  });
});

test("keeps named shadows apart from the classic one, and lists their names", async () => {
  await update("named", { state: { desired: { is: "classic" } } });
  for (const shadow of ["b", "a", "c"]) await update("named", { state: { desired: { is: shadow } } }, shadow);
  await remove("named", "c");
  expect((await get("named")).state.desired).toEqual({ is: "classic" });
  expect((await get("named", "a")).state.desired).toEqual({ is: "a" });
  const first = await data.send(new ListNamedShadowsForThingCommand({ thingName: "named", pageSize: 1 }));
  const { nextToken } = first;
  const rest = await data.send(new ListNamedShadowsForThingCommand({ thingName: "named", nextToken }));
  expect([first.results, rest.results, rest.nextToken]).toEqual([["a"], ["b"], undefined]);
});

const nested = (levels: number): object => (levels === 0 ? {} : { a: levels === 1 ? 1 : nested(levels - 1) });
const refusals: [what: string, document: unknown, status: number, message: string][] = [
  ["what is no JSON", "{", 400, "Invalid JSON"],
  ["a list", [], 400, "Invalid JSON"],
  ["no state", {}, 400, "Missing required node: state"],
  ["a state that is no object", { state: 1 }, 400, "State node must be an object"],
  ["a desired state that is no object", { state: { desired: [] } }, 400, "Desired node must be an object"],
  ["a reported state that is no object", { state: { reported: "x" } }, 400, "Reported node must be an object"],
  ["other parts of the state", { state: { wanted: {} } }, 400, "State contains an invalid node"],
  ["a version that is no number", { state: {}, version: "1" }, 400, "Invalid version"],
  ["a client token of more than 64 bytes", { state: {}, clientToken: "x".repeat(65) }, 400, "Invalid clientToken"],
  [
    "more than 8 levels",
    { state: { desired: nested(9) } },
    400,
    "JSON contains too many levels of nesting; maximum is 8",
  ],
  [
    "ten thousand levels",
    `{"state":{"desired":{"a":${"[".repeat(10_000)}${"]".repeat(10_000)}}}}`,
    400,
    "JSON contains too many levels of nesting; maximum is 8",
  ],
  [
    "more than 8 KB",
    { state: { desired: { a: "x".repeat(8192) } } },
    413,
    "The payload exceeds the maximum size allowed",
  ],
];
test.each(refusals)("refuses %s, and keeps the shadow as it was", async (_what, document, status, message) => {
  await update("kept", { state: { desired: { a: 1 } } });
  const { version } = await get("kept");
  expect((await refusal(update("kept", document))).slice(1)).toEqual([message, status]);
  expect((await get("kept")).version).toBe(version);
});

describe("over MQTT", () => {
  let client: MqttClient;
  let messages: [string, string][];
  beforeAll(async () => {
    client = await devices.connect(await devices.certificate(), { clientId: "pump" });
    messages = inbox(client);
    await client.subscribeAsync("$aws/things/+/shadow/#");
  });

  /** Publishes a request; gives what came on the shadow's topics: topic below the shadow's, and document. */
  async function ask(thing: string, operation: string, document: unknown, answers: number) {
    messages.length = 0;
    const payload = typeof document === "string" ? document : JSON.stringify(document);
    await client.publishAsync(`$aws/things/${thing}/shadow/${operation}`, payload, { qos: 1 });
    await vi.waitFor(() => expect(messages).toHaveLength(answers + 1));
    const given = messages.filter(([topic]) => topic !== `$aws/things/${thing}/shadow/${operation}`);
    return Object.fromEntries(given.map(([topic, text]) => [topic.split("/shadow/")[1], JSON.parse(text)]));
  }

  test("answers an update with accepted, the delta and the documents before and after", async () => {
    await ask("pump", "update", { state: { desired: { on: true } } }, 3);
    const answers = await ask("pump", "update", { state: { reported: { on: false } }, clientToken: "mine" }, 3);
    expect(answers["update/accepted"]).toEqual({
      state: { reported: { on: false } },
      metadata: { reported: { on: { timestamp: anyTime } } },
      version: 2,
      timestamp: anyTime,
      clientToken: "mine",
    });
    expect(answers["update/delta"]).toEqual({
      version: 2,
      timestamp: anyTime,
      state: { on: true },
      metadata: { on: { timestamp: anyTime } },
      clientToken: "mine",
    });
    expect(answers["update/documents"]).toMatchObject({
      previous: { state: { desired: { on: true } }, version: 1 },
      current: { state: { desired: { on: true }, reported: { on: false } }, version: 2 },
      clientToken: "mine",
    });
  });

  test("sends no delta when what is desired is reported", async () => {
    await ask("calm", "update", { state: { desired: { on: true }, reported: { on: true } } }, 2);
    expect(messages.map(([topic]) => topic.split("/shadow/")[1]).sort()).toEqual([
      "update",
      "update/accepted",
      "update/documents",
    ]);
  });

  test("answers get and delete, of named shadows, too", async () => {
    await ask("door", "name/lock/update", { state: { reported: { open: false } } }, 2);
    const got = await ask("door", "name/lock/get", "", 1);
    expect(got["name/lock/get/accepted"]).toMatchObject({ state: { reported: { open: false } }, version: 1 });
    const gone = await ask("door", "name/lock/delete", { clientToken: "bye" }, 1);
    expect(gone["name/lock/delete/accepted"]).toEqual({ version: 1, timestamp: anyTime, clientToken: "bye" });
  });

  test("answers what is wrong on rejected, with the status as code", async () => {
    const none = await ask("nobody", "get", { clientToken: "who" }, 1);
    expect(none["get/rejected"]).toEqual({
      code: 404,
      message: "No shadow exists with name: 'nobody'",
      timestamp: anyTime,
      clientToken: "who",
    });
    expect((await ask("nobody", "update", "{", 1))["update/rejected"]).toMatchObject({
      code: 400,
      message: "Invalid JSON",
    });
  });

  test("tells a device of what the API changes", async () => {
    messages.length = 0;
    await update("remote", { state: { desired: { on: true } } });
    await refusal(update("remote", "{"));
    await remove("remote");
    await vi.waitFor(() => expect(messages.length).toBeGreaterThanOrEqual(4));
    expect(messages.map(([topic]) => topic).sort()).toEqual([
      "$aws/things/remote/shadow/delete/accepted",
      "$aws/things/remote/shadow/update/accepted",
      "$aws/things/remote/shadow/update/delta",
      "$aws/things/remote/shadow/update/documents",
    ]);
  });
});
