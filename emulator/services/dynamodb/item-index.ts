import { SortedList } from "./sorted-list";
import type { Item } from "./values";

/** Where an item is: the identity of its partition key, and its sort key in comparable form ("" where there is none). */
export interface Key {
  readonly hash: string;
  readonly sort: string;
}

/** A stored item. Rows are never changed: a write puts a new row in the place of the old one. */
export interface Row extends Key {
  readonly item: Item;
  /** Bytes, as DynamoDB counts them. */
  readonly size: number;
  /** In a secondary index: the key in the table. Items with equal index keys are ordered by it. */
  readonly owner?: Key;
}

/** A place between rows: everything that is not after this key has been read. */
export type Position = Key & { readonly owner?: Key };

/** A contiguous part of a partition. */
export interface SortRange {
  /** Whether a sort key lies before the range. */
  before(sort: string): boolean;
  /** Whether a sort key lies after the range. */
  after(sort: string): boolean;
}

interface Partition {
  /** Spreads partitions over the segments of a scan. */
  readonly code: number;
  readonly hash: string;
  readonly rows: SortedList<Row>;
  size: number;
}

const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const compareRows = (a: Position, b: Position): number =>
  compareTexts(a.sort, b.sort) ||
  (a.owner && b.owner ? compareTexts(a.owner.hash, b.owner.hash) || compareTexts(a.owner.sort, b.owner.sort) : 0);

const comparePartitions = (a: Partition, b: Partition): number => a.code - b.code || compareTexts(a.hash, b.hash);

/** FNV-1a with the finishing mix of MurmurHash3, so that keys with one prefix spread over all segments. */
function hashCode(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

const newPartition = (hash: string): Partition => ({
  code: hashCode(hash),
  hash,
  rows: new SortedList<Row>(compareRows),
  size: 0,
});

/** The segment, of so many, that a partition belongs to. */
const segmentOf = (code: number, segments: number): number => Math.floor((code / 2 ** 32) * segments);

/** Whether a partition key belongs to a segment of a parallel scan. */
export const inSegment = (hash: string, segment: number, segments: number): boolean =>
  segmentOf(hashCode(hash), segments) === segment;

/** Rows by partition key, sorted within each partition; the partitions themselves are in the order of a hash, as on AWS. */
export class ItemIndex {
  private readonly partitions = new Map<string, Partition>();
  private readonly order = new SortedList<Partition>(comparePartitions);
  private rows = 0;
  private bytes = 0;

  get count(): number {
    return this.rows;
  }

  get size(): number {
    return this.bytes;
  }

  get(key: Position): Row | undefined {
    return this.partitions.get(key.hash)?.rows.find(key as Row);
  }

  /** Stores a row and returns the one that it takes the place of. */
  put(row: Row): Row | undefined {
    let partition = this.partitions.get(row.hash);
    if (!partition) {
      partition = newPartition(row.hash);
      this.partitions.set(row.hash, partition);
      this.order.insert(partition);
    }
    const old = partition.rows.insert(row);
    const growth = row.size - (old?.size ?? 0);
    if (!old) this.rows++;
    partition.size += growth;
    this.bytes += growth;
    return old;
  }

  remove(key: Position): Row | undefined {
    const partition = this.partitions.get(key.hash);
    const old = partition?.rows.remove(key as Row);
    if (!partition || !old) return undefined;
    this.rows--;
    partition.size -= old.size;
    this.bytes -= old.size;
    if (partition.rows.size === 0) {
      this.partitions.delete(key.hash);
      this.order.remove(partition);
    }
    return old;
  }

  /** Bytes of all rows with one partition key. */
  partitionSize(hash: string): number {
    return this.partitions.get(hash)?.size ?? 0;
  }

  /** Visits a range of a partition, from behind `start` if given, until `visit` answers false. */
  query(
    hash: string,
    range: SortRange,
    options: { reverse: boolean; start?: Position },
    visit: (row: Row) => boolean,
  ): void {
    const rows = this.partitions.get(hash)?.rows;
    if (!rows) return;
    const { start } = options;
    if (options.reverse) {
      rows.backward(
        (row) => !range.after(row.sort) && (!start || compareRows(row, start) < 0),
        (row) => !range.before(row.sort) && visit(row),
      );
    } else {
      rows.forward(
        (row) => range.before(row.sort) || (start !== undefined && compareRows(row, start) <= 0),
        (row) => !range.after(row.sort) && visit(row),
      );
    }
  }

  /** Visits all rows of a segment, from behind `start` if given, until `visit` answers false. */
  scan(options: { segment: number; segments: number; start?: Position }, visit: (row: Row) => boolean): void {
    const { segment, segments, start } = options;
    const first = start && newPartition(start.hash);
    this.order.forward(
      (partition) => (first ? comparePartitions(partition, first) < 0 : segmentOf(partition.code, segments) < segment),
      (partition) => {
        if (segmentOf(partition.code, segments) !== segment) return false;
        const resumed = start !== undefined && partition.hash === start.hash;
        return partition.rows.forward((row) => resumed && compareRows(row, start) <= 0, visit);
      },
    );
  }

  /** Every row, in scan order. */
  each(visit: (row: Row) => void): void {
    this.scan({ segment: 0, segments: 1 }, (row) => {
      visit(row);
      return true;
    });
  }
}
