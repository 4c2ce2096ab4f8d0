import type { Clock } from "../../../../core/clock";
import type { Host } from "../../../../core/service";
import { timedOut } from "../failures";
import type { Templates } from "../templates";

/** What integrations work with. */
export interface Tools {
  readonly host: Host;
  readonly templates: Templates;
}

/** Gives up waiting for `work` after `ms` milliseconds of the emulator's clock: 504. */
export function within<T>(clock: Clock, ms: number, work: Promise<T>, giveUp?: () => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(ms, () => {
      reject(timedOut());
      giveUp?.();
    });
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
