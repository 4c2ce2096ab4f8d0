import { setTimeout as delay } from "node:timers/promises";
import { type Backoff, describe, fullJitter } from "../retry";
import { type ChannelError, type ChannelOptions, fetchPage, isChannelError } from "./channel";
import type { Cursor } from "./cursor";
import { type Done, deliver } from "./deliver";
import type { FlespiHandler } from "./handler";
import type { DeadLetters, FlespiLetter } from "./letters";
import { type FlespiMessage, type Refused, readMessages } from "./message";

/** What a receiver works with. */
export interface ReceiverParts {
  readonly channel: ChannelOptions;
  readonly cursor: Cursor;
  /** Each gets every message. */
  readonly handlers: readonly FlespiHandler[];
  readonly deadLetters: DeadLetters;
  /** How often, and after how long, what failed is tried again within a round. @default {@link PATIENCE} */
  readonly patience?: Patience;
}

/** How often and after how long something is tried again. */
export interface Patience {
  readonly channel: Backoff;
  readonly handlers: Backoff;
}

/** One round of a receiver. */
export interface Round {
  /** Milliseconds since 1970 at which the round ends, drained or not. */
  readonly deadline: number;
  /** Seconds that flespi waits for a message before the channel counts as drained. */
  readonly waitSeconds: number;
  /** Ends the round after the page at hand. */
  readonly signal?: AbortSignal;
  /** Keeps the channel for the next round. @default false */
  readonly keep?: boolean;
}

/** What a round has done. */
export interface RoundReport {
  /** `drained`: nothing is left; `busy`: another receiver has the channel; `paused`: flespi asked to come later. */
  readonly outcome: "drained" | "deadline" | "busy" | "paused";
  readonly pages: number;
  readonly messages: number;
  /** Of these, those that are dead letters now. */
  readonly deadLetters: number;
  /** Milliseconds that the last message had been in the channel when it was handled; 0 when the channel is drained. */
  readonly lagMs: number;
  /** Milliseconds since 1970 before which flespi does not want to be asked, when `paused`. */
  readonly pausedUntil?: number;
}

const PATIENCE: Patience = {
  channel: { baseMs: 250, capMs: 20_000, attempts: 6 },
  handlers: { baseMs: 200, capMs: 5_000, attempts: 4 },
};

/** Gives what the handlers have of the page that begins at a key. */
type DoneAt = (key: string) => readonly Done[];

/** Receives a channel's messages: each round drains the channel, or says why it did not. */
export function makeReceiver(parts: ReceiverParts): (round: Round) => Promise<RoundReport> {
  // When a page comes again for one handler's sake, the others have it already.
  let at: string | undefined;
  let done: readonly Done[] = [];
  const doneAt: DoneAt = (key) => {
    if (key !== at) done = parts.handlers.map(() => new Map());
    at = key;
    return done;
  };
  return (round) => receive(parts, round, doneAt);
}

async function receive(parts: ReceiverParts, round: Round, doneAt: DoneAt): Promise<RoundReport> {
  const { cursor } = parts;
  const { deadline, signal } = round;
  const report = { pages: 0, messages: 0, deadLetters: 0, lagMs: 0 };
  let key = await cursor.open(deadline);
  let pausedUntil: number | undefined;
  if (key === undefined) return { outcome: "busy", ...report };
  try {
    while (Date.now() < deadline && !signal?.aborted) {
      const page = await nextPage(parts, key, round);
      if (page === undefined) break;
      if (page.nextKey !== key) {
        const { messages, refused } = readMessages(page.elements);
        const letters = await handle(messages, refused, key, parts, round, doneAt(key));
        if (await cursor.move(key, page.nextKey)) {
          key = page.nextKey;
          // Who sets the cursor back wants all of that page again.
          doneAt(key);
          report.pages++;
          report.messages += page.elements.length;
          report.deadLetters += letters;
          report.lagMs = lagOf(messages.at(-1)) ?? report.lagMs;
        } else {
          console.warn(JSON.stringify({ message: "another receiver was faster", channelId: parts.channel.channelId }));
          key = await cursor.open(deadline);
          if (key === undefined) return { outcome: "busy", ...report };
        }
      }
      if (page.elements.length === 0) return { outcome: "drained", ...report, lagMs: 0 };
    }
    return { outcome: "deadline", ...report };
  } catch (error) {
    if (!isChannelError(error) || !error.transient || error.retryAfterMs === undefined) throw error;
    const { retryAfterMs } = error;
    pausedUntil = Date.now() + retryAfterMs;
    console.warn(JSON.stringify({ message: "flespi asks to come later", reason: describe(error), retryAfterMs }));
    return { outcome: "paused", ...report, pausedUntil };
  } finally {
    if (!round.keep || pausedUntil !== undefined) await giveBack(cursor, pausedUntil);
  }
}

/** A cursor that cannot be given back is free when the round's time is over. */
async function giveBack(cursor: Cursor, notBefore: number | undefined): Promise<void> {
  try {
    await cursor.close(notBefore);
  } catch (error) {
    console.warn(JSON.stringify({ message: "the channel was not given back", reason: describe(error) }));
  }
}

/** The next page, however often it takes; undefined when the signal ended the wait. */
async function nextPage({ channel, patience = PATIENCE }: ReceiverParts, key: string, round: Round) {
  const { deadline, signal } = round;
  const backoff = patience.channel;
  for (let attempt = 0; ; attempt++) {
    const left = deadline - Date.now();
    const waitSeconds = Math.max(0, Math.min(round.waitSeconds, Math.floor(left / 2000)));
    const timeoutMs = Math.min(30_000, left - waitSeconds * 1000);
    try {
      return await fetchPage(channel, { key, waitSeconds, signal, timeoutMs });
    } catch (error) {
      if (signal?.aborted) return undefined;
      const { transient, retryAfterMs = 0 } = error as Partial<ChannelError>;
      const wait = Math.max(fullJitter(backoff, attempt), retryAfterMs);
      if (!transient || attempt + 1 >= backoff.attempts || Date.now() + wait >= deadline) throw error;
      console.warn(JSON.stringify({ message: "trying again", reason: describe(error), afterMs: Math.round(wait) }));
      await delay(wait, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** Takes a page to all handlers, and what can never be handled to the dead letters; gives how many there are. */
async function handle(
  messages: readonly FlespiMessage[],
  unreadable: readonly Refused[],
  key: string,
  { handlers, deadLetters, channel, patience = PATIENCE }: ReceiverParts,
  { deadline, signal }: Round,
  done: readonly Done[],
): Promise<number> {
  const outcomes = await Promise.allSettled(
    handlers.map((handler, i) =>
      deliver(handler, messages, done[i]!, { deadline, signal, backoff: patience.handlers }),
    ),
  );
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  const { channelId } = channel;
  const letters = unreadable.map(({ reason, json }) => ({
    letter: { stage: "read", reason, channelId, key } satisfies FlespiLetter as FlespiLetter,
    json,
  }));
  for (const { id, ident, json } of messages) {
    const reasons = done.flatMap((ofHandler) => ofHandler.get(id) ?? []);
    if (reasons.length === 0) continue;
    letters.push({ letter: { stage: "handle", reason: reasons.join("; "), channelId, key, id, ident }, json });
  }
  if (letters.length > 0) await deadLetters(letters);
  return letters.length;
}

/** How long a message was in the channel. */
function lagOf(message: FlespiMessage | undefined): number | undefined {
  const received = message?.data["server.timestamp"];
  return typeof received === "number" ? Math.max(0, Math.round(Date.now() - received * 1000)) : undefined;
}
