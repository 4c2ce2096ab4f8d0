import { deadlineOf, type LambdaContext } from "../deadline";
import { writeMetricLine } from "../metrics";
import { type Backoff, describe, fullJitter, sleep } from "../retry";
import { readEnvironment } from "./environment";
import { bury, type IoTLetter } from "./letters";
import { type Failures, firstToWait, letterOf, progressOf } from "./outcome";
import { type Progress, readProgress, writeProgress } from "./progress";
import { isPlaced, readRecords, type Step } from "./read";
import type { Placed, StreamRecord, Transform } from "./record";
import { type Batch, makeSinkClients, type Sink, type SinkFailures } from "./sink";
import type { OnRecords } from "./sink-callback";
import { makeSinks } from "./sinks";

/** The part of a Kinesis event that is used. All its records are of one shard, in its order. */
export interface StreamEvent {
  readonly Records: readonly StreamRecord[];
}

/** From which record on the batch is to come again (https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html). */
export interface StreamAnswer {
  readonly batchItemFailures: { itemIdentifier: string }[];
}

/** The callbacks of a stream. */
export interface StreamCallbacks {
  readonly transform?: Transform;
  /** Those of the `onRecords` sinks, in the order of the sinks. */
  readonly onRecords?: readonly OnRecords[];
}

/** Between a sink's attempts; there are as many as there is time for. */
const BACKOFF: Backoff = { baseMs: 200, capMs: 5_000, attempts: Number.POSITIVE_INFINITY };
const UNITS = { Records: "Count", DeadLetters: "Count", Again: "Count" } as const;

/**
 * Takes the records of a stream to all sinks. What can never be taken goes to the dead-letter queue; when a sink fails,
 * the batch comes again from its first record that is missing somewhere, and the sinks that have it are left alone.
 */
export const consumeStream =
  ({ transform, onRecords = [] }: StreamCallbacks = {}) =>
  () => {
    const environment = readEnvironment();
    const { time, progressTable, deadLetterQueue, giveUpAfter } = environment;
    const clients = makeSinkClients();
    const sinks = makeSinks(environment.sinks, clients, onRecords);

    return async ({ Records }: StreamEvent, context: LambdaContext): Promise<StreamAnswer> => {
      const deadline = deadlineOf(context);
      const count = Records.length;
      const shardId = Records[0]?.eventID.split(":")[0] ?? "";
      const numbers = Records.map(({ kinesis }) => BigInt(kinesis.sequenceNumber));
      const steps = await readRecords(Records, time, transform, deadline);
      const before = progressTable ? await readProgress(clients.progress(), progressTable, shardId) : {};
      const now = Date.now();
      const isGivenUp = (place: number) =>
        now - (Records[place]?.kinesis.approximateArrivalTimestamp ?? 0) * 1000 > giveUpAfter;
      const failures = await fill(sinks, steps, { shardId, deadline, numbers, before, isGivenUp });
      let again = firstToWait(failures, isGivenUp, count);
      // What comes again brings its letter again.
      const letters: IoTLetter[] = [];
      const places: number[] = [];
      for (let place = 0; place < again; place++) {
        const letter = letterOf(steps[place]!, place, Records[place]!, failures);
        if (letter) letters.push(letter);
        if (letter) places.push(place);
      }
      try {
        await bury(letters, clients, deadLetterQueue);
      } catch (error) {
        console.error(JSON.stringify({ message: "not dead-lettered", shardId, reason: describe(error) }));
        again = places[0] ?? again;
      }
      if (again < count) {
        const through = progressOf(failures, numbers, again, before);
        const waiting = sinks.map(({ name }) => name).filter((name) => !(name in through));
        console.error(JSON.stringify({ message: "records come again", shardId, count: count - again, waiting }));
        if (progressTable)
          await keep(() => writeProgress(clients.progress(), progressTable, shardId, through), shardId);
      }
      writeMetricLine(
        { dimension: ["Stream", environment.name], units: UNITS },
        { Records: again, DeadLetters: places.filter((place) => place < again).length, Again: count - again },
      );
      const from = Records[again]?.kinesis.sequenceNumber;
      return { batchItemFailures: from === undefined ? [] : [{ itemIdentifier: from }] };
    };
  };

interface Filling extends Batch {
  readonly numbers: readonly bigint[];
  readonly before: Progress;
  readonly isGivenUp: (place: number) => boolean;
}

/** Gives each sink, all at a time, the records that it does not have yet. */
async function fill(sinks: readonly Sink[], steps: readonly Step[], at: Filling): Promise<Failures> {
  const places = steps.flatMap((step, place) => (isPlaced(step) ? [place] : []));
  const failures: Failures = {};
  await Promise.all(
    sinks.map(async (sink) => {
      const missing = places.filter((place) => at.numbers[place]! > (at.before[sink.name] ?? -1n));
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

/** Progress that is not kept costs a repetition, and no record. */
async function keep(write: () => Promise<void>, shardId: string): Promise<void> {
  try {
    await write();
  } catch (error) {
    console.error(JSON.stringify({ message: "progress not kept", shardId, reason: describe(error) }));
  }
}
