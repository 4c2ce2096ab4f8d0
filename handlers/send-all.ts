import { SendMessageBatchCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { groupBySize, MAX_MESSAGE_BYTES } from "./batching";
import { mapConcurrent } from "./retry";

/** A batch's most messages (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html). */
const BATCH = 10;
const PARALLEL = 8;

/** Sends messages of at most 1 MiB each. Throws when one of them was not taken. */
export async function sendAll(sqs: SQSClient, url: string, texts: readonly string[]): Promise<void> {
  const entries = texts.map((MessageBody, i) => ({ Id: String(i), MessageBody }));
  const batches = groupBySize(entries, ({ MessageBody }) => Buffer.byteLength(MessageBody), BATCH, MAX_MESSAGE_BYTES);
  await mapConcurrent(batches, PARALLEL, async (Entries) => {
    const { Failed = [] } = await sqs.send(new SendMessageBatchCommand({ QueueUrl: url, Entries }));
    if (Failed.length > 0) throw new Error(`SQS refused ${Failed.length} of ${Entries.length}: ${Failed[0]?.Code}`);
  });
}
