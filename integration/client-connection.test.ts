import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { WebSocket as WsSocket } from "ws";
import { LiveClient, type LiveClientOptions, type StateChange } from "../client";
import { LiveServer, record } from "./harness/live-server";
import { ManualTimers } from "./harness/manual-timers";

const minutes = 60_000;
const waitFor = (check: () => void) => vi.waitFor(check, { interval: 5 });

let server: LiveServer;
let timers: ManualTimers;

beforeEach(async () => {
  server = await LiveServer.start();
  timers = new ManualTimers();
});
afterEach(() => server[Symbol.asyncDispose]());

/** A client whose waits are the test's, and the states that it went through. */
function begin(options: Partial<LiveClientOptions> = {}) {
  const live = new LiveClient({ url: server.url, timers, random: () => 0.5, ...options });
  onTestFinished(() => live.close());
  const states: StateChange[] = [];
  live.on("state", (change) => states.push(change));
  const reaches = (state: StateChange["state"]) => waitFor(() => expect(live.state).toBe(state));
  return { live, states, reaches };
}

const visitors = (count: number) => waitFor(() => expect(server.visitors).toHaveLength(count));

describe("a live client that loses its connection", () => {
  it("comes back and subscribes to what it wants by then", async () => {
    const { live, reaches } = begin({ devices: ["a", "b"] });
    await reaches("open");
    server.drop();
    await reaches("waiting");
    live.subscribe("c");
    live.unsubscribe("a");
    timers.advance(1_000);
    await reaches("open");
    await waitFor(() => expect(server.visitors[1]?.frames).toEqual([{ action: "subscribe", devices: ["b", "c"] }]));
  });

  it("waits at random below a limit that doubles up to the cap", async () => {
    const { states, reaches } = begin({ url: "ws://127.0.0.1:9/", maxRefusals: Infinity, backoffCap: 10_000 });
    for (let attempt = 0; attempt < 6; attempt++) {
      await reaches("waiting");
      timers.advance(10_000);
    }
    await reaches("waiting");
    const waits = states.filter(({ state }) => state === "waiting").map(({ retryIn }) => retryIn);
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 5_000, 5_000, 5_000]);
  });

  it("waits ever longer while connections break at once, and starts over after a stable one", async () => {
    const { states, reaches } = begin();
    for (let drop = 0; drop < 3; drop++) {
      await reaches("open");
      server.drop();
      await reaches("waiting");
      timers.advance(5_000);
    }
    await reaches("open");
    timers.advance(30_000);
    server.drop();
    await reaches("waiting");
    const waits = states.filter(({ state }) => state === "waiting").map(({ retryIn }) => retryIn);
    expect(waits).toEqual([500, 1_000, 2_000, 500]);
  });

  it("opens another when the server does not know the one it has any more", async () => {
    const { states, reaches } = begin({ devices: ["a"] });
    await reaches("open");
    await visitors(1);
    const message = "this connection is not known any more: connect again";
    server.send({ type: "error", message, action: "subscribe", reconnect: true });
    await reaches("waiting");
    expect(states.at(-1)!.reason).toBe(message);
    timers.advance(1_000);
    await reaches("open");
    await waitFor(() => expect(server.visitors[1]?.frames).toEqual([{ action: "subscribe", devices: ["a"] }]));
  });

  it("tells the server's reason", async () => {
    const { states, reaches } = begin();
    await reaches("open");
    await visitors(1);
    server.visitors[0]!.socket.close(1012, "Service restart");
    await reaches("waiting");
    expect(states.at(-1)).toMatchObject({ state: "waiting", reason: "Service restart" });
  });

  it("does not wait any longer once the machine is online again", async () => {
    let online = () => {};
    const onOnline = (listener: () => void) => {
      online = listener;
      return () => {};
    };
    const network = { online: () => true, onOnline };
    const { reaches } = begin({ network });
    await reaches("open");
    server.drop();
    await reaches("waiting");
    online();
    await reaches("open");
  });
});

describe("a live client that keeps its connection", () => {
  it("pings before ten quiet minutes are over", async () => {
    const { reaches } = begin();
    await reaches("open");
    timers.advance(9 * minutes);
    await waitFor(() => expect(server.visitors[0]!.frames).toContainEqual({ action: "ping" }));
  });

  it("does not ping while records arrive", async () => {
    const { live, reaches } = begin();
    await reaches("open");
    await visitors(1);
    for (let id = 0; id < 5; id++) {
      timers.advance(3 * minutes);
      const arrived = new Promise((resolve) => live.on("record", resolve));
      server.send([record(String(id))]);
      await arrived;
    }
    expect(server.visitors[0]!.frames).toEqual([]);
  });

  it("gives up a connection on which the server is silent, and opens another", async () => {
    server.answersPings = false;
    const { states, reaches } = begin({ pongTimeout: 15_000 });
    await reaches("open");
    timers.advance(4 * minutes);
    timers.advance(15_000);
    await reaches("waiting");
    expect(states.at(-1)!.reason).toBe("The server went silent");
    timers.advance(1_000);
    await reaches("open");
    await visitors(2);
  });

  it("finds a dead connection at once when asked to check", async () => {
    server.answersPings = false;
    const { live, reaches } = begin();
    await reaches("open");
    live.check();
    timers.advance(15_000);
    await reaches("waiting");
  });
});

describe("a live client whose connection grows old", () => {
  it("moves to a new one before two hours, with a fresh token, and loses and repeats nothing", async () => {
    let tokens = 0;
    const { live, states, reaches } = begin({
      devices: ["*"],
      token: () => `token-${++tokens}`,
      pingEvery: 180 * minutes,
    });
    const ids: string[] = [];
    live.on("record", ({ id }) => ids.push(id));
    let subscribed = 0;
    live.on("subscribed", () => subscribed++);
    await reaches("open");
    await waitFor(() => expect(subscribed).toBe(1));
    // 110 minutes less half a tenth, which is what this client's random number makes of it.
    timers.advance(104.5 * minutes);
    await waitFor(() => expect(server.visitors[1]?.frames).toEqual([{ action: "subscribe", devices: ["*"] }]));
    expect(server.visitors[1]!.offered).toContain("token-2");
    expect(server.open).toHaveLength(2);

    server.send([record("to both")]);
    await waitFor(() => expect(ids).toEqual(["to both"]));
    await waitFor(() => expect(subscribed).toBe(2));
    timers.advance(9_000);
    expect(server.open).toHaveLength(2);
    server.visitors[0]!.socket.send(JSON.stringify([record("to the old one")]));
    await waitFor(() => expect(ids).toEqual(["to both", "to the old one"]));

    timers.advance(1_000);
    await waitFor(() => expect(server.visitors[0]!.closed).toBe(1000));
    server.send([record("to the new one")]);
    await waitFor(() => expect(ids).toEqual(["to both", "to the old one", "to the new one"]));
    expect(states.map(({ state }) => state)).toEqual(["open"]);
  });

  it("keeps the old one until the new one is subscribed, however long that takes", async () => {
    const { live } = begin({ devices: ["a"], renewAfter: 2 * minutes });
    const ids: string[] = [];
    live.on("record", ({ id }) => ids.push(id));
    await new Promise((resolve) => live.on("subscribed", resolve));
    server.answersSubscriptions = false;
    timers.advance(2 * minutes);
    await waitFor(() => expect(server.visitors[1]?.frames).toHaveLength(1));
    // Without an answer it is sent again.
    timers.advance(15_000);
    await waitFor(() => expect(server.visitors[1]?.frames).toHaveLength(2));
    server.visitors[0]!.socket.send(JSON.stringify([record("1")]));
    await waitFor(() => expect(ids).toEqual(["1"]));
    server.visitors[1]!.socket.send(JSON.stringify({ type: "subscribed", devices: ["a"] }));
    server.visitors[1]!.socket.send(JSON.stringify([record("2")]));
    await waitFor(() => expect(ids).toEqual(["1", "2"]));
    timers.advance(10_000);
    await waitFor(() => expect(server.visitors[0]!.closed).toBe(1000));
    expect(server.open).toHaveLength(1);
  });

  it("goes on with the old one when the new one breaks while both are open, and moves later", async () => {
    const { live, states } = begin({ devices: ["a"], renewAfter: 2 * minutes });
    const ids: string[] = [];
    live.on("record", ({ id }) => ids.push(id));
    await new Promise((resolve) => live.on("subscribed", resolve));
    timers.advance(2 * minutes);
    await waitFor(() => expect(server.visitors[1]?.frames).toHaveLength(1));
    server.visitors[1]!.socket.send(JSON.stringify([record("1")]));
    await waitFor(() => expect(ids).toEqual(["1"]));
    const pending = timers.pending;
    server.visitors[1]!.socket.terminate();
    await waitFor(() => expect(server.open).toHaveLength(1));
    await waitFor(() => expect(timers.pending).toBeLessThan(pending));
    server.send([record("2")]);
    await waitFor(() => expect(ids).toEqual(["1", "2"]));
    timers.advance(20_000);
    await visitors(3);
    await waitFor(() => expect(server.visitors[2]?.frames).toHaveLength(1));
    expect(states.map(({ state }) => state)).toEqual(["open"]);
  });

  it("keeps the old one while the new one is refused, and tries again", async () => {
    const { states, reaches } = begin({ renewAfter: 2 * minutes });
    await reaches("open");
    server.refuseWith = 503;
    timers.advance(2 * minutes);
    await waitFor(() => expect(server.refused).toBe(1));
    // Its retry is the one timer more.
    await waitFor(() => expect(timers.pending).toBe(2));
    server.refuseWith = undefined;
    timers.advance(1_000);
    await visitors(2);
    await waitFor(() => expect(timers.pending).toBeGreaterThan(3));
    timers.advance(10_000);
    await waitFor(() => expect(server.visitors[0]!.closed).toBe(1000));
    expect(states.map(({ state }) => state)).toEqual(["open"]);
  });
});

describe("a live client that is refused", () => {
  it.each([401, 403])(
    "stops after as many %i as it was told, and names the status where it can see it",
    async (status) => {
      server.refuseWith = status;
      const { states, reaches } = begin({ WebSocket: WsSocket, maxRefusals: 3, token: "wrong" });
      for (let refused = 1; refused < 3; refused++) {
        await waitFor(() => expect(states.filter(({ state }) => state === "waiting")).toHaveLength(refused));
        timers.advance(5_000);
      }
      await reaches("stopped");
      expect(states.at(-1)).toEqual({ state: "stopped", status, reason: `The server answered ${status}` });
      timers.advance(60 * minutes);
      expect(server.refused).toBe(3);
    },
  );

  it("stops where a WebSocket hides the status too, and starts again when told", async () => {
    server.refuseWith = 403;
    const { live, states, reaches } = begin({ maxRefusals: 1 });
    await reaches("stopped");
    expect(states.at(-1)).toEqual({ state: "stopped", reason: "The server was not reached, or refused" });
    server.refuseWith = undefined;
    live.reconnect();
    await reaches("open");
  });

  it.each([500, 429])("goes on trying after %i: the server is in trouble, not against it", async (status) => {
    server.refuseWith = status;
    const { reaches } = begin({ WebSocket: WsSocket, maxRefusals: 1 });
    await reaches("waiting");
    server.refuseWith = undefined;
    timers.advance(1_000);
    await reaches("open");
  });

  it("does not count attempts while the machine is offline", async () => {
    server.refuseWith = 403;
    const network = { online: () => false, onOnline: () => () => {} };
    const { states, reaches } = begin({ maxRefusals: 1, network });
    await reaches("waiting");
    timers.advance(1_000);
    await waitFor(() => expect(states.filter(({ state }) => state === "waiting")).toHaveLength(2));
  });

  it.each<[string, LiveClientOptions["token"], RegExp]>([
    ["rejects", () => Promise.reject(new Error("signed out")), /signed out/],
    [
      "throws",
      () => {
        throw new Error("no session");
      },
      /no session/,
    ],
    ["gives characters that cannot be sent", () => "a b", /characters that a subprotocol cannot carry/],
    ["gives nothing", () => undefined as unknown as string, /token must be a text/],
  ])("tells when the token's function %s", async (_, token, reason) => {
    const { states, reaches } = begin({ token, maxRefusals: 2 });
    await reaches("waiting");
    timers.advance(1_000);
    await reaches("stopped");
    expect(states.at(-1)!.reason).toMatch(reason);
    expect(server.visitors).toEqual([]);
  });

  it("does not wait for a token for ever", async () => {
    const { states, reaches } = begin({ token: () => new Promise<string>(() => {}) });
    timers.advance(20_000);
    await reaches("waiting");
    expect(states.at(-1)!.reason).toBe("Not open within 20 s");
  });
});

describe("a live client that is closed", () => {
  it.each(["connecting", "open", "waiting", "stopped"] as const)("ends for good while %s", async (state) => {
    if (state === "waiting" || state === "stopped") server.refuseWith = 403;
    server.answersSubscriptions = false;
    const { live, states, reaches } = begin({ devices: ["a"], maxRefusals: state === "stopped" ? 1 : 5 });
    if (state !== "connecting") await reaches(state);
    live.close();
    live.close();
    live.reconnect();
    expect(states.at(-1)).toEqual({ state: "closed" });
    expect(timers.pending).toBe(0);
    timers.advance(180 * minutes);
    await waitFor(() => expect(server.open).toHaveLength(0));
    expect(live.state).toBe("closed");
  });

  it("closes its socket with 1000", async () => {
    const { live, reaches } = begin();
    await reaches("open");
    await visitors(1);
    live.close();
    await waitFor(() => expect(server.visitors[0]!.closed).toBe(1000));
  });

  it("no longer asks whether the machine is online", async () => {
    let watched = 0;
    const onOnline = () => {
      watched++;
      return () => {
        watched--;
      };
    };
    const { live, reaches } = begin({ network: { online: () => true, onOnline } });
    await reaches("open");
    expect(watched).toBe(1);
    live.close();
    expect(watched).toBe(0);
  });

  it("ends quietly before a socket of the ws package is open", async () => {
    const made: WsSocket[] = [];
    class Watched extends WsSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols);
        made.push(this);
      }
    }
    const { live } = begin({ WebSocket: Watched });
    for (let turn = 0; made.length === 0 && turn < 20; turn++) await Promise.resolve();
    expect(made[0]!.readyState).toBe(WsSocket.CONNECTING);
    live.close();
    await waitFor(() => expect(made[0]!.readyState).toBe(WsSocket.CLOSED));
  });
});
