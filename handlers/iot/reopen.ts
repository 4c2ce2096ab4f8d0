import { GetRecordsCommand, GetShardIteratorCommand, type KinesisClient } from "@aws-sdk/client-kinesis";
import type { Message } from "@aws-sdk/client-sqs";
import type { IoTLetter } from "./letters";
import { type Envelope, fieldOf, isObject, type StreamRecord } from "./record";

/** A letter's message, as it stood on the stream. */
export interface Reopened {
  readonly record: StreamRecord;
  /** The sinks that do not have it; all, when there are none. */
  readonly sinks?: readonly string[];
}

/**
 * What a rule's error action tells of a message that its action did not deliver.
 * @see https://docs.aws.amazon.com/iot/latest/developerguide/rule-error-handling.html
 */
interface RuleLetter {
  readonly ruleName: string;
  readonly topic: string;
  readonly clientId?: string;
  readonly base64OriginalPayload: string;
}

/** The name of each rule, and what names the device in it: `topic(2)`, or a field of the payload. */
export type RuleDevices = Record<string, string>;

/** A letter of the dead-letter queue, of the function's own or of a rule. Throws when it is none. */
export function openLetter({ Body = "", MessageId = "", Attributes }: Message, rules: RuleDevices): Reopened {
  const letter = JSON.parse(Body) as Partial<IoTLetter & RuleLetter> | null;
  if (typeof letter?.base64OriginalPayload === "string" && typeof letter.topic === "string") {
    const receivedAt = Number(Attributes?.SentTimestamp ?? Date.now());
    const { topic, base64OriginalPayload: payload, clientId } = letter;
    const device = deviceIn(rules[letter.ruleName ?? ""] ?? "", topic, payload);
    const message = { topic, payload, receivedAt, ...(device !== undefined && { device }), clientId };
    return { record: toRecord(`letter:${MessageId}`, message, receivedAt) };
  }
  if (typeof letter?.id !== "string") throw new Error("not a dead letter of this component");
  if (!letter.message) throw new Error(`it holds no message: ${letter.reason}`);
  return { record: toRecord(letter.id, letter.message, letter.message.receivedAt), sinks: letter.sinks };
}

const toRecord = (eventID: string, envelope: Envelope, arrived: number): StreamRecord => ({
  eventID,
  kinesis: {
    sequenceNumber: eventID.slice(eventID.indexOf(":") + 1),
    data: Buffer.from(JSON.stringify(envelope)).toString("base64"),
    approximateArrivalTimestamp: arrived / 1000,
  },
});

/** What the rule would have taken for the device; undefined when nothing. */
function deviceIn(expression: string, topic: string, payload: string): string | number | undefined {
  const [, part] = /^topic\((\d)\)$/.exec(expression) ?? [];
  if (part) return topic.split("/")[Number(part) - 1];
  try {
    const data: unknown = JSON.parse(Buffer.from(payload, "base64").toString());
    const device = isObject(data) ? fieldOf(data, expression) : undefined;
    return typeof device === "string" || typeof device === "number" ? device : undefined;
  } catch {
    return undefined;
  }
}

/**
 * What Lambda says about records on which the function died.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
 */
interface FailureNotice {
  readonly KinesisBatchInfo?: {
    readonly shardId: string;
    readonly startSequenceNumber: string;
    readonly endSequenceNumber: string;
    readonly batchSize: number;
    readonly streamArn: string;
  };
}

/** The records that a message of the failure queue names, read from the stream. Throws when it does not have them. */
export async function openFailure({ Body = "" }: Message, kinesis: KinesisClient): Promise<StreamRecord[]> {
  const info = (JSON.parse(Body) as FailureNotice | null)?.KinesisBatchInfo;
  if (!info) throw new Error("not a failure of this component");
  const { shardId: ShardId, streamArn: StreamARN, startSequenceNumber, batchSize } = info;
  const last = BigInt(info.endSequenceNumber);
  const found: StreamRecord[] = [];
  const from = { ShardIteratorType: "AT_SEQUENCE_NUMBER", StartingSequenceNumber: startSequenceNumber } as const;
  let { ShardIterator } = await kinesis.send(new GetShardIteratorCommand({ StreamARN, ShardId, ...from }));
  while (ShardIterator && found.length < batchSize) {
    const Limit = batchSize - found.length;
    const { Records = [], NextShardIterator } = await kinesis.send(
      new GetRecordsCommand({ StreamARN, ShardIterator, Limit }),
    );
    const own = Records.filter(({ SequenceNumber }) => BigInt(SequenceNumber!) <= last);
    for (const { SequenceNumber, Data, ApproximateArrivalTimestamp } of own) {
      found.push({
        eventID: `${ShardId}:${SequenceNumber}`,
        kinesis: {
          sequenceNumber: SequenceNumber!,
          data: Buffer.from(Data!).toString("base64"),
          approximateArrivalTimestamp: Number(ApproximateArrivalTimestamp) / 1000,
        },
      });
    }
    // Past the end, or nothing more there.
    if (own.length < Records.length || Records.length === 0) break;
    ShardIterator = NextShardIterator;
  }
  if (found.length < batchSize) throw new Error(`the stream has ${found.length} of its ${batchSize} records`);
  return found;
}
