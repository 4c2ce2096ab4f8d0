import type { MessageSystemAttributeName, Message as SdkMessage } from "@aws-sdk/client-sqs";
import { limits } from "../../core/limits";
import type { Context, Operations } from "../../core/service";
import { invalidValue, missingParameter, unknownAttribute } from "./errors";
import { type MessageAttributes, md5OfAttributes } from "./message";
import type { Demand, Received } from "./queue";
import { type Sender, send } from "./send";
import type { Store, StoredQueue } from "./store";

const systemNames = new Set([
  "All",
  "AWSTraceHeader",
  "ApproximateFirstReceiveTimestamp",
  "ApproximateReceiveCount",
  "DeadLetterQueueSourceArn",
  "MessageDeduplicationId",
  "MessageGroupId",
  "SenderId",
  "SentTimestamp",
  "SequenceNumber",
]);

type SystemAttributes = Partial<Record<MessageSystemAttributeName, string>>;

/** Everything that SQS knows of a received message beside its body. */
export function systemAttributes({ message }: Received): SystemAttributes {
  const all: SystemAttributes = {
    SenderId: message.senderId,
    SentTimestamp: String(message.sentAt),
    ApproximateReceiveCount: String(message.receiveCount),
    ApproximateFirstReceiveTimestamp: String(message.firstReceivedAt),
  };
  if (message.groupId !== undefined) all.MessageGroupId = message.groupId;
  if (message.deduplicationId !== undefined) all.MessageDeduplicationId = message.deduplicationId;
  if (message.sequenceNumber !== undefined) all.SequenceNumber = message.sequenceNumber;
  if (message.traceHeader !== undefined) all.AWSTraceHeader = message.traceHeader;
  if (message.sourceArn !== undefined) all.DeadLetterQueueSourceArn = message.sourceArn;
  return all;
}

/** Names as ReceiveMessage takes them: exact, `All`, `.*`, or a prefix with `.*`. */
function chooseAttributes(all: MessageAttributes, names: readonly string[]): MessageAttributes {
  if (names.some((name) => name === "All" || name === ".*")) return all;
  const wanted = (attribute: string) =>
    names.some((name) => (name.endsWith(".*") ? attribute.startsWith(name.slice(0, -2)) : attribute === name));
  return Object.fromEntries(Object.entries(all).filter(([name]) => wanted(name)));
}

function present(received: Received, system: readonly string[], attributeNames: readonly string[]): SdkMessage {
  const { message, handle } = received;
  const shown: SdkMessage = {
    MessageId: message.id,
    ReceiptHandle: handle,
    MD5OfBody: message.md5OfBody,
    Body: message.body,
  };
  if (system.length) {
    const all = systemAttributes(received);
    if (system.includes("All")) {
      shown.Attributes = all;
    } else {
      const chosen: SystemAttributes = {};
      for (const name of system as MessageSystemAttributeName[]) if (all[name] !== undefined) chosen[name] = all[name];
      if (Object.keys(chosen).length) shown.Attributes = chosen;
    }
  }
  if (attributeNames.length && message.attributes) {
    const chosen = chooseAttributes(message.attributes, attributeNames);
    if (Object.keys(chosen).length) {
      shown.MessageAttributes = chosen;
      // The digest covers what is returned, which is what the SDK compares it with.
      shown.MD5OfMessageAttributes = chosen === message.attributes ? message.md5OfAttributes : md5OfAttributes(chosen);
    }
  }
  return shown;
}

function between(value: number | undefined, low: number, high: number, parameter: string, reason: string): void {
  if (value !== undefined && (value < low || value > high)) throw invalidValue(value, parameter, reason);
}

export function checkVisibility(seconds: number | undefined): void {
  const { least, value } = limits.sqs.visibility;
  between(seconds, least, value, "VisibilityTimeout", `Must be >= ${least} and <= ${value}, if provided.`);
}

/** A receive attempt that is tried again within five minutes gets the messages of the first try again (FIFO only). */
function receiveOnce(
  queue: StoredQueue,
  attempt: string,
  demand: Demand,
  now: number,
  wait: () => Received[] | Promise<Received[]>,
) {
  const handles = queue.attempts.find(attempt, now);
  if (handles) {
    const visibilityMs = demand.visibilityMs ?? queue.settings.visibilityMs;
    const again = handles.map((handle) => queue.repeat(handle, visibilityMs));
    const received = again.filter((one) => one !== undefined);
    if (received.length === handles.length) return received;
  }
  const keep = (received: Received[]) => {
    if (received.length) queue.attempts.remember(attempt, received, now);
    return received;
  };
  const received = wait();
  return received instanceof Promise ? received.then(keep) : keep(received);
}

const handleOf = (handle: string | undefined) => {
  if (!handle) throw missingParameter("ReceiptHandle");
  return handle;
};

/** Sending, receiving, deleting and hiding one message. */
export const messageOperations = (store: Store) =>
  ({
    SendMessage: (input, context) => send(store.byUrl(input.QueueUrl, context), input, senderOf(context, store)),

    ReceiveMessage(input, context) {
      const queue = store.byUrl(input.QueueUrl, context);
      const { MaxNumberOfMessages: max = 1, VisibilityTimeout, WaitTimeSeconds } = input;
      const { sqs } = limits;
      between(max, 1, sqs.batch.value, "MaxNumberOfMessages", `Must be between 1 and ${sqs.batch.value}, if provided.`);
      const { least, value } = sqs.wait;
      between(WaitTimeSeconds, least, value, "WaitTimeSeconds", `Must be >= ${least} and <= ${value}, if provided.`);
      checkVisibility(VisibilityTimeout);
      const system = input.AttributeNames?.length
        ? [...input.AttributeNames, ...(input.MessageSystemAttributeNames ?? [])]
        : (input.MessageSystemAttributeNames ?? []);
      for (const name of system) if (!systemNames.has(name)) throw unknownAttribute(name);
      const attributeNames = input.MessageAttributeNames ?? [];
      const demand = { max, visibilityMs: VisibilityTimeout === undefined ? undefined : VisibilityTimeout * 1000 };
      const waitMs = WaitTimeSeconds === undefined ? queue.settings.waitMs : WaitTimeSeconds * 1000;
      const wait = () => queue.receiveWithin(waitMs, demand, waitMs > 0 ? context.signal : undefined);
      const attempt = input.ReceiveRequestAttemptId;
      const answer = (received: readonly Received[]) => {
        store.journal.join(received.flatMap(({ message }) => message.causes ?? []));
        return received.length ? { Messages: received.map((one) => present(one, system, attributeNames)) } : {};
      };
      const received = queue.fifo && attempt ? receiveOnce(queue, attempt, demand, store.clock.now(), wait) : wait();
      if (!(received instanceof Promise)) return answer(received);
      return store.clock.hold(received, context.http.headers["x-amzn-trace-id"]).then(answer);
    },

    DeleteMessage({ QueueUrl, ReceiptHandle }, context) {
      store.byUrl(QueueUrl, context).delete(handleOf(ReceiptHandle));
      return {};
    },

    ChangeMessageVisibility({ QueueUrl, ReceiptHandle, VisibilityTimeout }, context) {
      const queue = store.byUrl(QueueUrl, context);
      if (VisibilityTimeout === undefined) throw missingParameter("VisibilityTimeout");
      checkVisibility(VisibilityTimeout);
      queue.changeVisibility(handleOf(ReceiptHandle), VisibilityTimeout * 1000);
      return {};
    },
  }) satisfies Operations<typeof import("@aws-sdk/client-sqs")>;

/** SenderId: the account, as AWS shows for a call with root credentials. */
export const senderOf = ({ caller, account, http }: Context, { clock, journal }: Store): Sender => ({
  id: caller.account || account,
  traceHeader: http.headers["x-amzn-trace-id"],
  now: clock.now(),
  causes: journal.causes,
});
