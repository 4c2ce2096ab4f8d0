import {
  GetItemCommand,
  TransactGetItemsCommand,
  type TransactWriteItem,
  TransactWriteItemsCommand,
  type TransactWriteItemsCommandInput,
} from "@aws-sdk/client-dynamodb";
import { describe, expect, it } from "vitest";
import { type Item, invalid, refusal, useDynamo } from "./harness/dynamodb";

const dynamo = useDynamo();
const key = (name: string) => ({ pk: { S: name } });
const transact = (TransactItems: TransactWriteItem[], more: Partial<TransactWriteItemsCommandInput> = {}) =>
  dynamo.client.send(new TransactWriteItemsCommand({ TransactItems, ...more }));
const get = async (TableName: string, name: string): Promise<Item | undefined> =>
  (await dynamo.client.send(new GetItemCommand({ TableName, Key: key(name) }))).Item;
const add = (TableName: string, name: string): TransactWriteItem => ({
  Update: {
    TableName,
    Key: key(name),
    UpdateExpression: "ADD n :one",
    ExpressionAttributeValues: { ":one": { N: "1" } },
  },
});

describe("TransactWriteItems", () => {
  it("does all of its actions, for twice the units", async () => {
    const [a, b] = [await dynamo.table(), await dynamo.table()];
    await dynamo.put(a, key("old"), key("checked"));
    const { ConsumedCapacity } = await transact(
      [
        { Put: { TableName: a, Item: key("new") } },
        { Delete: { TableName: a, Key: key("old") } },
        { ConditionCheck: { TableName: a, Key: key("checked"), ConditionExpression: "attribute_exists(pk)" } },
        add(b, "counter"),
      ],
      { ReturnConsumedCapacity: "TOTAL" },
    );
    expect(ConsumedCapacity).toEqual([
      { TableName: a, CapacityUnits: 6, WriteCapacityUnits: 6 },
      { TableName: b, CapacityUnits: 2, WriteCapacityUnits: 2 },
    ]);
    expect([await get(a, "new"), await get(a, "old"), await get(b, "counter")]).toEqual([
      key("new"),
      undefined,
      { ...key("counter"), n: { N: "1" } },
    ]);
  });

  it("does none of them when one condition fails, and gives a reason for each", async () => {
    const table = await dynamo.table();
    await dynamo.put(table, { ...key("taken"), a: { S: "x" } });
    const failing = transact([
      { Put: { TableName: table, Item: key("new") } },
      {
        Put: {
          TableName: table,
          Item: key("taken"),
          ConditionExpression: "attribute_not_exists(pk)",
          ReturnValuesOnConditionCheckFailure: "ALL_OLD",
        },
      },
      { Delete: { TableName: table, Key: key("gone"), ConditionExpression: "attribute_exists(pk)" } },
    ]);
    await expect(failing).rejects.toMatchObject({
      name: "TransactionCanceledException",
      message:
        "Transaction cancelled, please refer cancellation reasons for specific reasons " +
        "[None, ConditionalCheckFailed, ConditionalCheckFailed]",
      CancellationReasons: [
        { Code: "None" },
        {
          Code: "ConditionalCheckFailed",
          Message: "The conditional request failed",
          Item: { ...key("taken"), a: { S: "x" } },
        },
        { Code: "ConditionalCheckFailed", Message: "The conditional request failed" },
      ],
    });
    expect(await get(table, "new")).toBeUndefined();
  });

  it("is cancelled by an update that the stored item does not allow", async () => {
    const table = await dynamo.table();
    await dynamo.put(table, { ...key("text"), n: { S: "x" } });
    await expect(transact([add(table, "fine"), add(table, "text")])).rejects.toMatchObject({
      CancellationReasons: [
        { Code: "None" },
        { Code: "ValidationError", Message: "An operand in the update expression has an incorrect data type" },
      ],
    });
    expect(await get(table, "fine")).toBeUndefined();
  });

  it("happens once for one token within ten minutes", async () => {
    const table = await dynamo.table();
    const token = { ClientRequestToken: "token-1" };
    await transact([add(table, "1")], token);
    await transact([add(table, "1")], token);
    expect(await get(table, "1")).toMatchObject({ n: { N: "1" } });
    await expect(transact([add(table, "2")], token)).rejects.toEqual(
      refusal("IdempotentParameterMismatchException", /same client token/),
    );
    await dynamo.emulator.clock.advance("10 minutes");
    await transact([add(table, "1")], token);
    expect(await get(table, "1")).toMatchObject({ n: { N: "2" } });
  });

  it("refuses two actions on one item, more than 100 actions and an empty action", async () => {
    const table = await dynamo.table();
    await expect(transact([add(table, "1"), { Delete: { TableName: table, Key: key("1") } }])).rejects.toEqual(
      invalid("Transaction request cannot include multiple operations on one item"),
    );
    await expect(transact(Array.from({ length: 101 }, (_, i) => add(table, `${i}`)))).rejects.toEqual(
      invalid(/at 'transactItems' failed to satisfy constraint: Member must have length less than or equal to 100$/),
    );
    await expect(transact([{}])).rejects.toEqual(
      invalid("TransactItems can only contain one of Check, Put, Update or Delete"),
    );
  });
});

describe("TransactGetItems", () => {
  it("gives an answer for each key, for twice the units", async () => {
    const table = await dynamo.table();
    await dynamo.put(table, { ...key("1"), a: { S: "x" } });
    const { Responses, ConsumedCapacity } = await dynamo.client.send(
      new TransactGetItemsCommand({
        TransactItems: [
          { Get: { TableName: table, Key: key("1"), ProjectionExpression: "a" } },
          { Get: { TableName: table, Key: key("2") } },
        ],
        ReturnConsumedCapacity: "TOTAL",
      }),
    );
    expect(Responses).toEqual([{ Item: { a: { S: "x" } } }, {}]);
    expect(ConsumedCapacity).toEqual([{ TableName: table, CapacityUnits: 4, ReadCapacityUnits: 4 }]);
  });
});
