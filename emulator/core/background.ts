interface Work {
  readonly trace: string | undefined;
  /** Whether it began under the eyes of {@link Background.watch}. */
  watched: boolean;
}

/** The trace that a run of a function belongs to: of `Root=1-…;Parent=…` the root, which the calls that it makes carry on. */
const rootOf = (trace: string | undefined): string | undefined => /Root=([^;]+)/.exec(trace ?? "")?.[1] ?? trace;

/** Lets everything that is ready in the event loop go first. */
export const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/**
 * The work that goes on in the background of one emulator: runs of functions that no client waits for, deliveries that
 * leave the process. Whoever begins such work tells of it, so that time can stand still until it is done.
 *
 * Only what leaves the event loop (a worker, a connection) needs to be told of. Between two pieces of it there are
 * promises alone, and those get their turn before the work counts as at rest.
 *
 * Work must not wait for the clock: whoever lets it finish first would wait for ever. Where a service waits (between two
 * tries), the tries are the work, not the wait. Functions are free to wait, in long polls that they make: those are known
 * by the X-Ray trace that the AWS SDK sends along, and a function that waits for the clock holds up nobody.
 */
export class Background {
  private readonly works = new Set<Work>();
  /** How many waits for the clock each trace has. */
  private readonly waits = new Map<string, number>();
  private watchers = 0;
  /** Work that does not wait for the clock. */
  private readonly busy = { all: 0, watched: 0 };
  /** Waits for the clock of which nobody can say whose work they hold up. */
  private stalls = 0;
  private resting: (() => void)[] = [];

  /**
   * Tells of work, and gives it back.
   *
   * @param trace X-Ray header of the function that runs, if one does; see {@link hold}.
   */
  track<T>(work: Promise<T>, trace?: string): Promise<T> {
    const entry: Work = { trace: rootOf(trace), watched: this.watchers > 0 };
    this.works.add(entry);
    this.count(entry, 1);
    const end = () => {
      this.works.delete(entry);
      this.count(entry, -1);
      this.tell();
    };
    work.then(end, end);
    return work;
  }

  /** Tells that the function with this trace waits for the clock until `wait` settles. Gives `wait` back. */
  hold<T>(wait: Promise<T>, trace: string | undefined): Promise<T> {
    const root = rootOf(trace);
    if (root === undefined) return wait;
    const change = (by: number) => {
      const waits = (this.waits.get(root) ?? 0) + by;
      if (waits > 0) this.waits.set(root, waits);
      else this.waits.delete(root);
      this.recount();
    };
    change(1);
    const end = () => change(-1);
    wait.then(end, end);
    return wait;
  }

  /** Tells that some of the work waits for the clock until `wait` settles: nothing else is waited for meanwhile. */
  stall(wait: Promise<unknown>): void {
    this.stalls++;
    this.tell();
    const end = () => {
      this.stalls--;
    };
    wait.then(end, end);
  }

  /** Watches what begins from now on, and of what began before what waits for the clock now. Returns the way to stop. */
  watch(): () => void {
    this.watchers++;
    for (const work of this.works) work.watched = this.isWaiting(work);
    this.recount();
    return () => {
      this.watchers--;
    };
  }

  /** Resolves when all work, or all that is watched, has ended or waits for the clock. */
  async rest(which: "all" | "watched"): Promise<void> {
    for (;;) {
      await nextTurn();
      if (this.busy[which] === 0 || this.stalls > 0) return;
      await new Promise<void>((resolve) => this.resting.push(resolve));
    }
  }

  private isWaiting({ trace }: Work): boolean {
    return trace !== undefined && this.waits.has(trace);
  }

  private count(work: Work, by: number): void {
    if (this.isWaiting(work)) return;
    this.busy.all += by;
    if (work.watched) this.busy.watched += by;
  }

  private recount(): void {
    Object.assign(this.busy, { all: 0, watched: 0 });
    for (const work of this.works) this.count(work, 1);
    this.tell();
  }

  private tell(): void {
    if (this.busy.all > 0 && this.busy.watched > 0 && this.stalls === 0) return;
    const { resting } = this;
    this.resting = [];
    for (const resolve of resting) resolve();
  }
}
