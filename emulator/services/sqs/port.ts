import type { MessageAttributeValue } from "@aws-sdk/client-sqs";
import type { Authorizer } from "../../core/access/authorizer";
import { parseArn } from "../../core/arn";
import type { Ports, QueueMessage } from "../../core/bus";
import type { WaitingMessage } from "../../core/inspection";
import type { PortCaller } from "../../core/service-caller";
import { accessDenied, queueDoesNotExist } from "./errors";
import type { Message, MessageAttributes } from "./message";
import { systemAttributes } from "./messages";
import type { Received } from "./queue";
import { describeQueue } from "./queues";
import { send } from "./send";
import type { Store, StoredQueue } from "./store";

function toSdk(attributes: QueueMessage["messageAttributes"] | undefined): MessageAttributes | undefined {
  if (!attributes) return undefined;
  const converted: MessageAttributes = {};
  for (const [name, { dataType, stringValue, binaryValue }] of Object.entries(attributes))
    converted[name] = {
      DataType: dataType,
      StringValue: stringValue,
      BinaryValue: binaryValue === undefined ? undefined : Buffer.from(binaryValue, "base64"),
    };
  return converted;
}

const fromSdk = ({ DataType = "", StringValue, BinaryValue }: MessageAttributeValue) => ({
  dataType: DataType,
  stringValue: StringValue,
  binaryValue: BinaryValue && Buffer.from(BinaryValue).toString("base64"),
});

function toConsumer(received: Received): QueueMessage {
  const { message, handle } = received;
  return {
    causes: message.causes,
    messageId: message.id,
    receiptHandle: handle,
    body: message.body,
    md5OfBody: message.md5OfBody,
    md5OfMessageAttributes: message.md5OfAttributes,
    attributes: systemAttributes(received) as Record<string, string>,
    messageAttributes: Object.fromEntries(
      Object.entries(message.attributes ?? {}).map(([name, value]) => [name, fromSdk(value)]),
    ),
  };
}

/** `SenderId` of messages that services send: their own name, or that of their session of a role. */
const senderId = (by: PortCaller | undefined): string | undefined =>
  by && ("principal" in by ? by.principal : by.userId);

const states = { ready: "waiting", inFlight: "in flight", delayed: "delayed", gone: "waiting" } as const;

function toOnlooker({ id, body, state, sentAt, receiveCount, sourceArn, attributes = {} }: Message): WaitingMessage {
  const texts = Object.entries(attributes).map(([name, value]) => {
    const { stringValue, binaryValue = "" } = fromSdk(value);
    return [name, stringValue ?? binaryValue];
  });
  return {
    ...{ id, body, sentAt, sourceArn, state: states[state], receives: receiveCount },
    attributes: Object.fromEntries(texts),
  };
}

/** What Lambda event sources, API Gateway and the others do with queues. */
export function sqsPort(store: Store, access: Authorizer): Ports["sqs"] {
  const find = (arn: string): StoredQueue => {
    const queue = store.byArn(arn);
    if (!queue) throw queueDoesNotExist();
    return queue;
  };
  const open = (arn: string, by: PortCaller | undefined, action: string): StoredQueue => {
    const queue = find(arn);
    access.demand(by, { action, resource: arn, policy: queue.attributes.Policy }, accessDenied);
    return queue;
  };

  return {
    async send(queueArn, { body, messageAttributes, groupId, deduplicationId }, by) {
      const { MessageId } = send(
        open(queueArn, by, "sqs:SendMessage"),
        {
          MessageBody: body,
          MessageAttributes: toSdk(messageAttributes),
          MessageGroupId: groupId,
          MessageDeduplicationId: deduplicationId,
        },
        { id: senderId(by) ?? parseArn(queueArn)!.account, now: store.clock.now(), causes: store.journal.causes },
      );
      return { messageId: MessageId };
    },
    async receive(queueArn, { max, waitMs, signal, by }) {
      const queue = open(queueArn, by, "sqs:ReceiveMessage");
      return (await queue.receiveWithin(waitMs, { max }, signal)).map(toConsumer);
    },
    async delete(queueArn, receiptHandles, by) {
      const queue = open(queueArn, by, "sqs:DeleteMessage");
      for (const handle of receiptHandles) queue.delete(handle);
    },
    async changeVisibility(queueArn, receiptHandles, seconds) {
      const queue = find(queueArn);
      for (const handle of receiptHandles) queue.changeVisibility(handle, seconds * 1000);
    },
    peek: (queueArn, limit) => store.byArn(queueArn)?.peek(limit).map(toOnlooker) ?? [],
    async attributes(queueArn) {
      return describeQueue(find(queueArn));
    },
  };
}
