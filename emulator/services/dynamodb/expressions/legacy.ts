import type {
  AttributeValue,
  AttributeValueUpdate,
  ComparisonOperator,
  ConditionalOperator,
  ExpectedAttributeValue,
  Condition as KeyedCondition,
} from "@aws-sdk/client-dynamodb";
import { invalidParameter, validation } from "../errors";
import { checkValue, constrain, entriesOf, length, oneOf, required } from "../validation";
import { compareValues, typeOf } from "../values";
import type { Condition, FunctionName, Operand } from "./condition";
import type { KeyOperator, KeyTest } from "./key-condition";
import { Projector } from "./paths";
import type { Comparator } from "./syntax";
import type { UpdateAction } from "./update";

/** How many values each operator of the old parameters takes, and of which types. */
const operators: Record<
  ComparisonOperator,
  { readonly count: readonly [number, number]; readonly types?: readonly string[] }
> = {
  EQ: { count: [1, 1] },
  NE: { count: [1, 1] },
  IN: { count: [1, Number.POSITIVE_INFINITY], types: ["S", "N", "B"] },
  LE: { count: [1, 1], types: ["S", "N", "B"] },
  LT: { count: [1, 1], types: ["S", "N", "B"] },
  GE: { count: [1, 1], types: ["S", "N", "B"] },
  GT: { count: [1, 1], types: ["S", "N", "B"] },
  BETWEEN: { count: [2, 2], types: ["S", "N", "B"] },
  NOT_NULL: { count: [0, 0] },
  NULL: { count: [0, 0] },
  CONTAINS: { count: [1, 1], types: ["S", "N", "B"] },
  NOT_CONTAINS: { count: [1, 1], types: ["S", "N", "B"] },
  BEGINS_WITH: { count: [1, 1], types: ["S", "B"] },
};

const comparators: Partial<Record<ComparisonOperator, Comparator>> = {
  EQ: "=",
  NE: "<>",
  LE: "<=",
  LT: "<",
  GE: ">=",
  GT: ">",
};

const keyOperators: Partial<Record<ComparisonOperator, KeyOperator>> = {
  EQ: "=",
  LE: "<=",
  LT: "<",
  GE: ">=",
  GT: ">",
  BETWEEN: "BETWEEN",
  BEGINS_WITH: "begins_with",
};

function checkArguments(
  path: string,
  operator: ComparisonOperator | undefined,
  values: readonly AttributeValue[],
): void {
  constrain([`${path}.comparisonOperator`, operator, required, oneOf(...Object.keys(operators))]);
  for (const value of values) checkValue(value);
  const { count, types } = operators[operator!];
  if (values.length < count[0] || values.length > count[1]) {
    throw invalidParameter(`Invalid number of argument(s) for the ${operator} ComparisonOperator`);
  }
  const first = values[0];
  if (!first) return;
  if (values.some((value) => typeOf(value) !== typeOf(first))) {
    throw invalidParameter("AttributeValues inside AttributeValueList must be of same type");
  }
  if (types && !types.includes(typeOf(first))) {
    throw invalidParameter(`ComparisonOperator ${operator} is not valid for ${typeOf(first)} AttributeValue type`);
  }
  if (operator === "BETWEEN" && compareValues(first, values[1]!) > 0) {
    throw validation(
      "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound",
    );
  }
}

function toCondition(attribute: string, operator: ComparisonOperator, values: readonly AttributeValue[]): Condition {
  const operand: Operand = { kind: "path", path: [attribute] };
  const operands = values.map((value): Operand => ({ kind: "value", value }));
  const comparator = comparators[operator];
  if (comparator) return { kind: "compare", operator: comparator, left: operand, right: operands[0]! };
  const call = (name: FunctionName): Condition => ({ kind: "function", name, args: [operand, ...operands] });
  switch (operator) {
    case "IN":
      return { kind: "in", operand, options: operands };
    case "BETWEEN":
      return { kind: "between", operand, low: operands[0]!, high: operands[1]! };
    case "NOT_NULL":
      return call("attribute_exists");
    case "NULL":
      return call("attribute_not_exists");
    case "CONTAINS":
      return call("contains");
    case "NOT_CONTAINS":
      return { kind: "not", operand: call("contains") };
    default:
      return call("begins_with");
  }
}

function join(conditions: readonly Condition[], operator: ConditionalOperator | undefined): Condition | undefined {
  constrain(["conditionalOperator", operator, oneOf("OR", "AND")]);
  return conditions.length === 0
    ? undefined
    : conditions.reduce((left, right) => ({ kind: operator === "OR" ? "or" : "and", left, right }));
}

/** QueryFilter and ScanFilter. */
export function legacyFilter(
  parameter: string,
  filter: Record<string, KeyedCondition> | undefined,
  operator: ConditionalOperator | undefined,
): Condition | undefined {
  if (!filter) return undefined;
  const conditions = entriesOf(parameter, filter).map(
    ([attribute, { ComparisonOperator, AttributeValueList = [] }]) => {
      checkArguments(`${parameter}.${attribute}.member`, ComparisonOperator, AttributeValueList);
      return toCondition(attribute, ComparisonOperator!, AttributeValueList);
    },
  );
  return join(conditions, operator);
}

/** KeyConditions. */
export function legacyKeyTests(conditions: Record<string, KeyedCondition>): Map<string, KeyTest> {
  const tests = new Map<string, KeyTest>();
  for (const [attribute, { ComparisonOperator, AttributeValueList = [] }] of entriesOf("keyConditions", conditions)) {
    checkArguments(`keyConditions.${attribute}.member`, ComparisonOperator, AttributeValueList);
    const operator = keyOperators[ComparisonOperator!];
    if (!operator) throw validation("Attempted conditional constraint is not an indexable operation");
    tests.set(attribute, { operator, values: AttributeValueList });
  }
  return tests;
}

/** Expected. */
export function legacyExpected(
  expected: Record<string, ExpectedAttributeValue> | undefined,
  operator: ConditionalOperator | undefined,
): Condition | undefined {
  if (!expected) return undefined;
  const conditions = entriesOf("expected", expected).map(([attribute, test]) => expectedCondition(attribute, test));
  return join(conditions, operator);
}

function expectedCondition(attribute: string, test: ExpectedAttributeValue): Condition {
  const { Value: value, AttributeValueList: list, ComparisonOperator: operator, Exists: exists } = test;
  const refuse = (detail: string) => invalidParameter(`${detail} for Attribute: ${attribute}`);
  if (value && list) throw refuse("Value and AttributeValueList cannot be used together");
  if (operator) {
    if (exists !== undefined) throw refuse("Exists and ComparisonOperator cannot be used together");
    if (!value && !list && operator !== "NULL" && operator !== "NOT_NULL") {
      throw refuse(`Value or AttributeValueList must be used with ComparisonOperator: ${operator}`);
    }
    const values = list ?? (value ? [value] : []);
    checkArguments(`expected.${attribute}.member`, operator, values);
    return toCondition(attribute, operator, values);
  }
  if (list) throw refuse("AttributeValueList can only be used with a ComparisonOperator");
  if (exists === false) {
    if (value) throw refuse("Value cannot be used when Exists is false");
    return toCondition(attribute, "NULL", []);
  }
  if (!value) throw refuse(`Value must be provided when Exists is ${exists ?? "null"}`);
  checkValue(value);
  return toCondition(attribute, "EQ", [value]);
}

/** AttributeUpdates. */
export function legacyUpdate(updates: Record<string, AttributeValueUpdate> | undefined): UpdateAction[] | undefined {
  return (
    updates &&
    entriesOf("attributeUpdates", updates).map(([attribute, { Action: action = "PUT", Value: value }]) => {
      constrain([`attributeUpdates.${attribute}.member.action`, action, oneOf("ADD", "PUT", "DELETE")]);
      const path = [attribute];
      if (!value) {
        if (action !== "DELETE")
          throw invalidParameter("Only DELETE action is allowed when no attribute value is specified");
        return { kind: "REMOVE", path };
      }
      checkValue(value);
      const type = typeOf(value);
      if (action === "PUT") return { kind: "SET", path, value: { kind: "value", value } };
      const allowed = action === "ADD" ? ["N", "SS", "NS", "BS", "L"] : ["SS", "NS", "BS"];
      if (!allowed.includes(type)) {
        throw invalidParameter(`${action} action is not supported for the type ${type}`);
      }
      return { kind: action, path, value };
    })
  );
}

/** AttributesToGet. */
export function legacyProjection(attributes: readonly string[] | undefined): Projector | undefined {
  if (!attributes) return undefined;
  constrain(["attributesToGet", attributes, length(1)]);
  const duplicate = attributes.find((name, index) => attributes.indexOf(name) !== index);
  if (duplicate !== undefined) throw invalidParameter(`Duplicate value in attribute name: ${duplicate}`);
  return new Projector(attributes.map((name) => [name]));
}

/** Refuses a request that mixes expressions with the parameters that came before them. */
export function checkNotMixed(
  expressions: Readonly<Record<string, unknown>>,
  others: Readonly<Record<string, unknown>>,
): void {
  const present = (members: Readonly<Record<string, unknown>>) =>
    Object.keys(members).filter((name) => members[name] !== undefined);
  const old = present(others);
  if (old.length === 0) return;
  const used = present(expressions);
  if (used.length === 0) return;
  throw validation(
    "Can not use both expression and non-expression parameters in the same request: " +
      `Non-expression parameters: {${old.join(", ")}} Expression parameters: {${used.join(", ")}}`,
  );
}
