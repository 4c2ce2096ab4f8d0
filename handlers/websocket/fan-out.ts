import type { BatchAnswer } from "../batch-answer";
import { makeDynamo } from "../clients";
import { deadlineOf, type LambdaContext } from "../deadline";
import { describe } from "../retry";
import type { FanOutMessage, QueueEvent } from "./broadcast";
import { makePoster } from "./clients";
import { deliver } from "./deliver";
import { countOf, variable } from "./environment";
import { writeMetrics } from "./metrics";
import { findReceivers } from "./receivers";

/** Posts the records of a split broadcast to one shard of the connections. Several of it run in parallel. */
export const fanOut = () => {
  const dynamodb = makeDynamo();
  const parallel = countOf("WEBSOCKET_PARALLEL");
  const client = makePoster(variable("WEBSOCKET_ENDPOINT"), parallel);
  const single = variable("WEBSOCKET_FRAMES") === "single";

  const deliverPart = async (body: string, deadline: number): Promise<boolean> => {
    const { shard, sentAt, records } = JSON.parse(body) as FanOutMessage;
    const table = { dynamodb: dynamodb(), name: variable("WEBSOCKET_TABLE") };
    const receivers = await findReceivers(table, records, [shard], Number.POSITIVE_INFINITY);
    const poster = { client: client(), table, parallel, single, deadline };
    const { failed, posts, delivered, gone, throttled, givenUp } = await deliver(records, receivers ?? [], poster);
    writeMetrics({
      ...{ Posts: posts, Delivered: delivered, Gone: gone, Throttled: throttled, GivenUp: givenUp },
      Latency: Date.now() - sentAt,
    });
    return failed.length === 0;
  };

  return async ({ Records }: QueueEvent, context: LambdaContext): Promise<BatchAnswer> => {
    const batchItemFailures: BatchAnswer["batchItemFailures"] = [];
    for (const { messageId, body } of Records) {
      const done = await deliverPart(body, deadlineOf(context)).catch((error: unknown) => {
        console.error(JSON.stringify({ message: "a part of a broadcast failed", reason: describe(error) }));
        return false;
      });
      if (!done) batchItemFailures.push({ itemIdentifier: messageId });
    }
    return { batchItemFailures };
  };
};
