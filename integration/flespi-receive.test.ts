import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type FlespiHandler, makeReceiver, runReceiver } from "../handlers/flespi";
import { readMessages } from "../handlers/flespi/message";
import { channelOf, patience, recording, round, temporaryDirectory } from "./harness/flespi";
import { type ChannelFault, type FlespiStandin, position, startFlespi, token } from "./harness/flespi-standin";

let flespi: FlespiStandin;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let cursorFile: string;
beforeEach(async () => {
  // What goes wrong on purpose is told there.
  vi.spyOn(console, "warn").mockReturnValue(undefined);
  flespi = await startFlespi();
  directory = await temporaryDirectory();
  cursorFile = join(directory.path, "cursor.json");
});
afterEach(async () => {
  expect(flespi.mistakes).toEqual([]);
  await flespi[Symbol.asyncDispose]();
  await directory[Symbol.asyncDispose]();
});

const many = (count: number, ident = "truck") =>
  Array.from({ length: count }, (_, n) => position(`${ident}-${n % 3}`, n));
const nextKey = async () => JSON.parse(await readFile(cursorFile, "utf8")).nextKey as string;

describe("a receiver", () => {
  test("hands over a channel's messages in their order, page by page, and then what is new", async () => {
    const { parts, received } = recording(flespi, cursorFile);
    const receive = makeReceiver(parts);
    flespi.add(...many(25));
    expect(await receive(round())).toMatchObject({ outcome: "drained", pages: 3, messages: 25, deadLetters: 0 });
    expect(received.map(({ data }) => data)).toEqual(many(25));
    expect(flespi.requests.map(({ key }) => key)).toEqual([0, 11, 21, 26]);
    flespi.add(position("late", 25));
    expect(await receive(round())).toMatchObject({ messages: 1 });
    expect(received.at(-1)).toMatchObject({ ident: "late", timestamp: 1_706_905_195 });
  });

  test("keeps every digit of a message's numbers", async () => {
    const { parts, received } = recording(flespi, cursorFile);
    flespi.addJson('{"ident":"a","timestamp":1706905170.1725811111,"odometer":12345678901234567890,"text":"Grüße"}');
    await makeReceiver(parts)(round());
    expect(received[0]!.json).toBe(
      '{"ident":"a","timestamp":1706905170.1725811111,"odometer":12345678901234567890,"text":"Grüße"}',
    );
  });

  test("waits for the next message when it is told to", async () => {
    const { parts, received } = recording(flespi, cursorFile);
    const receiving = makeReceiver(parts)(round({ waitSeconds: 5 }));
    await expect.poll(() => flespi.requests.length).toBe(1);
    expect(flespi.requests[0]).toMatchObject({ waitSeconds: 5 });
    flespi.add(position("truck", 1));
    await expect.poll(() => flespi.requests.length).toBe(2);
    flespi.endWait();
    expect(await receiving).toMatchObject({ outcome: "drained", messages: 1 });
    expect(received).toHaveLength(1);
  });

  test("gives a message the same id whenever it comes, and another one to any other message", async () => {
    const { parts, received } = recording(flespi, cursorFile);
    flespi.add(position("a", 1), position("a", 2), position("b", 1));
    flespi.addJson(JSON.stringify(Object.fromEntries(Object.entries(position("a", 1)).reverse())));
    await makeReceiver(parts)(round());
    const ids = received.map(({ id }) => id);
    expect(new Set(ids).size).toBe(3);
    expect(ids[3]).toBe(ids[0]);
    expect(ids[0]).toMatch(/^a\/1706905171\/[\w-]{22}$/);
  });
});

describe("when flespi fails", () => {
  test.each<[string, ChannelFault]>([
    ["it answers 500", { status: 500 }],
    ["it answers 429", { status: 429 }],
    ["it refuses the connection", "refuse"],
    ["the connection breaks within the answer", "cut"],
    ["the answer is no JSON", "garbage"],
    ["the answer tells errors", "errors"],
  ])("after every third page, since %s, every message comes once", async (_, fault) => {
    flespi.fault = ({ number }) => (number % 3 === 0 ? fault : undefined);
    const { parts, received } = recording(flespi, cursorFile);
    flespi.add(...many(95));
    expect(await makeReceiver(parts)(round())).toMatchObject({ outcome: "drained", messages: 95 });
    expect(received.map(({ data }) => data)).toEqual(many(95));
  });

  test("and sends messages once more, they have the same ids as before", async () => {
    flespi.fault = ({ number }) => (number % 2 === 0 ? "repeat" : undefined);
    const { parts, received } = recording(flespi, cursorFile);
    flespi.add(...many(40));
    await makeReceiver(parts)(round());
    expect(received.length).toBeGreaterThan(40);
    expect(new Set(received.map(({ id }) => id)).size).toBe(40);
  });

  test("for good, the round rejects, and the next one begins where the last page ended", async () => {
    flespi.fault = ({ number }) => (number > 2 ? { status: 503, reason: "maintenance" } : undefined);
    const { parts, received } = recording(flespi, cursorFile);
    const receive = makeReceiver(parts);
    flespi.add(...many(25));
    await expect(receive(round())).rejects.toThrow("flespi answered HTTP 503: 503 maintenance");
    expect(flespi.requests).toHaveLength(5);
    expect(await nextKey()).toBe("21");
    flespi.fault = () => undefined;
    await receive(round());
    expect(received.map(({ data }) => data)).toEqual(many(25));
  });

  test.each([
    [{ status: 401, reason: `no such token ${token}` }, "flespi refused the token (HTTP 401): 401 no such token ***;"],
    [{ status: 403 }, "use one that may read channel 429"],
    [{ status: 404, reason: "no channel" }, "flespi answered HTTP 404: 404 no channel"],
  ])("with %j, it is not asked again, and nobody is told the token", async (fault, message) => {
    flespi.fault = () => fault;
    const failure = await makeReceiver(recording(flespi, cursorFile).parts)(round()).catch((error: Error) => error);
    expect(String(failure)).toContain(message);
    expect(JSON.stringify(failure) + String((failure as Error).stack)).not.toContain(token);
    expect(flespi.requests).toHaveLength(1);
  });

  test("and asks to come later than the round lasts, the round ends and says until when", async () => {
    flespi.fault = () => ({ status: 429, retryAfter: "3600" });
    const report = await makeReceiver(recording(flespi, cursorFile).parts)(round());
    expect(report).toMatchObject({ outcome: "paused", messages: 0 });
    expect(report.pausedUntil! - Date.now()).toBeGreaterThan(3_590_000);
    expect(flespi.requests).toHaveLength(1);
  });

  test("to answer at all, the round ends with its time", async () => {
    flespi.fault = () => "hang";
    const receiving = makeReceiver(recording(flespi, cursorFile).parts)(round({ deadline: Date.now() + 300 }));
    await expect(receiving).rejects.toThrow("flespi was not reached: TimeoutError");
  });

  test("to go on, for its next_key stands still, the round rejects instead of turning in a circle", async () => {
    flespi.fault = () => "still";
    flespi.add(position("a", 1));
    const { parts, received } = recording(flespi, cursorFile);
    await expect(makeReceiver(parts)(round())).rejects.toThrow("flespi's next_key 0 is not after curr_key 0");
    expect(received).toEqual([]);
  });

  test("and sends the receiver to another place, the token stays at home", async () => {
    await using elsewhere = await startFlespi();
    flespi.fault = () => ({ status: 307, location: `${elsewhere.url}/gw/channels/429/messages` });
    const receiving = makeReceiver(recording(flespi, cursorFile).parts)(round());
    await expect(receiving).rejects.toThrow("flespi was not reached");
    expect(elsewhere.mistakes).toEqual([]);
  });
});

describe("when a handler fails", () => {
  test("the cursor stays, the other handlers are left alone, and the page comes again to the one that failed", async () => {
    const { parts, received } = recording(flespi, cursorFile);
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
    flespi.add(...many(4));
    await expect(receive(round())).rejects.toThrow("the database is down");
    await expect(nextKey()).rejects.toThrow("ENOENT");
    flespi.add(...many(5).slice(4));
    broken = false;
    await receive(round());
    expect(received.map(({ data }) => data)).toEqual(many(5));
    expect(seen).toEqual(received.map(({ id }) => id));
    expect(await nextKey()).toBe("6");
  });

  test("on one message alone, that message is a dead letter with the reason, and the others go on", async () => {
    const { parts, received, letters } = recording(flespi, cursorFile);
    const picky: FlespiHandler = {
      async handle(messages) {
        if (messages.some(({ ident }) => ident === "poison")) throw new Error("I do not like it");
        return undefined;
      },
    };
    flespi.add(...many(3), position("poison", 3), ...many(20));
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
    const { parts, letters } = recording(flespi, cursorFile);
    const throttled: FlespiHandler = {
      async handle(messages) {
        if (messages.length === 1 && messages[0]!.ident === "truck-0") return undefined;
        throw Object.assign(new Error("slow down"), {
          name: "ThrottlingException",
          $metadata: { httpStatusCode: 400 },
        });
      },
    };
    flespi.add(...many(6));
    await expect(makeReceiver({ ...parts, handlers: [throttled] })(round())).rejects.toThrow("slow down");
    expect(letters).toEqual([]);
  });

  test("and refuses messages by their ids, those are dead letters with its reasons", async () => {
    const { parts, letters } = recording(flespi, cursorFile);
    const refusing: FlespiHandler = { handle: async ([first]) => ({ [first!.id]: "the first one is always wrong" }) };
    flespi.add(...many(2));
    await makeReceiver({ ...parts, handlers: [...parts.handlers, refusing] })(round());
    expect(letters.map(({ letter }) => letter.reason)).toEqual(["the first one is always wrong"]);
  });

  test("and hangs, the round ends with its time, and the messages come again", async () => {
    const { parts } = recording(flespi, cursorFile);
    const hanging: FlespiHandler = { handle: () => new Promise(() => undefined) };
    flespi.add(...many(2));
    const receiving = makeReceiver({ ...parts, handlers: [hanging] })(round({ deadline: Date.now() + 300 }));
    await expect(receiving).rejects.toThrow("the handler did not finish in time");
    await expect(nextKey()).rejects.toThrow("ENOENT");
  });

  test("to keep a dead letter, the cursor stays", async () => {
    const { parts } = recording(flespi, cursorFile);
    const refuse = async () => Promise.reject(new Error("the queue is gone"));
    flespi.add("no object", position("truck", 1));
    await expect(makeReceiver({ ...parts, deadLetters: refuse })(round())).rejects.toThrow("the queue is gone");
    await expect(nextKey()).rejects.toThrow("ENOENT");
  });
});

test.each([
  ["a text", "it is not a JSON object"],
  [null, "it is not a JSON object"],
  [[position("a", 1)], "it is not a JSON object"],
  [{ timestamp: 1 }, "the field ident must name the device"],
  [{ ident: 7 }, "the field ident must name the device"],
  [JSON.parse(`{"ident":"deep","x":${"[".repeat(40)}${"]".repeat(40)}}`), "it is nested deeper than 32 levels"],
])("%j in a channel is a dead letter, and what is around it goes on", async (poison, reason) => {
  const { parts, received, letters } = recording(flespi, cursorFile);
  flespi.add(position("a", 1), poison, position("a", 2));
  expect(await makeReceiver(parts)(round())).toMatchObject({ outcome: "drained", deadLetters: 1 });
  expect(received).toHaveLength(2);
  expect(letters).toEqual([
    { letter: { stage: "read", reason, channelId: "429", key: "0" }, json: JSON.stringify(poison) },
  ]);
});

test("a receiver that runs on tries again for ever, and ends after the page at hand when it is told to", async () => {
  vi.spyOn(console, "error").mockReturnValue(undefined);
  flespi.fault = ({ number }) => (number <= 4 ? { status: 502 } : undefined);
  flespi.add(...many(25));
  const { parts, received } = recording(flespi, cursorFile);
  const stop = new AbortController();
  const handler: FlespiHandler = {
    async handle(messages) {
      received.push(...messages);
      if (received.length === 20) stop.abort();
      return undefined;
    },
    close: async () => void closed.push("closed"),
  };
  const closed: string[] = [];
  await runReceiver({ ...parts, handlers: [handler] }, { signal: stop.signal, waitSeconds: 0 });
  expect(received).toHaveLength(20);
  expect(await nextKey()).toBe("21");
  expect(closed).toEqual(["closed"]);
});

test("a message that is nested beyond all bounds does not hold up the others", async () => {
  const { parts, received, letters } = recording(flespi, cursorFile);
  const deep = `${"[".repeat(50_000)}${"]".repeat(50_000)}`;
  flespi.addJson(`{"ident":"deep","exact":12345678901234567890,"x":${deep}}`);
  flespi.add(position("a", 1));
  expect(await makeReceiver(parts)(round())).toMatchObject({ outcome: "drained", deadLetters: 1 });
  expect(received.map(({ ident }) => ident)).toEqual(["a"]);
  expect(letters[0]?.letter.reason).toBe("it is nested deeper than 500 levels: only the channel has it");
});

test("whatever JSON a channel holds, each element is a message with a stable id, or a dead letter", () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue({ maxDepth: 4 })), fc.string(), (elements, ident) => {
      const some = [...elements, { ident, x: elements }, ...elements.map((x) => ({ ident: "a", timestamp: x, x }))];
      const { messages, refused } = readMessages(JSON.parse(JSON.stringify(some)));
      expect(messages.length + refused.length).toBe(some.length);
      for (const { id, json } of messages) {
        expect(id).toMatch(/^[\x21-\x7e]+$/);
        const turned = Object.fromEntries(Object.entries(JSON.parse(json)).reverse());
        expect(readMessages([turned]).messages[0]?.id).toBe(id);
      }
    }),
  );
});

describe("a cursor in a file", () => {
  test("is where the next process goes on", async () => {
    flespi.add(...many(12));
    await makeReceiver(recording(flespi, cursorFile).parts)(round());
    const next = recording(flespi, cursorFile);
    flespi.add(position("next", 12));
    await makeReceiver(next.parts)(round());
    expect(next.received.map(({ ident }) => ident)).toEqual(["next"]);
  });

  test("set back, or deleted, lets the same receiver read the channel again", async () => {
    flespi.add(...many(12));
    const { parts, received } = recording(flespi, cursorFile);
    const receive = makeReceiver(parts);
    await receive(round());
    await writeFile(cursorFile, JSON.stringify({ channelId: "429", nextKey: "11" }));
    expect(await receive(round())).toMatchObject({ messages: 2 });
    expect(received).toHaveLength(14);
    await rm(cursorFile);
    await receive(round());
    expect(received).toHaveLength(26);
  });

  test("goes on after messages that flespi has deleted in the meantime", async () => {
    flespi.add(...many(12));
    const { parts, received } = recording(flespi, cursorFile);
    flespi.expire(6);
    await makeReceiver(parts)(round());
    expect(received).toHaveLength(7);
  });

  test.each([
    "",
    "{",
    '{"channelId":"429"}',
    '{"channelId":"429","nextKey":-1}',
    "null",
    '{"channelId":"1","nextKey":"5"}',
  ])("that holds %j is refused with its name and the cure, and left as it is", async (content) => {
    await writeFile(cursorFile, content);
    const receiving = makeReceiver(recording(flespi, cursorFile).parts)(round());
    await expect(receiving).rejects.toThrow(/^the cursor file .*cursor\.json .*; name another file, or delete it/);
    expect(await readFile(cursorFile, "utf8")).toBe(content);
  });
});

/** What goes wrong, one after the other; then all goes well. */
const troubles = fc.record({
  count: fc.integer({ min: 0, max: 60 }),
  limitCount: fc.integer({ min: 2, max: 12 }),
  channel: fc.array(
    fc.option(
      fc.constantFrom<ChannelFault>("refuse", "cut", "garbage", "errors", "repeat", { status: 500 }, { status: 429 }),
    ),
    { maxLength: 40 },
  ),
  handlers: fc.array(fc.array(fc.constantFrom("well", "before", "half", "after"), { maxLength: 20 }), {
    minLength: 1,
    maxLength: 2,
  }),
  /** After how many handed pages the process is replaced by a new one. */
  restarts: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 4 }),
});

test("whatever fails, and however often the process is replaced: all is handled, and the cursor is never ahead of it", async () => {
  await fc.assert(
    fc.asyncProperty(troubles, async ({ count, limitCount, channel, handlers, restarts }) => {
      await using standin = await startFlespi();
      await using place = await temporaryDirectory();
      const file = join(place.path, "cursor.json");
      standin.add(...many(count));
      standin.fault = ({ number }) => channel[number - 1] ?? undefined;
      // A message that fails alone, while its neighbours do not, is a dead letter.
      const dead: string[] = [];
      const handled = handlers.map(() => new Set<string>());
      const settled = () => handled.map((ofHandler) => new Set([...ofHandler, ...dead]).size);
      const scripts = handlers.map((script) => [...script]);
      const stops = [...restarts];
      const ahead: string[] = [];
      let pages = 0;

      const start = () => {
        const stop = new AbortController();
        const { parts } = recording(standin, file);
        const made = scripts.map(
          (script, i): FlespiHandler => ({
            async handle(messages) {
              const step = script.shift() ?? "well";
              const kept = {
                well: messages.length,
                before: 0,
                half: Math.ceil(messages.length / 2),
                after: messages.length,
              };
              for (const { id } of messages.slice(0, kept[step])) handled[i]!.add(id);
              if (++pages === stops[0]) {
                stops.shift();
                pages = 0;
                stop.abort();
              }
              if (step !== "well") throw new Error(step);
              return undefined;
            },
          }),
        );
        const cursor = {
          ...parts.cursor,
          async move(from: string, to: string) {
            for (const size of settled()) if (size < Number(to) - 1) ahead.push(`${to} after ${size}`);
            return parts.cursor.move(from, to);
          },
        };
        const receive = makeReceiver({
          ...{ cursor, patience, handlers: made, channel: channelOf(standin, { limitCount }) },
          deadLetters: async (letters) => void dead.push(...letters.map(({ letter }) => letter.id!)),
        });
        return { receive, stop };
      };

      let { receive, stop } = start();
      for (let rounds = 0; ; rounds++) {
        expect(rounds).toBeLessThan(200);
        const report = await receive(round({ signal: stop.signal })).catch((error: Error) => error);
        if (!(report instanceof Error) && report.outcome === "drained") break;
        if (stop.signal.aborted) ({ receive, stop } = start());
      }
      expect(ahead).toEqual([]);
      for (const size of settled()) expect(size).toBe(count);
      expect(JSON.parse(await readFile(file, "utf8").catch(() => '{"nextKey":"1"}')).nextKey).toBe(String(count + 1));
      expect(standin.mistakes).toEqual([]);
    }),
    { numRuns: 50 },
  );
}, 60_000);
