import { deadlineOf, halfway, type LambdaContext } from "../deadline";
import { writeMetricLine } from "../metrics";
import { describe } from "../retry";
import { readEnvironment } from "./environment";
import { fill } from "./fill";
import { bury, type IoTLetter } from "./letters";
import { firstToWait, letterOf, progressOf } from "./outcome";
import { has, readProgress, writeProgress } from "./progress";
import { readRecords } from "./read";
import type { StreamRecord, Transform } from "./record";
import { makeSinkClients } from "./sink";
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
      const steps = await readRecords(Records, time, transform, halfway(deadline));
      const before = progressTable ? await readProgress(clients.progress(), progressTable, shardId) : {};
      const now = Date.now();
      const isGivenUp = (place: number) =>
        now - (Records[place]?.kinesis.approximateArrivalTimestamp ?? 0) * 1000 > giveUpAfter;
      const misses = (sink: string, place: number) => !has(before[sink], numbers[place]!);
      const failures = await fill(sinks, steps, { shardId, deadline, misses, isGivenUp });
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
        const through = progressOf(steps, failures, numbers, again, before);
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

/** Progress that is not kept costs a repetition, and no record. */
async function keep(write: () => Promise<void>, shardId: string): Promise<void> {
  try {
    await write();
  } catch (error) {
    console.error(JSON.stringify({ message: "progress not kept", shardId, reason: describe(error) }));
  }
}
