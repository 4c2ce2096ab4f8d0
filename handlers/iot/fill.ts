import { type Backoff, fullJitter, sleep } from "../retry";
import type { Failures } from "./outcome";
import { isPlaced, type Step } from "./read";
import type { Placed } from "./record";
import type { Batch, Sink, SinkFailures } from "./sink";

/** Between a sink's attempts; there are as many as there is time for. */
const BACKOFF: Backoff = { baseMs: 200, capMs: 5_000, attempts: Number.POSITIVE_INFINITY };

export interface Filling extends Batch {
  /** Whether a sink, by its name, does not have the record at a place yet. */
  readonly misses: (sink: string, place: number) => boolean;
  /** Whether the record at a place is tried once only. */
  readonly isGivenUp: (place: number) => boolean;
}

/** Gives each sink, all at a time, the records that it misses. */
export async function fill(sinks: readonly Sink[], steps: readonly Step[], at: Filling): Promise<Failures> {
  const places = steps.flatMap((step, place) => (isPlaced(step) ? [place] : []));
  const failures: Failures = {};
  await Promise.all(
    sinks.map(async (sink) => {
      const missing = places.filter((place) => at.misses(sink.name, place));
      failures[sink.name] = await fillOne(sink, missing, steps, at);
    }),
  );
  return failures;
}

/** Gives a sink records, and those that it fails to take again and again while there is time. */
async function fillOne(sink: Sink, places: number[], steps: readonly Step[], at: Filling): Promise<SinkFailures> {
  const refused: SinkFailures = {};
  let missing = places;
  for (let attempt = 0; ; attempt++) {
    const found = await sink.write(
      missing.map((place) => steps[place] as Placed),
      at,
    );
    const waiting: SinkFailures = {};
    for (const [i, failure] of Object.entries(found)) {
      (failure.refused ? refused : waiting)[missing[Number(i)]!] = failure;
    }
    missing = Object.keys(waiting).map(Number);
    const wait = fullJitter(BACKOFF, attempt);
    if (missing.every(at.isGivenUp) || Date.now() + wait > at.deadline) return { ...refused, ...waiting };
    await sleep(wait);
  }
}
