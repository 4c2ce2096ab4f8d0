import { KinesisClient } from "@aws-sdk/client-kinesis";
import type { Message } from "@aws-sdk/client-sqs";
import { LIMITS } from "../clients";
import { deadlineOf, halfway, type LambdaContext } from "../deadline";
import { type ReplayEvent, type ReplayReport, replayQueue } from "../replay";
import { describe, once } from "../retry";
import type { StreamCallbacks } from "./consume";
import { readEnvironment } from "./environment";
import { fill } from "./fill";
import { bury } from "./letters";
import { letterOf } from "./outcome";
import { readRecords } from "./read";
import type { StreamRecord } from "./record";
import { openFailure, openLetter, type Reopened } from "./reopen";
import { makeSinkClients, REPLAY, type Sink } from "./sink";
import { makeSinks } from "./sinks";

export interface IoTReplayEvent extends ReplayEvent {
  /** What to take through again: dead letters, or the records that the failure queue names. @default "deadLetters" */
  readonly from?: "deadLetters" | "failures";
}

/**
 * Takes dead letters through again, each to the sinks that miss it, and as the same record that it was. With
 * `from: "failures"`, it reads the records from the stream on which the function died, while the stream has them.
 */
export const replayLetters =
  ({ transform, onRecords = [] }: StreamCallbacks = {}) =>
  () => {
    const environment = readEnvironment();
    const { time, deadLetterQueue, failureQueue, rules } = environment;
    const clients = makeSinkClients();
    const kinesis = once(() => new KinesisClient({ maxAttempts: 4, requestHandler: LIMITS }));
    const sinks = makeSinks(environment.sinks, clients, onRecords);

    /** The letters of records that still do not get through, at their places. */
    const take = async (
      records: readonly StreamRecord[],
      wanted: (readonly string[] | undefined)[],
      deadline: number,
    ) => {
      const steps = await readRecords(records, time, transform, halfway(deadline));
      const failures = await fill(sinks, steps, {
        ...{ shardId: REPLAY, deadline },
        misses: (sink, place) => wanted[place]?.includes(sink) ?? true,
        // Who asked for it is waiting: once is enough.
        isGivenUp: () => true,
      });
      return steps.map((step, place) => letterOf(step, place, records[place]!, failures));
    };

    const deadLetters = async (letters: readonly Message[], deadline: number) => {
      const opened = letters.map((letter) => attempt(() => known(openLetter(letter, rules), sinks)));
      const readable = opened.flatMap((one) => ("record" in one ? [one] : []));
      const left = await take(
        readable.map(({ record }) => record),
        readable.map((one) => one.sinks),
        deadline,
      );
      return opened.map((one) => ("record" in one ? left[readable.indexOf(one)]?.reason : one.problem));
    };

    const failures = async (notices: readonly Message[], deadline: number) => {
      const reasons: (string | undefined)[] = [];
      for (const notice of notices) {
        try {
          const left = await take(await openFailure(notice, kinesis()), [], deadline);
          const letters = left.filter((letter) => letter !== undefined);
          await bury(letters, clients, deadLetterQueue);
          reasons.push(undefined);
        } catch (error) {
          reasons.push(describe(error));
        }
      }
      return reasons;
    };

    return async (event: IoTReplayEvent | null, context: LambdaContext): Promise<ReplayReport> => {
      const deadline = deadlineOf(context);
      const from = event?.from ?? "deadLetters";
      if (from !== "deadLetters" && from !== "failures") throw new Error("from must be deadLetters or failures");
      const work = from === "failures" ? failures : deadLetters;
      return replayQueue(event, {
        ...{ sqs: clients.sqs(), queueUrl: from === "failures" ? failureQueue : deadLetterQueue, deadline },
        work: (letters) => work(letters, deadline),
      });
    };
  };

/** A letter whose sinks are there, at least one of them: what nobody takes must not count as taken. */
function known(letter: Reopened, sinks: readonly Sink[]): Reopened {
  if (letter.sinks && !sinks.some(({ name }) => letter.sinks?.includes(name))) {
    throw new Error(`the stream has no sink ${letter.sinks.join(", ")} any more`);
  }
  return letter;
}

function attempt<T>(work: () => T): T | { problem: string } {
  try {
    return work();
  } catch (error) {
    return { problem: describe(error) };
  }
}
