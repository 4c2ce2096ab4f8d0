import { setTimeout as delay } from "node:timers/promises";
import { type Backoff, describe, fullJitter } from "../retry";
import { isChannelError } from "./channel";
import { makeReceiver, type ReceiverParts, type RoundReport } from "./receive";

/** How a receiver runs on. */
export interface Running {
  /** Ends it, after the page at hand. */
  readonly signal: AbortSignal;
  /** Seconds that flespi waits for a message, again and again. */
  readonly waitSeconds: number;
  /** Ends it when the channel is drained. @default false */
  readonly once?: boolean;
  /** Hears of each round. */
  readonly onRound?: (report: RoundReport) => void;
}

/** The channel is taken for so long at a time: one that ends without a word keeps it from the others no longer. */
const ROUND_MS = 60_000;
const WAIT_FOR_OTHERS_MS = 5_000;
const BACKOFF: Backoff = { baseMs: 1_000, capMs: 60_000, attempts: Number.POSITIVE_INFINITY };

/**
 * Receives a channel's messages until it is told to end: in a process of its own. Where another receiver has the channel,
 * it waits to take its place. What fails is tried again for ever, so that messages are handled when a sink is back.
 *
 * @throws what cannot be mended by waiting: flespi refuses the token or the channel, or the cursor cannot be read
 */
export async function runReceiver(
  parts: ReceiverParts,
  { signal, waitSeconds, once, onRound }: Running,
): Promise<void> {
  const receive = makeReceiver(parts);
  const { channelId } = parts.channel;
  const pause = (ms: number) => delay(Math.min(ms, 2 ** 31 - 1), undefined, { signal }).catch(() => undefined);
  try {
    await parts.cursor.open(Date.now() + ROUND_MS);
    for (let failures = 0; !signal.aborted; ) {
      try {
        const report = await receive({ deadline: Date.now() + ROUND_MS, waitSeconds, signal, keep: true });
        failures = 0;
        onRound?.(report);
        if (once && report.outcome === "drained") return;
        if (report.outcome === "busy") await pause(WAIT_FOR_OTHERS_MS);
        if (report.pausedUntil !== undefined) await pause(report.pausedUntil - Date.now());
      } catch (error) {
        if (isChannelError(error) && !error.transient) throw error;
        const wait = fullJitter(BACKOFF, failures++);
        console.error(
          JSON.stringify({ message: "trying again", channelId, reason: describe(error), afterMs: Math.round(wait) }),
        );
        await pause(wait);
      }
    }
  } finally {
    await Promise.allSettled([parts.cursor.close(), ...parts.handlers.map((handler) => handler.close?.())]);
  }
}
