/** How far the lanes of one shard are. */
export interface ShardProgress {
  /** For each lane the position that it goes on at. */
  lanes: number[];
  /** Whether the shard is closed and all of its records are done: its children may begin. */
  ended: boolean;
}

/** How far a mapping has processed its stream: what AWS calls its checkpoints. */
export class StreamProgress {
  readonly shards = new Map<string, ShardProgress>();
  /** Settles when the last poller of the mapping has come to its end, so that two never work at a time. */
  busy: Promise<void> = Promise.resolve();

  /** @param streamId a stream that is made anew under the same ARN begins from the start. */
  constructor(readonly streamId: string) {}

  /** The progress of a shard. With another number of lanes than before, all go on where the slowest one was. */
  of(shard: string, lanes: number, start: () => number): ShardProgress {
    let progress = this.shards.get(shard);
    if (!progress) {
      progress = { lanes: Array<number>(lanes).fill(start()), ended: false };
      this.shards.set(shard, progress);
    }
    if (progress.lanes.length !== lanes) progress.lanes = Array<number>(lanes).fill(Math.min(...progress.lanes));
    return progress;
  }

  /** Forgets shards that the stream has no more. */
  keepOnly(shards: ReadonlySet<string>): void {
    for (const id of this.shards.keys()) if (!shards.has(id)) this.shards.delete(id);
  }
}
