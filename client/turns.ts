import type { Settings, TimerHandle } from "./options";

/** Milliseconds after which an answer is not waited for any more. */
const patience = 10_000;
/** How often a frame goes out at most. */
const maxAttempts = 5;
/** Limit of the wait before a frame goes out again, in milliseconds. */
const longestWait = 10_000;

/**
 * Sends frames one at a time, each after the answer to the one before: API Gateway starts a Lambda for each frame, and
 * nothing promises that the first one is done first. A frame without an answer, or that could not be done now, goes out
 * again: each may be done twice without harm.
 */
export class Turns {
  private readonly queue: string[] = [];
  private attempts = 0;
  private timer: TimerHandle;
  private ready: (() => void) | undefined;

  /** @param gaveUp is told when a frame was never answered. */
  constructor(
    private readonly settings: Settings,
    private readonly send: (frame: string) => boolean,
    private readonly gaveUp: () => void,
  ) {}

  add(frames: readonly string[]): void {
    const idle = this.queue.length === 0;
    this.queue.push(...frames);
    if (idle) this.go();
  }

  /** Calls back once all that was added is answered or given up; never after `end()`. */
  whenDone(ready: () => void): void {
    if (this.queue.length === 0) ready();
    else this.ready = ready;
  }

  /** Call when an answer has come. */
  answered(): void {
    // None was asked for: it may be for a frame that was sent around this.
    if (this.attempts > 0) this.next();
  }

  /** Call when the answer is that it cannot be done now. */
  postponed(): void {
    if (this.attempts === 0) return;
    if (this.attempts >= maxAttempts) {
      this.next();
      return;
    }
    const { random, backoffBase } = this.settings;
    this.wait(random() * Math.min(longestWait, backoffBase * 2 ** this.attempts), () => this.go());
  }

  end(): void {
    this.settings.timers.clearTimeout(this.timer);
    this.queue.length = 0;
    this.attempts = 0;
    this.ready = undefined;
  }

  private next(): void {
    this.settings.timers.clearTimeout(this.timer);
    this.queue.shift();
    this.attempts = 0;
    this.go();
  }

  /** Sends the first of the queue. */
  private go(): void {
    const [frame] = this.queue;
    if (frame === undefined) {
      const { ready } = this;
      this.ready = undefined;
      ready?.();
      return;
    }
    if (!this.send(frame)) {
      // The connection is ending, and these with it.
      this.end();
      return;
    }
    this.attempts++;
    this.wait(patience, () => this.unanswered());
  }

  private unanswered(): void {
    if (this.attempts < maxAttempts) {
      this.go();
      return;
    }
    this.gaveUp();
    this.next();
  }

  private wait(milliseconds: number, then: () => void): void {
    this.settings.timers.clearTimeout(this.timer);
    this.timer = this.settings.timers.setTimeout(then, milliseconds);
  }
}
