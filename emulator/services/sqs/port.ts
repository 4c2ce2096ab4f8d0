import type { MessageAttributeValue } from "@aws-sdk/client-sqs";
import { parseArn } from "../../core/arn";
import type { Ports, QueueMessage } from "../../core/bus";
import { queueDoesNotExist } from "./errors";
import type { MessageAttributes } from "./message";
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

/** What Lambda event sources, API Gateway and the others do with queues. */
export function sqsPort(store: Store): Ports["sqs"] {
  const find = (arn: string): StoredQueue => {
    const queue = store.byArn(arn);
    if (!queue) throw queueDoesNotExist();
    return queue;
  };

  return {
    async send(queueArn, { body, messageAttributes, groupId, deduplicationId, principal }) {
      const { MessageId } = send(
        find(queueArn),
        {
          MessageBody: body,
          MessageAttributes: toSdk(messageAttributes),
          MessageGroupId: groupId,
          MessageDeduplicationId: deduplicationId,
        },
        principal ?? parseArn(queueArn)!.account,
        store.clock.now(),
      );
      return { messageId: MessageId };
    },
    async receive(queueArn, { max, waitMs, signal }) {
      return (await find(queueArn).receiveWithin(waitMs, { max }, signal)).map(toConsumer);
    },
    async delete(queueArn, receiptHandles) {
      const queue = find(queueArn);
      for (const handle of receiptHandles) queue.delete(handle);
    },
    async changeVisibility(queueArn, receiptHandles, seconds) {
      const queue = find(queueArn);
      for (const handle of receiptHandles) queue.changeVisibility(handle, seconds * 1000);
    },
    async attributes(queueArn) {
      return describeQueue(find(queueArn));
    },
  };
}
