import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { LiveClient, type LiveClientOptions, type LiveRecord } from "../client";
import { deviceFrames, readFrame } from "../client/frames";
import { Seen } from "../client/seen";
import { LiveServer, record } from "./harness/live-server";
import { ManualTimers } from "./harness/manual-timers";

const waitFor = (check: () => void) => vi.waitFor(check, { interval: 5 });

let server: LiveServer;

beforeEach(async () => {
  server = await LiveServer.start();
});
afterEach(() => server[Symbol.asyncDispose]());

/** A connected client and the ids of the records that it was given. */
async function connect(options: Partial<LiveClientOptions> = {}) {
  const live = new LiveClient({ url: server.url, ...options });
  onTestFinished(() => live.close());
  const ids: string[] = [];
  live.on("record", ({ id }) => ids.push(id));
  await waitFor(() => expect(live.state).toBe("open"));
  await waitFor(() => expect(server.open).toHaveLength(1));
  return { live, ids };
}

describe("a live client's messages", () => {
  it("offers the protocol's name and the token, and nothing of the token in the address", async () => {
    await connect({ token: "abc-DEF_1.2.3" });
    expect(server.visitors[0]!.offered.split(/,\s*/)).toEqual(["sensorcast.v1", "abc-DEF_1.2.3"]);
  });

  it("offers only the protocol's name where there is no token", async () => {
    await connect();
    expect(server.visitors[0]!.offered).toBe("sensorcast.v1");
  });

  it("asks for the token and the address anew for each connection", async () => {
    let count = 0;
    const { live } = await connect({ token: async () => `token-${++count}`, url: () => server.url, backoffBase: 1 });
    server.drop();
    await waitFor(() => expect(server.visitors).toHaveLength(2));
    await waitFor(() => expect(live.state).toBe("open"));
    expect(server.visitors[1]!.offered).toContain("token-2");
  });

  it("gives each record of a frame, with its device, data and time", async () => {
    const { live } = await connect();
    const batches: (readonly LiveRecord[])[] = [];
    live.on("records", (records) => batches.push(records));
    const sent = [record("1"), record("2", "d2", { deep: { list: [1, "two", null] } })];
    server.send(sent);
    await waitFor(() => expect(batches).toEqual([sent]));
  });

  it("reads a frame that is a single record", async () => {
    const { ids } = await connect();
    server.send({ id: "only", data: { temp: 1 } });
    await waitFor(() => expect(ids).toEqual(["only"]));
  });

  it("drops a record that arrives again, in the same frame, a later one or over a new connection", async () => {
    const { ids } = await connect({ backoffBase: 1 });
    server.send([record("1"), record("1"), record("2")]);
    server.send([record("2"), record("3")]);
    await waitFor(() => expect(ids).toEqual(["1", "2", "3"]));
    server.drop();
    await waitFor(() => expect(server.visitors).toHaveLength(2));
    await waitFor(() => expect(server.open).toHaveLength(1));
    server.send([record("3"), record("4")]);
    await waitFor(() => expect(ids).toEqual(["1", "2", "3", "4"]));
  });

  it("subscribes to its first devices, to more and to fewer, and tells what the server granted", async () => {
    const { live } = await connect({ devices: ["a", "b"] });
    const granted: (readonly string[])[] = [];
    live.on("subscribed", (devices) => granted.push(devices));
    live.on("unsubscribed", (devices) => granted.push(devices));
    live.subscribe("c");
    live.unsubscribe("a", "b");
    await waitFor(() =>
      expect(server.visitors[0]!.frames).toEqual([
        { action: "subscribe", devices: ["a", "b"] },
        { action: "subscribe", devices: ["c"] },
        { action: "unsubscribe", devices: ["a", "b"] },
      ]),
    );
    await waitFor(() => expect(granted).toEqual(expect.arrayContaining([["c"], ["a", "b"]])));
    expect(live.devices).toEqual(["c"]);
  });

  it("changes its subscriptions one after the other's answer", async () => {
    server.answersSubscriptions = false;
    const { live } = await connect({ devices: ["a"] });
    live.unsubscribe("a");
    live.subscribe("a", "b");
    const [visitor] = server.visitors;
    await waitFor(() => expect(visitor!.frames).toHaveLength(1));
    server.send({ type: "error", message: "no such thing", action: "dance" });
    server.send({ type: "subscribed", devices: ["a"] });
    await waitFor(() => expect(visitor!.frames.slice(1)).toEqual([{ action: "unsubscribe", devices: ["a"] }]));
    server.send({ type: "error", message: "try again", action: "unsubscribe" });
    await waitFor(() => expect(visitor!.frames.slice(2)).toEqual([{ action: "subscribe", devices: ["a", "b"] }]));
  });

  it.each<[string, object]>([
    ["the server", { type: "error", message: "try again", action: "subscribe", retry: true }],
    ["API Gateway", { message: "Internal server error", connectionId: "Lm1", requestId: "Lm2" }],
  ])("subscribes again when %s cannot take it now, and tells it", async (_, answer) => {
    server.answersSubscriptions = false;
    const { live } = await connect({ devices: ["a"], backoffBase: 1 });
    const errors: unknown[] = [];
    live.on("error", (error) => errors.push(error));
    const [visitor] = server.visitors;
    for (let attempt = 1; attempt < 5; attempt++) {
      await waitFor(() => expect(visitor!.frames).toHaveLength(attempt));
      server.send(answer);
    }
    // And for the last time: what comes after it must have its turn.
    await waitFor(() => expect(visitor!.frames).toHaveLength(5));
    live.subscribe("b");
    server.send(answer);
    await waitFor(() => expect(visitor!.frames).toHaveLength(6));
    expect(visitor!.frames.map(({ devices }) => devices)).toEqual([...Array(5).fill(["a"]), ["b"]]);
    expect(errors).toHaveLength(5);
    expect(errors[0]).toMatchObject({ kind: "server", message: expect.stringMatching(/try again|Internal/) });
  });

  it("tells when the server never answers a subscription, and goes on to the next", async () => {
    server.answersSubscriptions = false;
    const timers = new ManualTimers();
    const { live } = await connect({ devices: ["a"], timers, pingEvery: 10 * 60_000 });
    const errors: unknown[] = [];
    live.on("error", (error) => errors.push(error));
    live.subscribe("b");
    const [visitor] = server.visitors;
    for (let attempt = 1; attempt <= 5; attempt++) {
      await waitFor(() => expect(visitor!.frames).toHaveLength(attempt));
      timers.advance(10_000);
    }
    await waitFor(() => expect(visitor!.frames.map(({ devices }) => devices?.[0])).toEqual([..."aaaaab"]));
    expect(errors).toEqual([{ kind: "server", message: "A subscription was not answered" }]);
  });

  it("keeps what was subscribed by name when everything is taken back, and the other way round", async () => {
    const { live } = await connect({ devices: ["*", "a", "b"] });
    live.unsubscribe("*");
    const [visitor] = server.visitors;
    await waitFor(() =>
      expect(visitor!.frames.slice(1)).toEqual([
        { action: "unsubscribe", devices: ["*"] },
        { action: "subscribe", devices: ["a", "b"] },
      ]),
    );
    live.subscribe("*");
    live.unsubscribe("a", "b");
    await waitFor(() =>
      expect(visitor!.frames.slice(4)).toEqual([
        { action: "unsubscribe", devices: ["a", "b"] },
        { action: "subscribe", devices: ["*"] },
      ]),
    );
  });

  it("takes no device that would have the server refuse all that are asked for with it", async () => {
    const { live } = await connect({ devices: ["a"] });
    for (const name of ["", "x".repeat(1_001), "\ud800", 7 as unknown as string]) {
      expect(() => live.subscribe("b", name)).toThrow(/devices must be texts of 1 to 1,000 bytes/);
    }
    expect(live.devices).toEqual(["a"]);
    live.subscribe("ä".repeat(500));
    await waitFor(() => expect(server.visitors[0]!.frames).toHaveLength(2));
  });

  it("subscribes to hundreds of devices in frames of a hundred", async () => {
    const devices = Array.from({ length: 250 }, (_, number) => `device-${number}`);
    await connect({ devices });
    const [visitor] = server.visitors;
    await waitFor(() => expect(visitor!.frames.map((frame) => frame.devices?.length)).toEqual([100, 100, 50]));
    expect(visitor!.frames.flatMap((frame) => frame.devices)).toEqual(devices);
  });

  it("sends a message only while it is connected, and says so", async () => {
    const { live } = await connect();
    expect(live.send("message", { data: { hello: "all" } })).toBe(true);
    await waitFor(() => expect(server.visitors[0]!.frames).toEqual([{ action: "message", data: { hello: "all" } }]));
    live.close();
    expect(live.send("message", { data: 1 })).toBe(false);
  });

  it("tells the server's errors, and frames that cannot be read, and goes on", async () => {
    const { live, ids } = await connect();
    const errors: unknown[] = [];
    live.on("error", (error) => errors.push(error));
    server.send({ type: "error", message: "Unknown action", action: "dance", requestId: "r1" });
    server.send("{ not json");
    server.send([{ device: "no id", data: {} }, record("good")]);
    server.send({ type: "something new" });
    server.visitors[0]!.socket.send(Buffer.from([1, 2, 3]));
    server.send([record("last")]);
    await waitFor(() => expect(ids).toEqual(["good", "last"]));
    expect(errors).toEqual([
      { kind: "server", message: "Unknown action", action: "dance", requestId: "r1" },
      { kind: "frame", message: "The server sent a frame that is not JSON" },
      { kind: "frame", message: "Skipped records without id or data: 1" },
      { kind: "frame", message: "The server sent a binary frame" },
    ]);
  });

  it("calls the other listeners when one throws, and none that was taken off", async () => {
    const shown = vi.spyOn(console, "error").mockImplementation(() => {});
    onTestFinished(() => shown.mockRestore());
    const { live } = await connect();
    const called: string[] = [];
    live.on("records", () => {
      throw new Error("a listener's mistake");
    });
    const stop = live.on("records", () => called.push("removed"));
    live.on("records", () => called.push("other"));
    stop();
    server.send([record("1")]);
    await waitFor(() => expect(called).toEqual(["other"]));
    expect(String(shown.mock.calls[0]![0])).toContain("a listener's mistake");
  });

  it("says nothing more once a listener has closed it", async () => {
    const { live, ids } = await connect();
    live.on("record", () => live.close());
    server.send([record("1"), record("2"), record("3")]);
    await waitFor(() => expect(server.open).toHaveLength(0));
    expect(ids).toEqual(["1"]);
  });

  it("names every mistake in its options at once", () => {
    const make = () => new LiveClient({ url: "https://x", token: "not base64url=/", pingEvery: -1 });
    expect(make).toThrow(/url must begin with wss.*token has characters.*pingEvery must be a number above 0/);
    // A timer would take such a time for none, and renew without end.
    for (const renewAfter of [Infinity, 2 ** 31, Number.NaN, "1000" as unknown as number]) {
      expect(() => new LiveClient({ url: server.url, renewAfter })).toThrow(
        /renewAfter must be a number above 0, and at/,
      );
    }
    const devices = "abc" as unknown as string[];
    expect(() => new LiveClient({ url: server.url, devices })).toThrow(/devices must be texts/);
  });
});

describe("for any input, a live client", () => {
  it("reads a frame without throwing", () => {
    const frame = fc.oneof(
      fc.string(),
      fc.json(),
      fc.json().map((text) => `[${text}]`),
      fc.anything(),
    );
    fc.assert(fc.property(frame, (raw) => typeof readFrame(raw).kind === "string"));
  });

  it("drops whatever repeats one of the last ids, and remembers a bounded number", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.array(fc.integer({ min: 0, max: 30 })), (size, numbers) => {
        const seen = new Seen(size);
        const fresh: string[] = [];
        for (const id of numbers.map(String)) {
          const isNew = seen.add(id);
          if (fresh.slice(-size).includes(id)) expect(isNew).toBe(false);
          if (!fresh.slice(-2 * size).includes(id)) expect(isNew).toBe(true);
          if (isNew) fresh.push(id);
        }
      }),
    );
  });

  it("splits a subscription into frames that the gateway takes, and loses no device", () => {
    const names = fc.array(fc.string({ unit: "grapheme", maxLength: 300 }), { maxLength: 400 });
    fc.assert(
      fc.property(names, (devices) => {
        const frames = deviceFrames("subscribe", devices);
        for (const frame of frames) {
          expect(Buffer.byteLength(frame)).toBeLessThanOrEqual(32 * 1024);
          expect(JSON.parse(frame).devices.length).toBeLessThanOrEqual(100);
        }
        expect(frames.flatMap((frame) => JSON.parse(frame).devices)).toEqual(devices);
      }),
      { numRuns: 30 },
    );
  });
});
