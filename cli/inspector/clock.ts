import type { Done } from "../../dashboard/inspector/api";
import { type Clock, toMilliseconds } from "../../emulator";
import { Refusal } from "../page-server";

/** What a schedule does every minute happens for every minute that passes: for years nobody wants to wait. */
const longest = 366 * 86_400_000;

function read(duration: string): number {
  try {
    return toMilliseconds(duration);
  } catch {
    throw new Refusal(`"${duration}" is not a duration; say "90 seconds", "2 hours" or "14 days"`);
  }
}

/** Moves the emulator's time forward, once at a time. It rejects with a Refusal that says what is wrong. */
export function clockControl(clock: Clock): (duration: string) => Promise<Done> {
  let isMoving = false;
  return async (duration) => {
    const ms = read(duration);
    if (ms > longest) throw new Refusal("A year at once is the most");
    if (isMoving) throw new Refusal("The clock is moving already", 409);
    isMoving = true;
    try {
      await clock.advance(ms);
    } finally {
      isMoving = false;
    }
    return { message: `The clock is ${duration.trim()} further.` };
  };
}
