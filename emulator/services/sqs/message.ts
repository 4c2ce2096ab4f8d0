import { hash } from "node:crypto";
import type { MessageAttributeValue } from "@aws-sdk/client-sqs";
import type { Causes } from "../../core/journal/entry";
import { limits } from "../../core/limits";
import { invalidMessageContents, invalidParameter, invalidValue } from "./errors";

/** Where a message is: waiting for its delay, available, received and hidden, or deleted. */
export type MessageState = "delayed" | "ready" | "inFlight" | "gone";

export type MessageAttributes = Record<string, MessageAttributeValue>;

/** A message in a queue. */
export interface Message {
  readonly id: string;
  readonly body: string;
  readonly md5OfBody: string;
  readonly attributes?: MessageAttributes;
  readonly md5OfAttributes?: string;
  readonly traceHeader?: string;
  readonly senderId: string;
  /** SentTimestamp, kept when the message moves to a dead-letter queue; milliseconds since the epoch, as all times here. */
  readonly sentAt: number;
  /** Retention counts from here: reset for FIFO when the message moves to a dead-letter queue, kept for standard queues. */
  readonly keptSince: number;
  readonly groupId?: string;
  readonly deduplicationId?: string;
  readonly sequenceNumber?: string;
  /** The queue from which a redrive policy moved the message here. */
  readonly sourceArn?: string;
  /** A second one of the same id, which a fault lets be delivered, too. */
  readonly isCopy?: true;
  /** What brought it here, for the journal. Nobody is shown it. */
  readonly causes?: Causes;
  state: MessageState;
  /** When the delay or the invisibility ends. */
  dueAt: number;
  /** Last receive, for the 12 hours that a message may stay hidden in all. */
  receivedAt: number;
  firstReceivedAt: number;
  /** What ApproximateReceiveCount shows: goes on counting in a dead-letter queue. */
  receiveCount: number;
  /** Receives in this queue: what maxReceiveCount is compared with. */
  receivesHere: number;
}

export const md5 = (text: string): string => hash("md5", text, "hex");

const lengthPrefixed = (value: Uint8Array): Buffer => {
  const framed = Buffer.allocUnsafe(4 + value.length);
  framed.writeUInt32BE(value.length, 0);
  framed.set(value, 4);
  return framed;
};

/**
 * The digest that SDKs check: names in order, each with its type, one byte for the kind of value, and the value
 * (developer guide: "Calculating the MD5 message digest for message attributes").
 */
export function md5OfAttributes(attributes: MessageAttributes | undefined): string | undefined {
  if (!attributes) return undefined;
  const names = Object.keys(attributes).sort();
  if (!names.length) return undefined;
  const parts: Buffer[] = [];
  for (const name of names) {
    const { DataType = "", StringValue, BinaryValue } = attributes[name]!;
    parts.push(lengthPrefixed(Buffer.from(name)), lengthPrefixed(Buffer.from(DataType)));
    const binary = DataType.startsWith("Binary");
    parts.push(Buffer.of(binary ? 2 : 1));
    parts.push(lengthPrefixed(binary ? (BinaryValue ?? Buffer.alloc(0)) : Buffer.from(StringValue ?? "")));
  }
  return hash("md5", Buffer.concat(parts), "hex");
}

/** Bytes that count against the limits: names, types and values. */
export function attributesSize(attributes: MessageAttributes | undefined): number {
  if (!attributes) return 0;
  let size = 0;
  for (const [name, { DataType = "", StringValue, BinaryValue }] of Object.entries(attributes)) {
    size += Buffer.byteLength(name) + Buffer.byteLength(DataType);
    size += BinaryValue?.length ?? Buffer.byteLength(StringValue ?? "");
  }
  return size;
}

/** What XML 1.0 cannot carry, which is what SQS refuses; a lone surrogate is refused too. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const refused = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/u;

export function checkCharacters(text: string): void {
  if (refused.test(text)) throw invalidMessageContents();
}

const checkName = (name: string) => {
  if (!name) throw invalidParameter("The request must contain non-empty message attribute names.");
  if (name.length > limits.sqs.attributeName.value)
    throw invalidParameter("Length of message attribute name must be less than 256 bytes.");
  if (!/^[A-Za-z0-9_.-]+$/.test(name))
    throw invalidParameter(
      `The message attribute name '${name}' is invalid. Attribute name can contain A-Z, a-z, 0-9, underscore (_), hyphen (-), and period (.) characters.`,
    );
  if (/^(aws|amazon)\./i.test(name))
    throw invalidParameter(
      "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. These strings are reserved for internal use.",
    );
  if (/^\.|\.$|\.\./.test(name))
    throw invalidParameter(
      `The message attribute name '${name}' is invalid. Attribute name can't start or end with a period, nor have successive periods.`,
    );
};

/** Refuses attributes as SQS does (developer guide: "Message attribute components"). */
export function checkAttributes(attributes: MessageAttributes | undefined): void {
  if (!attributes) return;
  const entries = Object.entries(attributes);
  const { value: most } = limits.sqs.attributes;
  if (entries.length > most)
    throw invalidParameter(`Number of message attributes [${entries.length}] exceeds the allowed maximum [${most}].`);
  for (const [name, { DataType, StringValue, BinaryValue }] of entries) {
    checkName(name);
    if (!DataType)
      throw invalidParameter(`The message attribute '${name}' must contain non-empty message attribute type.`);
    if (DataType.length > limits.sqs.attributeName.value)
      throw invalidParameter("Length of message attribute type must be less than 256 bytes.");
    const kind = /^(String|Number|Binary)(\..+)?$/.exec(DataType)?.[1];
    if (!kind)
      throw invalidParameter(
        `The type of message attribute '${name}' is invalid. You must use only the following supported type prefixes: Binary, Number, String.`,
      );
    const field = kind === "Binary" ? "BinaryValue" : "StringValue";
    const other = kind === "Binary" ? StringValue : BinaryValue;
    const value = kind === "Binary" ? BinaryValue : StringValue;
    if (value === undefined && other !== undefined)
      throw invalidParameter(`The message attribute '${name}' with type '${DataType}' must use field '${field}'.`);
    if (!value?.length)
      throw invalidParameter(
        `The message attribute '${name}' must contain non-empty message attribute value for message attribute type '${DataType}'.`,
      );
    if (typeof value === "string") checkCharacters(value);
    if (kind === "Number" && !isNumber(StringValue!))
      throw invalidParameter(`Can't cast the value of message attribute '${name}' to a number.`);
  }
}

const isNumber = (text: string) => /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(text);

/**
 * The one system attribute that a sender may give; without it, the header X-Amzn-Trace-Id of the call is kept in its place
 * (https://docs.aws.amazon.com/xray/latest/devguide/xray-services-sqs.html).
 */
export function traceHeaderOf(
  system: Record<string, MessageAttributeValue> | undefined,
  httpHeader: string | undefined,
): string | undefined {
  if (!system) return httpHeader;
  for (const [name, { DataType, StringValue }] of Object.entries(system)) {
    if (name !== "AWSTraceHeader")
      throw invalidValue(name, "MessageSystemAttributeName", "Must be one of: AWSTraceHeader.");
    if (DataType !== "String" || !StringValue)
      throw invalidParameter(
        `The message system attribute '${name}' must contain non-empty message system attribute value for message system attribute type 'String'.`,
      );
  }
  return system.AWSTraceHeader?.StringValue ?? httpHeader;
}
