import type { IoTLetter } from "./letters";
import { has, MAX_GAPS, type Progress } from "./progress";
import { isPlaced, type Step } from "./read";
import type { StreamRecord } from "./record";
import type { SinkFailures } from "./sink";

/** What the sinks did not take of a batch: for each sink by its name, by the records' places in the batch. */
export type Failures = Record<string, SinkFailures>;

/** The place of the first record that is to come again, for it may still get where it is missing; `count` if none is. */
export function firstToWait(failures: Failures, isGivenUp: (place: number) => boolean, count: number): number {
  let first = count;
  for (const ofSink of Object.values(failures)) {
    for (const [place, { refused }] of Object.entries(ofSink)) {
      if (!refused && !isGivenUp(Number(place))) first = Math.min(first, Number(place));
    }
  }
  return first;
}

/** The letter of a record that did not get through, if it did not. */
export function letterOf(step: Step, place: number, { eventID: id, kinesis }: StreamRecord, failures: Failures) {
  if (step === "dropped") return undefined;
  if (!isPlaced(step)) {
    const { stage, reason, device, envelope } = step;
    return { stage, reason, id, device, ...(envelope ? { message: envelope } : { record: kinesis.data }) };
  }
  const missing = Object.entries(failures).flatMap(([sink, { [place]: failure }]) =>
    failure ? [{ sink, failure }] : [],
  );
  if (missing.length === 0) return undefined;
  const reason = missing.map(({ sink, failure }) => `${sink}: ${failure.reason}`).join("; ");
  const { envelope: message, record } = step;
  const sinks = missing.map(({ sink }) => sink);
  return { stage: "sink", reason, id, sinks, device: record.ident, message } satisfies IoTLetter;
}

/**
 * What those sinks have that took more than the others, of the records that come again. It leaves out what a sink did not
 * take, for its letter is not written yet; and what `transform` refused, which no sink got: it may take it the next time.
 */
export function progressOf(
  steps: readonly Step[],
  failures: Failures,
  numbers: readonly bigint[],
  again: number,
  before: Progress,
): Progress {
  const progress: Progress = {};
  const from = numbers[again]!;
  for (const [sink, ofSink] of Object.entries(failures)) {
    const known = before[sink];
    const gaps = new Set<bigint>();
    let through: bigint | undefined;
    for (let place = again; place < numbers.length && gaps.size < MAX_GAPS; place++) {
      const number = numbers[place]!;
      if (ofSink[place] || (isRefused(steps[place]!) && !has(known, number))) gaps.add(number);
      else through = number;
    }
    // It may have had more than this batch, which is a part of an earlier one.
    const last = numbers.at(-1)!;
    if (known && known.from <= last && known.through > last && gaps.size < MAX_GAPS) {
      through = known.through;
      for (const number of known.without) if (number > last) gaps.add(number);
    }
    if (through === undefined) continue;
    const end = through;
    progress[sink] = { from, through, without: new Set([...gaps].filter((number) => number < end)) };
  }
  return progress;
}

const isRefused = (step: Step) => step !== "dropped" && !isPlaced(step) && step.stage === "transform";
