import { randomUUID } from "node:crypto";
import type { MetricsName, StreamMode } from "@aws-sdk/client-kinesis";
import { formatArn } from "../../core/arn";
import { limits } from "../../core/limits";
import type { Scope } from "../../core/service";
import { type HashKey, type HashRange, hexOf, numberOf, uniformRanges } from "./hash-keys";
import { Shard } from "./shard";

export const hour = 3_600_000;

/** An enhanced fan-out consumer. */
export interface Consumer {
  readonly name: string;
  readonly arn: string;
  /** Milliseconds since the epoch. */
  readonly created: number;
  readonly tags: Map<string, string>;
}

/** A stream: its shards, open and closed, and its settings. */
export class Stream {
  readonly arn: string;
  /** Tells this stream from an earlier one of the same name. */
  readonly id = randomUUID();
  /** By index. Closed ones go when their last record has. */
  readonly shards = new Map<string, Shard>();
  readonly tags = new Map<string, string>();
  readonly consumers = new Map<string, Consumer>();
  /** Resource policies by the ARN that they are for: the stream's or a consumer's. */
  readonly policies = new Map<string, string>();
  metrics = new Set<MetricsName>();
  retentionHours = 24;
  /** Largest record, in KiB. */
  maxRecordKiB: number = limits.kinesis.record.value;
  /** The KMS key of server-side encryption; undefined without it. */
  keyId?: string;
  /** When the number of shards was changed, for the limit of ten a day. */
  readonly reshardings: number[] = [];
  deleted = false;
  private nextIndex = 0;
  /** Open shards in the order of their ranges. */
  private open: Shard[] = [];
  private readonly watchers = new Set<(shardId?: string) => void>();

  constructor(
    readonly name: string,
    readonly scope: Scope,
    readonly created: number,
    public mode: StreamMode,
    shards: number,
  ) {
    this.arn = formatArn("kinesis", scope.region, scope.account, `stream/${name}`);
    for (const range of uniformRanges(shards)) this.open.push(this.add(range, created, []));
  }

  get openShards(): readonly Shard[] {
    return this.open;
  }

  /** The open shard whose range a hash key is in. */
  shardFor(key: HashKey): Shard {
    let low = 0;
    let high = this.open.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (key <= this.open[middle]!.range.last) high = middle;
      else low = middle + 1;
    }
    return this.open[low]!;
  }

  /** Closes a shard and opens two in its place; `second` is where the other one begins. */
  split(shard: Shard, second: bigint, now: number): void {
    const { first, last } = shard.range;
    const children = [
      { first, last: hexOf(second - 1n) },
      { first: hexOf(second), last },
    ];
    this.replace([shard], children, now);
  }

  /** Closes two neighbours and opens one in their place. */
  merge(shard: Shard, adjacent: Shard, now: number): void {
    this.replace([shard, adjacent], [{ first: shard.range.first, last: adjacent.range.last }], now);
  }

  /** Splits and merges until the open shards begin at these hash keys and nowhere else. */
  reshape(starts: readonly bigint[], now: number): void {
    for (const start of starts) {
      const shard = this.shardFor(hexOf(start));
      if (numberOf(shard.range.first) !== start) this.split(shard, start, now);
    }
    const wanted = new Set(starts);
    for (let i = 1; i < this.open.length; ) {
      const [before, shard] = [this.open[i - 1]!, this.open[i]!];
      if (wanted.has(numberOf(shard.range.first))) i++;
      else this.merge(before, shard, now);
    }
  }

  /** Shards that came from a closed one. */
  childrenOf(shard: Shard): Shard[] {
    return [...this.shards.values()].filter(({ parents }) => parents.includes(shard));
  }

  /** Records that arrived before this time are past their retention. */
  horizon(now: number): number {
    return now - this.retentionHours * hour;
  }

  /** Lets go what is past its retention: records, and closed shards without any. */
  trim(now: number): void {
    const horizon = this.horizon(now);
    for (const [id, shard] of this.shards) {
      shard.log.trim(horizon);
      if (shard.closed && shard.closed.at < horizon) this.shards.delete(id);
    }
  }

  get hasRecords(): boolean {
    return [...this.shards.values()].some(({ log }) => log.end > log.start);
  }

  /** Calls a listener with the shard that has new records; without one for new shards and the end. Returns what ends it. */
  watch(listener: (shardId?: string) => void): () => void {
    this.watchers.add(listener);
    return () => this.watchers.delete(listener);
  }

  /** Tells those who watch. */
  changed(shardId?: string): void {
    for (const watcher of this.watchers) watcher(shardId);
  }

  delete(): void {
    this.deleted = true;
    this.changed();
    this.watchers.clear();
  }

  private replace(parents: readonly Shard[], ranges: readonly HashRange[], now: number): void {
    // Later than every parent, so that sequence numbers go on growing.
    const created = Math.max(now, ...parents.map((parent) => parent.created + 1));
    for (const parent of parents) parent.close(now);
    const children = ranges.map((range) => this.add(range, created, parents));
    this.open.splice(this.open.indexOf(parents[0]!), parents.length, ...children);
    this.changed();
  }

  private add(range: HashRange, created: number, parents: readonly Shard[]): Shard {
    const shard = new Shard(this.nextIndex++, range, created, parents);
    this.shards.set(shard.id, shard);
    return shard;
  }
}
