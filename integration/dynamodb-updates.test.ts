import {
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from "@aws-sdk/client-dynamodb";
import { beforeAll, describe, expect, it } from "vitest";
import { type Item, invalid, key, refusal, sample, useDynamo } from "./harness/dynamodb";

const dynamo = useDynamo();
let table = "";
beforeAll(async () => {
  table = await dynamo.table();
});

type Values = Record<string, Item[string]>;

/** What the sample item (or nothing) becomes. */
async function update(
  expression: string | undefined,
  values?: Values,
  options: Partial<UpdateItemCommandInput> & { from?: Item } = {},
): Promise<Item | undefined> {
  const { from = sample, ...rest } = options;
  await dynamo.put(table, from);
  const command = new UpdateItemCommand({
    TableName: table,
    Key: key,
    UpdateExpression: expression,
    ExpressionAttributeValues: values,
    ReturnValues: "ALL_NEW",
    ...rest,
  });
  return (await dynamo.client.send(command)).Attributes;
}

describe("an update", () => {
  it.each<[expression: string, values: Values | undefined, changed: Item | { gone: string[] }]>([
    ["SET a = :v, n = n + :v", { ":v": { N: "1" } }, { a: { N: "1" }, n: { N: "6" } }],
    ["SET n = n - :v", { ":v": { N: "0.1" } }, { n: { N: "4.9" } }],
    ["set n = (n + :v)", { ":v": { N: "1" } }, { n: { N: "6" } }],
    ["SET a = if_not_exists(n, :v)", { ":v": { N: "1" } }, { a: { N: "5" } }],
    ["SET a = if_not_exists(nowhere, :v) + :v", { ":v": { N: "1" } }, { a: { N: "2" } }],
    ["SET ss = list_append(:v, :v)", { ":v": { L: [{ S: "x" }] } }, { ss: { L: [{ S: "x" }, { S: "x" }] } }],
    [
      "SET l[0] = :v, l[9] = :v",
      { ":v": { N: "1" } },
      { l: { L: [{ N: "1" }, { N: "1" }, sample.l!.L![2]!, { N: "1" }] } },
    ],
    ["REMOVE l[0], l[1]", undefined, { l: { L: [sample.l!.L![2]!] } }],
    ["REMOVE l[7]", undefined, {}],
    ["SET l[2].x = :v REMOVE l[0]", { ":v": { N: "1" } }, { l: { L: [{ N: "1" }, { M: { x: { N: "1" } } }] } }],
    ["SET m.added = m.core", undefined, { m: { M: { ...sample.m!.M, added: { N: "7" } } } }],
    [
      "ADD n :v, m.core :v, fresh :v",
      { ":v": { N: "3" } },
      { n: { N: "8" }, m: { M: { ...sample.m!.M, core: { N: "10" } } }, fresh: { N: "3" } },
    ],
    ["ADD ss :v", { ":v": { SS: ["b", "c"] } }, { ss: { SS: ["a", "b", "c"] } }],
    ["DELETE ss :v", { ":v": { SS: ["b", "c"] } }, { ss: { SS: ["a"] } }],
    ["DELETE ss :v", { ":v": { SS: ["a", "b"] } }, { gone: ["ss"] }],
    ["REMOVE s, n, nowhere", undefined, { gone: ["s", "n"] }],
  ])("%s", async (expression, values, changed) => {
    const expected: Item = { ...sample };
    if (Array.isArray((changed as { gone?: string[] }).gone)) {
      for (const name of (changed as { gone: string[] }).gone) delete expected[name];
    } else Object.assign(expected, changed);
    expect(await update(expression, values)).toEqual(expected);
  });

  it("reads every operand as it was before", async () => {
    expect(await update("SET a = b, b = a", undefined, { from: { ...key, a: { S: "1" }, b: { S: "2" } } })).toEqual({
      ...key,
      a: { S: "2" },
      b: { S: "1" },
    });
  });

  it("adds exactly where floating point would not", async () => {
    const item = await update("SET n = n + :v", { ":v": { N: "0.2" } }, { from: { ...key, n: { N: "0.1" } } });
    expect(item?.n).toEqual({ N: "0.3" });
  });

  it("makes the item where there is none, except to take something away", async () => {
    const fresh = await dynamo.table();
    const send = async (UpdateExpression: string, ExpressionAttributeValues?: Values) => {
      await dynamo.client.send(
        new UpdateItemCommand({ TableName: fresh, Key: key, UpdateExpression, ExpressionAttributeValues }),
      );
      return (await dynamo.client.send(new GetItemCommand({ TableName: fresh, Key: key }))).Item;
    };
    expect(await send("REMOVE a")).toBeUndefined();
    expect(await send("ADD a :v", { ":v": { N: "1" } })).toEqual({ ...key, a: { N: "1" } });
  });

  it.each<[UpdateItemCommandInput["ReturnValues"], Item | undefined]>([
    ["NONE", undefined],
    ["ALL_OLD", { ...key, a: { M: { x: { N: "1" }, y: { N: "1" } } }, b: { N: "1" } }],
    ["UPDATED_OLD", { a: { M: { x: { N: "1" } } } }],
    ["ALL_NEW", { ...key, a: { M: { x: { N: "2" }, y: { N: "1" } } }, b: { N: "1" } }],
    ["UPDATED_NEW", { a: { M: { x: { N: "2" } } } }],
  ])("returns what %s names", async (ReturnValues, expected) => {
    const from = { ...key, a: { M: { x: { N: "1" }, y: { N: "1" } } }, b: { N: "1" } };
    expect(await update("SET a.x = :v", { ":v": { N: "2" } }, { from, ReturnValues })).toEqual(expected);
  });

  it("leaves the item alone when its condition fails", async () => {
    await expect(update("SET n = :v", { ":v": { N: "9" } }, { ConditionExpression: "n = :v" })).rejects.toEqual(
      refusal("ConditionalCheckFailedException", "The conditional request failed"),
    );
    const { Item } = await dynamo.client.send(new GetItemCommand({ TableName: table, Key: key }));
    expect(Item).toEqual(sample);
  });
});

describe("an update is refused", () => {
  const prefix = "Invalid UpdateExpression: ";
  const one = { ":v": { N: "1" } };
  it.each<[expression: string, values: Values | undefined, message: string]>([
    ["", undefined, `${prefix}The expression can not be empty;`],
    ["whatever", undefined, `${prefix}Syntax error; token: "whatever", near: "whatever"`],
    ["SET a = b * c", undefined, `${prefix}Syntax error; token: "*", near: "b * c"`],
    ["SET a = :v + :v + :v", one, `${prefix}Syntax error; token: "+", near: ":v + :v"`],
    ["REMOVE a = :v", one, `${prefix}Syntax error; token: "=", near: "a = :v"`],
    ["SET a = :v SET c = :v", one, `${prefix}The "SET" section can only be used once in an update expression;`],
    ["SET name = :v", one, `${prefix}Attribute name is a reserved keyword; reserved keyword: name`],
    ["SET a = plus(:v)", one, `${prefix}Invalid function name; function: plus`],
    [
      "SET a.c = :v, a = :v",
      one,
      `${prefix}Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a, c], path two: [a]`,
    ],
    [
      "REMOVE a.c SET a[1] = :v",
      one,
      `${prefix}Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [a, c], path two: [a, [1]]`,
    ],
    [
      "ADD a :v",
      { ":v": { S: "x" } },
      `${prefix}Incorrect operand type for operator or function; operator: ADD, operand type: STRING`,
    ],
    [
      "DELETE a :v",
      one,
      `${prefix}Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER`,
    ],
    [
      "SET a = a + :v",
      { ":v": { S: "x" } },
      `${prefix}Incorrect operand type for operator or function; operator or function: +, operand type: S`,
    ],
    [
      "SET a = list_append(l, :v)",
      one,
      `${prefix}Incorrect operand type for operator or function; operator or function: list_append, operand type: N`,
    ],
    [
      "SET a = if_not_exists(:v, a)",
      one,
      `${prefix}Operator or function requires a document path; operator or function: if_not_exists`,
    ],
    ["SET a = nowhere", undefined, "The provided expression refers to an attribute that does not exist in the item"],
    ["SET a = s + :v", one, "An operand in the update expression has an incorrect data type"],
    ["ADD s :v", one, "An operand in the update expression has an incorrect data type"],
    ["SET nowhere.a = :v", one, "The document path provided in the update expression is invalid for update"],
    ["SET l.a = :v", one, "The document path provided in the update expression is invalid for update"],
    [
      "SET pk = :v",
      one,
      "One or more parameter values were invalid: Cannot update attribute pk. This attribute is part of the key",
    ],
  ])("%s", async (expression, values, message) => {
    await expect(update(expression, values)).rejects.toEqual(invalid(message));
  });

  it("when the item would grow past 400 KB", async () => {
    const half = { S: "x".repeat(250 * 1024) };
    await expect(update("SET a = :v, c = :v", { ":v": half })).rejects.toEqual(
      invalid("Item size to update has exceeded the maximum allowed size"),
    );
  });

  it("when an expression is over 4 KB", async () => {
    await expect(update(`SET a = :v${" ".repeat(4_090)}`, one)).rejects.toEqual(
      invalid(/Expression size has exceeded the maximum allowed size; expression size: 4100$/),
    );
  });
});

describe("the parameters that came before expressions", () => {
  it("put conditions on writes", async () => {
    await dynamo.put(table, { ...key, n: { N: "5" } });
    const write = (Expected: Record<string, object>) =>
      dynamo.client.send(new PutItemCommand({ TableName: table, Item: { ...key, n: { N: "5" } }, Expected }));
    await expect(write({ n: { Value: { N: "5" } } })).resolves.toBeDefined();
    await expect(write({ n: { ComparisonOperator: "GT", AttributeValueList: [{ N: "4" }] } })).resolves.toBeDefined();
    await expect(write({ n: { Exists: false } })).rejects.toEqual(
      refusal("ConditionalCheckFailedException", "The conditional request failed"),
    );
    await expect(write({ n: { Exists: true } })).rejects.toEqual(
      invalid("One or more parameter values were invalid: Value must be provided when Exists is true for Attribute: n"),
    );
  });

  it("change attributes", async () => {
    const changed = await update(undefined, undefined, {
      from: { ...key, n: { N: "1" }, ss: { SS: ["a", "b"] }, s: { S: "x" } },
      AttributeUpdates: {
        n: { Action: "ADD", Value: { N: "2" } },
        ss: { Action: "DELETE", Value: { SS: ["a"] } },
        s: { Action: "DELETE" },
        p: { Value: { S: "put" } },
      },
    });
    expect(changed).toEqual({ ...key, n: { N: "3" }, ss: { SS: ["b"] }, p: { S: "put" } });
  });
});
