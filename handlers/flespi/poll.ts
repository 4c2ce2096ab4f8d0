import { makeDynamo, makeSqs } from "../clients";
import { deadlineOf, type LambdaContext } from "../deadline";
import { writeMetricLine } from "../metrics";
import { describe } from "../retry";
import { tableCursor } from "./cursor-table";
import { readEnvironment } from "./environment";
import type { MakeHandler } from "./handler";
import { toIoT } from "./handler-iot";
import { toQueue } from "./handler-queue";
import { queueLetters } from "./letters";
import { makeReceiver, type RoundReport } from "./receive";

export interface PollOptions {
  /** A handler of one's own, beside those that the environment names. */
  readonly handler?: MakeHandler;
}

const UNITS = { Messages: "Count", DeadLetters: "Count", Lag: "Milliseconds" } as const;

/**
 * Receives a channel's messages when it is called, until the channel is drained or the time is nearly over. Rejects when
 * flespi or a handler fails for good; the cursor then stands where everything before it is handled.
 */
export const pollChannel =
  ({ handler }: PollOptions = {}) =>
  () => {
    const environment = readEnvironment();
    const { name: component, channel, waitSeconds, topic, queue, cursorTable, deadLetterQueue } = environment;
    const factories = [
      ...(topic ? [toIoT(topic)] : []),
      ...(queue ? [toQueue(queue)] : []),
      ...(handler ? [handler] : []),
    ];
    const receive = makeReceiver({
      channel,
      cursor: tableCursor(makeDynamo(), cursorTable, channel.channelId),
      handlers: factories.map((make) => make()),
      deadLetters: queueLetters(makeSqs(), deadLetterQueue),
    });
    return async (_event: unknown, context: LambdaContext): Promise<RoundReport> => {
      try {
        const report = await receive({ deadline: deadlineOf(context), waitSeconds });
        const { messages, deadLetters, lagMs } = report;
        console.info(JSON.stringify({ message: "received", ...report }));
        const metrics = { Messages: messages, DeadLetters: deadLetters };
        const isMine = report.outcome !== "busy";
        writeMetricLine(
          { dimension: ["FlespiReceiver", component], units: UNITS },
          isMine ? { ...metrics, Lag: lagMs } : metrics,
        );
        return report;
      } catch (error) {
        // Without a stack, and without what an error of a handler may carry along.
        const { name, message } = error instanceof Error ? error : new Error(describe(error));
        throw Object.assign(new Error(message.replaceAll(channel.token, "***")), { name });
      }
    };
  };
