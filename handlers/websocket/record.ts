import { createHash } from "node:crypto";
import { elementTexts, parseExactly } from "../exact-json";
import { describe } from "../retry";
import { MAX_FRAME_BYTES } from "./frames";

/** A message of the queue, as the event source gives it. */
export interface QueueMessage {
  readonly messageId: string;
  readonly body: string;
  readonly attributes?: { readonly SentTimestamp?: string };
  readonly messageAttributes?: Record<string, { readonly stringValue?: string } | undefined>;
}

/** A record on its way to clients. */
export interface LiveRecord {
  readonly id: string;
  /** Undefined: only who gets everything gets it. */
  readonly device?: string;
  /** For all connections, whatever they are subscribed to, but for the one that it came from. */
  readonly everyone?: { readonly except: string };
  /** What the client gets: JSON. */
  readonly text: string;
}

/** What is for everyone: sent by a client's `message`, and told apart by the attribute `audience`. */
export interface ForEveryone {
  readonly id: string;
  /** The principal that sent it. */
  readonly from: string;
  /** Its connection. */
  readonly sender: string;
  readonly data: unknown;
}
export const EVERYONE = "everyone";

/** What can never be broadcast, and why. */
export interface Poison {
  readonly stage: "parse" | "validate" | "deviceOf" | "idOf";
  readonly reason: string;
  /** Its place in the message's array; absent when it is the whole message. */
  readonly index?: number;
  readonly text: string;
}

/**
 * Which device a record is about; undefined when about none.
 * @default the first text or number of `deviceId`, `device_id`, `tsmTuid` and `ident`
 */
export type DeviceOf = (record: Record<string, unknown>) => string | null | undefined;
/**
 * What a record is told apart by: clients drop an id that they have seen.
 * @default a digest of the whole record: a field such as `id` is the device's as often as the reading's
 */
export type IdOf = (record: Record<string, unknown>) => string | null | undefined;

export interface RecordOptions {
  readonly deviceOf?: DeviceOf;
  readonly idOf?: IdOf;
}

/** The records of a message, and what in it is none. */
export function readMessage(
  message: QueueMessage,
  options: RecordOptions,
): { records: LiveRecord[]; poison: Poison[] } {
  const { body, messageAttributes } = message;
  const at = new Date(Number(message.attributes?.SentTimestamp) || Date.now()).toISOString();
  let content: unknown;
  try {
    // What is nested too deeply to be printed again throws here as well.
    if (messageAttributes?.audience?.stringValue === EVERYONE) return readForEveryone(parseExactly(body), at, body);
    content = JSON.parse(body);
  } catch (error) {
    const reason = `the message is not valid JSON: ${describe(error)}`;
    return { records: [], poison: [{ stage: "parse", reason, text: body }] };
  }
  const records: LiveRecord[] = [];
  const poison: Poison[] = [];
  const isArray = Array.isArray(content);
  // Each stands in the frame digit by digit as it was sent, not parsed and printed again.
  const texts = isArray ? elementTexts(body) : [body.trim()];
  (isArray ? (content as unknown[]) : [content]).forEach((value, index) => {
    const text = texts[index] ?? "null";
    const read = readRecord(value, text, at, options);
    if ("reason" in read) poison.push({ ...read, ...(isArray && { index }), text });
    else records.push(read);
  });
  return { records, poison };
}

function readRecord(
  value: unknown,
  text: string,
  at: string,
  { deviceOf = usualDevice, idOf }: RecordOptions,
): LiveRecord | Omit<Poison, "text"> {
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    return { stage: "validate", reason: "a record must be a JSON object" };
  }
  const record = value as Record<string, unknown>;
  let stage: Poison["stage"] = "deviceOf";
  try {
    const device = nameOf(deviceOf(record));
    stage = "idOf";
    const id = nameOf(idOf?.(record)) ?? createHash("sha256").update(text).digest("base64url").slice(0, 27);
    return fitting({ id, device, text: `${JSON.stringify({ id, device, at }).slice(0, -1)},"data":${text}}` });
  } catch (error) {
    return { stage, reason: describe(error) };
  }
}

/** What a callback gave, as a text; undefined where it gave nothing. Throws at what is no name. */
function nameOf(given: unknown): string | undefined {
  if (given === undefined || given === null || given === "") return undefined;
  if (typeof given === "string") return given;
  if (typeof given === "number" || typeof given === "bigint") return String(given);
  throw new Error(
    `it must return a text, not ${given instanceof Promise ? "a promise" : `a value of type ${typeof given}`}`,
  );
}

function readForEveryone(content: unknown, at: string, body: string): { records: LiveRecord[]; poison: Poison[] } {
  const { id, from, sender, data } = (content ?? {}) as Partial<ForEveryone>;
  if (typeof id !== "string" || data === undefined) {
    return { records: [], poison: [{ stage: "validate", reason: "it has no id or no data", text: body }] };
  }
  const text = JSON.stringify({ id, at, from, data });
  const record = fitting({ id, everyone: { except: sender ?? "" }, text });
  return "reason" in record ? { records: [], poison: [{ ...record, text: body }] } : { records: [record], poison: [] };
}

const fitting = (record: LiveRecord): LiveRecord | Omit<Poison, "text"> =>
  // An array's brackets stand around it.
  Buffer.byteLength(record.text) + 2 > MAX_FRAME_BYTES
    ? { stage: "validate", reason: "the record is larger than the 128 KB that a WebSocket message may have" }
    : record;

const DEVICE_FIELDS = ["deviceId", "device_id", "tsmTuid", "ident"];

/** The device by the names that fields for it usually have. */
export function usualDevice(record: Record<string, unknown>): string | undefined {
  const name = DEVICE_FIELDS.find((field) => /^(string|number)$/.test(typeof record[field]) && record[field] !== "");
  return name === undefined ? undefined : String(record[name]);
}
