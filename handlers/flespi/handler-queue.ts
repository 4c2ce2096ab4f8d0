import { hash } from "node:crypto";
import { SendMessageBatchCommand, type SendMessageBatchRequestEntry } from "@aws-sdk/client-sqs";
import { groupBySize, MAX_MESSAGE_BYTES, toSqsText } from "../batching";
import { makeSqs } from "../clients";
import { mapConcurrent } from "../retry";
import type { MakeHandler } from "./handler";
import type { FlespiMessage } from "./message";

/** A batch's most messages (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html). */
const BATCH = 10;
const PARALLEL = 8;

/**
 * Sends each message to a queue as a message of its own, with its id as the message attribute `id`. A FIFO queue keeps
 * the order of each device, and drops copies for five minutes.
 */
export const toQueue =
  (queueUrl: string): MakeHandler =>
  () => {
    const sqs = makeSqs();
    const fifo = queueUrl.endsWith(".fifo");

    const send = async (batch: readonly SendMessageBatchRequestEntry[]) => {
      const { Failed = [] } = await sqs().send(
        new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: [...batch] }),
      );
      if (Failed.length === 0) return;
      throw new Error(`SQS refused ${Failed.length} of ${batch.length} messages: ${Failed[0]?.Code}`);
    };

    return {
      async handle(messages) {
        const refused: Record<string, string> = {};
        const entries: SendMessageBatchRequestEntry[] = [];
        messages.forEach((message, i) => {
          const entry = toEntry(message, i, fifo);
          if (sizeOf(entry) > MAX_MESSAGE_BYTES)
            refused[message.id] = "it is larger than the 1 MiB of a queue's message";
          else entries.push(entry);
        });
        // A FIFO queue keeps the order in which they come.
        await mapConcurrent(groupBySize(entries, sizeOf, BATCH, MAX_MESSAGE_BYTES), fifo ? 1 : PARALLEL, send);
        return refused;
      },
      async close() {
        sqs().destroy();
      },
    };
  };

/** Attributes count with their names, types and values. */
const sizeOf = ({ MessageBody = "", MessageAttributes }: SendMessageBatchRequestEntry) =>
  Buffer.byteLength(MessageBody) + Buffer.byteLength(MessageAttributes?.id?.StringValue ?? "") + "idString".length;

function toEntry({ id, ident, json }: FlespiMessage, i: number, fifo: boolean): SendMessageBatchRequestEntry {
  return {
    Id: String(i),
    MessageBody: toSqsText(json),
    MessageAttributes: { id: { DataType: "String", StringValue: id } },
    // SQS takes 128 characters for these, and not all that an ident may hold.
    ...(fifo && { MessageGroupId: hash("sha256", ident), MessageDeduplicationId: hash("sha256", id) }),
  };
}
