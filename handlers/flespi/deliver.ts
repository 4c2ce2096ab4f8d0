import { setTimeout as delay } from "node:timers/promises";
import { inTime } from "../deadline";
import { type Backoff, describe, fullJitter, isTransient } from "../retry";
import type { FlespiHandler } from "./handler";
import type { FlespiMessage } from "./message";

/** What a handler is done with on the page at hand: the ids, with the reason where it refused one. */
export type Done = Map<string, string | undefined>;

export interface Until {
  /** Milliseconds since 1970: nothing begins after this. */
  readonly deadline: number;
  readonly signal?: AbortSignal;
  readonly backoff: Backoff;
}

/** Where so many fail one by one and none goes well, it is not the messages. */
const GIVE_UP_AFTER = 5;

/**
 * Hands messages to a handler, those only that it does not have. A failing handler is tried again; then each message
 * alone: one that fails where others go well is refused, so that it does not keep the rest from going on.
 *
 * @throws what the handler threw when it does not have all of them at the end
 */
export async function deliver(
  handler: FlespiHandler,
  messages: readonly FlespiMessage[],
  done: Done,
  until: Until,
): Promise<void> {
  const missing = () => messages.filter(({ id }) => !done.has(id));
  const hand = async (some: readonly FlespiMessage[]) => {
    const refused = (await inTime(handler.handle(some), until.deadline, "the handler")) ?? {};
    const ids = some.map(({ id }) => id);
    const unknown = Object.keys(refused).find((id) => !ids.includes(id));
    if (unknown !== undefined) throw new TypeError("the handler refused an id that none of its messages has");
    for (const id of ids) done.set(id, Object.hasOwn(refused, id) ? String(refused[id]) : undefined);
  };

  let failure: unknown;
  for (let attempt = 0; missing().length > 0; attempt++) {
    try {
      await hand(missing());
      return;
    } catch (error) {
      failure = error;
      const wait = fullJitter(until.backoff, attempt);
      if (attempt + 1 >= until.backoff.attempts || Date.now() + wait > until.deadline || until.signal?.aborted) break;
      await delay(wait, undefined, { signal: until.signal }).catch(() => undefined);
    }
  }
  if (missing().length > 1) await handOneByOne(missing(), hand, done, until);
  if (missing().length > 0) throw failure;
}

async function handOneByOne(
  messages: readonly FlespiMessage[],
  hand: (some: readonly FlespiMessage[]) => Promise<void>,
  done: Done,
  { deadline, signal }: Until,
): Promise<void> {
  const failed: { id: string; error: unknown }[] = [];
  let passed = 0;
  for (const message of messages) {
    if (Date.now() > deadline || signal?.aborted || (passed === 0 && failed.length >= GIVE_UP_AFTER)) break;
    try {
      await hand([message]);
      passed++;
    } catch (error) {
      failed.push({ id: message.id, error });
    }
  }
  if (passed === 0) return;
  for (const { id, error } of failed) if (!isOutage(error)) done.set(id, describe(error));
}

/** Tells what may go well later, by what AWS or the network said, from what a handler itself has against a message. */
function isOutage(error: unknown): boolean {
  const { $metadata, code, cause } = error as { $metadata?: unknown; code?: unknown; cause?: { code?: unknown } };
  const told = $metadata !== undefined || typeof code === "string" || typeof cause?.code === "string";
  return told && isTransient(error);
}
