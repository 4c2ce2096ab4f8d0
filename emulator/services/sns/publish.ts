import { randomUUID } from "node:crypto";
import type * as Sdk from "@aws-sdk/client-sns";
import { AwsError, notEmulated } from "../../core/errors";
import { lostEntries } from "../../core/faults/partial";
import { limits } from "../../core/limits";
import type { Delivery } from "./delivery";
import {
  batchTooLong,
  emptyBatch,
  idsNotDistinct,
  internalError,
  invalidEntryId,
  invalidFor,
  invalidParameter,
  tooManyEntries,
} from "./errors";
import type { MessageAttributes } from "./filter";
import type { Store } from "./state";
import type { SnsOperations } from "./topics";

/** Bytes of a message with its attributes, and of a batch. */
const largest = limits.sns.message.value;

/** A message as its topic has taken it. */
export interface Published {
  readonly id: string;
  readonly subject?: string;
  readonly attributes: MessageAttributes;
  /** The text for a protocol: they differ where the publisher gave several. */
  textFor(protocol: string): string;
}

interface Message {
  readonly Message?: string;
  readonly Subject?: string;
  readonly MessageStructure?: string;
  readonly MessageAttributes?: Record<string, Sdk.MessageAttributeValue>;
}

function checkAttributes(attributes: MessageAttributes): number {
  let size = 0;
  for (const [name, { DataType, StringValue, BinaryValue }] of Object.entries(attributes)) {
    const refuse = (reason: string) => new AwsError("ParameterValueInvalidException", reason);
    if (!/^(?!.*\.\.)[A-Za-z0-9_-][A-Za-z0-9_.-]{0,255}$/.test(name) || name.endsWith(".")) {
      throw refuse(`Invalid attribute name: '${name}'.`);
    }
    if (!DataType) throw refuse(`The message attribute '${name}' must contain non-empty message attribute type.`);
    if (!/^(String(\.Array)?|Number|Binary)(\..+)?$/.test(DataType)) {
      throw refuse(
        `The message attribute '${name}' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.`,
      );
    }
    const binary = DataType.startsWith("Binary");
    const value = binary ? BinaryValue : StringValue;
    if (value === undefined || value.length === 0) {
      throw refuse(
        `The message attribute '${name}' must contain non-empty message attribute value for message attribute type '${DataType}'.`,
      );
    }
    if (DataType.startsWith("Number") && !Number.isFinite(Number(StringValue))) {
      throw refuse(`Could not cast message attribute '${name}' value to number.`);
    }
    if (DataType.startsWith("String.Array") && !isArray(StringValue!)) {
      throw refuse(`The message attribute '${name}' of type String.Array is not a JSON array.`);
    }
    size += Buffer.byteLength(name) + Buffer.byteLength(DataType) + Buffer.byteLength(value);
  }
  return size;
}

function isArray(text: string): boolean {
  try {
    return Array.isArray(JSON.parse(text));
  } catch {
    return false;
  }
}

/** The texts of `MessageStructure: json`: an object with a `default`. */
function texts(message: string): Record<string, unknown> {
  const fail = (reason: string) => invalidFor("Message Structure", reason);
  let parsed: unknown;
  try {
    parsed = JSON.parse(message);
  } catch {
    throw fail("JSON message body failed to parse");
  }
  const given = typeof parsed === "object" && parsed !== null ? (parsed as Record<string, unknown>) : {};
  if (typeof given.default !== "string") throw fail("No default entry in JSON message body");
  return given;
}

/** Checks a message. Gives it with the bytes it counts for. */
export function accept(input: Message): { published: Published; size: number } {
  const { Message = "", Subject, MessageStructure, MessageAttributes = {} } = input;
  if (Message === "") throw invalidParameter("Empty message");
  const size = Buffer.byteLength(Message) + checkAttributes(MessageAttributes);
  if (size > largest) throw invalidParameter("Message too long");
  if (Subject !== undefined && (!/^\P{Cc}+$/u.test(Subject) || Subject.length > limits.sns.subject.value))
    throw invalidParameter("Subject");
  if (MessageStructure !== undefined && MessageStructure !== "json") throw invalidParameter("MessageStructure");
  const several = MessageStructure === "json" ? texts(Message) : undefined;
  const published: Published = {
    id: randomUUID(),
    subject: Subject,
    attributes: MessageAttributes,
    textFor(protocol) {
      if (!several) return Message;
      const own = several[protocol];
      return typeof own === "string" ? own : String(several.default);
    },
  };
  return { published, size };
}

/** Publish and PublishBatch. */
export const publishOperations = (store: Store, delivery: Delivery): SnsOperations => ({
  Publish(input) {
    if (input.PhoneNumber) throw notEmulated("sns", "Publish", "text messages to phones");
    const arn = input.TopicArn ?? input.TargetArn;
    if (arn === undefined) throw invalidFor("TopicArn or TargetArn", "no value for required parameter");
    if (input.MessageGroupId && arn.endsWith(".fifo")) throw notEmulated("sns", "Publish", "FIFO topics");
    const topic = store.topic(arn);
    const { published } = accept(input);
    delivery.publish(topic, published);
    return { MessageId: published.id };
  },

  PublishBatch({ TopicArn, PublishBatchRequestEntries: entries = [] }, context) {
    const topic = store.topic(TopicArn);
    if (entries.length === 0) throw emptyBatch();
    if (entries.length > limits.sns.batch.value) throw tooManyEntries();
    const ids = entries.map(({ Id = "" }) => Id);
    const { value: longest } = limits.sns.batchEntryId;
    if (ids.some((id) => !/^[A-Za-z0-9_-]+$/.test(id) || id.length > longest)) throw invalidEntryId();
    if (new Set(ids).size < ids.length) throw idsNotDistinct();
    const Successful: Sdk.PublishBatchResultEntry[] = [];
    const Failed: Sdk.BatchResultErrorEntry[] = [];
    const accepted: Published[] = [];
    const lost = lostEntries(
      context,
      entries.map(() => topic.arn),
    );
    let total = 0;
    for (const [index, entry] of entries.entries()) {
      try {
        const error = lost.errorOf(index, internalError);
        if (error) throw error;
        const { published, size } = accept(entry);
        total += size;
        accepted.push(published);
        Successful.push({ Id: entry.Id, MessageId: published.id });
      } catch (error) {
        if (!(error instanceof AwsError)) throw error;
        const Code = error.code.replace(/Exception$/, "");
        Failed.push({ Id: entry.Id, Code, Message: error.message, SenderFault: error.fault === "client" });
      }
    }
    if (total > largest) throw batchTooLong();
    for (const published of accepted) delivery.publish(topic, published);
    return { Successful, Failed };
  },
});
