import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { attributeOf, MAX_ITEM_BYTES } from "../attribute";
import type { Writable } from "../batch-write";
import type { Placed } from "./record";

const DAY = 24 * 60 * 60;

/** What an item is told apart by: its keys. */
export const identityOf = ({ ident, sortKey }: Record<string, AttributeValue>) => `${sortKey?.S}#${ident?.S}`;

/** Makes the item of a record, or says why DynamoDB cannot hold it. `ttlDays` of 0 keep it for ever. */
export function toItem({ record, sortKey }: Placed, ttlDays: number): Writable | { problem: string } {
  const data = attributeOf(record.data);
  if ("problem" in data) return data;
  const { ident, id, topic, timestamp, receivedAt, clientId } = record;
  const item: Record<string, AttributeValue> = {
    ident: { S: ident },
    sortKey: { S: sortKey },
    id: { S: id },
    topic: { S: topic },
    timestamp: { N: String(timestamp) },
    receivedAt: { S: receivedAt },
    data: data.attribute,
  };
  if (clientId !== undefined) item.clientId = { S: clientId };
  if (ttlDays > 0) item.expiresAt = { N: String(Math.floor(Date.parse(receivedAt) / 1000) + ttlDays * DAY) };
  const texts = [ident, sortKey, id, topic, receivedAt, clientId ?? ""];
  // Names and numbers come to less than 150 bytes.
  const size = texts.reduce((sum, text) => sum + Buffer.byteLength(text), data.size + 150);
  if (size > MAX_ITEM_BYTES) return { problem: `the record makes an item of ${size} bytes; DynamoDB holds 409600` };
  return { identity: identityOf(item), item, size };
}
