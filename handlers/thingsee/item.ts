import { hash } from "node:crypto";
import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { canonicalJson, decimal, isRawNumber } from "../exact-json";
import { MAX_NESTING, secondsOf, type ThingseeMessage } from "./message";

/** A message as it is stored. */
export interface StoredItem {
  readonly tuid: string;
  readonly sortKey: string;
  readonly item: Record<string, AttributeValue>;
  /** Its size as DynamoDB counts it, in bytes. */
  readonly size: number;
}

/** What is known about a message beside its content. */
export interface ItemContext {
  /** When it was received, in milliseconds since 1970. */
  readonly receivedAt: number;
  /** Days until the item may be deleted; 0 keeps it for ever. */
  readonly ttlDays: number;
}

/** DynamoDB's limits on an item (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Limits.html). */
const MAX_ITEM_BYTES = 400 * 1024;
const MAX_DIGITS = 38;
const MAX_MAGNITUDE = 126;
const MIN_MAGNITUDE = -129;
/** Same content without a time of its own counts as a repeat within this window, in milliseconds. */
const REPEAT_WINDOW = 5 * 60 * 1000;
const DAY = 24 * 60 * 60;

/** 128 bits that are the same for equal content, whatever the order of its fields. */
export function digestOf(received: unknown): string {
  return hash("sha256", canonicalJson(received), "base64url").slice(0, 22);
}

/**
 * The sort key: time, message id, event, and a digest of what was sent. It sorts and ranges by time as text, two
 * different messages of one device never share it, and the same message sent twice has it twice.
 *
 * The digest is of the message as received, so that a callback's additions do not turn a repeat into a second item.
 * A message without a time (tsmEv 18) has the receive time rounded down to five minutes: a repeat soon after is still
 * one item, while the next such event of the device is not lost.
 */
export function sortKey(message: ThingseeMessage, digest: string, receivedAt: number): string {
  const seconds = secondsOf(message.tsmTs);
  const time = seconds === undefined ? receivedAt - (receivedAt % REPEAT_WINDOW) : Math.round(seconds * 1000);
  return `${new Date(time).toISOString()}#${message.tsmId}#${message.tsmEv}#${digest}`;
}

/** Makes the item of a valid message, or says why DynamoDB cannot hold it. The digest is of the message as received. */
export function toItem(
  message: ThingseeMessage,
  digest: string,
  { receivedAt, ttlDays }: ItemContext,
): StoredItem | { problem: string } {
  const walk: Walk = { size: 0 };
  const data = toAttribute(message, "", 1, walk);
  if (walk.problem) return { problem: walk.problem };
  const { tsmTuid: tuid, tsmId, tsmEv, tsmTs, tsmGw } = message;
  const key = sortKey(message, digest, receivedAt);
  const item: Record<string, AttributeValue> = {
    tuid: { S: tuid },
    sortKey: { S: key },
    timestamp: { N: numberText(tsmTs ?? receivedAt / 1000) },
    messageId: { N: String(tsmId) },
    event: { N: String(tsmEv) },
    receivedAt: { S: new Date(receivedAt).toISOString() },
    data,
  };
  if (typeof tsmGw === "string" && tsmGw !== "") item.gateway = { S: tsmGw };
  if (tsmTs === undefined || tsmTs === null) item.timestampSource = { S: "receivedAt" };
  if (ttlDays > 0) item.expiresAt = { N: String(Math.floor(receivedAt / 1000) + ttlDays * DAY) };
  // Names and values of the attributes beside `data` come to less than 300 bytes without the two texts of any length.
  const size = walk.size + Buffer.byteLength(tuid) + Buffer.byteLength(typeof tsmGw === "string" ? tsmGw : "") + 300;
  if (size > MAX_ITEM_BYTES) return { problem: `the message makes an item of ${size} bytes; DynamoDB holds 409600` };
  return { tuid, sortKey: key, item, size };
}

interface Walk {
  size: number;
  problem?: string;
}

const numberText = (value: unknown) => (isRawNumber(value) ? value.rawJSON : String(value));

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
