import { hash } from "node:crypto";
import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { groupBySize, MAX_MESSAGE_BYTES, toSqsText } from "../batching";
import { describe } from "../retry";
import type { Placed } from "./record";
import { type Batch, failFrom, type SinkClients, type SinkFailures } from "./sink";

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
  const texts = records.map(({ record }) => toSqsText(JSON.stringify(record)));
  // Two brackets around all, a comma after each.
  const groups = groupBySize(texts, (text) => Buffer.byteLength(text) + 1, texts.length, MAX_MESSAGE_BYTES - 2);
  let sent = 0;
  for (const group of groups) {
    if (sent > 0 && Date.now() > deadline) return failFrom(sent, records, "there was no time left for it");
    try {
      await sendOne(`[${group.join(",")}]`, url, shardId, clients);
    } catch (error) {
      return failFrom(sent, records, describe(error));
    }
    sent += group.length;
  }
  return {};
}

async function sendOne(body: string, url: string, group: string, clients: SinkClients): Promise<void> {
  const fifo = url.endsWith(".fifo") && { MessageGroupId: group, MessageDeduplicationId: hash("sha256", body) };
  await clients.sqs().send(new SendMessageCommand({ QueueUrl: url, MessageBody: body, ...fifo }));
}
