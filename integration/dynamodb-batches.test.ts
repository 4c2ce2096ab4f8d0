import {
  BatchGetItemCommand,
  type BatchGetItemCommandInput,
  BatchWriteItemCommand,
  type BatchWriteItemCommandInput,
  ScanCommand,
} from "@aws-sdk/client-dynamodb";
import { describe, expect, it } from "vitest";
import { invalid, refusal, useDynamo } from "./harness/dynamodb";

const dynamo = useDynamo();
const key = (name: string) => ({ pk: { S: name } });
const putOf = (name: string) => ({ PutRequest: { Item: key(name) } });
const write = (
  RequestItems: BatchWriteItemCommandInput["RequestItems"],
  more: Partial<BatchWriteItemCommandInput> = {},
) => dynamo.client.send(new BatchWriteItemCommand({ RequestItems, ...more }));
const read = (RequestItems: BatchGetItemCommandInput["RequestItems"], more: Partial<BatchGetItemCommandInput> = {}) =>
  dynamo.client.send(new BatchGetItemCommand({ RequestItems, ...more }));
const count = async (TableName: string) => (await dynamo.client.send(new ScanCommand({ TableName }))).Count;
const many = (length: number) => Array.from({ length }, (_, i) => `k${i}`);

describe("BatchWriteItem", () => {
  it("puts and deletes in several tables and leaves nothing unprocessed", async () => {
    const [a, b] = [await dynamo.table(), await dynamo.table()];
    await dynamo.put(a, key("old"));
    const answer = await write(
      { [a]: [putOf("1"), { DeleteRequest: { Key: key("old") } }], [b]: [putOf("2")] },
      { ReturnConsumedCapacity: "TOTAL" },
    );
    expect(answer.UnprocessedItems).toEqual({});
    expect(answer.ConsumedCapacity).toEqual([
      { TableName: a, CapacityUnits: 2 },
      { TableName: b, CapacityUnits: 1 },
    ]);
    expect([await count(a), await count(b)]).toEqual([1, 1]);
  });

  it("refuses one item named twice, and writes nothing", async () => {
    const table = await dynamo.table();
    await expect(write({ [table]: [putOf("1"), { DeleteRequest: { Key: key("1") } }] })).rejects.toEqual(
      invalid("Provided list of item keys contains duplicates"),
    );
    expect(await count(table)).toBe(0);
  });

  it("refuses more than 25 writes", async () => {
    const [a, b] = [await dynamo.table(), await dynamo.table()];
    await write({ [a]: many(25).map(putOf) });
    expect(await count(a)).toBe(25);
    await expect(write({ [a]: many(26).map(putOf) })).rejects.toEqual(
      invalid(/Map value must satisfy constraint: \[Member must have length less than or equal to 25/),
    );
    await expect(write({ [a]: many(20).map(putOf), [b]: many(6).map(putOf) })).rejects.toEqual(
      invalid("Too many items requested for the BatchWriteItem call"),
    );
  });

  it("refuses a table that is not there before it writes to another", async () => {
    const table = await dynamo.table();
    await expect(write({ [table]: [putOf("1")], "no-such-table": [putOf("1")] })).rejects.toEqual(
      refusal("ResourceNotFoundException", "Requested resource not found"),
    );
    expect(await count(table)).toBe(0);
  });
});

describe("BatchGetItem", () => {
  it("gives the items that are there", async () => {
    const table = await dynamo.table();
    await dynamo.put(table, { ...key("1"), a: { S: "x" } }, { ...key("2"), a: { S: "y" } });
    const answer = await read(
      { [table]: { Keys: [key("1"), key("2"), key("3")], ProjectionExpression: "a", ConsistentRead: true } },
      { ReturnConsumedCapacity: "TOTAL" },
    );
    expect(answer.Responses?.[table]).toEqual([{ a: { S: "x" } }, { a: { S: "y" } }]);
    expect(answer.UnprocessedKeys).toEqual({});
    expect(answer.ConsumedCapacity).toEqual([{ TableName: table, CapacityUnits: 3 }]);
  });

  it("leaves keys unprocessed past 16 MB", async () => {
    const table = await dynamo.table();
    const names = many(45);
    for (const name of names) await dynamo.put(table, { ...key(name), a: { S: "x".repeat(390 * 1024) } });
    const { Responses, UnprocessedKeys } = await read({ [table]: { Keys: names.map(key) } });
    expect(Responses?.[table]).toHaveLength(42);
    expect(UnprocessedKeys?.[table]?.Keys).toEqual(names.slice(42).map(key));
  });

  it("refuses one key twice and more than 100 keys", async () => {
    const table = await dynamo.table();
    await expect(read({ [table]: { Keys: [key("1"), key("1")] } })).rejects.toEqual(
      invalid("Provided list of item keys contains duplicates"),
    );
    await expect(read({ [table]: { Keys: many(101).map(key) } })).rejects.toEqual(
      invalid(/Member must have length less than or equal to 100$/),
    );
  });
});

it("members that are null on the wire are refused like missing ones", async () => {
  const table = await dynamo.table();
  const send = async (operation: string, body: object) => {
    const response = await fetch(dynamo.emulator.endpoint, {
      method: "POST",
      headers: {
        "content-type": "application/x-amz-json-1.0",
        "x-amz-target": `DynamoDB_20120810.${operation}`,
        authorization:
          "AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0",
      },
      body: JSON.stringify(body),
    });
    return { status: response.status, ...((await response.json()) as { message: string }) };
  };
  const refused = { status: 400, message: expect.stringMatching(/^1 validation error detected: Value null at /) };
  for (const [operation, body] of [
    ["BatchWriteItem", { RequestItems: { [table]: null } }],
    ["BatchGetItem", { RequestItems: { [table]: null } }],
    ["Query", { TableName: table, KeyConditions: { pk: null } }],
    ["Scan", { TableName: table, ScanFilter: { a: null } }],
    ["PutItem", { TableName: table, Item: key("1"), Expected: { a: null } }],
    ["UpdateItem", { TableName: table, Key: key("1"), AttributeUpdates: { a: null } }],
  ] as const) {
    expect(await send(operation, body), operation).toMatchObject(refused);
  }
});
