import { MAX_MESSAGE_BYTES, toSqsText } from "../batching";
import type { Clients } from "../clients";
import { sendAll } from "../send-all";
import type { Envelope } from "./record";

/** What could not go on, and why: a message of the dead-letter queue. */
export interface IoTLetter {
  /** Where it ended: `sink` when some sinks did not take it. */
  readonly stage: "parse" | "validate" | "transform" | "sink";
  /** Why, in words. */
  readonly reason: string;
  /** Its place in the stream, `shardId:sequenceNumber`. */
  readonly id: string;
  /** The sinks that did not get it; the others have it. Absent when none has. */
  readonly sinks?: readonly string[];
  readonly device?: string;
  /** The message as the topic rule gave it, with its payload as base64; absent when the record was none. */
  readonly message?: Envelope;
  /** The payload as text, for people to read, where it is text. */
  readonly text?: string;
  /** The data of a record that is no message, as base64. */
  readonly record?: string;
}

/** Longer payloads stand in the letter as base64 only. */
const READABLE_BYTES = 256 * 1024;

/** The letter as JSON; without its content when that is larger than a queue takes, and then the stream still has it. */
function letterText(letter: IoTLetter): string {
  const payload = letter.message && Buffer.from(letter.message.payload, "base64");
  const text = payload && payload.length <= READABLE_BYTES ? textOf(payload) : undefined;
  const whole = toSqsText(JSON.stringify({ ...letter, text }));
  if (Buffer.byteLength(whole) <= MAX_MESSAGE_BYTES) return whole;
  const { message: _, record: __, ...rest } = letter;
  return toSqsText(JSON.stringify({ ...rest, reason: `${rest.reason} (too large for a letter: the stream has it)` }));
}

function textOf(payload: Buffer): string | undefined {
  const text = payload.toString();
  return Buffer.from(text).equals(payload) ? text : undefined;
}

/** Sends letters. Throws when one of them was not taken. The log says how many there are, and nothing of their content. */
export async function bury(letters: readonly IoTLetter[], clients: Clients, queueUrl: string): Promise<void> {
  if (letters.length === 0) return;
  await sendAll(clients.sqs(), queueUrl, letters.map(letterText));
  const stages: Record<string, number> = {};
  for (const { stage } of letters) stages[stage] = (stages[stage] ?? 0) + 1;
  console.warn(JSON.stringify({ message: "records dead-lettered", first: letters[0]?.id, stages }));
}
