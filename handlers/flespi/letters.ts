import type { SQSClient } from "@aws-sdk/client-sqs";
import { MAX_MESSAGE_BYTES, toSqsText } from "../batching";
import { sendAll } from "../send-all";

/** A message that can never be handled, and why. */
export interface FlespiLetter {
  /** `read` when it is no message that any handler could take. */
  readonly stage: "read" | "handle";
  /** Why, in words. */
  readonly reason: string;
  readonly channelId: string;
  /** The page that it was on begins at this key: `curr_key` to fetch it again. */
  readonly key: string;
  /** The message's own id, which is the same however often it comes. */
  readonly id?: string;
  readonly ident?: string;
}

/** Keeps letters, each with its message as JSON. Rejects when one of them was not kept. */
export type DeadLetters = (letters: readonly { letter: FlespiLetter; json: string }[]) => Promise<void>;

/** The letter as JSON, with the message digit by digit as it came. */
export function letterText(letter: FlespiLetter, json: string): string {
  return `${JSON.stringify(letter).slice(0, -1)},"message":${json}}`;
}

/** Letters to a queue. What is larger than the queue takes stays in the channel only, and the letter says so. */
export const queueLetters =
  (sqs: () => SQSClient, queueUrl: string): DeadLetters =>
  (letters) =>
    sendAll(
      sqs(),
      queueUrl,
      letters.map(({ letter, json }) => {
        const whole = toSqsText(letterText(letter, json));
        if (Buffer.byteLength(whole) <= MAX_MESSAGE_BYTES) return whole;
        const reason = `${letter.reason} (too large for a letter: the channel has it)`;
        return toSqsText(JSON.stringify({ ...letter, reason }));
      }),
    );
