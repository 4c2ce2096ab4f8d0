import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BatchAnswer } from "../handlers/batch-answer";
import { actions } from "../handlers/websocket/actions";
import { broadcast } from "../handlers/websocket/broadcast";
import { connect } from "../handlers/websocket/connections";
import { fanOut } from "../handlers/websocket/fan-out";
import { toFrames } from "../handlers/websocket/frames";
import { queueEvent, say, socketEvent, useLive } from "./harness/live";

const live = useLive({
  connect,
  actions,
  broadcast: broadcast(),
  fanOut,
  own: broadcast({
    deviceOf: ({ site }) => {
      if (site === "bad") throw new Error("no such site");
      return site as string;
    },
    idOf: ({ key }) => key as string,
  }),
});

/** A connection, long open, and what it subscribed to. */
async function client(id: string, ...devices: string[]): Promise<void> {
  await live.start("connect").invoke(socketEvent(id, "$connect", { connectedAt: Date.now() - 60_000 }));
  if (devices.length > 0) await say(live.start("actions"), id, { action: "subscribe", devices });
}

type Post = { name?: "broadcast" | "own"; environment?: Record<string, string>; remainingMs?: number };
const post = async (
  event: ReturnType<typeof queueEvent>,
  { name = "broadcast", environment, remainingMs }: Post = {},
) =>
  (
    await live.start(name, environment).invoke<BatchAnswer>(event, remainingMs === undefined ? {} : { remainingMs })
  ).batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
const data = (id: string) => live.got(id).map((record) => record.data);
const reading = (device: string, n = 0) => ({ tsmTuid: device, tsmTs: 1_767_225_600 + n, temp: n });

describe("a broadcast", () => {
  test("reaches those who subscribed to the record's device or to all, each once", async () => {
    await client("all", "*");
    await client("a", "a");
    await client("both", "a", "b", "*");
    await client("none");
    expect(await post(queueEvent([reading("a"), reading("b")], reading("c")))).toEqual([]);
    expect(data("all")).toEqual([reading("a"), reading("b"), reading("c")]);
    expect(data("both")).toEqual(data("all"));
    expect(data("a")).toEqual([reading("a")]);
    expect(data("none")).toEqual([]);
    expect(live.connections.taken.all).toHaveLength(1);
  });

  test("knows the device by the usual names, and passes records without one to who gets all", async () => {
    await client("all", "*");
    await client("a", "a", "7");
    const records = [
      { deviceId: "a" },
      { device_id: "a" },
      { tsmTuid: "a" },
      { ident: "a" },
      { deviceId: 7 },
      { x: 1 },
    ];
    expect(await post(queueEvent(records))).toEqual([]);
    expect(data("a")).toEqual(records.slice(0, 5));
    expect(data("all")).toEqual(records);
    expect(live.got("all").map((record) => (record as { device?: string }).device)).toEqual([
      ...["a", "a", "a", "a", "7"],
      undefined,
    ]);
  });

  test("takes device and id from callbacks, and dead-letters only what they cannot read", async () => {
    await client("oulu", "Oulu");
    const records = [{ site: "Oulu", key: "k1" }, { site: "bad" }, { site: "Oulu", key: "k2" }];
    expect(await post(queueEvent(records), { name: "own" })).toEqual([]);
    expect(live.got("oulu").map(({ id }) => id)).toEqual(["k1", "k2"]);
    expect(await live.deadLetters()).toEqual([
      {
        ...{ stage: "deviceOf", reason: "Error: no such site", messageId: "message-0", index: 1 },
        receivedAt: expect.stringMatching(/^20.*Z$/),
        message: { site: "bad" },
      },
    ]);
  });

  test("of many devices finds who subscribed to some of them, and who takes all", async () => {
    await client("all", "*");
    await client("some", "d3", "d17", "none-of-them");
    const records = Array.from({ length: 20 }, (_, n) => reading(`d${n}`));
    expect(await post(queueEvent(records))).toEqual([]);
    expect(data("some")).toEqual([reading("d3"), reading("d17")]);
    expect(data("all")).toEqual(records);
    // And when more devices are subscribed to than it asks for at first.
    for (let n = 0; n < 25; n++) {
      const devices = Array.from({ length: 100 }, (_, i) => `e${n}-${i}`);
      await client(`client-${n}`, ...devices);
    }
    await post(queueEvent(records.map((record) => ({ ...record, temp: 1 }))));
    expect(data("some")).toHaveLength(4);
  });

  test("gives a record the same id when it comes again, and another to another record", async () => {
    await client("all", "*");
    await post(queueEvent([reading("a"), reading("a", 1)]));
    await post(queueEvent([reading("a")]));
    const [first, second, again] = live.got("all").map(({ id }) => id);
    expect(again).toBe(first);
    expect(second).not.toBe(first);
  });

  test("loses no reading of a device that calls itself id", async () => {
    await client("all", "*");
    const readings = [20, 21, 22].map((temp) => ({ id: "sensor-1", temp }));
    await post(queueEvent(readings.slice(0, 2), readings[2]));
    expect(data("all")).toEqual(readings);
    expect(new Set(live.got("all").map(({ id }) => id)).size).toBe(3);
  });

  test("takes names that callbacks give as numbers, none where they give nothing, and dead-letters all else", async () => {
    await client("all", "*");
    await client("seven", "7");
    const fine = [{ site: 7, key: 1 }, { site: null, key: "" }, { key: null }];
    const bad = [{ site: {} }, { site: ["a"] }, { site: true }, { site: "a", key: {} }];
    expect(await post(queueEvent([...fine, ...bad]), { name: "own" })).toEqual([]);
    expect(data("seven")).toEqual([fine[0]]);
    expect(data("all")).toEqual(fine);
    expect(live.got("all").map(({ id, ...record }) => [id.length, (record as { device?: string }).device])).toEqual([
      [1, "7"],
      [27, undefined],
      [27, undefined],
    ]);
    expect((await live.deadLetters()).map(({ stage }) => stage)).toEqual([...Array(3).fill("deviceOf"), "idOf"]);
  });

  test("takes records of two devices for two, though a callback gives them one id", async () => {
    await client("b", "b");
    await post(
      queueEvent([
        { site: "a", key: "1" },
        { site: "b", key: "1" },
      ]),
      { name: "own" },
    );
    expect(data("b")).toEqual([{ site: "b", key: "1" }]);
  });

  test("is not held up by device names that a table cannot hold", async () => {
    await client("all", "*");
    const texts = [
      '{"deviceId":"\\ud800"}',
      '{"deviceId":""}',
      `{"deviceId":"${"x".repeat(10_240)}"}`,
      '{"deviceId":"b"}',
    ];
    expect(await post(queueEvent(`[${texts.join()}]`))).toEqual([]);
    expect(live.got("all").map((record) => JSON.stringify(record.data))).toEqual(texts);
  });

  test("sends what came twice in one batch once", async () => {
    await client("all", "*");
    await post(queueEvent([reading("a")], [reading("a"), reading("a")]));
    expect(data("all")).toEqual([reading("a")]);
  });

  test("passes numbers on with every digit", async () => {
    await client("all", "*");
    await post(queueEvent('[ {"tsmTuid":"a","big":9007199254740993,"whole":10.0} ,{"tsmTuid":"b"}]'));
    expect(live.connections.taken.all![0]).toContain('"data":{"tsmTuid":"a","big":9007199254740993,"whole":10.0}}');
  });

  test("puts one record into a frame where that is asked for", async () => {
    await client("all", "*");
    await post(queueEvent([reading("a"), reading("b")]), { environment: { WEBSOCKET_FRAMES: "single" } });
    expect(live.connections.taken.all!.map((text) => JSON.parse(text).data)).toEqual([reading("a"), reading("b")]);
  });

  test("goes to none whose two hours are over", async () => {
    const long = { connectedAt: Date.now() - 2 * 60 * 60 * 1000 - 1000, queryStringParameters: { devices: "*" } };
    await live.start("connect").invoke(socketEvent("old", "$connect", long));
    expect(await post(queueEvent(reading("a")))).toEqual([]);
    expect(live.connections.attempts).toBe(0);
  });

  test("passes what a client sends to everyone but itself and those limited to devices", async () => {
    await client("sender", "*");
    await client("other");
    const authorizer = { principalId: "x", sensorcastDevices: '["a"]' };
    await live.start("connect").invoke(socketEvent("limited", "$connect", { authorizer }));
    const [record] = queueEvent({ id: "1", from: "Oulu", sender: "sender", data: { hello: true } }).Records;
    const messageAttributes = { audience: { stringValue: "everyone" } };
    expect(await post({ Records: [{ ...record!, messageAttributes }] })).toEqual([]);
    expect(live.got("other")).toEqual([{ id: "1", from: "Oulu", at: expect.any(String), data: { hello: true } }]);
    expect(Object.keys(live.connections.taken)).toEqual(["other"]);
  });

  test("passes what a client sends on with every digit", async () => {
    await client("other");
    const body = '{"id":"1","from":"Oulu","sender":"c0","data":{"n":9007199254740993}}';
    const [record] = queueEvent(body).Records;
    await post({ Records: [{ ...record!, messageAttributes: { audience: { stringValue: "everyone" } } }] });
    expect(live.connections.taken.other![0]).toContain('"data":{"n":9007199254740993}');
  });
});

describe("what is no record", () => {
  test("ends in the dead-letter queue with its reason, and its neighbours go out", async () => {
    await client("all", "*");
    expect(await post(queueEvent("{oops", [reading("a"), 7, null, [reading("x")]], reading("b")))).toEqual([]);
    expect(data("all")).toEqual([reading("a"), reading("b")]);
    const letters = (await live.deadLetters()).map(({ stage, index, message, body }) => ({
      stage,
      index,
      message,
      body,
    }));
    expect(letters).toEqual([
      { stage: "parse", body: "{oops" },
      { stage: "validate", index: 1, message: 7 },
      { stage: "validate", index: 2, message: null },
      { stage: "validate", index: 3, message: [reading("x")] },
    ]);
  });

  test("is a record larger than a WebSocket message, too; one of up to 128 KB goes out alone", async () => {
    await client("all", "*");
    const large = { deviceId: "a", text: "x".repeat(130_000) };
    const tooLarge = { deviceId: "b", text: "x".repeat(131_072) };
    expect(await post(queueEvent([large, tooLarge, { deviceId: "c" }]))).toEqual([]);
    expect(data("all")).toEqual([large, { deviceId: "c" }]);
    expect(await live.deadLetters()).toMatchObject([{ index: 1, reason: expect.stringContaining("128 KB") }]);
  });

  test("makes one letter where it is much of a message", async () => {
    await client("all", "*");
    const body = JSON.stringify([...Array.from({ length: 100_000 }, (_, n) => n), reading("a")]);
    expect(await post(queueEvent(body, [1, 2]))).toEqual([]);
    expect(data("all")).toEqual([reading("a")]);
    const [large, ...small] = await live.deadLetters();
    expect(large).toMatchObject({
      ...{ stage: "validate", messageId: "message-0" },
      reason: "100000 elements cannot be broadcast, of which the first: a record must be a JSON object",
    });
    expect(large!.message).toHaveLength(100_000);
    expect(small.map(({ index, message }) => [index, message])).toEqual([
      [0, 1],
      [1, 2],
    ]);
  });

  test("is a message nested so deeply that it cannot be printed, and its neighbours go out", async () => {
    await client("all", "*");
    await client("other");
    const data = `${"[".repeat(60_000)}${"]".repeat(60_000)}`;
    const [deep] = queueEvent(`{"id":"1","from":"x","sender":"c","data":${data}}`).Records;
    const messageAttributes = { audience: { stringValue: "everyone" } };
    const [, plain] = queueEvent(0, reading("a")).Records;
    expect(await post({ Records: [{ ...deep!, messageAttributes }, plain!] })).toEqual([]);
    expect(live.got("all").map((record) => record.data)).toContainEqual(reading("a"));
  });

  test("comes again when the dead-letter queue does not take it", async () => {
    const environment = { WEBSOCKET_DEAD_LETTER_QUEUE: `${live.emulator.endpoint}/000000000000/nowhere` };
    expect(await post(queueEvent(reading("a"), "{oops"), { environment })).toEqual(["message-1"]);
  });
});

describe("a connection that", () => {
  test("is gone is forgotten, and the others miss nothing", async () => {
    for (const id of ["c1", "gone", "c2"]) await client(id, "*", "a");
    live.connections.refuse = (id) => (id === "gone" ? { status: 410, code: "GoneException" } : undefined);
    expect(await post(queueEvent(reading("a")))).toEqual([]);
    expect([...data("c1"), ...data("c2")]).toEqual([reading("a"), reading("a")]);
    expect(JSON.stringify(await live.rows())).not.toContain("gone");
    const { attempts } = live.connections;
    await post(queueEvent(reading("b")));
    expect(live.connections.attempts).toBe(attempts + 2);
  });

  test("is still opening is not taken for gone", async () => {
    const devices = { queryStringParameters: { devices: "*" } };
    await live.start("connect").invoke(socketEvent("new", "$connect", devices));
    live.connections.refuse = (_id, attempt) => (attempt < 3 ? { status: 410, code: "GoneException" } : undefined);
    expect(await post(queueEvent(reading("a")))).toEqual([]);
    expect(data("new")).toEqual([reading("a")]);
  });

  test("is throttled, or fails for a moment, gets it at a later attempt", async () => {
    for (const id of ["slow", "failing", "well"]) await client(id, "*");
    live.connections.refuse = (id, attempt) => {
      if (attempt > 2 || id === "well") return undefined;
      return id === "slow" ? { status: 429, code: "LimitExceededException" } : { status: 500, code: "InternalError" };
    };
    expect(await post(queueEvent(reading("a")))).toEqual([]);
    for (const id of ["slow", "failing", "well"]) expect(data(id)).toEqual([reading("a")]);
  });

  test("fails for good does not make the record come again when others got it", async () => {
    for (const id of ["broken", "well"]) await client(id, "*");
    live.connections.refuse = (id) => (id === "broken" ? { status: 403, code: "ForbiddenException" } : undefined);
    expect(await post(queueEvent(reading("a")))).toEqual([]);
    expect(data("well")).toEqual([reading("a")]);
  });
});

test("only messages with a record that nobody got come again", async () => {
  await client("a", "a");
  await client("b", "b");
  live.connections.refuse = (id) => (id === "b" ? { status: 500, code: "InternalError" } : undefined);
  const event = queueEvent(reading("a"), reading("b"), [reading("a", 1), reading("b", 1)], reading("nobody's"));
  // Little time: it must not use more of it than it has.
  expect(await post(event, { remainingMs: 1_500 })).toEqual(["message-1", "message-2"]);
  expect(data("a")).toEqual([reading("a"), reading("a", 1)]);
});

test("what there was no time for comes again, though others got it", async () => {
  for (let i = 0; i < 40; i++) await client(`client-${i}`, "*");
  await client("b", "b");
  live.connections.delay = 60;
  const environment = { WEBSOCKET_PARALLEL: "1" };
  const event = queueEvent(reading("a"), reading("nobody's but all's"));
  expect(await post(event, { environment, remainingMs: 1_000 })).toEqual(["message-0", "message-1"]);
  const { attempts } = live.connections;
  expect(attempts).toBeGreaterThan(0);
  expect(attempts).toBeLessThan(40);
});

test("a client that uses up the time alone does not make records come again that all others got", async () => {
  await client("broken", "*");
  for (const device of ["a", "b"]) await client(device, device);
  live.connections.refuse = (id) => (id === "broken" ? { status: 500, code: "InternalError" } : undefined);
  // Three attempts take it past its time, with a second frame to come.
  live.connections.delay = 400;
  const records = ["a", "b"].map((device) => ({ ...reading(device), text: "x".repeat(30_000) }));
  expect(await post(queueEvent(records), { remainingMs: 1_500 })).toEqual([]);
  expect([...data("a"), ...data("b")]).toEqual(records);
});

test("a client that never answers does not keep the function from ending in its time", { timeout: 4_000 }, async () => {
  for (const id of ["silent", "well"]) await client(id, "*");
  live.connections.hangs = (id) => id === "silent";
  expect(await post(queueEvent(reading("a")), { remainingMs: 1_500 })).toEqual([]);
  expect(data("well")).toEqual([reading("a")]);
});

test("nothing is lost when the table cannot be read", async () => {
  const environment = { WEBSOCKET_TABLE: "no-such-table" };
  expect(await post(queueEvent(reading("a"), "{oops"), { environment })).toEqual(["message-0"]);
  expect(await live.deadLetters()).toHaveLength(1);
});

describe("above the threshold of connections", () => {
  test("a broadcast is split by shard, and its parts reach everyone once", async () => {
    const ids = Array.from({ length: 12 }, (_, i) => `client-${i}`);
    for (const id of ids) await client(id, "*");
    const records = Array.from({ length: 30 }, (_, n) => reading("a", n));
    const environment = { WEBSOCKET_FAN_OUT_ABOVE: "10" };
    expect(await post(queueEvent(records), { environment })).toEqual([]);
    expect(live.connections.attempts).toBe(0);
    const parts = await live.fanOutParts();
    expect(parts.map(({ shard }) => shard).sort()).toEqual([0, 1, 2, 3]);
    for (const part of parts) {
      expect(await live.start("fanOut").invoke(queueEvent(part))).toEqual({ batchItemFailures: [] });
    }
    for (const id of ids) expect(data(id)).toEqual(records);
    expect(live.connections.attempts).toBe(12);
  });

  test("up to it, nothing is split", async () => {
    for (let i = 0; i < 10; i++) await client(`client-${i}`, "*");
    await post(queueEvent(reading("a")), { environment: { WEBSOCKET_FAN_OUT_ABOVE: "10" } });
    expect(live.connections.attempts).toBe(10);
    expect(await live.fanOutParts()).toEqual([]);
  });

  test("a part that nobody of its shard got comes again", async () => {
    await client("c1", "*");
    live.connections.refuse = () => ({ status: 403, code: "ForbiddenException" });
    const records = [{ id: "1", device: "a", text: '{"id":"1","device":"a","data":{}}' }];
    const parts = [0, 1, 2, 3].map((shard) => ({ shard, sentAt: Date.now(), records }));
    const { batchItemFailures } = await live.start("fanOut").invoke<BatchAnswer>(queueEvent(...parts));
    expect(batchItemFailures).toHaveLength(1);
  });

  test("records of more than a queue message go in several", async () => {
    for (const id of ["c1", "c2"]) await client(id, "*");
    const records = Array.from({ length: 12 }, (_, n) => ({ ...reading("a", n), text: '"'.repeat(50_000) }));
    await post(queueEvent(records), { environment: { WEBSOCKET_FAN_OUT_ABOVE: "1" } });
    const parts = await live.fanOutParts();
    expect(parts.length).toBeGreaterThan(4);
    for (const part of parts) await live.start("fanOut").invoke(queueEvent(part));
    for (const id of ["c1", "c2"]) expect(new Set(live.got(id).map((record) => record.id)).size).toBe(12);
  });
});

test("frames hold every record in order, 32 KB at most unless one record alone is larger", () => {
  const records = fc.array(fc.string({ maxLength: 12_000 }), { maxLength: 30 });
  fc.assert(
    fc.property(records, (texts) => {
      const list = texts.map((text, i) => ({ id: `${i}`, text: JSON.stringify({ id: `${i}`, text }) }));
      const places = list.map((_, i) => i);
      const frames = toFrames(list, places, false);
      expect(frames.flatMap((frame) => frame.places)).toEqual(places);
      expect(frames.flatMap(({ data: bytes }) => JSON.parse(bytes.toString()))).toEqual(
        list.map(({ text }) => JSON.parse(text)),
      );
      for (const [i, { data: bytes, places: own }] of frames.entries()) {
        expect(bytes.length <= 32_768 || own.length === 1).toBe(true);
        // As few as that: a frame and the first record of the next are too much for one.
        const next = frames[i + 1]?.places[0];
        if (next !== undefined) expect(bytes.length + 1 + Buffer.byteLength(list[next]!.text)).toBeGreaterThan(32_768);
      }
    }),
    { numRuns: 60 },
  );
});

test("posts go out together on sockets that stay open, at most as many as are allowed", async () => {
  for (let i = 0; i < 60; i++) await client(`client-${i}`, "*");
  live.connections.delay = 5;
  const environment = { WEBSOCKET_PARALLEL: "20" };
  for (let n = 0; n < 2; n++) await post(queueEvent(reading("a", n)), { environment });
  expect(live.connections.attempts).toBe(120);
  expect(live.connections.most).toBeLessThanOrEqual(20);
  expect(live.connections.most).toBeGreaterThan(10);
  expect(live.connections.sockets).toBeLessThanOrEqual(20);
});

test("metrics stand in the log as CloudWatch reads them", async () => {
  await client("c1", "*");
  await client("gone", "*");
  live.connections.refuse = (id) => (id === "gone" ? { status: 410, code: "GoneException" } : undefined);
  const environment = { WEBSOCKET_NAME: "metrics" };
  await post(queueEvent([reading("a"), reading("b")], "{oops"), { environment });
  const lines = () =>
    live
      .start("broadcast", environment)
      .log.split("\n")
      .filter((text) => text.startsWith('{"_aws"'));
  await expect.poll(lines).toHaveLength(1);
  const metrics = JSON.parse(lines()[0]!);
  expect(metrics).toMatchObject({
    ...{ Broadcast: "metrics", Records: 2, Posts: 1, Delivered: 2, Gone: 1, Throttled: 0, GivenUp: 0, DeadLetters: 1 },
    Latency: [expect.any(Number), expect.any(Number)],
  });
  const [{ Namespace, Dimensions, Metrics }] = metrics._aws.CloudWatchMetrics;
  expect({ Namespace, Dimensions }).toEqual({ Namespace: "Sensorcast", Dimensions: [["Broadcast"]] });
  for (const { Name } of Metrics) expect(metrics).toHaveProperty(Name);
});

test("the bundled functions are small", () => {
  for (const [name, text] of Object.entries(live.code)) {
    expect(`${name} ${text.length < 800_000}`).toBe(`${name} true`);
  }
});
