import type { BatchResultErrorEntry } from "@aws-sdk/client-sqs";
import { AwsError } from "../../core/errors";
import type { Operations } from "../../core/service";
import { sizeLimit } from "./attributes";
import {
  batchTooLong,
  emptyBatch,
  entryIdsNotDistinct,
  invalidBatchEntryId,
  invalidParameter,
  missingParameter,
  tooManyEntries,
} from "./errors";
import { checkVisibility, senderOf } from "./messages";
import { send, sizeOf } from "./send";
import type { Store } from "./store";

interface Entry {
  readonly Id?: string;
}

/** What concerns the batch as a whole; nothing of it is done when this throws. */
function checkEntries<E extends Entry>(entries: readonly E[] | undefined, kind: string): readonly E[] {
  if (!entries?.length) throw emptyBatch(kind);
  if (entries.length > 10) throw tooManyEntries(entries.length);
  const ids = new Set<string>();
  for (const { Id = "" } of entries) {
    if (!/^[A-Za-z0-9_-]{1,80}$/.test(Id)) throw invalidBatchEntryId();
    if (ids.has(Id)) throw entryIdsNotDistinct(Id);
    ids.add(Id);
  }
  return entries;
}

/** Does each entry on its own: one that fails is reported with its id and does not stop the others. */
function each<E extends Entry, R>(entries: readonly E[], run: (entry: E) => R) {
  const Successful: (R & { Id: string })[] = [];
  const Failed: BatchResultErrorEntry[] = [];
  for (const entry of entries) {
    const Id = entry.Id!;
    try {
      Successful.push({ Id, ...run(entry) });
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      const Code = error.detail.queryCode ?? error.code;
      Failed.push({ Id, Code, Message: error.message, SenderFault: error.fault === "client" });
    }
  }
  return { Successful, Failed: Failed.length ? Failed : undefined };
}

/** The batch forms of sending, deleting and hiding. */
export const batchOperations = (store: Store) =>
  ({
    SendMessageBatch({ QueueUrl, Entries }, context) {
      const queue = store.byUrl(QueueUrl, context);
      const entries = checkEntries(Entries, "SendMessageBatchRequestEntry");
      const total = entries.reduce((sum, entry) => sum + sizeOf(entry), 0);
      if (total > sizeLimit) throw batchTooLong(sizeLimit, total);
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
      const sender = senderOf(context);
      const now = store.clock.now();
      return each(entries, (entry) => send(queue, entry, sender, now));
    },

    DeleteMessageBatch({ QueueUrl, Entries }, context) {
      const queue = store.byUrl(QueueUrl, context);
      return each(checkEntries(Entries, "DeleteMessageBatchRequestEntry"), ({ ReceiptHandle }) => {
        if (!ReceiptHandle) throw missingParameter("ReceiptHandle");
        queue.delete(ReceiptHandle);
      });
    },

    ChangeMessageVisibilityBatch({ QueueUrl, Entries }, context) {
      const queue = store.byUrl(QueueUrl, context);
      const entries = checkEntries(Entries, "ChangeMessageVisibilityBatchRequestEntry");
      return each(entries, ({ ReceiptHandle, VisibilityTimeout }) => {
        if (!ReceiptHandle) throw missingParameter("ReceiptHandle");
        if (VisibilityTimeout === undefined) throw missingParameter("VisibilityTimeout");
        checkVisibility(VisibilityTimeout);
        queue.changeVisibility(ReceiptHandle, VisibilityTimeout * 1000);
      });
    },
  }) satisfies Operations<typeof import("@aws-sdk/client-sqs")>;
