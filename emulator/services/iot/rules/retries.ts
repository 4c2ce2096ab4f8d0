import type { Clock, Timer } from "../../../core/clock";
import { AwsError } from "../../../core/errors";

/**
 * AWS tries again where a service is overloaded, and documents neither how often nor when
 * (https://docs.aws.amazon.com/iot/latest/developerguide/rule-error-handling.html). Ten tries take 2 minutes and 21 seconds here.
 */
const tries = 10;
const pause = (failures: number): number => Math.min(500 * 2 ** (failures - 1), 30_000);

const passing = /Throttl|ThroughputExceeded|TooManyRequests|RequestLimitExceeded|SlowDown|ServiceUnavailable/;

/** Whether waiting can help: the service has too much to do, or failed itself. */
const mayPass = (error: unknown): boolean =>
  error instanceof AwsError && error.status !== 501 && (error.fault === "server" || passing.test(error.code));

/** Calls that are repeated on the emulator's clock while a service is overloaded. */
export class Retries {
  /** Calls that wait for their next try, and what ends them. */
  private readonly waiting = new Map<Timer, () => void>();
  private epoch = 0;

  constructor(private readonly clock: Clock) {}

  /** Resolves with undefined when a call succeeded or was forgotten by {@link clear}, with its error when it is given up. */
  run(call: () => Promise<unknown>): Promise<{ error: unknown } | undefined> {
    const { epoch } = this;
    return new Promise((resolve) => {
      // The clock waits for what a task returns: each attempt, so that a test that moves time sees all of them.
      const attempt = async (failures: number): Promise<void> => {
        try {
          await call();
          resolve(undefined);
        } catch (error) {
          if (epoch !== this.epoch) return resolve(undefined);
          if (!mayPass(error) || failures + 1 >= tries) return resolve({ error });
          const timer = this.clock.after(pause(failures + 1), () => {
            this.waiting.delete(timer);
            return attempt(failures + 1);
          });
          this.waiting.set(timer, () => resolve(undefined));
        }
      };
      void attempt(0);
    });
  }

  /** Forgets the calls that wait. */
  clear(): void {
    this.epoch++;
    for (const [timer, end] of this.waiting) {
      timer.cancel();
      end();
    }
    this.waiting.clear();
  }
}
