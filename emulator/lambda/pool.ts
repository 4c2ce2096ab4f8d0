import { availableParallelism } from "node:os";
import { performance } from "node:perf_hooks";
import type { Clock, Timer } from "../core/clock";
import { AwsError } from "../core/errors";
import { Environment, type EnvironmentSpec, type InvokeRequest, type Outcome } from "./environment";
import type { Load } from "./load";

/** An environment's settings, and when its credentials end (milliseconds since the epoch). */
export interface PreparedSpec {
  readonly spec: EnvironmentSpec;
  readonly expires: number;
}

interface Warm {
  readonly environment: Environment;
  readonly expires: number;
  idleSince: number;
}

interface Waiting {
  readonly request: InvokeRequest;
  readonly since: number;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * AWS says only that it keeps environments "for some time in anticipation of another function invocation"
 * (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-shutdown); measurements
 * of others say five minutes to an hour. Here it is five minutes, and for the environment used last as long as the next
 * event can be expected from when the last one came: up to this long.
 */
const idleLimit = 5 * 60_000;
const longestIdle = 90 * 60_000;

/** Credentials are replaced, with the environment that holds them, this long before they end. */
const credentialMargin = 60_000;

/**
 * How many environments of one function may start at once. Starting takes a core; those that wait are often served
 * sooner by an environment that becomes free. The pool goes on starting while anyone waits, so a function that calls
 * itself is not stuck.
 */
const startsAtOnce = Math.min(4, Math.max(2, availableParallelism()));

/** While the machine is busy the pool looks this often, in milliseconds, whether it can grow. */
const growAgain = 25;
/**
 * An event that has waited so long, in milliseconds, gets an environment of its own on a busy machine too: a cold start
 * on AWS takes as long.
 */
const patience = 500;

const stopped = () => new AwsError("ServiceException", "The emulator was stopped or reset.", 500);

/** The environments of one version of a function. */
export class Pool {
  /** The one used last is at the end and is used first. */
  private readonly idle: Warm[] = [];
  private readonly all = new Set<Warm>();
  private readonly queue: Waiting[] = [];
  private readonly ending = new Set<Promise<void>>();
  private starting = 0;
  private reaper?: Timer;
  /** When an event came last, and how long the function had rested then. */
  private lastEvent = Number.POSITIVE_INFINITY;
  private pause = 0;
  private later?: NodeJS.Timeout;
  private retired = false;
  private closed = false;

  constructor(
    private readonly clock: Clock,
    private readonly load: Load,
    private readonly prepare: () => Promise<PreparedSpec>,
    /** Called when a retired pool has nothing left. */
    private readonly empty: () => void,
  ) {}

  /** Runs one event in a warm environment, or waits for one. */
  run(request: InvokeRequest): Promise<Outcome> {
    const now = this.clock.now();
    this.pause = Math.max(0, now - this.lastEvent);
    this.lastEvent = now;
    const warm = this.takeIdle();
    if (warm) return this.runIn(warm, request);
    return new Promise((resolve, reject) => {
      this.queue.push({ request, resolve, reject, since: performance.now() });
      this.grow();
    });
  }

  /** Lets what runs and waits come to its end, then stops all environments. */
  retire(): void {
    this.retired = true;
    for (const warm of this.idle.splice(0)) this.end(warm);
    this.checkEmpty();
  }

  /** Stops everything at once. */
  async close(): Promise<void> {
    this.closed = true;
    this.reaper?.cancel();
    clearTimeout(this.later);
    for (const { reject } of this.queue.splice(0)) reject(stopped());
    for (const warm of this.all) this.end(warm);
    await Promise.all(this.ending);
  }

  private takeIdle(): Warm | undefined {
    for (let warm = this.idle.pop(); warm; warm = this.idle.pop()) {
      if (!warm.environment.dead && this.clock.now() < warm.expires - credentialMargin) return warm;
      this.end(warm);
    }
    return undefined;
  }

  private grow(): void {
    while (!this.closed && this.starting < startsAtOnce && this.starting < this.queue.length) {
      if (this.shouldWait()) {
        this.later ??= setTimeout(() => {
          this.later = undefined;
          this.grow();
        }, growAgain).unref();
        break;
      }
      this.starting++;
      void this.start();
    }
    this.checkEmpty();
  }

  /** Whether those who wait are better off with the environments that are there. */
  private shouldWait(): boolean {
    const longest = performance.now() - this.queue[0]!.since;
    return this.all.size + this.starting > 0 && longest < patience && this.load.isFull();
  }

  private async start(): Promise<void> {
    let warm: Warm | undefined;
    try {
      const { spec, expires } = await this.prepare();
      if (this.closed) return;
      warm = { environment: new Environment(spec), expires, idleSince: 0 };
      this.all.add(warm);
      await warm.environment.load();
    } catch (error) {
      this.queue.shift()?.reject(error);
    }
    this.starting--;
    if (warm) this.free(warm);
    else this.grow();
  }

  private async runIn(warm: Warm, request: InvokeRequest): Promise<Outcome> {
    const outcome = await warm.environment.invoke(request);
    // The answer goes first; what comes next for this environment can wait a turn.
    queueMicrotask(() => this.free(warm, true));
    return outcome;
  }

  private free(warm: Warm, used = false): void {
    // A dead environment that was never used still has a failure to tell: that of its initialization.
    const spent = warm.environment.dead && used;
    const next = spent ? undefined : this.queue.shift();
    if (next) {
      this.runIn(warm, next.request).then(next.resolve, next.reject);
    } else if (warm.environment.dead || this.retired || this.closed) {
      this.end(warm);
    } else {
      warm.idleSince = this.clock.now();
      // One that came too late to be needed waits behind those that have proved themselves.
      if (used) this.idle.push(warm);
      else this.idle.unshift(warm);
      this.reaper ??= this.clock.after(idleLimit, () => this.reap());
    }
    this.grow();
  }

  private reap(): void {
    this.reaper = undefined;
    const now = this.clock.now();
    for (const warm of this.idle.filter((one) => this.endOf(one) <= now)) {
      this.idle.splice(this.idle.indexOf(warm), 1);
      this.end(warm);
    }
    if (this.idle.length === 0) return;
    const next = Math.min(...this.idle.map((warm) => this.endOf(warm)));
    this.reaper = this.clock.after(next - now, () => this.reap());
  }

  /** When an idle environment has waited long enough. */
  private endOf(warm: Warm): number {
    const expected = warm === this.idle.at(-1) ? Math.min(1.5 * this.pause, longestIdle) : 0;
    return warm.idleSince + Math.max(idleLimit, expected);
  }

  private end(warm: Warm): void {
    this.all.delete(warm);
    const ending = warm.environment.terminate().finally(() => {
      this.ending.delete(ending);
      this.checkEmpty();
    });
    this.ending.add(ending);
  }

  private checkEmpty(): void {
    if (!this.retired || this.closed || this.queue.length + this.starting + this.all.size + this.ending.size > 0)
      return;
    this.closed = true;
    this.empty();
  }
}
