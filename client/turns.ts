import type { TimerHandle, Timers } from "./options";

/** Milliseconds after which an answer is not waited for any more. */
const patience = 10_000;

/**
 * Sends frames one at a time, each after the answer to the one before: API Gateway starts a Lambda for each frame, and
 * nothing promises that the first one is done first.
 */
export class Turns {
  private readonly queue: string[] = [];
  private waiting = false;
  private timer: TimerHandle;

  constructor(
    private readonly timers: Timers,
    private readonly send: (frame: string) => boolean,
  ) {}

  add(frames: readonly string[]): void {
    this.queue.push(...frames);
    if (!this.waiting) this.next();
  }

  /** Call when an answer has come. */
  answered(): void {
    if (this.waiting) this.next();
  }

  end(): void {
    this.timers.clearTimeout(this.timer);
    this.queue.length = 0;
    this.waiting = false;
  }

  private next(): void {
    this.timers.clearTimeout(this.timer);
    const frame = this.queue.shift();
    this.waiting = frame !== undefined && this.send(frame);
    if (this.waiting) this.timer = this.timers.setTimeout(() => this.next(), patience);
  }
}
