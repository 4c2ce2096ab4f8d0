import { CreateTableCommand, DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { type Cursor, type FlespiHandler, makeReceiver, tableCursor } from "../handlers/flespi";
import { settings, useEmulator } from "./harness/emulator";
import { channelOf, patience, round } from "./harness/flespi";
import { channelId, position, startFlespi } from "./harness/flespi-standin";

const emulator = useEmulator();
let dynamodb: DynamoDBClient;
beforeAll(() => {
  dynamodb = new DynamoDBClient(settings(emulator.current));
});
afterAll(() => dynamodb.destroy());

let table: string;
let tables = 0;
beforeEach(async () => {
  table = `cursors-${++tables}`;
  await dynamodb.send(
    new CreateTableCommand({
      TableName: table,
      BillingMode: "PAY_PER_REQUEST",
      KeySchema: [{ AttributeName: "channel", KeyType: "HASH" }],
      AttributeDefinitions: [{ AttributeName: "channel", AttributeType: "S" }],
    }),
  );
});
const cursor = (channel = String(channelId)) => tableCursor(() => dynamodb, table, channel);
const row = async () => {
  const Key = { channel: { S: String(channelId) } };
  return (await dynamodb.send(new GetItemCommand({ TableName: table, Key }))).Item;
};
const soon = () => Date.now() + 60_000;

describe("a cursor in a table", () => {
  test("is held by one receiver at a time, until it gives it back", async () => {
    const [one, two] = [cursor(), cursor()];
    expect(await one.open(soon())).toBe("0");
    expect(await two.open(soon())).toBeUndefined();
    expect(await one.open(soon())).toBe("0");
    expect(await one.move("0", "9")).toBe(true);
    await one.close();
    expect(await two.open(soon())).toBe("9");
    expect(await one.open(soon())).toBeUndefined();
  });

  test("is taken over from a receiver whose time is over, and does not go back when that one wakes up", async () => {
    const [sleeper, next] = [cursor(), cursor()];
    await sleeper.open(Date.now() - 1);
    await next.open(soon());
    expect(await next.move("0", "20")).toBe(true);
    expect(await sleeper.move("0", "10")).toBe(false);
    expect((await row())?.nextKey).toEqual({ S: "20" });
    // Giving back what it does not have changes nothing.
    await sleeper.close();
    expect(await cursor().open(soon())).toBeUndefined();
  });

  test("may be given back to nobody before a time", async () => {
    const one = cursor();
    await one.open(soon());
    await one.close(soon());
    expect(await one.open(soon())).toBeUndefined();
    expect(await cursor().open(soon())).toBeUndefined();
  });

  test("is another one for each channel", async () => {
    await cursor("1").open(soon());
    expect(await cursor("2").open(soon())).toBe("0");
  });
});

test("receivers that are at work at the same time lose nothing, and never move the cursor back", async () => {
  vi.spyOn(console, "warn").mockReturnValue(undefined);
  await using flespi = await startFlespi();
  flespi.add(...Array.from({ length: 120 }, (_, n) => position("truck", n)));
  const handled = new Set<unknown>();
  const moves: [number, number][] = [];
  const receiver = () => {
    const base = cursor();
    // Whose clocks are so wrong that nobody's time is ever theirs alone.
    const wrong: Cursor = {
      ...base,
      open: () => base.open(Date.now() - 1),
      async move(from, to) {
        const before = handled.size;
        expect(before).toBeGreaterThanOrEqual(Number(to) - 1);
        const moved = await base.move(from, to);
        if (moved) moves.push([Number(from), Number(to)]);
        return moved;
      },
    };
    const handler: FlespiHandler = {
      async handle(messages) {
        for (const { data } of messages) handled.add(data.timestamp);
        return undefined;
      },
    };
    const channel = channelOf(flespi, { limitCount: 7 });
    return makeReceiver({ channel, cursor: wrong, handlers: [handler], patience, deadLetters: async () => undefined });
  };
  const reports = await Promise.all(Array.from({ length: 3 }, () => receiver()(round())));
  // One is told to be busy when another took the row in the same millisecond.
  expect(reports.map(({ outcome }) => outcome)).toContain("drained");
  expect(handled.size).toBe(120);
  for (const [i, [from, to]] of moves.entries()) {
    expect(from).toBe(moves[i - 1]?.[1] ?? 0);
    expect(to).toBeGreaterThan(from);
  }
  expect((await row())?.nextKey).toEqual({ S: "121" });
  expect(flespi.mistakes).toEqual([]);
});
