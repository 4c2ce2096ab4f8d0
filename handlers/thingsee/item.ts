import { hash } from "node:crypto";
import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { attributeOf, MAX_ITEM_BYTES, numberText } from "../attribute";
import type { Writable } from "../batch-write";
import { canonicalJson } from "../exact-json";
import { secondsOf, type ThingseeMessage } from "./message";

/** A message as it is stored. */
export interface StoredItem extends Writable {
  readonly tuid: string;
  readonly sortKey: string;
}

/** What an item is told apart by: its keys. */
export const identityOf = ({ tuid, sortKey }: Record<string, AttributeValue>) => `${sortKey?.S}#${tuid?.S}`;

/** What is known about a message beside its content. */
export interface ItemContext {
  /** When it was received, in milliseconds since 1970. */
  readonly receivedAt: number;
  /** Days until the item may be deleted; 0 keeps it for ever. */
  readonly ttlDays: number;
}

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
  const data = attributeOf(message);
  if ("problem" in data) return data;
  const { tsmTuid: tuid, tsmId, tsmEv, tsmTs, tsmGw } = message;
  const key = sortKey(message, digest, receivedAt);
  const item: Record<string, AttributeValue> = {
    tuid: { S: tuid },
    sortKey: { S: key },
    timestamp: { N: numberText(tsmTs ?? receivedAt / 1000) },
    messageId: { N: String(tsmId) },
    event: { N: String(tsmEv) },
    receivedAt: { S: new Date(receivedAt).toISOString() },
    data: data.attribute,
  };
  if (typeof tsmGw === "string" && tsmGw !== "") item.gateway = { S: tsmGw };
  if (tsmTs === undefined || tsmTs === null) item.timestampSource = { S: "receivedAt" };
  if (ttlDays > 0) item.expiresAt = { N: String(Math.floor(receivedAt / 1000) + ttlDays * DAY) };
  // Names and values of the attributes beside `data` come to less than 300 bytes without the two texts of any length.
  const size = data.size + Buffer.byteLength(tuid) + Buffer.byteLength(typeof tsmGw === "string" ? tsmGw : "") + 300;
  if (size > MAX_ITEM_BYTES) return { problem: `the message makes an item of ${size} bytes; DynamoDB holds 409600` };
  return { tuid, sortKey: key, identity: identityOf(item), item, size };
}
