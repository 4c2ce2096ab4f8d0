import { hash } from "node:crypto";
import { MAX_NESTING } from "../attribute";
import { canonicalJson, isNestedDeeper, isRawNumber, needsExactParse, parseExactly } from "../exact-json";
import { describe } from "../retry";

/**
 * What the topic rule puts on the stream, as JSON: the message whole, as base64, for only so does a message that is no
 * JSON get here; the rule would drop it without a word.
 * @see https://docs.aws.amazon.com/iot/latest/developerguide/binary-payloads.html
 */
export interface Envelope {
  readonly topic: string;
  /** What the topic or the payload names the device; absent when neither does. */
  readonly device?: string | number;
  /** Absent for messages that did not come by MQTT. */
  readonly clientId?: string;
  /** When AWS IoT received it: milliseconds since 1970. */
  readonly receivedAt: number;
  /** Base64. */
  readonly payload: string;
}

/** A device's message on its way to the sinks; as JSON, it is what queues and the archive get. */
export interface IoTRecord {
  /** The device. */
  readonly ident: string;
  /** The same however often the record comes, and different from that of any other record of the stream. */
  readonly id: string;
  readonly topic: string;
  /** When it was measured, or received when its payload does not say so: milliseconds since 1970. */
  readonly timestamp: number;
  /** When AWS IoT received it: ISO 8601, UTC. */
  readonly receivedAt: string;
  /** The MQTT client that published it. */
  readonly clientId?: string;
  /** The payload, or what `transform` made of it. */
  readonly data: Record<string, unknown>;
}

/** What `transform` is told about a message beside its payload. */
export type MessageInfo = Omit<IoTRecord, "data">;

/**
 * Sees every valid message before the sinks do. Return the payload, changed or not; return `null` to drop the message.
 * When it throws, the message goes to the dead-letter queue with the reason, and its neighbours are not affected.
 */
export type Transform = (
  data: Record<string, unknown>,
  info: MessageInfo,
) => Record<string, unknown> | null | Promise<Record<string, unknown> | null>;

/** A record of a Kinesis stream, as the event source gives it. */
export interface StreamRecord {
  /** `shardId-000000000000:49...` */
  readonly eventID: string;
  readonly kinesis: {
    readonly sequenceNumber: string;
    /** Base64. */
    readonly data: string;
    /** Seconds since 1970, with decimals. */
    readonly approximateArrivalTimestamp: number;
  };
}

/** A record that is told apart and sorted. */
export interface Placed {
  readonly record: IoTRecord;
  /** As it came. */
  readonly envelope: Envelope;
  /** Sorts the records of a device by time; no two different ones have the same. */
  readonly sortKey: string;
}

/** Why a record is none. */
export interface Refusal {
  readonly stage: "parse" | "validate" | "transform";
  readonly reason: string;
  /** What is known about the message nevertheless. */
  readonly envelope?: Envelope;
  readonly device?: string;
}

/** A DynamoDB partition key's size (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Limits.html). */
const MAX_IDENT_BYTES = 2048;
/** The digits of a Kinesis sequence number; equally long ones sort as text. */
const SEQUENCE_DIGITS = 56;
/** The first millisecond of the year 10000, from which on ISO 8601 times have more digits and sort wrongly. */
const END_OF_TIME = 253_402_300_800_000;
/** Times below are seconds, above milliseconds: 1e11 seconds are in the year 5138, 1e11 milliseconds in 1973. */
const SECONDS_BELOW = 100_000_000_000;

/** Reads what a rule put on the stream. */
export function readEnvelope({ kinesis }: StreamRecord): Envelope | Refusal {
  const problem = "it is not a record of the stream's topic rule";
  try {
    const envelope = JSON.parse(Buffer.from(kinesis.data, "base64").toString()) as Partial<Envelope> | null;
    const { topic, receivedAt, payload, clientId, device } = envelope ?? {};
    if (typeof topic !== "string" || typeof payload !== "string" || !isTime(receivedAt)) {
      return { stage: "parse", reason: `${problem}: topic, receivedAt or payload is missing` };
    }
    const named = (typeof device === "string" && device !== "") || typeof device === "number";
    return {
      ...{ topic, receivedAt, payload },
      ...(named && { device }),
      // What clientid() says of a message that did not come by MQTT.
      ...(typeof clientId === "string" && clientId !== "n/a" && { clientId }),
    };
  } catch (error) {
    return { stage: "parse", reason: `${problem}: ${describe(error)}` };
  }
}

/**
 * Makes the record of a message. `id` is that of its place in the stream, `sequenceNumber` sorts it there; the time of
 * measurement stands in `timeField`, which may be empty.
 */
export function readMessage(
  envelope: Envelope,
  { id, sequenceNumber }: { id: string; sequenceNumber: string },
  timeField: string,
): Placed | Refusal {
  const device = envelope.device === undefined ? undefined : String(envelope.device);
  const refuse = (stage: Refusal["stage"], reason: string) => ({ stage, reason, envelope, device });
  let data: unknown;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(envelope.payload, "base64"));
    data = needsExactParse(text) ? parseExactly(text) : JSON.parse(text);
  } catch (error) {
    // The parser's message repeats the payload, which is not for the log.
    const reason = error instanceof SyntaxError ? "the payload is not valid JSON" : "the payload is not UTF-8 text";
    return refuse("parse", reason);
  }
  if (!isObject(data)) return refuse("validate", "the payload must be a JSON object");
  if (isNestedDeeper(data, MAX_NESTING)) {
    return refuse("validate", `the payload is nested deeper than the ${MAX_NESTING} levels of DynamoDB`);
  }
  if (device === undefined) return refuse("validate", "the message names no device");
  if (!device.isWellFormed()) return refuse("validate", "its device is not well-formed Unicode text");
  if (Buffer.byteLength(device) > MAX_IDENT_BYTES) {
    return refuse("validate", `its device is longer than ${MAX_IDENT_BYTES} bytes`);
  }
  const measured = timeField === "" ? undefined : fieldOf(data, timeField);
  const timestamp = measured === undefined || measured === null ? envelope.receivedAt : timeOf(measured);
  if (timestamp === undefined) {
    const must = "must be a time before the year 10000: seconds or milliseconds since 1970, or ISO 8601";
    return refuse("validate", `the field ${timeField} ${must}`);
  }
  // With a time of its own, a message that is published again is the same item; without one, each is another.
  const last =
    measured === undefined || measured === null
      ? sequenceNumber.padStart(SEQUENCE_DIGITS, "0")
      : hash("sha256", canonicalJson(data), "base64url").slice(0, 22);
  const { topic, clientId } = envelope;
  const receivedAt = new Date(envelope.receivedAt).toISOString();
  return {
    record: { ident: device, id, topic, timestamp, receivedAt, ...(clientId !== undefined && { clientId }), data },
    envelope,
    sortKey: `${new Date(timestamp).toISOString()}#${last}`,
  };
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === "object" && !Array.isArray(value) && !isRawNumber(value);

const isTime = (value: unknown): value is number => typeof value === "number" && value >= 0 && value < END_OF_TIME;

/** A field by its name, or by names with dots between for one inside of others. */
export function fieldOf(data: Record<string, unknown>, path: string): unknown {
  if (Object.hasOwn(data, path)) return data[path];
  let value: unknown = data;
  for (const name of path.split(".")) {
    if (!isObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

function timeOf(value: unknown): number | undefined {
  const number = isRawNumber(value) ? Number(value.rawJSON) : value;
  if (typeof number === "string") return /^\d{4}-\d\d-\d\d/.test(number) ? inRange(Date.parse(number)) : undefined;
  if (typeof number !== "number") return undefined;
  return inRange(Math.round(number < SECONDS_BELOW ? number * 1000 : number));
}

const inRange = (time: number) => (isTime(time) ? time : undefined);
