import type { Causes } from "../../core/journal/entry";
import { ownBytes } from "../../core/own-bytes";
import { ShardLog } from "../../core/shard-log";
import { type HashRange, shownRange } from "./hash-keys";
import { Meter, readRate, writeRate } from "./meter";

/** A data record in its shard. */
export interface DataRecord {
  readonly sequenceNumber: string;
  /** Milliseconds since the epoch. */
  readonly arrival: number;
  /** Bytes of data and partition key. */
  readonly size: number;
  readonly partitionKey: string;
  readonly data: Buffer;
  readonly encrypted: boolean;
  /** What it came of, for the journal. */
  readonly causes?: Causes;
}

/** When a record comes, and of what. */
export interface Arrival {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly causes?: Causes;
}

/** The counter that ends a closed shard, and one that no record reaches. */
const lastCounter = "9".repeat(20);

/**
 * 56 digits, as AWS has them: when the shard was made (13 digits, behind "49"), a counter (20), when the record came
 * (13) and the shard's number (8). So they grow within a shard and from parents to children, and are unique in a stream.
 */
const sequenceNumber = (created: number, counter: string, time: number, index: number) =>
  `49${String(created).padStart(13, "0")}${counter}${String(time).padStart(13, "0")}${String(index).padStart(8, "0")}`;

/** The parts of a sequence number that say where it comes from; undefined where the text is none. */
export function readSequenceNumber(text: string): { created: number; time: number; index: number } | undefined {
  const match = /^49(\d{13})\d{20}(\d{13})(\d{8})$/.exec(text);
  return match ? { created: Number(match[1]), time: Number(match[2]), index: Number(match[3]) } : undefined;
}

export const shardId = (index: number): string => `shardId-${String(index).padStart(12, "0")}`;

/** A shard: a range of hash keys and its records. */
export class Shard {
  readonly id: string;
  readonly log = new ShardLog<DataRecord>();
  readonly writes = new Meter(writeRate);
  readonly reads = new Meter(readRate);
  readonly startingSequenceNumber: string;
  /** When it was split or merged, and where its records end. */
  closed?: { readonly at: number; readonly sequenceNumber: string };
  private counter = 0;

  /**
   * @param created milliseconds since the epoch; later than its parents'.
   * @param parents one after a split, two after a merge.
   */
  constructor(
    readonly index: number,
    readonly range: HashRange,
    readonly created: number,
    readonly parents: readonly Shard[],
  ) {
    this.id = shardId(index);
    this.startingSequenceNumber = this.next(created);
  }

  get open(): boolean {
    return this.closed === undefined;
  }

  /** Adds a record that has been admitted, and gives it its sequence number. */
  append(partitionKey: string, data: Buffer, size: number, { now, causes }: Arrival, encrypted: boolean): string {
    const number = this.next(now);
    const record = { sequenceNumber: number, arrival: now, size, partitionKey, encrypted, causes };
    this.log.append({ ...record, data: ownBytes(data) });
    return number;
  }

  close(now: number): void {
    this.closed = { at: now, sequenceNumber: sequenceNumber(this.created, lastCounter, now, this.index) };
  }

  /** As ListShards and DescribeStream show it. */
  describe() {
    return {
      ShardId: this.id,
      ParentShardId: this.parents[0]?.id,
      AdjacentParentShardId: this.parents[1]?.id,
      HashKeyRange: shownRange(this.range),
      SequenceNumberRange: {
        StartingSequenceNumber: this.startingSequenceNumber,
        EndingSequenceNumber: this.closed?.sequenceNumber,
      },
    };
  }

  private next(now: number): string {
    return sequenceNumber(this.created, String(this.counter++).padStart(20, "0"), now, this.index);
  }
}
