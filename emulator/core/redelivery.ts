import type { Timer } from "./clock";
import type { Host } from "./service";

/** Something that is to reach its destination. */
export interface Sending {
  /** One try. Rejects when it failed. `signal` fires when the emulator forgets it. */
  attempt(signal: AbortSignal): Promise<void>;
  /**
   * Milliseconds until the next try after this many failed ones; undefined when there is to be none.
   * Throws what is no failure of the destination: that is reported.
   */
  pause(error: unknown, failures: number): number | undefined;
  /** What becomes of it then. */
  giveUp(error: unknown, failures: number): Promise<void> | void;
  /** Told when the emulator forgets it before it is delivered or given up. @default nothing waits for it */
  forgotten?(): void;
}

/** Sends in the background and tries again on the emulator's clock, until a reset forgets what is under way. */
export class Redelivery {
  private readonly waiting = new Map<Timer, Sending>();
  private stopped = new AbortController();

  /** @param where what reports of unexpected exceptions name. */
  constructor(
    private readonly host: Pick<Host, "clock" | "report">,
    private readonly where: string,
  ) {}

  /** Begins to send. Never rejects; resolves after the first try. */
  async start(sending: Sending, failures = 0): Promise<void> {
    const { signal } = this.stopped;
    try {
      await this.host.clock.track(sending.attempt(signal));
    } catch (error) {
      if (signal.aborted) sending.forgotten?.();
      else await this.failed(sending, error, failures + 1);
    }
  }

  /** Forgets what is not delivered yet. */
  clear(): void {
    this.stopped.abort();
    this.stopped = new AbortController();
    for (const [timer, sending] of this.waiting) {
      timer.cancel();
      sending.forgotten?.();
    }
    this.waiting.clear();
  }

  private async failed(sending: Sending, error: unknown, failures: number): Promise<void> {
    try {
      const pause = sending.pause(error, failures);
      if (pause === undefined) return await sending.giveUp(error, failures);
      const timer = this.host.clock.after(pause, () => {
        this.waiting.delete(timer);
        return this.start(sending, failures);
      });
      this.waiting.set(timer, sending);
    } catch (unexpected) {
      this.host.report(unexpected, this.where);
    }
  }
}

/** Milliseconds before the next try: a second, then twice as long each time, up to five minutes. */
export const backoff = (failures: number): number => Math.min(1_000 * 2 ** (failures - 1), 300_000);
