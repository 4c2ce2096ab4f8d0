import type { IoTLetter } from "./letters";
import { has, type Progress } from "./progress";
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
 * What those sinks have that took more than the others, of the records that come again. A letter that is not written yet
 * must not be passed over: what a sink has ends before its first failure.
 */
export function progressOf(failures: Failures, numbers: readonly bigint[], again: number, before: Progress): Progress {
  const progress: Progress = {};
  const from = numbers[again]!;
  for (const [sink, ofSink] of Object.entries(failures)) {
    const failed = Object.keys(ofSink)
      .map(Number)
      .filter((place) => place >= again);
    const end = Math.min(numbers.length, ...failed);
    if (end === again) continue;
    const through = numbers[end - 1]!;
    // It may have had more than this batch, which is a part of an earlier one.
    const known = before[sink];
    progress[sink] = { from, through: has(known, from) && known!.through > through ? known!.through : through };
  }
  return progress;
}
