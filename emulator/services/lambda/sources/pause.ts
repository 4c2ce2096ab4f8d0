import type { Clock } from "../../../core/clock";

/**
 * Waits on the emulator's clock, or until the signal fires.
 *
 * @param sooner takes what ends the pause, to be called when something has happened; gives what takes it back.
 */
export async function pause(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
  sooner?: (end: () => void) => () => void,
): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const end = () => {
      timer.cancel();
      forget?.();
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = clock.after(ms, end);
    const forget = sooner?.(end);
    signal.addEventListener("abort", end);
  });
}
