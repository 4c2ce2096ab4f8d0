import { PutItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { type Item, invalid, key, sample, useDynamo } from "./harness/dynamodb";

const dynamo = useDynamo();
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
