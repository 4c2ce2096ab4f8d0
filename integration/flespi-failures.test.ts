import { describe, expect, test } from "vitest";
import { type FlespiHandler, makeReceiver } from "../handlers/flespi";
import { recording, round } from "./harness/flespi";
import { many, useFlespi } from "./harness/flespi-channel";
import { type ChannelFault, position, startFlespi, token } from "./harness/flespi-standin";

const world = useFlespi();

describe("when flespi fails", () => {
  test.each<[string, ChannelFault]>([
    ["it answers 500", { status: 500 }],
    ["it answers 429", { status: 429 }],
    ["it refuses the connection", "refuse"],
    ["the connection breaks within the answer", "cut"],
    ["the answer is no JSON", "garbage"],
    ["the answer tells errors", "errors"],
  ])("after every third page, since %s, every message comes once", async (_, fault) => {
    world.flespi.fault = ({ number }) => (number % 3 === 0 ? fault : undefined);
    const { parts, received } = recording(world.flespi, world.cursorFile);
    world.flespi.add(...many(95));
    expect(await makeReceiver(parts)(round())).toMatchObject({ outcome: "drained", messages: 95 });
    expect(received.map(({ data }) => data)).toEqual(many(95));
  });

  test("and sends messages once more, they have the same ids as before", async () => {
    world.flespi.fault = ({ number }) => (number % 2 === 0 ? "repeat" : undefined);
    const { parts, received } = recording(world.flespi, world.cursorFile);
    world.flespi.add(...many(40));
    await makeReceiver(parts)(round());
    expect(received.length).toBeGreaterThan(40);
    expect(new Set(received.map(({ id }) => id)).size).toBe(40);
  });

  test("for good, the round rejects, and the next one begins where the last page ended", async () => {
    world.flespi.fault = ({ number }) => (number > 2 ? { status: 503, reason: "maintenance" } : undefined);
    const { parts, received } = recording(world.flespi, world.cursorFile);
    const receive = makeReceiver(parts);
    world.flespi.add(...many(25));
    await expect(receive(round())).rejects.toThrow("flespi answered HTTP 503: 503 maintenance");
    expect(world.flespi.requests).toHaveLength(5);
    expect(await world.nextKey()).toBe("21");
    world.flespi.fault = () => undefined;
    await receive(round());
    expect(received.map(({ data }) => data)).toEqual(many(25));
  });

  test.each([
    [{ status: 401, reason: `no such token ${token}` }, "flespi refused the token (HTTP 401): 401 no such token ***;"],
    [{ status: 403 }, "use one that may read channel 429"],
    [{ status: 404, reason: "no channel" }, "flespi answered HTTP 404: 404 no channel"],
  ])("with %j, it is not asked again, and nobody is told the token", async (fault, message) => {
    world.flespi.fault = () => fault;
    const failure = await makeReceiver(recording(world.flespi, world.cursorFile).parts)(round()).catch(
      (error: Error) => error,
    );
    expect(String(failure)).toContain(message);
    expect(JSON.stringify(failure) + String((failure as Error).stack)).not.toContain(token);
    expect(world.flespi.requests).toHaveLength(1);
  });

  test("and asks to come later than the round lasts, the round ends and says until when", async () => {
    world.flespi.fault = () => ({ status: 429, retryAfter: "3600" });
    const report = await makeReceiver(recording(world.flespi, world.cursorFile).parts)(round());
    expect(report).toMatchObject({ outcome: "paused", messages: 0 });
    expect(report.pausedUntil! - Date.now()).toBeGreaterThan(3_590_000);
    expect(world.flespi.requests).toHaveLength(1);
  });

  test("to answer at all, the round ends with its time", async () => {
    world.flespi.fault = () => "hang";
    const receiving = makeReceiver(recording(world.flespi, world.cursorFile).parts)(
      round({ deadline: Date.now() + 300 }),
    );
    await expect(receiving).rejects.toThrow("flespi was not reached: TimeoutError");
  });

  test("to go on, for its next_key stands still, the round rejects instead of turning in a circle", async () => {
    world.flespi.fault = () => "still";
    world.flespi.add(position("a", 1));
    const { parts, received } = recording(world.flespi, world.cursorFile);
    await expect(makeReceiver(parts)(round())).rejects.toThrow("flespi's next_key 0 is not after curr_key 0");
    expect(received).toEqual([]);
  });

  test("and sends the receiver to another place, the token stays at home", async () => {
    await using elsewhere = await startFlespi();
    world.flespi.fault = () => ({ status: 307, location: `${elsewhere.url}/gw/channels/429/messages` });
    const receiving = makeReceiver(recording(world.flespi, world.cursorFile).parts)(round());
    await expect(receiving).rejects.toThrow("flespi was not reached");
    expect(elsewhere.mistakes).toEqual([]);
  });
});

describe("when a handler fails", () => {
  test("the cursor stays, the other handlers are left alone, and the page comes again to the one that failed", async () => {
    const { parts, received } = recording(world.flespi, world.cursorFile);
    let broken = true;
    const seen: string[] = [];
    const failing: FlespiHandler = {
      async handle(messages) {
        if (broken) throw new Error("the database is down");
        seen.push(...messages.map(({ id }) => id));
        return undefined;
      },
    };
    const receive = makeReceiver({ ...parts, handlers: [...parts.handlers, failing] });
    world.flespi.add(...many(4));
    await expect(receive(round())).rejects.toThrow("the database is down");
    await expect(world.nextKey()).rejects.toThrow("ENOENT");
    world.flespi.add(...many(5).slice(4));
    broken = false;
    await receive(round());
    expect(received.map(({ data }) => data)).toEqual(many(5));
    expect(seen).toEqual(received.map(({ id }) => id));
    expect(await world.nextKey()).toBe("6");
  });

  test("on one message alone, that message is a dead letter with the reason, and the others go on", async () => {
    const { parts, received, letters } = recording(world.flespi, world.cursorFile);
    const picky: FlespiHandler = {
      async handle(messages) {
        if (messages.some(({ ident }) => ident === "poison")) throw new Error("I do not like it");
        return undefined;
      },
    };
    world.flespi.add(...many(3), position("poison", 3), ...many(20));
    const report = await makeReceiver({ ...parts, handlers: [...parts.handlers, picky] })(round());
    expect(report).toMatchObject({ outcome: "drained", messages: 24, deadLetters: 1 });
    expect(received).toHaveLength(24);
    expect(letters).toEqual([
      {
        letter: {
          ...{ stage: "handle", reason: "Error: I do not like it", channelId: "429", key: "0" },
          ...{ id: expect.stringContaining("poison/"), ident: "poison" },
        },
        json: JSON.stringify(position("poison", 3)),
      },
    ]);
  });

  test("on some messages since AWS or the network fails, none of them is a dead letter", async () => {
    const { parts, letters } = recording(world.flespi, world.cursorFile);
    const throttled: FlespiHandler = {
      async handle(messages) {
        if (messages.length === 1 && messages[0]!.ident === "truck-0") return undefined;
        throw Object.assign(new Error("slow down"), {
          name: "ThrottlingException",
          $metadata: { httpStatusCode: 400 },
        });
      },
    };
    world.flespi.add(...many(6));
    await expect(makeReceiver({ ...parts, handlers: [throttled] })(round())).rejects.toThrow("slow down");
    expect(letters).toEqual([]);
  });

  test("and refuses messages by their ids, those are dead letters with its reasons", async () => {
    const { parts, letters } = recording(world.flespi, world.cursorFile);
    const refusing: FlespiHandler = { handle: async ([first]) => ({ [first!.id]: "the first one is always wrong" }) };
    world.flespi.add(...many(2));
    await makeReceiver({ ...parts, handlers: [...parts.handlers, refusing] })(round());
    expect(letters.map(({ letter }) => letter.reason)).toEqual(["the first one is always wrong"]);
  });

  test("and hangs, the round ends with its time, and the messages come again", async () => {
    const { parts } = recording(world.flespi, world.cursorFile);
    const hanging: FlespiHandler = { handle: () => new Promise(() => undefined) };
    world.flespi.add(...many(2));
    const receiving = makeReceiver({ ...parts, handlers: [hanging] })(round({ deadline: Date.now() + 300 }));
    await expect(receiving).rejects.toThrow("the handler did not finish in time");
    await expect(world.nextKey()).rejects.toThrow("ENOENT");
  });

  test("to keep a dead letter, the cursor stays", async () => {
    const { parts } = recording(world.flespi, world.cursorFile);
    const refuse = async () => Promise.reject(new Error("the queue is gone"));
    world.flespi.add("no object", position("truck", 1));
    await expect(makeReceiver({ ...parts, deadLetters: refuse })(round())).rejects.toThrow("the queue is gone");
    await expect(world.nextKey()).rejects.toThrow("ENOENT");
  });
});
