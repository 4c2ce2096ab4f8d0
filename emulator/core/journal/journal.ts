import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Clock } from "../clock";
import { AwsError } from "../errors";
import { ConnectionDropped } from "../faults/call";
import type { Causes, JournalEntry, OpenEntry, StepFacts } from "./entry";
import { readTrace } from "./trace";

/** An entry as the journal keeps it: written on while its step goes on. */
type Written = { -readonly [Field in keyof JournalEntry]: JournalEntry[Field] };

const causesHeader = "x-sensorcast-causes";

/** What an entry says of what a step has thrown. */
const codeOf = (error: unknown): string =>
  error instanceof AwsError ? error.code : error instanceof ConnectionDropped ? "ConnectionDropped" : "InternalFailure";

/** Entries that are kept; the oldest are forgotten first. */
const kept = 5_000;

/**
 * What happens in one emulator, step by step, and what comes of what: across functions by the trace header that they
 * send, and where AWS carries none (objects, records, rules) by what the emulator itself knows. Programs see nothing of
 * it, messages' contents are not in it, and nothing is written down before {@link start}.
 */
export class Journal {
  private readonly byId = new Map<number, Written>();
  /** Which step is which segment of a trace. */
  private readonly bySegment = new Map<string, number>();
  private readonly segments = new Map<number, string>();
  private readonly watchers = new Set<(entry: JournalEntry) => void>();
  private readonly running = new AsyncLocalStorage<Causes>();
  /** Programs cannot pretend that they are a step. */
  private readonly secret = randomUUID();
  private recording = false;
  private last = 0;

  constructor(private readonly clock: Pick<Clock, "advanced">) {}

  /** Begins to write down what happens. */
  start(): void {
    this.recording = true;
  }

  /** Writes down nothing more; what is there stays. */
  stop(): void {
    this.recording = false;
  }

  /** The last 5,000 steps, oldest first, those that go on included. */
  entries(): JournalEntry[] {
    return [...this.byId.values()];
  }

  /** Calls `watcher` when a step begins and when it ends. Returns the way to stop. */
  watch(watcher: (entry: JournalEntry) => void): () => void {
    this.watchers.add(watcher);
    return () => {
      this.watchers.delete(watcher);
    };
  }

  clear(): void {
    this.byId.clear();
    this.bySegment.clear();
    this.segments.clear();
  }

  /** The steps that go on now, to be kept with what comes of them later; undefined while nothing is written down. */
  get causes(): Causes | undefined {
    return this.recording ? this.running.getStore() : undefined;
  }

  /** Headers for a request to this emulator itself, by which {@link senderOf} knows what goes on now. */
  headers(): Record<string, string> {
    return this.causes ? { [causesHeader]: [this.secret, ...this.causes].join(".") } : {};
  }

  /** The step that sent a request: a function's run, by its trace header, or a service of this emulator. */
  senderOf(headers: IncomingHttpHeaders): Causes {
    if (!this.recording) return [];
    const [secret, ...causes] = String(headers[causesHeader] ?? "").split(".");
    if (secret === this.secret) return causes.map(Number);
    const { parent = "" } = readTrace(headers["x-amzn-trace-id"]);
    const id = this.bySegment.get(parent);
    return id === undefined ? [] : [id];
  }

  /** Runs work as what these steps caused; with none, as what goes on by itself. */
  within<Result>(causes: Causes | undefined, work: () => Result): Result {
    return this.recording ? this.running.run(causes ?? [], work) : work();
  }

  /** Work for later, which then runs as what is going on now. */
  later(work: () => unknown): () => unknown {
    const { causes } = this;
    return causes ? () => this.within(causes, work) : work;
  }

  /**
   * Runs work as a step. It may write what it finds out into the entry that it is given; that it throws or rejects is
   * written by itself.
   *
   * @param about made only while something is written down. Without `causes`, what goes on now has caused the step.
   */
  step<Result>(about: () => StepFacts, work: (entry: OpenEntry) => Result): Result {
    if (!this.recording) return work({});
    const entry = this.begin(about());
    try {
      const result = this.within([entry.id], () => work(entry));
      if (result instanceof Promise) {
        result.then(
          () => this.end(entry),
          (error: unknown) => this.end(entry, error),
        );
      } else {
        this.end(entry);
      }
      return result;
    } catch (error) {
      this.end(entry, error);
      throw error;
    }
  }

  /** Writes down what takes no time. Returns what comes of it, as {@link causes} do. */
  note(about: () => StepFacts): Causes | undefined {
    return this.step(about, () => this.causes);
  }

  /** Writes more about the step that goes on now. */
  describe(about: () => Omit<OpenEntry, "causes">): void {
    const entry = this.byId.get(this.causes?.[0] ?? 0);
    if (entry) Object.assign(entry, about());
  }

  /** Adds what the step that goes on now has got hold of: it belongs to their story, too. */
  join(causes: Iterable<number>): void {
    const entry = this.byId.get(this.causes?.[0] ?? 0);
    if (entry) entry.causes = [...new Set([...entry.causes, ...causes])];
  }

  private begin({ segment, ...facts }: StepFacts): Written {
    const id = ++this.last;
    const entry: Written = { causes: this.causes ?? [], resources: [], ...facts, id, time: this.now() };
    this.byId.set(id, entry);
    if (segment !== undefined) {
      this.bySegment.set(segment, id);
      this.segments.set(id, segment);
    }
    if (this.byId.size > kept) this.forget(this.byId.keys().next().value!);
    for (const watch of this.watchers) watch(entry);
    return entry;
  }

  private end(entry: Written, error?: unknown): void {
    entry.durationMs = Math.max(0, this.now() - entry.time);
    if (error !== undefined) entry.error ??= codeOf(error);
    for (const watch of this.watchers) watch(entry);
  }

  private forget(id: number): void {
    this.byId.delete(id);
    const segment = this.segments.get(id);
    if (segment === undefined) return;
    this.segments.delete(id);
    this.bySegment.delete(segment);
  }

  /** The clock's time with fractions of a millisecond: steps of one request follow each other faster. */
  private now(): number {
    return performance.timeOrigin + performance.now() + this.clock.advanced;
  }
}
