import { AwsError } from "../../../core/errors";
import { faultyReader } from "../../../core/faults/ports";
import type { StreamReader } from "../../../core/stream-reader";
import type { Mapping, Poller, PollerTools } from "./mapping";
import { pause } from "./pause";
import { isDenied, SourceRole } from "./source-role";
import type { StreamKind } from "./stream-kind";
import { StreamLane, type StreamSession } from "./stream-lane";
import { type ShardProgress, StreamProgress } from "./stream-progress";

/** How long reading rests when the stream or the function is not there: longer and longer. */
const firstRest = 1_000;
const longestRest = 300_000;

/**
 * Reads a stream for one mapping: the lanes of each shard at the same time, the shards that a shard was split into or
 * merged with after it. Nothing is polled: whoever waits is woken by the stream.
 */
export class StreamPoller<Detail> implements Poller {
  private readonly stopping = new AbortController();
  private readonly running: Promise<void>;
  private readonly role: SourceRole;
  /** Who waits for news of a shard, or "" for news of the stream. */
  private readonly waiting = new Map<string, (() => void)[]>();

  constructor(
    private readonly mapping: Mapping,
    private readonly tools: PollerTools,
    private readonly kind: StreamKind<Detail>,
  ) {
    this.role = new SourceRole(mapping, tools);
    const before = mapping.progress?.busy ?? Promise.resolve();
    this.running = before
      .then(() => this.run())
      .catch((error) => tools.host.report(error, `reading ${mapping.config.EventSourceArn}`));
    if (mapping.progress) mapping.progress.busy = this.running;
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.wake();
    await this.running;
  }

  private async run(): Promise<void> {
    const { clock } = this.tools.host;
    let rest = firstRest;
    while (!this.stopping.signal.aborted) {
      const begun = clock.now();
      try {
        const arn = this.mapping.config.EventSourceArn!;
        const opened = await this.kind.open(this.tools.host, arn, this.role.assume());
        const reader = faultyReader(opened, this.tools.host.faults, this.kind.reading(arn));
        await this.follow(reader, this.begin(reader));
      } catch (error) {
        if (!(error instanceof AwsError)) throw error;
        this.mapping.lastResult = `PROBLEM: ${error.message}`;
        if (clock.now() - begun > longestRest) rest = firstRest;
        const sooner = isDenied(error) ? (end: () => void) => this.role.onChange(end) : undefined;
        await pause(clock, rest, this.stopping.signal, sooner);
        rest = Math.min(rest * 2, longestRest);
      }
    }
  }

  /** The progress of the mapping; at its first time, all shards are where the starting position says. */
  private begin(reader: StreamReader<Detail>): StreamProgress {
    const { progress, config } = this.mapping;
    if (progress?.streamId === reader.id) return progress;
    const fresh = new StreamProgress(reader.id);
    fresh.busy = this.running;
    this.mapping.progress = fresh;
    // A stream that took the place of another is new to the mapping from its first record on.
    const type = progress ? "TRIM_HORIZON" : (config.StartingPosition as "TRIM_HORIZON" | "LATEST" | "AT_TIMESTAMP");
    const timestamp = config.StartingPositionTimestamp?.getTime();
    for (const { id } of reader.shards()) {
      fresh.of(id, this.lanes, () => reader.position(id, { type, timestamp }));
    }
    return fresh;
  }

  private get lanes(): number {
    return this.mapping.config.ParallelizationFactor ?? 1;
  }

  /** Reads shards as they may be read, until reading stops or the stream is gone. */
  private async follow(reader: StreamReader<Detail>, progress: StreamProgress): Promise<void> {
    const gone = new AbortController();
    const session = this.session(reader, AbortSignal.any([this.stopping.signal, gone.signal]));
    const shards = new Map<string, Promise<void>>();
    let failure: unknown;
    const fail = (error: unknown) => {
      failure ??= error;
      gone.abort();
      this.wake();
    };
    const unwatch = reader.watch((shardId) => this.wake(shardId));
    try {
      while (!session.signal.aborted) {
        const known = reader.shards();
        const ids = new Set(known.map(({ id }) => id));
        progress.keepOnly(ids);
        for (const { id, parents } of known) {
          const own = progress.of(id, this.lanes, () => reader.position(id, { type: "TRIM_HORIZON" }));
          const waits = parents.some((parent) => ids.has(parent) && !progress.shards.get(parent)?.ended);
          if (own.ended || waits || shards.has(id)) continue;
          const work = this.shard(session, id, own, fail).then(() => {
            shards.delete(id);
            this.wake();
          });
          shards.set(id, work);
        }
        await session.changed("");
      }
    } finally {
      gone.abort();
      unwatch();
      this.wake();
      await Promise.all(shards.values());
    }
    if (failure !== undefined) throw failure;
  }

  /** Never rejects. Resolves when no lane works any more: nobody else may go on where one still runs the function. */
  private async shard(
    session: StreamSession<Detail>,
    id: string,
    progress: ShardProgress,
    fail: (error: unknown) => void,
  ): Promise<void> {
    await Promise.all(progress.lanes.map((_, lane) => new StreamLane(session, id, lane, progress).run().catch(fail)));
    progress.ended = !session.signal.aborted;
  }

  private session(reader: StreamReader<Detail>, signal: AbortSignal): StreamSession<Detail> {
    const { mapping, tools, kind, role } = this;
    const patterns = mapping.config.FilterCriteria?.Filters ?? [];
    return {
      mapping,
      tools,
      role,
      signal,
      kind,
      reader,
      filters: patterns.map(({ Pattern }) => kind.matcher(JSON.parse(Pattern!))),
      wake: (shardId) => this.wake(shardId),
      changed: (shardId) => this.news(shardId, signal),
    };
  }

  private async news(shardId: string, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const waiting = this.waiting.get(shardId);
      if (waiting) waiting.push(resolve);
      else this.waiting.set(shardId, [resolve]);
    });
  }

  /** Wakes who waits for a shard, or everybody. */
  private wake(shardId?: string): void {
    const woken = shardId === undefined ? [...this.waiting.values()].flat() : (this.waiting.get(shardId) ?? []);
    if (shardId === undefined) this.waiting.clear();
    else this.waiting.delete(shardId);
    for (const resolve of woken) resolve();
  }
}
