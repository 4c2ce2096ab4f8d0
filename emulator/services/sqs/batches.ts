import type { BatchResultErrorEntry } from "@aws-sdk/client-sqs";
import { AwsError } from "../../core/errors";
import { type LostEntries, lostEntries } from "../../core/faults/partial";
import { limits } from "../../core/limits";
import type { Context, Operations } from "../../core/service";
import {
  batchTooLong,
  emptyBatch,
  entryIdsNotDistinct,
  internalError,
  invalidBatchEntryId,
  invalidParameter,
  missingParameter,
  tooManyEntries,
} from "./errors";
import { checkVisibility, senderOf } from "./messages";
import { send, sizeOf } from "./send";
import type { Store, StoredQueue } from "./store";

interface Entry {
  readonly Id?: string;
}

/** What concerns the batch as a whole; nothing of it is done when this throws. */
function checkEntries<E extends Entry>(entries: readonly E[] | undefined, kind: string): readonly E[] {
  if (!entries?.length) throw emptyBatch(kind);
  if (entries.length > limits.sqs.batch.value) throw tooManyEntries(entries.length);
  const ids = new Set<string>();
  for (const { Id = "" } of entries) {
    if (!/^[A-Za-z0-9_-]+$/.test(Id) || Id.length > limits.sqs.batchEntryId.value) throw invalidBatchEntryId();
    if (ids.has(Id)) throw entryIdsNotDistinct(Id);
    ids.add(Id);
  }
  return entries;
}

/** Does each entry on its own: one that fails is reported with its id and does not stop the others. */
function each<E extends Entry, R>(entries: readonly E[], lost: LostEntries, run: (entry: E) => R) {
  const Successful: (R & { Id: string })[] = [];
  const Failed: BatchResultErrorEntry[] = [];
  for (const [index, entry] of entries.entries()) {
    const Id = entry.Id!;
    try {
      const error = lost.errorOf(index, internalError);
      if (error) throw error;
      Successful.push({ Id, ...run(entry) });
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      const Code = error.detail.queryCode ?? error.code;
      Failed.push({ Id, Code, Message: error.message, SenderFault: error.fault === "client" });
    }
  }
  return { Successful, Failed: Failed.length ? Failed : undefined };
}

/** What faults do to the entries of a batch for a queue. */
const lostOf = (entries: readonly Entry[], { arn }: StoredQueue, context: Context) =>
  lostEntries(
    context,
    entries.map(() => arn),
  );

/** The batch forms of sending, deleting and hiding. */
export const batchOperations = (store: Store) =>
  ({
    SendMessageBatch({ QueueUrl, Entries }, context) {
      const queue = store.byUrl(QueueUrl, context);
      const entries = checkEntries(Entries, "SendMessageBatchRequestEntry");
      const total = entries.reduce((sum, entry) => sum + sizeOf(entry), 0);
      if (total > limits.sqs.message.value) throw batchTooLong(limits.sqs.message.value, total);
      // These two fail the whole batch on AWS, unlike other mistakes in an entry.
      if (queue.fifo) {
        if (entries.some(({ MessageGroupId }) => MessageGroupId === undefined))
          throw invalidParameter("The request must contain the parameter MessageGroupId.");
        const identified = ({ MessageDeduplicationId }: (typeof entries)[number]) =>
          MessageDeduplicationId !== undefined;
        if (!queue.settings.contentBasedDeduplication && !entries.every(identified))
          throw invalidParameter(
            "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
          );
      }
      const sender = senderOf(context, store);
      return each(entries, lostOf(entries, queue, context), (entry) => send(queue, entry, sender));
    },

    DeleteMessageBatch({ QueueUrl, Entries }, context) {
      const queue = store.byUrl(QueueUrl, context);
      const entries = checkEntries(Entries, "DeleteMessageBatchRequestEntry");
      return each(entries, lostOf(entries, queue, context), ({ ReceiptHandle }) => {
        if (!ReceiptHandle) throw missingParameter("ReceiptHandle");
        queue.delete(ReceiptHandle);
      });
    },

    ChangeMessageVisibilityBatch({ QueueUrl, Entries }, context) {
      const queue = store.byUrl(QueueUrl, context);
      const entries = checkEntries(Entries, "ChangeMessageVisibilityBatchRequestEntry");
      return each(entries, lostOf(entries, queue, context), ({ ReceiptHandle, VisibilityTimeout }) => {
        if (!ReceiptHandle) throw missingParameter("ReceiptHandle");
        if (VisibilityTimeout === undefined) throw missingParameter("VisibilityTimeout");
        checkVisibility(VisibilityTimeout);
        queue.changeVisibility(ReceiptHandle, VisibilityTimeout * 1000);
      });
    },
  }) satisfies Operations<typeof import("@aws-sdk/client-sqs")>;
