import { hash } from "node:crypto";
import { MAX_NESTING } from "../attribute";
import { canonicalJson, isNestedDeeper, isRawNumber } from "../exact-json";

/** A message of a flespi channel (https://flespi.com/kb/messages-basic-information-units). */
export interface FlespiMessage {
  /** The same however often the message comes, made of its ident, timestamp and content: what sinks tell copies by. */
  readonly id: string;
  /** The device, as it calls itself. */
  readonly ident: string;
  /** When the device measured it: seconds since 1970, with decimals. Absent when the message does not say. */
  readonly timestamp?: number;
  /** All fields as flespi names them, such as `position.latitude` and `server.timestamp`. */
  readonly data: Readonly<Record<string, unknown>>;
  /** The message as JSON, every number with the digits that it came with. */
  readonly json: string;
}

/** What a channel holds and what can never be handled. */
export interface Refused {
  readonly reason: string;
  /** As it came, as JSON. */
  readonly json: string;
  readonly id?: string;
  readonly ident?: string;
}

/** Levels that are printed without a thought for the stack. */
const MAX_PRINTED = 500;

/** Tells the usable elements of a page from the others. Their order is the channel's. */
export function readMessages(elements: readonly unknown[]): { messages: FlespiMessage[]; refused: Refused[] } {
  const messages: FlespiMessage[] = [];
  const refused: Refused[] = [];
  for (const element of elements) {
    if (isNestedDeeper(element, MAX_PRINTED)) {
      refused.push({ reason: `it is nested deeper than ${MAX_PRINTED} levels: only the channel has it`, json: "null" });
      continue;
    }
    const json = JSON.stringify(element);
    const message = readMessage(element, json);
    if (typeof message === "string") refused.push({ reason: message, json });
    else messages.push(message);
  }
  return { messages, refused };
}

function readMessage(element: unknown, json: string): FlespiMessage | string {
  if (typeof element !== "object" || element === null || Array.isArray(element) || isRawNumber(element)) {
    return "it is not a JSON object";
  }
  if (isNestedDeeper(element, MAX_NESTING)) return `it is nested deeper than ${MAX_NESTING} levels`;
  const data = element as Record<string, unknown>;
  const { ident } = data;
  if (typeof ident !== "string" || ident === "") return "the field ident must name the device";
  const { timestamp } = data;
  const digest = hash("sha256", canonicalJson(data), "base64url").slice(0, 22);
  const isNumber = typeof timestamp === "number" || isRawNumber(timestamp);
  const time = isNumber ? JSON.stringify(timestamp) : "";
  // ASCII only, so that it can stand in headers, attributes and keys.
  const id = `${encodeURIComponent(ident.toWellFormed())}/${time}/${digest}`;
  return { id, ident, ...(isNumber && { timestamp: Number(time) }), data, json };
}
