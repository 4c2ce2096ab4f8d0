import type { Timers } from "../../client";

/** Timers that run when a test says so; with it go all waits of a live client. */
export class ManualTimers implements Timers {
  private now = 0;
  private readonly waiting = new Set<{ at: number; callback: () => void }>();

  /** How many timers wait. */
  get pending(): number {
    return this.waiting.size;
  }

  setTimeout(callback: () => void, milliseconds: number): unknown {
    const timer = { at: this.now + milliseconds, callback };
    this.waiting.add(timer);
    return timer;
  }

  clearTimeout(handle: unknown): void {
    this.waiting.delete(handle as { at: number; callback: () => void });
  }

  /** Runs what is due within the time, in order. */
  advance(milliseconds: number): void {
    const end = this.now + milliseconds;
    for (;;) {
      const [next] = [...this.waiting].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.waiting.delete(next);
      this.now = next.at;
      next.callback();
    }
    this.now = end;
  }
}
