import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { limits } from "../../core/limits";
import { invalidParameter, validation } from "./errors";
import { normaliseNumber } from "./number";
import { binaryText, checkDepth, type Item, itemSize } from "./values";

/** 400 KB (developer guide, "Constraints"). */
export const maxItemSize = limits.dynamodb.item.value;

type Check = (value: unknown) => string | undefined;

/** Constraints on one member, in AWS's words. Absent members pass all but {@link required}. */
export const required: Check = (value) => (value == null ? "Member must not be null" : undefined);

export const atLeast =
  (minimum: number): Check =>
  (value) =>
    typeof value === "number" && value < minimum
      ? `Member must have value greater than or equal to ${minimum}`
      : undefined;

export const atMost =
  (maximum: number): Check =>
  (value) =>
    typeof value === "number" && value > maximum
      ? `Member must have value less than or equal to ${maximum}`
      : undefined;

export const oneOf =
  (...values: string[]): Check =>
  (value) =>
    value != null && !values.includes(String(value))
      ? `Member must satisfy enum value set: [${values.join(", ")}]`
      : undefined;

const lengthOf = (value: unknown): number =>
  typeof value === "string" || Array.isArray(value) ? value.length : Object.keys(value as object).length;

export const length =
  (minimum: number, maximum = Number.POSITIVE_INFINITY): Check =>
  (value) => {
    if (value == null) return undefined;
    if (lengthOf(value) < minimum) return `Member must have length greater than or equal to ${minimum}`;
    return lengthOf(value) > maximum ? `Member must have length less than or equal to ${maximum}` : undefined;
  };

export const pattern =
  (expression: RegExp): Check =>
  (value) =>
    typeof value === "string" && !new RegExp(`^(?:${expression.source})$`).test(value)
      ? `Member must satisfy regular expression pattern: ${expression.source}`
      : undefined;

const shown = (value: unknown): string => {
  if (value == null) return "null";
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  // AWS prints the whole value; an error message of megabytes helps nobody.
  return `'${text.length > 1_000 ? `${text.slice(0, 1_000)}...` : text}'`;
};

/** A value and the path that AWS calls it by, with what must hold of it. */
export type Constraint = readonly [path: string, value: unknown, ...checks: Check[]];

/** Refuses with all violations at once, as AWS's front end does. */
export function constrain(...constraints: readonly Constraint[]): void {
  const problems: string[] = [];
  for (const [path, value, ...checks] of constraints) {
    for (const check of checks) {
      const problem = check(value);
      if (problem) problems.push(`Value ${shown(value)} at '${path}' failed to satisfy constraint: ${problem}`);
    }
  }
  if (problems.length === 0) return;
  throw validation(
    `${problems.length} validation error${problems.length > 1 ? "s" : ""} detected: ${problems.join("; ")}`,
  );
}

/** The entries of a map from a request, whose values may be null on the wire. */
export function entriesOf<Value>(path: string, map: Record<string, Value>): [string, Value][] {
  const entries = Object.entries(map);
  constrain(...entries.map(([key, value]): Constraint => [`${path}.${key}`, value, required]));
  return entries;
}

export const namePattern = /[a-zA-Z0-9_.-]+/;
const { least: shortestName, value: longestName } = limits.dynamodb.tableName;
const validName = new RegExp(`^[a-zA-Z0-9_.-]{${shortestName},${longestName}}$`);

/** Checks a table or index name; cheap when it is good. */
export function checkName(name: string | undefined, path = "tableName"): asserts name is string {
  if (name !== undefined && validName.test(name)) return;
  constrain([path, name, required, length(shortestName, longestName), pattern(namePattern)]);
}

/**
 * Checks an attribute value, normalises the numbers in it (in place: the request was parsed for this call alone).
 *
 * @throws AwsError ValidationException
 */
export function checkValue(value: AttributeValue, depth = 1): void {
  let types = 0;
  for (const type in value) {
    types++;
    switch (type) {
      case "S":
      case "BOOL":
      case "B":
        break;
      case "N":
        value.N = normaliseNumber(value.N!);
        break;
      case "NULL":
        if (!value.NULL) throw invalidParameter("Null attribute value types must have the value of true");
        break;
      case "SS":
      case "NS":
      case "BS":
        checkSet(value, type);
        break;
      case "L":
        checkDepth(depth);
        for (const element of value.L!) checkValue(element, depth + 1);
        break;
      case "M":
        checkDepth(depth);
        for (const name of Object.keys(value.M!)) checkValue(value.M![name]!, depth + 1);
        break;
      default:
        types--;
    }
  }
  if (types === 1) return;
  throw validation(
    types === 0
      ? "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
      : "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes",
  );
}

function checkSet(value: AttributeValue, type: "SS" | "NS" | "BS"): void {
  if (type === "SS") {
    const texts = value.SS!;
    if (texts.length === 0) throw invalidParameter("An string set  may not be empty");
    if (texts.includes("")) throw invalidParameter("An string set may not have a empty string as a member");
    if (new Set(texts).size < texts.length) {
      throw invalidParameter(`Input collection [${texts.join(", ")}] contains duplicates.`);
    }
  } else if (type === "NS") {
    if (value.NS!.length === 0) throw invalidParameter("An number set  may not be empty");
    value.NS = value.NS!.map(normaliseNumber);
    if (new Set(value.NS).size < value.NS.length) throw validation("Input collection contains duplicates");
  } else {
    const binaries = value.BS!;
    if (binaries.length === 0) throw invalidParameter("Binary sets should not be empty");
    if (binaries.some(({ byteLength }) => byteLength === 0)) {
      throw invalidParameter("Binary sets may not contain null or empty values");
    }
    if (new Set(binaries.map(binaryText)).size < binaries.length) {
      const shown = binaries.map((bytes) => Buffer.from(bytes).toString("base64")).join(", ");
      throw invalidParameter(`Input collection [${shown}]of type BS contains duplicates.`);
    }
  }
}

/** Checks every attribute of an item or key. */
export function checkItem(item: Item): void {
  for (const name of Object.keys(item)) {
    if (name === "") throw invalidParameter("Attribute name must not be empty");
    checkValue(item[name]!);
  }
}

/** The size of an item that is to be stored. */
export function checkedSize(item: Item, message = "Item size has exceeded the maximum allowed size"): number {
  const size = itemSize(item);
  if (size > maxItemSize) throw validation(message);
  return size;
}
