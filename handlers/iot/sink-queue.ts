import { hash } from "node:crypto";
import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { groupBySize, MAX_MESSAGE_BYTES, toSqsText } from "../batching";
import { describe } from "../retry";
import type { Placed } from "./record";
import { type Batch, failAt, type SinkClients, type SinkFailures } from "./sink";

/**
 * Sends records to a queue, as JSON arrays of as many as fit 1 MiB, one after the other: a FIFO queue keeps the order
 * of the shard, and with it that of each device.
 */
export async function send(
  records: readonly Placed[],
  url: string,
  clients: SinkClients,
  { shardId, deadline }: Batch,
): Promise<SinkFailures> {
  const failures: SinkFailures = {};
  const sendable: Sendable[] = [];
  records.forEach(({ record }, place) => {
    const text = toSqsText(JSON.stringify(record));
    // A comma after each.
    const size = Buffer.byteLength(text) + 1;
    if (size <= MOST_BYTES) sendable.push({ place, text, size });
    else failures[place] = { reason: "it is larger than the 1 MiB of a queue's message", refused: true };
  });
  const groups = groupBySize(sendable, ({ size }) => size, sendable.length, MOST_BYTES);
  for (const [i, group] of groups.entries()) {
    // What comes after a failure has to wait, for the order's sake.
    const rest = () => sendable.slice(sendable.indexOf(group[0]!)).map(({ place }) => place);
    if (i > 0 && Date.now() > deadline) return { ...failures, ...failAt(rest(), "there was no time left for it") };
    try {
      await sendOne(`[${group.map(({ text }) => text).join(",")}]`, url, shardId, clients);
    } catch (error) {
      return { ...failures, ...failAt(rest(), describe(error)) };
    }
  }
  return failures;
}

interface Sendable {
  readonly place: number;
  readonly text: string;
  readonly size: number;
}

/** Two brackets stand around all. */
const MOST_BYTES = MAX_MESSAGE_BYTES - 2;

async function sendOne(body: string, url: string, group: string, clients: SinkClients): Promise<void> {
  const fifo = url.endsWith(".fifo") && { MessageGroupId: group, MessageDeduplicationId: hash("sha256", body) };
  await clients.sqs().send(new SendMessageCommand({ QueueUrl: url, MessageBody: body, ...fifo }));
}
