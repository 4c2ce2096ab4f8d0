/** A task that was put on a {@link Clock} and can be taken off it again. */
export interface Timer {
  /** Takes the task off the clock; nothing happens when it already ran. */
  cancel(): void;
}

interface Task {
  readonly due: number;
  readonly order: number;
  readonly run: () => unknown;
  handle?: NodeJS.Timeout;
}

/** setTimeout turns larger delays into 1 ms (https://nodejs.org/api/timers.html#settimeoutcallback-delay-args). */
const longestTimeout = 2 ** 31 - 1;

const units: Record<string, number> = {
  ms: 1,
  millisecond: 1,
  s: 1_000,
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};

/**
 * Reads a duration: a number of milliseconds, or words such as "90 seconds", "1 hour", "14 days".
 *
 * @throws Error when the text names no duration; the message shows the accepted form.
 */
export function toMilliseconds(duration: number | string): number {
  if (typeof duration === "number") {
    if (Number.isFinite(duration) && duration >= 0) return duration;
  } else {
    const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]+?)s?\s*$/i.exec(duration);
    const unit = match && (units[match[2]!.toLowerCase()] ?? (match[2] === "m" ? units.ms : undefined));
    if (match && unit) return Number(match[1]) * unit;
  }
  throw new Error(
    `clock: "${duration}" is not a duration; use milliseconds or words such as "90 seconds" or "14 days"`,
  );
}

/**
 * The emulator's only source of time. Everything that waits (message delay, visibility, retention, TTL, authorizer
 * caches, quotas) asks this clock, so that a test can move time instead of sleeping.
 *
 * Runs in real time; {@link Clock.advance} adds to it.
 */
export class Clock {
  private ahead = 0;
  private counter = 0;
  private readonly tasks = new Set<Task>();

  /** Milliseconds since the epoch, as the emulated services see it. */
  now(): number {
    return Date.now() + this.ahead;
  }

  /** Milliseconds since the epoch on this machine, whatever {@link advance} has added: the time that callers live in. */
  callersNow(): number {
    return Date.now();
  }

  /**
   * Runs `task` once, `delay` milliseconds from now on this clock.
   * A waiting task does not keep the process alive.
   */
  after(delay: number, task: () => unknown): Timer {
    const entry: Task = { due: this.now() + Math.max(0, delay), order: this.counter++, run: task };
    this.tasks.add(entry);
    this.arm(entry);
    return { cancel: () => this.drop(entry) };
  }

  /**
   * Moves time forward and runs what falls due on the way, in order, each task at its own time.
   * Returns when all of it, including the promises that tasks return, is done.
   *
   * @param duration milliseconds, or words such as "14 days".
   */
  async advance(duration: number | string): Promise<void> {
    const target = this.now() + toMilliseconds(duration);
    for (let next = this.next(target); next; next = this.next(target)) {
      this.ahead += Math.max(0, next.due - this.now());
      this.drop(next);
      await next.run();
    }
    this.ahead += Math.max(0, target - this.now());
    for (const task of this.tasks) this.arm(task);
  }

  /** Forgets every waiting task. */
  clear(): void {
    for (const task of this.tasks) this.drop(task);
  }

  private next(until: number): Task | undefined {
    let first: Task | undefined;
    for (const task of this.tasks) {
      if (task.due > until) continue;
      if (!first || task.due < first.due || (task.due === first.due && task.order < first.order)) first = task;
    }
    return first;
  }

  private arm(task: Task): void {
    clearTimeout(task.handle);
    const wait = task.due - this.now();
    task.handle = setTimeout(
      () => {
        if (task.due > this.now()) return this.arm(task);
        this.drop(task);
        void task.run();
      },
      Math.min(Math.max(0, wait), longestTimeout),
    );
    task.handle.unref();
  }

  private drop(task: Task): void {
    clearTimeout(task.handle);
    this.tasks.delete(task);
  }
}
