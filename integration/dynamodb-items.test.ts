import {
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  type PutItemCommandInput,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { describe, expect, it } from "vitest";
import { type Item, invalid, keyed, refusal, useDynamo } from "./harness/dynamodb";

const dynamo = useDynamo();

const put = (TableName: string, item: Item, options: Partial<PutItemCommandInput> = {}) =>
  dynamo.client.send(new PutItemCommand({ TableName, Item: item, ...options }));
const get = async (TableName: string, Key: Item) =>
  (await dynamo.client.send(new GetItemCommand({ TableName, Key }))).Item;

describe("an item", () => {
  it("comes back with every type it was stored with", async () => {
    const table = await dynamo.table();
    const item: Item = {
      pk: { S: "all" },
      text: { S: "" },
      number: { N: "-12.5" },
      bytes: { B: new Uint8Array([0, 255]) },
      yes: { BOOL: true },
      nothing: { NULL: true },
      texts: { SS: ["b", "a"] },
      numbers: { NS: ["2", "1"] },
      binaries: { BS: [new Uint8Array([1])] },
      list: { L: [{ S: "x" }, { M: { deep: { L: [] } } }] },
      map: { M: {} },
    };
    await put(table, item);
    expect(await get(table, { pk: { S: "all" } })).toEqual(item);
  });

  it("takes the place of the one with its key and gives the old one back when asked", async () => {
    const table = await dynamo.table();
    await put(table, { pk: { S: "1" }, a: { S: "old" } });
    const { Attributes } = await put(table, { pk: { S: "1" }, b: { S: "new" } }, { ReturnValues: "ALL_OLD" });
    expect(Attributes).toEqual({ pk: { S: "1" }, a: { S: "old" } });
    expect(await get(table, { pk: { S: "1" } })).toEqual({ pk: { S: "1" }, b: { S: "new" } });
  });

  it("is gone after a delete, which succeeds again and again", async () => {
    const table = await dynamo.table();
    await put(table, { pk: { S: "1" }, a: { S: "old" } });
    const remove = () =>
      dynamo.client.send(new DeleteItemCommand({ TableName: table, Key: { pk: { S: "1" } }, ReturnValues: "ALL_OLD" }));
    expect((await remove()).Attributes).toEqual({ pk: { S: "1" }, a: { S: "old" } });
    expect((await remove()).Attributes).toBeUndefined();
    expect(await get(table, { pk: { S: "1" } })).toBeUndefined();
  });

  it("may name its attributes after what JavaScript objects have", async () => {
    const table = await dynamo.table();
    const exists = (name: string) =>
      put(
        table,
        { pk: { S: "1" } },
        { ConditionExpression: "attribute_exists(#n)", ExpressionAttributeNames: { "#n": name } },
      );
    await expect(exists("constructor")).rejects.toEqual(refusal("ConditionalCheckFailedException", /conditional/));
    await put(table, { pk: { S: "1" }, constructor: { S: "c" }, toString: { S: "t" } } as unknown as Item);
    await expect(exists("constructor")).resolves.toBeDefined();
  });

  it.each([
    ["1.0", "1"],
    ["1e3", "1000"],
    ["-0", "0"],
    ["0.00100", "0.001"],
    ["+5", "5"],
    ["1E-130", `0.${"0".repeat(129)}1`],
    ["9.9999999999999999999999999999999999999E125", `${"9".repeat(38)}${"0".repeat(88)}`],
  ])("stores the number %s as %s", async (given, stored) => {
    const table = await dynamo.table();
    await put(table, { pk: { S: "n" }, n: { N: given } });
    expect((await get(table, { pk: { S: "n" } }))?.n).toEqual({ N: stored });
  });
});

describe("PutItem refuses", () => {
  const deep = (levels: number): Item[string] => (levels === 0 ? { S: "x" } : { L: [deep(levels - 1)] });

  it.each<[what: string, item: Item, message: string | RegExp]>([
    ["no key", { a: { S: "x" } }, "One or more parameter values were invalid: Missing the key pk in the item"],
    [
      "a key of another type",
      { pk: { N: "1" } },
      "One or more parameter values were invalid: Type mismatch for key pk expected: S actual: N",
    ],
    [
      "an empty key",
      { pk: { S: "" } },
      "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk",
    ],
    [
      "a key of over 2048 bytes",
      { pk: { S: "ä".repeat(1025) } },
      /Size of hashkey has exceeded the maximum size limit/,
    ],
    [
      "an empty set",
      { pk: { S: "1" }, a: { SS: [] } },
      "One or more parameter values were invalid: An string set  may not be empty",
    ],
    [
      "a set with a repeated text",
      { pk: { S: "1" }, a: { SS: ["x", "x"] } },
      "One or more parameter values were invalid: Input collection [x, x] contains duplicates.",
    ],
    [
      "a set with a repeated number",
      { pk: { S: "1" }, a: { NS: ["1", "1.0"] } },
      "Input collection contains duplicates",
    ],
    [
      "a number that is none",
      { pk: { S: "1" }, a: { N: "ten" } },
      "The parameter cannot be converted to a numeric value: ten",
    ],
    ["an empty number", { pk: { S: "1" }, a: { N: "" } }, "The parameter cannot be converted to a numeric value"],
    [
      "39 digits",
      { pk: { S: "1" }, a: { N: `1${"0".repeat(37)}1` } },
      "Attempting to store more than 38 significant digits in a Number",
    ],
    [
      "a number too large",
      { pk: { S: "1" }, a: { N: "1E126" } },
      "Number overflow. Attempting to store a number with magnitude larger than supported range",
    ],
    [
      "a number too small",
      { pk: { S: "1" }, a: { N: "1E-131" } },
      "Number underflow. Attempting to store a number with magnitude smaller than supported range",
    ],
    [
      "NULL that is false",
      { pk: { S: "1" }, a: { NULL: false } },
      "One or more parameter values were invalid: Null attribute value types must have the value of true",
    ],
    ["33 levels", { pk: { S: "1" }, a: deep(33) }, /^Nesting Levels have exceeded supported limits/],
  ])("%s", async (_, item, message) => {
    const table = await dynamo.table();
    await expect(put(table, item)).rejects.toEqual(invalid(message));
  });

  it("an item of more than 400 KB, and takes one of exactly that", async () => {
    const table = await dynamo.table();
    // pk + "1" + a + text
    const fits = 400 * 1024 - 4;
    await put(table, { pk: { S: "1" }, a: { S: "x".repeat(fits) } });
    await expect(put(table, { pk: { S: "1" }, a: { S: "x".repeat(fits + 1) } })).rejects.toEqual(
      invalid("Item size has exceeded the maximum allowed size"),
    );
  });

  it("takes 32 levels", async () => {
    const table = await dynamo.table();
    await expect(put(table, { pk: { S: "1" }, a: deep(32) })).resolves.toBeDefined();
  });

  it("a table that is not there", async () => {
    await expect(put("no-such-table", { pk: { S: "1" } })).rejects.toEqual(
      refusal("ResourceNotFoundException", "Requested resource not found"),
    );
  });

  it("a table name that cannot be", async () => {
    await expect(put("a!", { pk: { S: "1" } })).rejects.toEqual(
      invalid(/^2 validation errors detected: Value 'a!' at 'tableName'/),
    );
  });

  it("the return values of updates", async () => {
    const table = await dynamo.table();
    await expect(put(table, { pk: { S: "1" } }, { ReturnValues: "ALL_NEW" })).rejects.toEqual(
      invalid("Return values set to invalid value"),
    );
  });
});

describe("GetItem", () => {
  it("refuses a key that is not the table's", async () => {
    const table = await dynamo.table(keyed("N"));
    for (const key of [{ pk: { S: "1" } }, { pk: { S: "1" }, sk: { S: "1" } }, { pk: { S: "1" }, x: { N: "1" } }]) {
      await expect(get(table, key as unknown as Item)).rejects.toEqual(
        invalid("The provided key element does not match the schema"),
      );
    }
  });

  it("finds an item by a number written in another way", async () => {
    const table = await dynamo.table(keyed("N"));
    await dynamo.put(table, { pk: { S: "1" }, sk: { N: "100" } });
    expect(await get(table, { pk: { S: "1" }, sk: { N: "1.00e2" } })).toEqual({ pk: { S: "1" }, sk: { N: "100" } });
  });

  it("gives the parts that a projection names, list elements close together", async () => {
    const table = await dynamo.table();
    await dynamo.put(table, {
      pk: { S: "1" },
      a: { M: { b: { S: "x" }, c: { S: "y" } } },
      l: { L: [{ N: "0" }, { N: "1" }, { N: "2" }, { N: "3" }] },
      other: { S: "no" },
    });
    const { Item } = await dynamo.client.send(
      new GetItemCommand({
        TableName: table,
        Key: { pk: { S: "1" } },
        ProjectionExpression: "a.#b, l[3], l[1], nowhere.x",
        ExpressionAttributeNames: { "#b": "b" },
      }),
    );
    expect(Item).toEqual({ a: { M: { b: { S: "x" } } }, l: { L: [{ N: "1" }, { N: "3" }] } });
  });
});

describe("consumed capacity", () => {
  it("is one unit for each started KB written and 4 KB read, half when eventually consistent", async () => {
    const table = await dynamo.table();
    const { ConsumedCapacity: written } = await put(
      table,
      { pk: { S: "1" }, a: { S: "x".repeat(5_000) } },
      { ReturnConsumedCapacity: "TOTAL" },
    );
    expect(written).toEqual({ TableName: table, CapacityUnits: 5 });
    const read = async (ConsistentRead: boolean) =>
      (
        await dynamo.client.send(
          new GetItemCommand({
            TableName: table,
            Key: { pk: { S: "1" } },
            ConsistentRead,
            ReturnConsumedCapacity: "TOTAL",
          }),
        )
      ).ConsumedCapacity?.CapacityUnits;
    expect([await read(true), await read(false)]).toEqual([2, 1]);
  });

  it("of a write counts the larger of the old and the new item", async () => {
    const table = await dynamo.table();
    await put(table, { pk: { S: "1" }, a: { S: "x".repeat(3_000) } });
    const { ConsumedCapacity } = await dynamo.client.send(
      new UpdateItemCommand({
        TableName: table,
        Key: { pk: { S: "1" } },
        UpdateExpression: "REMOVE a",
        ReturnConsumedCapacity: "INDEXES",
      }),
    );
    expect(ConsumedCapacity).toEqual({ TableName: table, CapacityUnits: 3, Table: { CapacityUnits: 3 } });
  });

  it("counts indexes that the write changes, and only those", async () => {
    const table = await dynamo.table({
      ...keyed(),
      AttributeDefinitions: [
        { AttributeName: "pk", AttributeType: "S" },
        { AttributeName: "g", AttributeType: "S" },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: "by-g",
          KeySchema: [{ AttributeName: "g", KeyType: "HASH" }],
          Projection: { ProjectionType: "KEYS_ONLY" },
        },
      ],
    });
    const write = async (item: Item) =>
      (await put(table, { pk: { S: "1" }, ...item }, { ReturnConsumedCapacity: "INDEXES" })).ConsumedCapacity;
    expect(await write({})).toMatchObject({ CapacityUnits: 1 });
    expect(await write({ g: { S: "a" } })).toMatchObject({
      CapacityUnits: 2,
      GlobalSecondaryIndexes: { "by-g": { CapacityUnits: 1 } },
    });
    expect(await write({ g: { S: "a" }, other: { S: "x" } })).toMatchObject({ CapacityUnits: 1 });
    expect(await write({ g: { S: "b" } })).toMatchObject({
      CapacityUnits: 3,
      GlobalSecondaryIndexes: { "by-g": { CapacityUnits: 2 } },
    });
  });
});

it("answers with the size of an item collection for a table with a local index", async () => {
  const table = await dynamo.table({
    ...keyed("S"),
    AttributeDefinitions: [...keyed("S").AttributeDefinitions!, { AttributeName: "l", AttributeType: "S" }],
    LocalSecondaryIndexes: [
      {
        IndexName: "by-l",
        KeySchema: [
          { AttributeName: "pk", KeyType: "HASH" },
          { AttributeName: "l", KeyType: "RANGE" },
        ],
        Projection: { ProjectionType: "ALL" },
      },
    ],
  });
  const { ItemCollectionMetrics } = await put(
    table,
    { pk: { S: "1" }, sk: { S: "1" } },
    { ReturnItemCollectionMetrics: "SIZE" },
  );
  expect(ItemCollectionMetrics).toEqual({ ItemCollectionKey: { pk: { S: "1" } }, SizeEstimateRangeGB: [0, 1] });
});
