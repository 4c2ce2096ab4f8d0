import { type ApiGatewayManagementApiClient, PostToConnectionCommand } from "@aws-sdk/client-apigatewaymanagementapi";
import { type Backoff, describe, fullJitter, isTransient, mapConcurrent, sleep } from "../retry";
import { type Frame, toFrames } from "./frames";
import type { Receiver } from "./receivers";
import type { LiveRecord } from "./record";
import { forgetConnection, type Table } from "./rows";

/** How posts go out. */
export interface Poster {
  readonly client: ApiGatewayManagementApiClient;
  readonly table: Table;
  /** Posts under way at a time. */
  readonly parallel: number;
  /** One record a frame. */
  readonly single: boolean;
  /** Milliseconds since 1970: nothing is tried again after this. */
  readonly deadline: number;
}

/** What became of a broadcast. */
export interface Delivery {
  /**
   * Records that have to come again, by their places in the list: no receiver got them, though there were some, or the
   * time was over before they were tried on all.
   */
  readonly failed: readonly number[];
  /** Posts that were taken. */
  posts: number;
  /** Records in them. */
  delivered: number;
  /** Connections that are not there any more. */
  gone: number;
  /** Answers that asked to wait. */
  throttled: number;
  /** Frames that were given up. */
  givenUp: number;
}

const BACKOFF: Backoff = { baseMs: 50, capMs: 2_000, attempts: 10 };
/**
 * How long after its beginning a handshake may still be under way. Until it is done, API Gateway answers 410, and a row
 * that was deleted for that would be missed by a client that is just about to listen.
 */
const OPENING_MS = 5_000;
const FORGET_PARALLEL = 16;
/** How long the answer to a post is waited for; less where the time is almost over, but never less than the second. */
const LONGEST_POST_MS = 5_000;
const LAST_POST_MS = 500;
/** Reasons that a log line tells apart. */
const MAX_REASONS = 20;
const OTHER_REASONS = "others";

/** Posts to every receiver its records. One that is slow, gone or failing does not hold up or hide the others. */
export async function deliver(
  records: readonly LiveRecord[],
  receivers: readonly Receiver[],
  poster: Poster,
): Promise<Delivery> {
  const delivery = { posts: 0, delivered: 0, gone: 0, throttled: 0, givenUp: 0 };
  const reached = records.map(() => false);
  const missed = records.map(() => false);
  const untried = records.map(() => false);
  const gone: Receiver[] = [];
  const reasons = new Map<string, number>();
  const framesOf = sharedFrames(records, receivers, poster.single);
  await mapConcurrent(receivers, poster.parallel, async (receiver, index) => {
    const frames = framesOf(index);
    let fails = false;
    for (const frame of frames) {
      // One that used up the time itself has had its attempts.
      if (!fails && Date.now() > poster.deadline) {
        for (const place of frame.places) untried[place] = true;
        continue;
      }
      const outcome = await post(receiver, frame, poster, delivery);
      if (outcome === "gone") {
        gone.push(receiver);
        return;
      }
      const mark = outcome === "taken" ? reached : missed;
      for (const place of frame.places) mark[place] = true;
      if (outcome === "taken") {
        delivery.posts++;
        delivery.delivered += frame.places.length;
      } else {
        fails = true;
        delivery.givenUp++;
        // AWS's words may name the connection: so many different ones would be too much for a log.
        const reason = reasons.size < MAX_REASONS ? outcome.reason : OTHER_REASONS;
        reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      }
    }
  });
  delivery.gone = gone.length;
  if (delivery.givenUp > 0) {
    console.error(JSON.stringify({ message: "frames were given up", reasons: Object.fromEntries(reasons) }));
  }
  const late = untried.filter(Boolean).length;
  if (late > 0) console.error(JSON.stringify({ message: "the time was over before all was posted", records: late }));
  await forget(gone, poster);
  const failed = records.flatMap((_, place) => (untried[place] || (missed[place] && !reached[place]) ? [place] : []));
  return { ...delivery, failed };
}

/** Gives each receiver's frames. Most get the same: those are made once, and kept while somebody still needs them. */
function sharedFrames(records: readonly LiveRecord[], receivers: readonly Receiver[], single: boolean) {
  const keys = receivers.map(({ places }) => places.join());
  const left = new Map<string, number>();
  for (const key of keys) left.set(key, (left.get(key) ?? 0) + 1);
  const made = new Map<string, Frame[]>();
  return (index: number): Frame[] => {
    const key = keys[index] ?? "";
    const frames = made.get(key) ?? toFrames(records, receivers[index]?.places ?? [], single);
    const more = (left.get(key) ?? 1) - 1;
    left.set(key, more);
    if (more > 0) made.set(key, frames);
    else made.delete(key);
    return frames;
  };
}

async function post(
  { id, openingAt = 0 }: Receiver,
  { data }: Frame,
  { client, deadline }: Poster,
  counts: { throttled: number },
): Promise<"taken" | "gone" | { reason: string }> {
  for (let attempt = 0; ; attempt++) {
    try {
      // One that hangs must not take the function past its end, with the report of all the others.
      const requestTimeout = Math.min(LONGEST_POST_MS, Math.max(0, deadline - Date.now()) + LAST_POST_MS);
      await client.send(new PostToConnectionCommand({ ConnectionId: id, Data: data }), { requestTimeout });
      return "taken";
    } catch (error) {
      const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
      if (status === 429) counts.throttled++;
      // 400 is an id that cannot be one.
      const isGone = status === 410 || status === 400;
      const isOpening = status === 410 && Date.now() < openingAt + OPENING_MS;
      if (isGone && !isOpening) return "gone";
      const wait = fullJitter(isOpening ? { ...BACKOFF, capMs: 200 } : BACKOFF, attempt);
      const again = isOpening || (isTransient(error) && attempt + 1 < BACKOFF.attempts);
      if (!again || Date.now() + wait > deadline) return { reason: describe(error) };
      await sleep(wait);
    }
  }
}

/** Clears up after clients that went without a word. What is not done now is done at the next broadcast, or by time. */
async function forget(gone: readonly Receiver[], { table, deadline }: Poster): Promise<void> {
  await mapConcurrent(gone, FORGET_PARALLEL, async ({ id, foundIn }) => {
    if (Date.now() > deadline) return;
    try {
      await forgetConnection(table, id, foundIn);
    } catch (error) {
      const reason = describe(error);
      console.error(JSON.stringify({ message: "a closed connection is still noted", connectionId: id, reason }));
    }
  });
}
