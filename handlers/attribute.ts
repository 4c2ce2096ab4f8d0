import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { decimal, isRawNumber } from "./exact-json";

/** DynamoDB's limits on an item (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Limits.html). */
export const MAX_ITEM_BYTES = 400 * 1024;
/** Levels of an attribute. */
export const MAX_NESTING = 32;
const MAX_DIGITS = 38;
const MAX_MAGNITUDE = 126;
const MIN_MAGNITUDE = -129;

/** A JSON value as an attribute with its size as DynamoDB counts it, in bytes, or why DynamoDB cannot hold it. */
export function attributeOf(value: unknown): { attribute: AttributeValue; size: number } | { problem: string } {
  const walk: Walk = { size: 0 };
  const attribute = toAttribute(value, "", 1, walk);
  return walk.problem ? { problem: walk.problem } : { attribute, size: walk.size };
}

/** A number's text, with every digit that it came with. */
export const numberText = (value: unknown) => (isRawNumber(value) ? value.rawJSON : String(value));

interface Walk {
  size: number;
  problem?: string;
}

function refuse(walk: Walk, path: string, problem: string): AttributeValue {
  walk.problem ??= `${path.slice(0, 100) || "the message"} ${problem}`;
  return { NULL: true };
}

/** A JSON value as an attribute. Sizes: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html */
function toAttribute(value: unknown, path: string, depth: number, walk: Walk): AttributeValue {
  if (walk.problem) return { NULL: true };
  if (typeof value === "string") {
    if (!value.isWellFormed()) return refuse(walk, path, "is not well-formed Unicode text");
    walk.size += Buffer.byteLength(value);
    return { S: value };
  }
  if (typeof value === "number" || isRawNumber(value)) return toNumber(value, path, walk);
  walk.size += 1;
  if (value === null) return { NULL: true };
  if (typeof value === "boolean") return { BOOL: value };
  if (typeof value !== "object") return refuse(walk, path, `is of the type ${typeof value}, which JSON does not have`);
  if (depth > MAX_NESTING) return refuse(walk, path, `is nested deeper than the ${MAX_NESTING} levels of DynamoDB`);
  // What a callback returns may hold a Date; it becomes what it becomes in JSON.
  if ("toJSON" in value && typeof value.toJSON === "function") return toAttribute(value.toJSON(), path, depth, walk);
  walk.size += 2;
  if (Array.isArray(value)) {
    walk.size += value.length;
    return { L: value.map((element, i) => toAttribute(element, `${path}[${i}]`, depth + 1, walk)) };
  }
  return toMap(value as Record<string, unknown>, path, depth, walk);
}

function toMap(fields: Record<string, unknown>, path: string, depth: number, walk: Walk): AttributeValue {
  const map: Record<string, AttributeValue> = {};
  for (const [name, field] of Object.entries(fields)) {
    if (field === undefined) continue;
    const fieldPath = path ? `${path}.${name}` : name;
    // On the way to DynamoDB the SDK copies fields by assignment, which loses one of this name.
    if (name === "__proto__") return refuse(walk, fieldPath, "is a field name that cannot be stored");
    if (!name.isWellFormed()) return refuse(walk, path, "has a field name that is not well-formed Unicode text");
    walk.size += Buffer.byteLength(name) + 1;
    map[name] = toAttribute(field, fieldPath, depth + 1, walk);
  }
  return { M: map };
}

function toNumber(value: unknown, path: string, walk: Walk): AttributeValue {
  const text = numberText(value);
  if (!Number.isFinite(value) && !isRawNumber(value)) return refuse(walk, path, "is not a finite number");
  if (isRawNumber(value) || text.includes("e")) {
    const { digits, exponent } = decimal(text);
    if (digits.length > MAX_DIGITS) return refuse(walk, path, `has more than the ${MAX_DIGITS} digits of DynamoDB`);
    if (digits !== "" && (exponent > MAX_MAGNITUDE || exponent < MIN_MAGNITUDE)) {
      return refuse(walk, path, "is out of the range of DynamoDB, 1E-130 to 9.99E+125");
    }
  }
  walk.size += Math.ceil(text.length / 2) + 2;
  return { N: text };
}
