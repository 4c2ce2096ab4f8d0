import { MAX_NESTING } from "../attribute";
import { isNestedDeeper, isRawNumber, type RawNumber } from "../exact-json";

/**
 * A Thingsee message. The four `tsm` fields come with every message, the measured values of the sensor's profile stand
 * beside them, and fields that this type does not name are kept as they are.
 *
 * A number that JavaScript cannot hold exactly (more than about 15 digits) arrives as the object that `JSON.rawJSON`
 * makes, so that it is stored and forwarded with every digit.
 */
export interface ThingseeMessage {
  /** The device, such as `TSPR04E2O90201558`. */
  tsmTuid: string;
  /** What the message is about: 1110 battery, 12100 environment, 13102 occupancy ... */
  tsmId: number;
  /** What caused it: 7 state, 9 threshold, 10 timed, 17 and 18 network on and off ... */
  tsmEv: number;
  /** When it was measured: seconds since 1970, maybe with decimals. May be absent when `tsmEv` is 18. */
  tsmTs?: number;
  /** The gateway that passed it on. */
  tsmGw?: string;
  /** The device that it is meant for. */
  tsmDstTuid?: string;
  [field: string]: unknown;
}

/** What a callback is told about a message beside the message itself. */
export interface MessageContext {
  /** When the message was received: ISO 8601, UTC. */
  receivedAt: string;
  /** The API Gateway request that brought it. */
  requestId: string;
}

/**
 * Sees every valid message before it is stored. Return the message, changed or not, to keep it; return `null` to drop
 * it. When it throws, the message goes to the dead-letter queue with the reason, and its neighbours are not affected.
 */
export type OnMessage = (
  message: ThingseeMessage,
  context: MessageContext,
) => ThingseeMessage | null | Promise<ThingseeMessage | null>;

/** Network lost: the one event that Thingsee may send without a time of measurement. */
const NETWORK_OFF = 18;
/** The first second of the year 10000, from which on ISO 8601 times have more digits and sort wrongly. */
const END_OF_TIME = 253_402_300_800;
/** A DynamoDB partition key's size (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Limits.html). */
const MAX_TUID_BYTES = 2048;

/** What is wrong with a message, all of it in one sentence; undefined when it is a valid one. */
export function problemOf(value: unknown): string | undefined {
  if (value === null || typeof value !== "object" || Array.isArray(value) || isRawNumber(value)) {
    return `a message must be a JSON object, not ${kindOf(value)}`;
  }
  if (isNestedDeeper(value, MAX_NESTING))
    return `the message is nested deeper than the ${MAX_NESTING} levels of DynamoDB`;
  const { tsmTuid, tsmId, tsmEv, tsmTs } = value as Record<string, unknown>;
  const problems: string[] = [];
  if (typeof tsmTuid !== "string" || tsmTuid === "") problems.push(`tsmTuid must be text, not ${kindOf(tsmTuid)}`);
  else if (Buffer.byteLength(tsmTuid) > MAX_TUID_BYTES) problems.push(`tsmTuid is longer than ${MAX_TUID_BYTES} bytes`);
  if (!isCode(tsmId)) problems.push(`tsmId must be a whole number of 0 or more, not ${kindOf(tsmId)}`);
  if (!isCode(tsmEv)) problems.push(`tsmEv must be a whole number of 0 or more, not ${kindOf(tsmEv)}`);
  const timeProblem = problemOfTime(tsmTs, tsmEv);
  if (timeProblem) problems.push(timeProblem);
  return problems.length > 0 ? problems.join("; ") : undefined;
}

function problemOfTime(tsmTs: unknown, tsmEv: unknown): string | undefined {
  if (tsmTs === undefined || tsmTs === null) {
    return tsmEv === NETWORK_OFF ? undefined : "tsmTs is missing; only an event with tsmEv 18 may come without it";
  }
  const seconds = secondsOf(tsmTs);
  if (seconds === undefined) return `tsmTs must be a number of seconds since 1970, not ${kindOf(tsmTs)}`;
  if (seconds < 0 || Math.round(seconds * 1000) >= END_OF_TIME * 1000) {
    return "tsmTs must be seconds since 1970, before the year 10000; it looks like another unit";
  }
  return undefined;
}

const isCode = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;

/** The time of measurement in seconds, or undefined when there is none. */
export function secondsOf(tsmTs: unknown): number | undefined {
  if (typeof tsmTs === "number") return tsmTs;
  return isRawNumber(tsmTs) ? Number((tsmTs as RawNumber).rawJSON) : undefined;
}

/** How a refusal names what it got, without repeating the content. */
function kindOf(value: unknown): string {
  if (value === undefined) return "missing";
  if (value === null) return "null";
  if (value === "") return "empty text";
  if (Array.isArray(value)) return "an array";
  if (isRawNumber(value) || typeof value === "number") return "this number";
  return { string: "text", boolean: "true or false" }[typeof value as "string" | "boolean"] ?? "an object";
}
