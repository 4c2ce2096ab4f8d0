/** What a log must know of a record. */
export interface LogRecord {
  /** Decimal digits; within one log all have the same length, so that they compare as text. */
  readonly sequenceNumber: string;
  /** Milliseconds since the epoch; never falls within a log. */
  readonly arrival: number;
  /** Bytes that it counts for. */
  readonly size: number;
}

/** How much one read may give; at least one record comes, whatever its size. */
interface ReadLimit {
  readonly records: number;
  readonly bytes: number;
}

/**
 * The records of one shard, oldest first, until their retention ends. Positions count records from the first one that
 * the log ever had, so they stay what they are when old records go.
 */
export class ShardLog<Record extends LogRecord> {
  private records: Record[] = [];
  /** Position of `records[0]`. */
  private base = 0;
  /** How many of `records` are past their retention; they leave the list many at a time. */
  private trimmed = 0;

  /** The oldest position that can be read. */
  get start(): number {
    return this.base + this.trimmed;
  }

  /** The position of the next record to come. */
  get end(): number {
    return this.base + this.records.length;
  }

  append(record: Record): void {
    this.records.push(record);
  }

  /** Lets records go that arrived before a time. */
  trim(before: number): void {
    while (this.trimmed < this.records.length && this.records[this.trimmed]!.arrival < before) this.trimmed++;
    if (this.trimmed === 0 || this.trimmed * 2 < this.records.length) return;
    this.records = this.records.slice(this.trimmed);
    this.base += this.trimmed;
    this.trimmed = 0;
  }

  /** The record at a position; undefined at the end and where it is trimmed. */
  at(position: number): Record | undefined {
    return position < this.start ? undefined : this.records[position - this.base];
  }

  /** The first position whose record has this sequence number or a later one. */
  positionOf(sequenceNumber: string): number {
    return this.search((record) => record.sequenceNumber >= sequenceNumber);
  }

  /** The first position whose record arrived at a time or later. */
  positionAt(time: number): number {
    return this.search((record) => record.arrival >= time);
  }

  /** Records from a position on, or from the oldest one where that is gone. `next` is where to go on. */
  read(position: number, { records, bytes }: ReadLimit): { records: Record[]; next: number } {
    const from = Math.max(position, this.start) - this.base;
    let end = from;
    let size = 0;
    while (end < this.records.length && end - from < records) {
      size += this.records[end]!.size;
      if (size > bytes && end > from) break;
      end++;
    }
    return { records: this.records.slice(from, end), next: this.base + end };
  }

  private search(reached: (record: Record) => boolean): number {
    let low = this.trimmed;
    let high = this.records.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (reached(this.records[middle]!)) high = middle;
      else low = middle + 1;
    }
    return this.base + low;
  }
}
