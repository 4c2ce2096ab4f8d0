import { Background, nextTurn } from "./background";
import { type HeapTask, TaskHeap } from "./task-heap";

/** A task that was put on a {@link Clock} and can be taken off it again. */
export interface Timer {
  /** Takes the task off the clock; nothing happens when it already ran. */
  cancel(): void;
}

interface Task extends HeapTask {
  readonly run: () => unknown;
}

/** setTimeout turns larger delays into 1 ms (https://nodejs.org/api/timers.html#settimeoutcallback-delay-args). */
const longestTimeout = 2 ** 31 - 1;

/**
 * Real time that a step of {@link Clock.advance} gives to what it set going, in milliseconds, before time runs on beside
 * it. So no wait is for ever: what waits for the clock without being known for it gets there in real time.
 */
const patience = 10_000;

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
  private readonly tasks = new TaskHeap<Task>();
  private readonly background = new Background();
  /** The one timer that rings for all tasks, and the time that it is set to. */
  private alarm?: { readonly due: number; readonly handle: NodeJS.Timeout };
  /** Real time before which it does not ring: the clock is being moved, and what is due has to wait for its turn. */
  private silentUntil = 0;
  /** The last of the moves that were asked for. */
  private moving?: Promise<void>;

  /** @param later makes of a task what is to run when it falls due. */
  constructor(private readonly later = (task: () => unknown): (() => unknown) => task) {}

  /** Milliseconds since the epoch, as the emulated services see it. */
  now(): number {
    return Date.now() + this.ahead;
  }

  /** Milliseconds that {@link advance} has added so far. */
  get advanced(): number {
    return this.ahead;
  }

  /** Milliseconds since the epoch on this machine, whatever {@link advance} has added: the time that callers live in. */
  callersNow(): number {
    return Date.now();
  }

  /** The time by the clock that a caller goes by, who says that it is `said`: this machine's, or as in functions this one. */
  asSeenBy(said: number): number {
    const [own, callers] = [this.now(), this.callersNow()];
    return Math.abs(callers - said) < Math.abs(own - said) ? callers : own;
  }

  /**
   * Runs `task` once, `delay` milliseconds from now on this clock.
   * A waiting task does not keep the process alive.
   */
  after(delay: number, task: () => unknown): Timer {
    const entry: Task = {
      due: this.now() + Math.max(0, delay),
      order: this.counter++,
      place: -1,
      run: this.later(task),
    };
    this.tasks.add(entry);
    if (entry.due < (this.alarm?.due ?? Number.POSITIVE_INFINITY)) this.setAlarm();
    // The alarm stays: it looks what is due when it rings.
    return { cancel: () => this.tasks.remove(entry) };
  }

  /**
   * Moves time forward and runs what falls due on the way, in order, each task at its own time. Time stays there until the
   * task is done, with all that it set going in the background (runs of functions, deliveries, and what follows from
   * them; see {@link track}). Returns when the last of it is done.
   *
   * A function that waits for the clock itself, in a long poll, holds up nothing: time moves on to what it waits for. What
   * was under way before is not waited for, so that time can pass while a function runs; {@link idle} waits for it. So
   * an `advance` that is called while another one waits for a function ends that wait, and begins where the other one ends.
   *
   * @param duration milliseconds, or words such as "14 days". The real time that it takes comes on top.
   */
  async advance(duration: number | string): Promise<void> {
    const ms = toMilliseconds(duration);
    const stopWatching = this.background.watch();
    const move = this.moving ? this.moving.then(() => this.move(ms)) : this.move(ms);
    const over = move.catch(() => {});
    this.moving = over;
    try {
      await move;
    } finally {
      stopWatching();
      if (this.moving === over) this.moving = undefined;
    }
  }

  /**
   * Waits until nothing goes on in the background any more: runs of functions that no client waits for, deliveries, and
   * what follows from them. What waits for the clock does not count.
   *
   * ```ts
   * await fetch(url, { method: "POST", body }); // a function announces it, some time later
   * await clock.idle();
   * await clock.advance("14 days");
   * ```
   */
  idle(): Promise<void> {
    return this.background.rest("all");
  }

  /**
   * Tells of work in the background that {@link advance} is to wait for. Gives it back. It must not wait for this clock,
   * unless it is a function that runs with an X-Ray trace of its own.
   */
  track<T>(work: Promise<T>, trace?: string): Promise<T> {
    return this.background.track(work, trace);
  }

  /** Tells that the caller with this X-Ray header waits for the clock until `wait` settles. Gives `wait` back. */
  hold<T>(wait: Promise<T>, trace: string | undefined): Promise<T> {
    return this.background.hold(wait, trace);
  }

  /** Tells that some work that is tracked waits for this clock until `wait` settles, although it must not: {@link advance} goes on. */
  stall(wait: Promise<unknown>): void {
    this.background.stall(wait);
  }

  /** Forgets every waiting task. */
  clear(): void {
    this.tasks.clear();
    this.stopAlarm();
  }

  private async move(ms: number): Promise<void> {
    const goal = this.ahead + ms;
    // The real time that the steps take comes on top: what falls due so much later is still within the move.
    const take = () => this.take(Date.now() + goal);
    try {
      for (let next = take(); next; next = take()) {
        this.ahead += Math.max(0, next.due - this.now());
        let failure: { readonly error: unknown } | undefined;
        const done = next.run();
        if (done instanceof Promise) {
          this.track(done).catch((error: unknown) => {
            failure = { error };
          });
        }
        this.silentUntil = Date.now() + patience;
        this.setAlarm();
        await this.background.rest("watched");
        if (failure) throw failure.error;
      }
      this.ahead = goal;
      // Where nothing fell due: who moves time in a loop until something has happened leaves it room to happen.
      await nextTurn();
    } finally {
      this.silentUntil = 0;
      this.setAlarm();
    }
  }

  /** Takes out the next task, if it is due by then. */
  private take(until: number): Task | undefined {
    const next = this.tasks.first;
    if (!next || next.due > until) return undefined;
    this.tasks.remove(next);
    return next;
  }

  /** Sets the alarm to the first task. */
  private setAlarm(): void {
    this.stopAlarm();
    const { first } = this.tasks;
    if (!first) return;
    const { due } = first;
    const wait = Math.min(Math.max(0, due - this.now(), this.silentUntil - Date.now()), longestTimeout);
    this.alarm = { due, handle: setTimeout(() => this.ring(), wait).unref() };
  }

  private stopAlarm(): void {
    clearTimeout(this.alarm?.handle);
    this.alarm = undefined;
  }

  private ring(): void {
    this.alarm = undefined;
    try {
      for (let next = this.take(this.now()); next; next = this.take(this.now())) void next.run();
    } finally {
      this.setAlarm();
    }
  }
}
