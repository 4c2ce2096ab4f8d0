import {
  type AttributeValue,
  BatchWriteItemCommand,
  DeleteItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addNumbers, compareNumbers, normaliseNumber, sortableNumber } from "../emulator/services/dynamodb/number";
import { SortedList } from "../emulator/services/dynamodb/sorted-list";
import { type Change, Table } from "../emulator/services/dynamodb/table";
import { type Item, keyed, useDynamo } from "./harness/dynamodb";

const dynamo = useDynamo();

describe("numbers", () => {
  /** A decimal as a whole number of 10^-40: the reference that the texts are held to. */
  const decimal = fc
    .record({ digits: fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }), exponent: fc.integer({ min: -20, max: 18 }) })
    .map(({ digits, exponent }) => ({
      text: `${digits}E${exponent}`,
      scaled: digits * 10n ** BigInt(exponent + 40),
    }));
  const scaledOf = (normal: string): bigint => {
    const [, sign, whole, fraction = ""] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(normal)!;
    return BigInt(`${sign}${whole}${fraction.padEnd(40, "0")}`);
  };

  it("keep their value, in the one text that has no exponent and no needless zero", () => {
    fc.assert(
      fc.property(decimal, ({ text, scaled }) => {
        const normal = normaliseNumber(text);
        expect(scaledOf(normal)).toBe(scaled);
        expect(normal).toMatch(/^(0|-?([1-9]\d*|0)(\.\d*[1-9])?)$/);
        expect(normaliseNumber(normal)).toBe(normal);
      }),
    );
  });

  it("add and subtract exactly, or say that the result has too many digits", () => {
    fc.assert(
      fc.property(decimal, decimal, fc.boolean(), (a, b, subtract) => {
        const expected = subtract ? a.scaled - b.scaled : a.scaled + b.scaled;
        const add = () => addNumbers(normaliseNumber(a.text), normaliseNumber(b.text), subtract);
        if (String(expected).replace(/^-|0+$/g, "").length > 38) expect(add).toThrow(/more than 38 significant digits/);
        else expect(scaledOf(add())).toBe(expected);
      }),
    );
  });

  it("compare by value, and so do the texts that sort them", () => {
    fc.assert(
      fc.property(decimal, decimal, (a, b) => {
        const [x, y] = [normaliseNumber(a.text), normaliseNumber(b.text)];
        const expected = a.scaled < b.scaled ? -1 : a.scaled > b.scaled ? 1 : 0;
        expect(Math.sign(compareNumbers(x, y))).toBe(expected);
        const [s, t] = [sortableNumber(x), sortableNumber(y)];
        expect(s < t ? -1 : s > t ? 1 : 0).toBe(expected);
      }),
    );
  });
});

it("a sorted list keeps its order through any insertions and removals", () => {
  const operation = fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 2_000 }));
  fc.assert(
    fc.property(
      fc.array(operation, { minLength: 500, maxLength: 3_000, size: "max" }),
      fc.nat(2_000),
      (operations, bound) => {
        const list = new SortedList<number>((a, b) => a - b);
        const model = new Set<number>();
        for (const [insert, value] of operations) {
          if (insert) {
            expect(list.insert(value)).toBe(model.has(value) ? value : undefined);
            model.add(value);
          } else {
            expect(list.remove(value)).toBe(model.delete(value) ? value : undefined);
          }
        }
        const sorted = [...model].sort((a, b) => a - b);
        const collect = (direction: "forward" | "backward") => {
          const seen: number[] = [];
          list[direction](
            (value) => value < bound,
            (value) => seen.push(value) > 0,
          );
          return seen;
        };
        expect(list.size).toBe(sorted.length);
        expect(collect("forward")).toEqual(sorted.filter((value) => value >= bound));
        expect(collect("backward")).toEqual(sorted.filter((value) => value < bound).reverse());
      },
    ),
    { numRuns: 20 },
  );
});

const sortValue = fc.oneof(
  fc.integer({ min: -30, max: 30 }),
  fc.integer({ min: -300, max: 300 }).map((n) => n / 10),
);
const itemsOf = fc.uniqueArray(fc.tuple(fc.constantFrom("a", "b"), sortValue, fc.integer({ min: 0, max: 3 })), {
  selector: ([pk, sk]) => `${pk}/${sk}`,
  maxLength: 25,
});
const toItem = ([pk, sk, v]: [string, number, number]): Item => ({
  pk: { S: pk },
  sk: { N: String(sk) },
  v: { N: String(v) },
});

async function tableWith(items: readonly [string, number, number][]): Promise<string> {
  const table = await dynamo.table(keyed("N"));
  if (items.length > 0) {
    await dynamo.client.send(
      new BatchWriteItemCommand({
        RequestItems: { [table]: items.map((item) => ({ PutRequest: { Item: toItem(item) } })) },
      }),
    );
  }
  return table;
}

const comparisons: Record<string, (sk: number, a: number, b: number) => boolean> = {
  "sk = :a": (sk, a) => sk === a,
  "sk < :a": (sk, a) => sk < a,
  "sk <= :a": (sk, a) => sk <= a,
  "sk > :a": (sk, a) => sk > a,
  "sk >= :a": (sk, a) => sk >= a,
  "sk BETWEEN :a AND :b": (sk, a, b) => sk >= a && sk <= b,
};

it("a query gives what a filter over all items gives, whole or page by page, forwards or backwards", async () => {
  await fc.assert(
    fc.asyncProperty(
      itemsOf,
      fc.constantFrom(...Object.keys(comparisons)),
      fc.tuple(sortValue, sortValue).map((bounds) => bounds.sort((x, y) => x - y)),
      fc.boolean(),
      fc.integer({ min: 1, max: 5 }),
      async (items, condition, bounds, ScanIndexForward, Limit) => {
        const [a, b] = bounds as [number, number];
        const table = await tableWith(items);
        const values: Record<string, AttributeValue> = { ":p": { S: "a" }, ":a": { N: `${a}` }, ":z": { N: "0" } };
        if (condition.includes(":b")) values[":b"] = { N: `${b}` };
        const input = {
          TableName: table,
          KeyConditionExpression: `pk = :p AND ${condition}`,
          FilterExpression: "v > :z",
          ExpressionAttributeValues: values,
          ScanIndexForward,
        };
        const inRange = items
          .filter(([pk, sk]) => pk === "a" && comparisons[condition]!(sk, a, b))
          .sort(([, x], [, y]) => (ScanIndexForward ? x - y : y - x));
        const expected = inRange.filter(([, , v]) => v > 0).map(toItem);
        const whole = await dynamo.client.send(new QueryCommand(input));
        expect(whole.Items).toEqual(expected);
        expect(whole.ScannedCount).toBe(inRange.length);
        const paged: Item[] = [];
        let ExclusiveStartKey: Item | undefined;
        do {
          const page = await dynamo.client.send(new QueryCommand({ ...input, Limit, ExclusiveStartKey }));
          expect(page.ScannedCount).toBeLessThanOrEqual(Limit);
          paged.push(...page.Items!);
          ExclusiveStartKey = page.LastEvaluatedKey;
        } while (ExclusiveStartKey);
        expect(paged).toEqual(expected);
      },
    ),
    { numRuns: 40 },
  );
});

const writes = fc.array(
  fc.record({
    kind: fc.constantFrom("put", "add", "delete"),
    pk: fc.constantFrom("a", "b", "c"),
    sk: fc.integer({ min: 0, max: 3 }),
    v: fc.integer({ min: 0, max: 9 }),
  }),
  { maxLength: 25 },
);

it("any sequence of writes leaves table and index as the same writes leave a plain map", async () => {
  await fc.assert(
    fc.asyncProperty(writes, async (operations) => {
      const table = await dynamo.table({
        ...keyed("N"),
        AttributeDefinitions: [...keyed("N").AttributeDefinitions!, { AttributeName: "v", AttributeType: "N" }],
        GlobalSecondaryIndexes: [
          {
            IndexName: "by-v",
            KeySchema: [{ AttributeName: "v", KeyType: "HASH" }],
            Projection: { ProjectionType: "ALL" },
          },
        ],
      });
      const model = new Map<string, Item>();
      for (const { kind, pk, sk, v } of operations) {
        const Key = { pk: { S: pk }, sk: { N: `${sk}` } };
        const name = `${pk}/${sk}`;
        const old = model.get(name);
        const value = { v: { N: `${v}` } };
        if (kind === "put") {
          await dynamo.client.send(new PutItemCommand({ TableName: table, Item: { ...Key, ...value } }));
          model.set(name, { ...Key, ...value });
        } else if (kind === "add") {
          const update = { UpdateExpression: "ADD v :v", ExpressionAttributeValues: { ":v": { N: `${v}` } } };
          await dynamo.client.send(new UpdateItemCommand({ TableName: table, Key, ...update }));
          model.set(name, { ...Key, v: { N: `${Number(old?.v?.N ?? 0) + v}` } });
        } else {
          await dynamo.client.send(new DeleteItemCommand({ TableName: table, Key }));
          model.delete(name);
        }
      }
      const sorted = (items: Iterable<Item> | undefined) =>
        [...(items ?? [])].map((item) => `${item.pk!.S}/${item.sk!.N}=${item.v!.N}`).sort();
      for (const IndexName of [undefined, "by-v"]) {
        const { Items } = await dynamo.client.send(new ScanCommand({ TableName: table, IndexName }));
        expect(sorted(Items)).toEqual(sorted(model.values()));
      }
    }),
    { numRuns: 20 },
  );
});

it("a table tells of every change with the item before and after, and of nothing else", () => {
  const table = new Table(
    "observed",
    { account: "000000000000", region: "eu-west-1" },
    new Date(0),
    keyed().KeySchema!,
    keyed().AttributeDefinitions!,
    {
      billing: "PAY_PER_REQUEST",
      throughput: { ReadCapacityUnits: 0, WriteCapacityUnits: 0 },
      deletionProtection: false,
    },
    () => 0,
  );
  const changes: Change[] = [];
  const stop = table.observe((change) => changes.push(change));
  const write = (item: Item) => table.put(table.keys.keyOfItem(item), item, 10);
  const [keys, one, two] = [{ pk: { S: "1" } }, { pk: { S: "1" }, a: { N: "1" } }, { pk: { S: "1" }, a: { N: "2" } }];
  write(one);
  write({ ...one });
  write(two);
  table.delete(table.keys.keyOf(keys), undefined, true);
  table.delete(table.keys.keyOf(keys));
  stop();
  write(one);
  expect(changes).toEqual([
    { event: "INSERT", keys, oldImage: undefined, newImage: one, expired: false },
    { event: "MODIFY", keys, oldImage: one, newImage: two, expired: false },
    { event: "REMOVE", keys, oldImage: two, newImage: undefined, expired: true },
  ]);
});
