import { AsyncResource } from "node:async_hooks";
import type { Clock } from "../clock";
import type { Faults } from "./faults";
import type { Place } from "./place";

/** How long a delivery waits for another one to overtake it, in milliseconds. */
export const defaultHold = 1_000;

/** Deliveries of one emulator that AWS makes at least once and in no order. */
export class Deliveries {
  /** What waits to be overtaken, by the way that it goes. */
  private readonly held = new Map<string, () => Promise<void>>();

  constructor(
    private readonly faults: Faults,
    private readonly clock: Clock,
  ) {}

  /**
   * Sends something: twice, or after the next one that goes the same way, where a fault has it so. Resolves when it is
   * sent, or waits.
   *
   * @param way names source and destination: what goes another way does not overtake.
   * @param send never rejects.
   */
  async send(place: Place, way: string, send: () => Promise<void>): Promise<void> {
    if (!this.faults.active && this.held.size === 0) return send();
    const isTwice = this.faults.duplicates(place);
    const all = async () => {
      await Promise.all(isTwice ? [send(), send()] : [send()]);
    };
    const before = this.held.get(way);
    const late = this.faults.reorders(place, before === undefined);
    // It stays what came of its own cause, whoever overtakes it and so lets it go.
    if (late !== undefined) return this.hold(way, AsyncResource.bind(all), late);
    await all();
    await before?.();
  }

  private hold(way: string, send: () => Promise<void>, delayMs: number): void {
    const release = () => {
      if (this.held.get(way) !== release) return Promise.resolve();
      this.held.delete(way);
      timer.cancel();
      return send();
    };
    const timer = this.clock.after(delayMs, release);
    this.held.set(way, release);
  }

  /** Forgets what waits. */
  clear(): void {
    this.held.clear();
  }
}
