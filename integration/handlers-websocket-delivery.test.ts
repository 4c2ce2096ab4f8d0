import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BatchAnswer } from "../handlers/batch-answer";
import { toFrames } from "../handlers/websocket/frames";
import { reading, useBroadcast } from "./harness/broadcast";
import { queueEvent, socketEvent } from "./harness/live";

const { live, client, post, data } = useBroadcast();

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
