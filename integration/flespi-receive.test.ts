import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { type FlespiHandler, makeReceiver, runReceiver } from "../handlers/flespi";
import { readMessages } from "../handlers/flespi/message";
import { channelOf, patience, recording, round, temporaryDirectory } from "./harness/flespi";
import { many, useFlespi } from "./harness/flespi-channel";
import { type ChannelFault, position, startFlespi } from "./harness/flespi-standin";

const world = useFlespi();

describe("a receiver", () => {
  test("hands over a channel's messages in their order, page by page, and then what is new", async () => {
    const { parts, received } = recording(world.flespi, world.cursorFile);
    const receive = makeReceiver(parts);
    world.flespi.add(...many(25));
    expect(await receive(round())).toMatchObject({ outcome: "drained", pages: 3, messages: 25, deadLetters: 0 });
    expect(received.map(({ data }) => data)).toEqual(many(25));
    expect(world.flespi.requests.map(({ key }) => key)).toEqual([0, 11, 21, 26]);
    world.flespi.add(position("late", 25));
    expect(await receive(round())).toMatchObject({ messages: 1 });
    expect(received.at(-1)).toMatchObject({ ident: "late", timestamp: 1_706_905_195 });
  });

  test("keeps every digit of a message's numbers", async () => {
    const { parts, received } = recording(world.flespi, world.cursorFile);
    world.flespi.addJson(
      '{"ident":"a","timestamp":1706905170.1725811111,"odometer":12345678901234567890,"text":"Grüße"}',
    );
    await makeReceiver(parts)(round());
    expect(received[0]!.json).toBe(
      '{"ident":"a","timestamp":1706905170.1725811111,"odometer":12345678901234567890,"text":"Grüße"}',
    );
  });

  test("waits for the next message when it is told to", async () => {
    const { parts, received } = recording(world.flespi, world.cursorFile);
    const receiving = makeReceiver(parts)(round({ waitSeconds: 5 }));
    await expect.poll(() => world.flespi.requests.length).toBe(1);
    expect(world.flespi.requests[0]).toMatchObject({ waitSeconds: 5 });
    world.flespi.add(position("truck", 1));
    await expect.poll(() => world.flespi.requests.length).toBe(2);
    world.flespi.endWait();
    expect(await receiving).toMatchObject({ outcome: "drained", messages: 1 });
    expect(received).toHaveLength(1);
  });

  test("gives a message the same id whenever it comes, and another one to any other message", async () => {
    const { parts, received } = recording(world.flespi, world.cursorFile);
    world.flespi.add(position("a", 1), position("a", 2), position("b", 1));
    world.flespi.addJson(JSON.stringify(Object.fromEntries(Object.entries(position("a", 1)).reverse())));
    await makeReceiver(parts)(round());
    const ids = received.map(({ id }) => id);
    expect(new Set(ids).size).toBe(3);
    expect(ids[3]).toBe(ids[0]);
    expect(ids[0]).toMatch(/^a\/1706905171\/[\w-]{22}$/);
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
  const { parts, received, letters } = recording(world.flespi, world.cursorFile);
  world.flespi.add(position("a", 1), poison, position("a", 2));
  expect(await makeReceiver(parts)(round())).toMatchObject({ outcome: "drained", deadLetters: 1 });
  expect(received).toHaveLength(2);
  expect(letters).toEqual([
    { letter: { stage: "read", reason, channelId: "429", key: "0" }, json: JSON.stringify(poison) },
  ]);
});

test("a receiver that runs on tries again for ever, and ends after the page at hand when it is told to", async () => {
  vi.spyOn(console, "error").mockReturnValue(undefined);
  world.flespi.fault = ({ number }) => (number <= 4 ? { status: 502 } : undefined);
  world.flespi.add(...many(25));
  const { parts, received } = recording(world.flespi, world.cursorFile);
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
  expect(await world.nextKey()).toBe("21");
  expect(closed).toEqual(["closed"]);
});

test("a message that is nested beyond all bounds does not hold up the others", async () => {
  const { parts, received, letters } = recording(world.flespi, world.cursorFile);
  const deep = `${"[".repeat(50_000)}${"]".repeat(50_000)}`;
  world.flespi.addJson(`{"ident":"deep","exact":12345678901234567890,"x":${deep}}`);
  world.flespi.add(position("a", 1));
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
    world.flespi.add(...many(12));
    await makeReceiver(recording(world.flespi, world.cursorFile).parts)(round());
    const next = recording(world.flespi, world.cursorFile);
    world.flespi.add(position("next", 12));
    await makeReceiver(next.parts)(round());
    expect(next.received.map(({ ident }) => ident)).toEqual(["next"]);
  });

  test("set back, or deleted, lets the same receiver read the channel again", async () => {
    world.flespi.add(...many(12));
    const { parts, received } = recording(world.flespi, world.cursorFile);
    const receive = makeReceiver(parts);
    await receive(round());
    await writeFile(world.cursorFile, JSON.stringify({ channelId: "429", nextKey: "11" }));
    expect(await receive(round())).toMatchObject({ messages: 2 });
    expect(received).toHaveLength(14);
    await rm(world.cursorFile);
    await receive(round());
    expect(received).toHaveLength(26);
  });

  test("goes on after messages that flespi has deleted in the meantime", async () => {
    world.flespi.add(...many(12));
    const { parts, received } = recording(world.flespi, world.cursorFile);
    world.flespi.expire(6);
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
    await writeFile(world.cursorFile, content);
    const receiving = makeReceiver(recording(world.flespi, world.cursorFile).parts)(round());
    await expect(receiving).rejects.toThrow(/^the cursor file .*cursor\.json .*; name another file, or delete it/);
    expect(await readFile(world.cursorFile, "utf8")).toBe(content);
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
