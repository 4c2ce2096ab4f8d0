import { AwsError } from "../../../core/errors";
import type { Matcher } from "../../../core/event-pattern";
import type { StreamReader, StreamRecord } from "../../../core/stream-reader";
import type { InvocationResult } from "../invoker";
import { payloadLimits } from "../invoker";
import { batchStep, causesOf } from "./batch-step";
import type { Mapping, PollerTools } from "./mapping";
import { failedItems } from "./partial";
import { pause } from "./pause";
import type { SourceRole } from "./source-role";
import { deliverDiscarded } from "./stream-failure";
import { type BatchItem, eventOf, type StreamKind } from "./stream-kind";
import type { ShardProgress } from "./stream-progress";

/** What all lanes of a mapping share while it reads its stream. */
export interface StreamSession<Detail> {
  readonly mapping: Mapping;
  readonly tools: PollerTools;
  readonly role: SourceRole;
  readonly kind: StreamKind<Detail>;
  readonly reader: StreamReader<Detail>;
  readonly filters: readonly Matcher[];
  /** Fires when nothing more is to be read. */
  readonly signal: AbortSignal;
  /** Resolves when the shard has something new or is woken. */
  changed(shardId: string): Promise<void>;
  wake(shardId: string): void;
}

/** A batch, or what is left of it. */
interface Part {
  readonly items: readonly BatchItem[];
  /** Runs of the function that failed and count against the retries. */
  readonly attempts: number;
  /** Waits in a row because the function could not run at all. */
  readonly waits: number;
  /** Of the last run. */
  readonly result?: InvocationResult;
  /** Whether it comes again though the function has processed it. */
  readonly isRepeated?: boolean;
}

/** What is around the records of an event, and a margin. */
const eventSize = payloadLimits.RequestResponse - 1024;
/** Bytes of one read: data grows by a third in base64. */
const readSize = 6 * 1024 * 1024;
const unlimited = -1;

/** Waits between tries: twice as long each time, up to a minute. AWS does not say how long its are. */
const backoff = (tries: number): number => Math.min(500 * 2 ** (tries - 1), 60_000);

/** FNV-1a: the lane of a key, the same for all records of the key. */
function laneOf(key: string, lanes: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % lanes;
}

/**
 * The records of one shard whose keys fall to this lane; a shard has as many lanes as the mapping's parallelization
 * factor. One batch at a time, in order: while a batch fails, what is behind it waits.
 */
export class StreamLane<Detail> {
  constructor(
    private readonly session: StreamSession<Detail>,
    private readonly shardId: string,
    private readonly lane: number,
    private readonly progress: ShardProgress,
  ) {}

  /** Works until the shard has ended or nothing more is to be read. */
  async run(): Promise<void> {
    while (!this.stopped) {
      const batch = await this.gather();
      if (batch === "ended") return;
      await this.process(batch.items);
      if (!this.stopped) this.done(batch.next);
    }
  }

  private get stopped(): boolean {
    return this.session.signal.aborted;
  }

  private get config() {
    return this.session.mapping.config;
  }

  private done(next: number): void {
    this.progress.lanes[this.lane] = next;
  }

  /** Reads one batch: at once with what there is, or for as long as the batching window is open. */
  private async gather(): Promise<{ items: BatchItem[]; next: number } | "ended"> {
    const { BatchSize = 100, MaximumBatchingWindowInSeconds: window = 0 } = this.config;
    const { mapping, reader, tools } = this.session;
    const role = tools.invoker.find(mapping.config.FunctionArn!).fn.latest.config.Role!;
    const items: BatchItem[] = [];
    let size = 0;
    let next = this.progress.lanes[this.lane]!;
    let open = window > 0;
    let alarm: { cancel(): void } | undefined;
    try {
      while (!this.stopped) {
        const page = reader.read(this.shardId, next, { records: BatchSize - items.length, bytes: readSize });
        let full = false;
        for (const record of page.records) {
          const item = this.wanted(record, role);
          const length = item ? Buffer.byteLength(item.json) + 1 : 0;
          full = items.length > 0 && size + length > eventSize;
          if (full) break;
          next = record.position + 1;
          size += length;
          if (item) items.push(item);
        }
        if (!full) next = page.next;
        if (items.length === 0) {
          this.done(next);
          if (page.ended) return "ended";
          if (page.records.length === 0) await this.session.changed(this.shardId);
          continue;
        }
        if (full || page.ended || items.length >= BatchSize) break;
        if (page.records.length > 0) continue;
        if (!open) break;
        alarm ??= tools.host.clock.after(window * 1000, () => {
          open = false;
          this.session.wake(this.shardId);
        });
        await this.session.changed(this.shardId);
      }
    } finally {
      alarm?.cancel();
    }
    return { items, next };
  }

  /** The record as an item; undefined for one of another lane or one that the filters drop. */
  private wanted(record: StreamRecord<Detail>, role: string): BatchItem | undefined {
    const { mapping, kind, filters } = this.session;
    const lanes = this.progress.lanes.length;
    if (lanes > 1 && laneOf(record.key, lanes) !== this.lane) return undefined;
    const event = kind.event(record, { mapping, shardId: this.shardId, role });
    if (filters.length > 0 && !filters.some((matches) => matches(event))) return undefined;
    const { position, sequenceNumber, arrival, causes } = record;
    return { position, sequenceNumber, arrival, causes, json: JSON.stringify(event) };
  }

  /** Hands a batch over until all of it is processed or given up. */
  private async process(items: readonly BatchItem[]): Promise<void> {
    // The part to do next is the last one.
    const parts: Part[] = items.length > 0 ? [{ items, attempts: 0, waits: 0 }] : [];
    while (parts.length > 0 && !this.stopped) {
      const left = await this.attempt(parts.pop()!);
      parts.push(...left.reverse());
    }
  }

  /** Runs the function once with what is not too old. Gives what is left to do, in order. */
  private async attempt(given: Part): Promise<Part[]> {
    const expired = this.countExpired(given.items);
    if (expired > 0) {
      await this.discard({ ...given, items: given.items.slice(0, expired) }, "RecordAgeExceeded");
      if (expired === given.items.length) return [];
    }
    const part = { ...given, items: given.items.slice(expired) };
    const { mapping, tools, kind } = this.session;
    const payload = eventOf(part.items);
    if (Buffer.byteLength(payload) > payloadLimits.RequestResponse) {
      mapping.lastResult = "PROBLEM: The record is too large for an invocation";
      return this.failed(part, 0);
    }
    const target = tools.invoker.find(this.config.FunctionArn!);
    let result: InvocationResult;
    try {
      result = await tools.host.journal.step(
        () => batchStep(kind.service, this.config.EventSourceArn!, part.items),
        () => tools.invoker.call({ ...target, payload }),
      );
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      const waits = part.waits + 1;
      const throttled = error.code === "TooManyRequestsException";
      mapping.lastResult = `PROBLEM: ${throttled ? "Function call was throttled" : error.message}`;
      await this.pause(backoff(waits), throttled ? (end) => tools.invoker.onFreed(target.fn, end) : undefined);
      return [{ ...part, waits }];
    }
    const ran = { ...part, waits: 0, result };
    const from = this.firstFailure(ran.items, result);
    mapping.lastResult = from === undefined ? "OK" : "PROBLEM: Function call failed";
    if (from !== undefined) return this.failed(ran, from);
    if (!ran.isRepeated && this.repeats()) return [{ ...ran, isRepeated: true }];
    this.done(ran.items.at(-1)!.position + 1);
    return [];
  }

  /** Whether a fault brings a batch again: a mapping processes each at least once. */
  private repeats(): boolean {
    const { kind, tools } = this.session;
    const resources = [this.config.EventSourceArn!];
    return tools.host.faults.duplicates({ service: kind.service, operation: "GetRecords", resources });
  }

  /** The index of the first record that the function did not process; undefined when it processed all. */
  private firstFailure(items: readonly BatchItem[], { errorType, payload }: InvocationResult): number | undefined {
    if (errorType !== undefined) return 0;
    if (!this.config.FunctionResponseTypes?.includes("ReportBatchItemFailures")) return undefined;
    const failed = failedItems(payload, new Set(items.map(({ sequenceNumber }) => sequenceNumber)));
    if (failed === "all") return 0;
    // The lowest number counts: what is behind it comes again, reported or not.
    const first = items.findIndex(({ sequenceNumber }) => failed.has(sequenceNumber));
    return first < 0 ? undefined : first;
  }

  /** What becomes of a batch whose first `from` records are processed and whose others are not. */
  private async failed(part: Part, from: number): Promise<Part[]> {
    const { BisectBatchOnFunctionError: bisect, MaximumRetryAttempts: most = unlimited } = this.config;
    if (from > 0) this.done(part.items[from - 1]!.position + 1);
    // What is broken off by the end of the poller is nobody's failure: it comes again.
    if (this.stopped) return [];
    const items = part.items.slice(from);
    // Splitting does not count as a retry (https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html).
    if (bisect && from > 0) return [{ ...part, items }];
    if (bisect && items.length > 1) {
      const middle = Math.ceil(items.length / 2);
      return [
        { ...part, items: items.slice(0, middle) },
        { ...part, items: items.slice(middle) },
      ];
    }
    const attempts = part.attempts + 1;
    if (most !== unlimited && attempts > most) {
      await this.discard({ ...part, items, attempts }, "RetryAttemptsExhausted");
      return [];
    }
    await this.pause(backoff(attempts));
    return [{ ...part, items, attempts }];
  }

  private async discard(part: Part, condition: "RetryAttemptsExhausted" | "RecordAgeExceeded"): Promise<void> {
    const { kind, mapping, role, tools } = this.session;
    await tools.host.journal.within(causesOf(part.items), () =>
      deliverDiscarded(tools.host, kind, mapping, role, { ...part, shardId: this.shardId, condition }),
    );
    this.done(part.items.at(-1)!.position + 1);
  }

  /** How many of the first records are older than the mapping allows, or than the stream keeps them. */
  private countExpired(items: readonly BatchItem[]): number {
    const { reader, tools } = this.session;
    const { MaximumRecordAgeInSeconds: age = unlimited } = this.config;
    const oldest = age === unlimited ? Number.NEGATIVE_INFINITY : tools.host.clock.now() - age * 1000;
    const kept = reader.position(this.shardId, { type: "TRIM_HORIZON" });
    const alive = items.findIndex(({ arrival, position }) => arrival >= oldest && position >= kept);
    return alive < 0 ? items.length : alive;
  }

  private pause(ms: number, sooner?: (end: () => void) => () => void): Promise<void> {
    return pause(this.session.tools.host.clock, ms, this.session.signal, sooner);
  }
}
