import {
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from "@aws-sdk/client-dynamodb";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { type Item, invalid, refusal, useDynamo } from "./harness/dynamodb";

const dynamo = useDynamo();
const key: Item = { pk: { S: "1" } };
const sample: Item = {
  ...key,
  n: { N: "5" },
  s: { S: "hello" },
  b: { B: new Uint8Array([1, 2, 3]) },
  t: { BOOL: true },
  z: { NULL: true },
  ss: { SS: ["a", "b"] },
  ns: { NS: ["1", "2"] },
  l: { L: [{ S: "zero" }, { N: "1" }, { M: { x: { S: "y" } } }] },
  m: { M: { core: { N: "7" }, "dotted.name": { S: "d" } } },
};
let table = "";
beforeAll(async () => {
  table = await dynamo.table();
});

type Values = Record<string, Item[string]>;

/** Whether the condition holds for the sample item. */
async function holds(condition: string, values?: Values, names?: Record<string, string>): Promise<boolean> {
  await dynamo.put(table, sample);
  const command = new PutItemCommand({
    TableName: table,
    Item: sample,
    ConditionExpression: condition,
    ExpressionAttributeValues: values,
    ExpressionAttributeNames: names,
  });
  try {
    await dynamo.client.send(command);
    return true;
  } catch (error) {
    if ((error as Error).name === "ConditionalCheckFailedException") return false;
    throw error;
  }
}

describe("a condition", () => {
  const n = (value: string) => ({ ":v": { N: value } });
  const s = (value: string) => ({ ":v": { S: value } });

  it.each<[condition: string, values: Values | undefined, expected: boolean]>([
    ["n = :v", n("5.0"), true],
    ["n = :v", s("5"), false],
    ["n <> :v", n("5"), false],
    ["nowhere <> :v", n("5"), true],
    ["nowhere = :v", n("5"), false],
    ["n < :v", n("10"), true],
    ["n <= :v", n("5"), true],
    ["n > :v", n("-5"), true],
    ["n >= :v", n("5.1"), false],
    ["n < :v", s("9"), false],
    ["s > :v", s("hallo"), true],
    ["n BETWEEN :a AND :b", { ":a": { N: "5" }, ":b": { N: "6" } }, true],
    ["n between :a and :b", { ":a": { N: "6" }, ":b": { N: "7" } }, false],
    ["s IN (:a, :b)", { ":a": { S: "x" }, ":b": { S: "hello" } }, true],
    ["s IN (:v)", s("x"), false],
    ["attribute_exists(m.core)", undefined, true],
    ["attribute_exists(l[3])", undefined, false],
    ["attribute_not_exists(m.nowhere.deeper)", undefined, true],
    ["attribute_type(z, :v)", s("NULL"), true],
    ["attribute_type(n, :v)", s("S"), false],
    ["begins_with(s, :v)", s("hel"), true],
    ["begins_with(n, :v)", s("5"), false],
    ["begins_with(b, :v)", { ":v": { B: new Uint8Array([1, 2]) } }, true],
    ["contains(s, :v)", s("ell"), true],
    ["contains(ss, :v)", s("b"), true],
    ["contains(ns, :v)", n("2.0"), true],
    ["contains(l, :v)", { ":v": { M: { x: { S: "y" } } } }, true],
    ["contains(b, :v)", { ":v": { B: new Uint8Array([2, 3]) } }, true],
    ["size(s) = :v", n("5"), true],
    ["size(l) > :v", n("2"), true],
    ["size(m) = :v", n("2"), true],
    ["size(n) = :v", n("1"), false],
    ["ss = :v", { ":v": { SS: ["b", "a"] } }, true],
    ["l[2].x = :v", s("y"), true],
    ["NOT n = :v AND s = :v", s("hello"), true],
    ["n = :v OR s = :v AND t = :v", n("5"), true],
    ["(n = :v OR s = :v) AND t = :v", n("5"), false],
    ["NOT (n = :v OR s = :v)", n("5"), false],
    ["NOT NOT n = :v", n("5"), true],
    ["(n) = (:v)", n("5"), true],
    [":v = n", n("5"), true],
    ["t=:v", { ":v": { BOOL: true } }, true],
  ])("%s", async (condition, values, expected) => {
    expect(await holds(condition, values)).toBe(expected);
  });

  it("reaches names with dots and reserved words through placeholders", async () => {
    expect(await holds("m.#d = :v", { ":v": { S: "d" } }, { "#d": "dotted.name" })).toBe(true);
  });

  it("that fails gives the item when asked to", async () => {
    await dynamo.put(table, { pk: { S: "1" }, v: { N: "1" } });
    const failing = new PutItemCommand({
      TableName: table,
      Item: key,
      ConditionExpression: "v = :two",
      ExpressionAttributeValues: { ":two": { N: "2" } },
      ReturnValuesOnConditionCheckFailure: "ALL_OLD",
    });
    await expect(dynamo.client.send(failing)).rejects.toMatchObject({
      name: "ConditionalCheckFailedException",
      message: "The conditional request failed",
      Item: { pk: { S: "1" }, v: { N: "1" } },
    });
  });
});

describe("a condition is refused", () => {
  const prefix = "Invalid ConditionExpression: ";
  it.each<[condition: string, values: Values | undefined, message: string]>([
    ["", undefined, `${prefix}The expression can not be empty;`],
    ["n =", { ":v": { N: "1" } }, `${prefix}Syntax error; token: "<EOF>", near: "="`],
    ["n = 5", { ":v": { N: "1" } }, `${prefix}Syntax error; token: "5", near: "= 5"`],
    ["n", { ":v": { N: "1" } }, `${prefix}Syntax error; token: "<EOF>", near: "n"`],
    ["n = :v extra", { ":v": { N: "1" } }, `${prefix}Syntax error; token: "extra", near: ":v extra"`],
    ["((n = :v))", { ":v": { N: "1" } }, `${prefix}The expression has redundant parentheses;`],
    ["exists(n)", undefined, `${prefix}Invalid function name; function: exists`],
    [
      "contains(attribute_exists(n), :v)",
      { ":v": { N: "1" } },
      `${prefix}The function is not allowed to be used this way in an expression; function: attribute_exists`,
    ],
    ["size(n)", undefined, `${prefix}The function is not allowed to be used this way in an expression; function: size`],
    ["status = :v", { ":v": { N: "1" } }, `${prefix}Attribute name is a reserved keyword; reserved keyword: status`],
    [
      "n = :w",
      { ":v": { N: "1" } },
      `${prefix}An expression attribute value used in expression is not defined; attribute value: :w`,
    ],
    [
      "#n = :v",
      { ":v": { N: "1" } },
      `${prefix}An expression attribute name used in the document path is not defined; attribute name: #n`,
    ],
    [
      "contains(n)",
      undefined,
      `${prefix}Incorrect number of operands for operator or function; operator or function: contains, number of operands: 1`,
    ],
    [
      "attribute_exists(:v)",
      { ":v": { N: "1" } },
      `${prefix}Operator or function requires a document path; operator or function: attribute_exists`,
    ],
    [
      "begins_with(n, :v)",
      { ":v": { N: "1" } },
      `${prefix}Incorrect operand type for operator or function; operator or function: begins_with, operand type: N`,
    ],
    [
      "attribute_type(n, :v)",
      { ":v": { S: "text" } },
      `${prefix}Invalid attribute type name found; type: text, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}`,
    ],
    [
      "n = n",
      undefined,
      `${prefix}The first operand must be distinct from the remaining operands for this operator or function; operator: =, first operand: [n]`,
    ],
    [
      "n BETWEEN :v AND :w",
      { ":v": { N: "2" }, ":w": { N: "1" } },
      `${prefix}The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {N:2}, upper bound operand: AttributeValue: {N:1}`,
    ],
    [
      "attribute_exists(n)",
      { ":v": { N: "1" } },
      "Value provided in ExpressionAttributeValues unused in expressions: keys: {:v}",
    ],
    ["n = :v", {}, "ExpressionAttributeValues must not be empty"],
    [
      "n = :v",
      { ":v": { N: "x" } },
      "ExpressionAttributeValues contains invalid value: The parameter cannot be converted to a numeric value: x for key :v",
    ],
    ["n = :v", { v: { N: "1" } }, 'ExpressionAttributeValues contains invalid key: Syntax error; key: "v"'],
    [
      "pk.a = :v",
      { ":v": { N: "1" } },
      "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: pk",
    ],
  ])("%s", async (condition, values, message) => {
    await expect(holds(condition, values)).rejects.toEqual(invalid(message));
  });

  it("with more than 100 values behind IN, 300 operators or endless parentheses", async () => {
    const many = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`:v${i}`, { N: `${i}` }]));
    const behindIn = (count: number) => holds(`n IN (${Object.keys(many(count)).join(",")})`, many(count));
    expect(await behindIn(100)).toBe(true);
    await expect(behindIn(101)).rejects.toEqual(
      invalid(`${prefix}The IN operator is provided with too many operands; number of operands: 101`),
    );
    const operators = (count: number) =>
      holds(
        Array(count / 2 + 0.5)
          .fill("n=:v")
          .join(" OR "),
        { ":v": { N: "5" } },
      );
    expect(await operators(299)).toBe(true);
    await expect(operators(301)).rejects.toEqual(
      invalid(`${prefix}The expression contains too many operators; operator count: 301`),
    );
    await expect(holds(`${"(".repeat(4_000)}`)).rejects.toEqual(
      invalid(`${prefix}The expression has redundant parentheses;`),
    );
  });

  it("with a name placeholder that nobody uses", async () => {
    await expect(holds("attribute_exists(n)", undefined, { "#x": "x" })).rejects.toEqual(
      invalid("Value provided in ExpressionAttributeNames unused in expressions: keys: {#x}"),
    );
  });

  it("with placeholders and no expression", async () => {
    const command = new PutItemCommand({ TableName: table, Item: key, ExpressionAttributeNames: { "#x": "x" } });
    await expect(dynamo.client.send(command)).rejects.toEqual(
      invalid("ExpressionAttributeNames can only be specified when using expressions"),
    );
  });

  it("next to the parameters that came before expressions", async () => {
    const command = new PutItemCommand({
      TableName: table,
      Item: key,
      ConditionExpression: "attribute_exists(n)",
      Expected: { n: { Exists: false } },
    });
    await expect(dynamo.client.send(command)).rejects.toEqual(
      invalid(
        "Can not use both expression and non-expression parameters in the same request: " +
          "Non-expression parameters: {Expected} Expression parameters: {ConditionExpression}",
      ),
    );
  });
});

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

it("no expression, however odd, gets another answer than success or a refusal", async () => {
  const token = fc.constantFrom(
    ..."a n l m.core l[0] l[ ] #n #x :v :w :l = <> < >= + - ( ) , . 5 AND OR NOT BETWEEN IN SET REMOVE ADD DELETE".split(
      " ",
    ),
    ...'size( contains( attribute_exists( if_not_exists( list_append( begins_with( status é " '.split(" "),
  );
  const kinds = ["ConditionExpression", "UpdateExpression"] as const;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...kinds),
      fc.array(token, { minLength: 1, maxLength: 12 }),
      async (kind, tokens) => {
        const command = new UpdateItemCommand({
          TableName: table,
          Key: key,
          [kind]: tokens.join(" "),
          ExpressionAttributeNames: { "#n": "n" },
          ExpressionAttributeValues: { ":v": { N: "1" }, ":l": { L: [] } },
        });
        const name = await dynamo.client.send(command).then(
          () => "success",
          (error: Error) => error.name,
        );
        expect(["success", "ValidationException", "ConditionalCheckFailedException"]).toContain(name);
      },
    ),
    { numRuns: 300 },
  );
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
