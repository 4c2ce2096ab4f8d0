import type { Causes } from "./journal/entry";

/** A record of a Kinesis or DynamoDB stream, as Lambda reads it. */
export interface StreamRecord<Detail> {
  readonly sequenceNumber: string;
  /** Its place in its shard; reading goes on at the place behind it. */
  readonly position: number;
  /** Milliseconds since the epoch. */
  readonly arrival: number;
  /** Bytes that it counts for. */
  readonly size: number;
  /** Records of one key in one shard are to be processed in order. */
  readonly key: string;
  /** What it came of, for the journal. */
  readonly causes?: Causes;
  readonly detail: Detail;
}

/** A stream that is being read. Its methods throw ResourceNotFoundException when the stream has gone. */
export interface StreamReader<Detail> {
  /** Tells this stream from others that had its ARN. */
  readonly id: string;
  /** All shards that can still be read, parents before their children. */
  shards(): readonly { readonly id: string; readonly parents: readonly string[] }[];
  /** Where to begin in a shard, behind everything in one that is gone. `timestamp` is in milliseconds since the epoch. */
  position(shardId: string, start: { type: "TRIM_HORIZON" | "LATEST" | "AT_TIMESTAMP"; timestamp?: number }): number;
  /** Records from a position on, or from the oldest one left. `ended`: the shard is closed and there is nothing behind. */
  read(
    shardId: string,
    position: number,
    limit: { records: number; bytes: number },
  ): { records: StreamRecord<Detail>[]; next: number; ended: boolean };
  /** Throws where whoever opened it may not read it. */
  demand(): void;
  /** Calls the listener when a shard has something new; without a shard for all else: new shards, the end. Returns what ends it. */
  watch(listener: (shardId?: string) => void): () => void;
}

/** A data record of Kinesis. */
export interface DataRecordDetail {
  readonly partitionKey: string;
  readonly data: Buffer;
}
