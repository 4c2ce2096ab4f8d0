import type { Clock } from "../clock";

/**
 * Gives up waiting for `work` after `ms` milliseconds of the emulator's clock.
 *
 * @param expired what is thrown then; it may also stop the work.
 */
export function withDeadline<T>(clock: Clock, ms: number, work: Promise<T>, expired: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(ms, () => reject(expired()));
    work.then(
      (value) => {
        timer.cancel();
        resolve(value);
      },
      (error: unknown) => {
        timer.cancel();
        reject(error);
      },
    );
  });
}
