import { createHash, randomUUID } from "node:crypto";
import type { MessageAttributeValue } from "@aws-sdk/client-sqs";
import type { Causes } from "../../core/journal/entry";
import { limits } from "../../core/limits";
import { invalidParameter, invalidValue, missingParameter } from "./errors";
import {
  attributesSize,
  checkAttributes,
  checkCharacters,
  type Message,
  type MessageAttributes,
  md5,
  md5OfAttributes,
  traceHeaderOf,
} from "./message";
import type { StoredQueue } from "./store";

/** What a sender gives: the members that SendMessage and an entry of SendMessageBatch share. */
export interface Outgoing {
  readonly MessageBody?: string;
  readonly DelaySeconds?: number;
  readonly MessageAttributes?: MessageAttributes;
  readonly MessageSystemAttributes?: Record<string, MessageAttributeValue>;
  readonly MessageDeduplicationId?: string;
  readonly MessageGroupId?: string;
}

/** What the sender is told. */
export interface Receipt {
  readonly MessageId: string;
  readonly MD5OfMessageBody: string;
  readonly MD5OfMessageAttributes?: string;
  readonly MD5OfMessageSystemAttributes?: string;
  readonly SequenceNumber?: string;
}

/** Bytes of a message that count against the limits. */
export const sizeOf = ({ MessageBody = "", MessageAttributes }: Outgoing): number =>
  Buffer.byteLength(MessageBody) + attributesSize(MessageAttributes);

const idPattern = /^[\x21-\x7e]{1,128}$/;

function checkId(value: string, parameter: string): void {
  if (!idPattern.test(value))
    throw invalidValue(
      value,
      parameter,
      `${parameter} can only include alphanumeric and punctuation characters. 1 to 128 in length.`,
    );
}

const wrongQueueType = (value: unknown, parameter: string) =>
  invalidValue(value, parameter, "The request include parameter that is not valid for this queue type.");

export const missingGroup = () => missingParameter("MessageGroupId");

function checkFifo(queue: StoredQueue, { DelaySeconds, MessageGroupId, MessageDeduplicationId }: Outgoing): void {
  // A group on a standard queue makes it a fair queue (developer guide: "Amazon SQS fair queues"): kept and shown.
  if (MessageGroupId !== undefined) checkId(MessageGroupId, "MessageGroupId");
  if (!queue.fifo) {
    if (MessageDeduplicationId !== undefined) throw wrongQueueType(MessageDeduplicationId, "MessageDeduplicationId");
    return;
  }
  if (DelaySeconds) throw wrongQueueType(DelaySeconds, "DelaySeconds");
  if (MessageGroupId === undefined) throw missingGroup();
  if (MessageDeduplicationId !== undefined) checkId(MessageDeduplicationId, "MessageDeduplicationId");
  else if (!queue.settings.contentBasedDeduplication)
    throw invalidParameter(
      "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
    );
}

/** Checks a message against the queue's rules and SQS's limits; throws before anything changed. */
export function check(queue: StoredQueue, outgoing: Outgoing): void {
  const { MessageBody, DelaySeconds } = outgoing;
  if (!MessageBody) throw missingParameter("MessageBody");
  const { least, value: most } = limits.sqs.delay;
  if (DelaySeconds !== undefined && (DelaySeconds < least || DelaySeconds > most))
    throw invalidValue(DelaySeconds, "DelaySeconds", `DelaySeconds must be >= ${least} and <= ${most}.`);
  checkFifo(queue, outgoing);
  const limit = Math.min(queue.settings.maximumMessageSize, limits.sqs.message.value);
  // A character is at most three bytes per UTF-16 unit: most messages need no counting.
  if ((MessageBody.length * 3 > limit || outgoing.MessageAttributes) && sizeOf(outgoing) > limit)
    throw invalidParameter(`One or more parameters are invalid. Reason: Message must be shorter than ${limit} bytes.`);
  checkCharacters(MessageBody);
  checkAttributes(outgoing.MessageAttributes);
}

/** Who sends, and when. */
export interface Sender {
  readonly id: string;
  /** The header X-Amzn-Trace-Id of the call. */
  readonly traceHeader?: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** What the journal knows of the call. */
  readonly causes?: Causes;
}

/** Puts a message into the queue, or recognizes it as a duplicate of one that is or was there. */
export function send(
  queue: StoredQueue,
  outgoing: Outgoing,
  { id: senderId, now, causes, ...sender }: Sender,
): Receipt {
  check(queue, outgoing);
  const traceHeader = traceHeaderOf(outgoing.MessageSystemAttributes, sender.traceHeader);
  const body = outgoing.MessageBody!;
  const id = randomUUID();
  const receipt = {
    MessageId: id,
    MD5OfMessageBody: md5(body),
    MD5OfMessageAttributes: md5OfAttributes(outgoing.MessageAttributes),
    MD5OfMessageSystemAttributes: md5OfAttributes(outgoing.MessageSystemAttributes),
  };
  let deduplicationId: string | undefined;
  let sequenceNumber: string | undefined;
  if (queue.fifo) {
    deduplicationId = outgoing.MessageDeduplicationId ?? createHash("sha256").update(body).digest("hex");
    const key = queue.settings.deduplicationPerGroup
      ? `${outgoing.MessageGroupId}\n${deduplicationId}`
      : deduplicationId;
    const first = queue.deduplication.find(key, now);
    if (first) return { ...receipt, MessageId: first.messageId, SequenceNumber: first.sequenceNumber };
    sequenceNumber = queue.deduplication.remember(key, id, now);
  }
  const message: Message = {
    id,
    body,
    md5OfBody: receipt.MD5OfMessageBody,
    attributes: outgoing.MessageAttributes,
    md5OfAttributes: receipt.MD5OfMessageAttributes,
    traceHeader,
    senderId,
    sentAt: now,
    keptSince: now,
    groupId: outgoing.MessageGroupId,
    deduplicationId,
    sequenceNumber,
    sourceArn: undefined,
    causes,
    state: "ready",
    dueAt: 0,
    receivedAt: 0,
    firstReceivedAt: 0,
    receiveCount: 0,
    receivesHere: 0,
  };
  const ownDelay = queue.fifo ? undefined : outgoing.DelaySeconds;
  queue.add(message, ownDelay === undefined ? queue.settings.delayMs : ownDelay * 1000);
  return queue.fifo ? { ...receipt, SequenceNumber: sequenceNumber } : receipt;
}
