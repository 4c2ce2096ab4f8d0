import type { Identity } from "../../../core/access/identity";
import type { Matcher } from "../../../core/event-pattern";
import type { Place } from "../../../core/faults/place";
import type { Causes } from "../../../core/journal/entry";
import type { Host } from "../../../core/service";
import type { StreamReader, StreamRecord } from "../../../core/stream-reader";
import type { Mapping } from "./mapping";

/** What a record's event is made of, beside the record. */
interface EventContext {
  readonly mapping: Mapping;
  readonly shardId: string;
  /** The ARN of the function's role. */
  readonly role: string;
}

/** What is particular to one kind of stream. */
export interface StreamKind<Detail> {
  /** Signing name of its service. */
  readonly service: "kinesis" | "dynamodb";
  open(host: Host, arn: string, by?: Identity): Promise<StreamReader<Detail>>;
  /** The call that reading is, for faults. */
  reading(arn: string): Place;
  /** The record as functions see it. */
  event(record: StreamRecord<Detail>, context: EventContext): object;
  /** Reads a filter pattern; the matcher is given events. */
  matcher(pattern: Record<string, unknown>): Matcher;
  /** The member of a failure record that says which records it is about. */
  readonly batchInfo: "KinesisBatchInfo" | "DDBStreamBatchInfo";
  /** A time of arrival as failure records show it. */
  time(ms: number): string;
}

/** A record in a batch. */
export interface BatchItem {
  readonly position: number;
  readonly sequenceNumber: string;
  readonly arrival: number;
  readonly causes?: Causes;
  /** Its event. */
  readonly json: string;
}

export const eventOf = (items: readonly BatchItem[]): string =>
  `{"Records":[${items.map(({ json }) => json).join(",")}]}`;
