import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { invalidExpression, invalidParameter, validation } from "../errors";
import type { SortRange } from "../item-index";
import type { KeySchema } from "../key-schema";
import { identity, sortable, typeOf } from "../values";
import type { Condition, Operand } from "./condition";
import type { Comparator } from "./syntax";

export type KeyOperator = "=" | "<" | "<=" | ">" | ">=" | "BETWEEN" | "begins_with";

/** What is asked of one key attribute. */
export interface KeyTest {
  readonly operator: KeyOperator;
  readonly values: readonly AttributeValue[];
}

const mirrored: Record<Comparator, Comparator> = { "=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<=" };

const wholePartition: SortRange = { before: () => false, after: () => false };

/** Reads a key condition: at most one test for each attribute, joined by AND. */
export function keyTests(condition: Condition): Map<string, KeyTest> {
  const tests = new Map<string, KeyTest>();
  collect(condition, tests);
  return tests;
}

const mistake = (message: string) => invalidExpression("KeyConditionExpression", message);
const invalidOperator = (operator: string) =>
  validation(`Invalid operator used in KeyConditionExpression: ${operator}`);

function collect(condition: Condition, tests: Map<string, KeyTest>): void {
  switch (condition.kind) {
    case "and":
      collect(condition.left, tests);
      collect(condition.right, tests);
      return;
    case "or":
    case "not":
    case "in":
      throw invalidOperator(condition.kind.toUpperCase());
    case "between":
      add(tests, "BETWEEN", condition.operand, [condition.low, condition.high]);
      return;
    case "function":
      if (condition.name !== "begins_with") throw invalidOperator(condition.name);
      add(tests, "begins_with", condition.args[0]!, condition.args.slice(1));
      return;
    case "compare": {
      const { operator, left, right } = condition;
      if (operator === "<>") throw invalidOperator(operator);
      if (left.kind === "path") add(tests, operator, left, [right]);
      else add(tests, mirrored[operator] as KeyOperator, right, [left]);
    }
  }
}

function add(tests: Map<string, KeyTest>, operator: KeyOperator, key: Operand, operands: readonly Operand[]): void {
  if ([key, ...operands].some(({ kind }) => kind === "size")) {
    throw validation("KeyConditionExpressions cannot contain nested operations");
  }
  if (key.kind !== "path") {
    throw operator === "BETWEEN" || operator === "begins_with"
      ? validation(
          `Invalid condition in KeyConditionExpression: ${operator} operator must have the key attribute as its first operand`,
        )
      : validation("Invalid condition in KeyConditionExpression: No key attribute specified");
  }
  const values = operands.map((operand) => {
    if (operand.kind === "value") return operand.value;
    throw validation("Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition");
  });
  if (key.path.length > 1) throw validation("KeyConditionExpressions cannot have conditions on nested attributes");
  const name = key.path[0] as string;
  if (tests.has(name)) throw validation("KeyConditionExpressions must only contain one condition per key");
  tests.set(name, { operator, values });
}

/** The part of one partition that the tests describe. */
export function keyRange(tests: ReadonlyMap<string, KeyTest>, keys: KeySchema): { hash: string; range: SortRange } {
  if (tests.size < 1 || tests.size > 2) throw validation("Conditions can be of length 1 or 2 only");
  if (tests.size > keys.attributes.length) throw validation("Query key condition not supported");
  for (const { name, type } of keys.attributes.slice(0, tests.size)) {
    const test = tests.get(name);
    if (!test) throw validation(`Query condition missed key schema element: ${name}`);
    for (const value of test.values) {
      if (test.operator === "begins_with" && typeOf(value) === "N") {
        throw mistake(
          "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N",
        );
      }
      if (value[type] === undefined) throw invalidParameter("Condition parameter type does not match schema type");
      if (value.S === "" || value.B?.byteLength === 0) {
        throw validation(
          "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an " +
            `empty ${value.S === "" ? "string" : "binary"} value. Key: ${name}`,
        );
      }
    }
  }
  const hash = tests.get(keys.hash.name)!;
  if (hash.operator !== "=") throw validation("Query key condition not supported");
  const sort = keys.sort && tests.get(keys.sort.name);
  return { hash: identity(hash.values[0]!), range: sort ? rangeOf(sort) : wholePartition };
}

function rangeOf({ operator, values }: KeyTest): SortRange {
  const first = sortable(values[0]!);
  switch (operator) {
    case "=":
      return { before: (sort) => sort < first, after: (sort) => sort > first };
    case "<":
      return { before: () => false, after: (sort) => sort >= first };
    case "<=":
      return { before: () => false, after: (sort) => sort > first };
    case ">":
      return { before: (sort) => sort <= first, after: () => false };
    case ">=":
      return { before: (sort) => sort < first, after: () => false };
    case "BETWEEN": {
      const last = sortable(values[1]!);
      return { before: (sort) => sort < first, after: (sort) => sort > last };
    }
    case "begins_with":
      return { before: (sort) => sort < first, after: (sort) => sort > first && !sort.startsWith(first) };
  }
}
