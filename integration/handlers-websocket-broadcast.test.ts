import { describe, expect, test } from "vitest";
import { reading, useBroadcast } from "./harness/broadcast";
import { queueEvent, socketEvent } from "./harness/live";

const { live, client, post, data } = useBroadcast();

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

  test("asks nothing for each of several devices that nobody subscribed to", async () => {
    await client("all", "*");
    let queries = 0;
    const stop = live.emulator.watch(({ operation }) => {
      if (operation === "Query") queries++;
    });
    await post(queueEvent(["a", "b", "c", "d"].map((device) => reading(device))));
    stop();
    expect(data("all")).toHaveLength(4);
    // Each of the four shards says what it subscribed to, and who takes all.
    expect(queries).toBe(8);
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
