import { setTimeout as sleep } from "node:timers/promises";
import { isGone } from "../errors";

/**
 * Asks until `check` answers something. The embedded emulator answers at the first time; other endpoints are asked
 * again after 20 ms, then ever less often, up to once a second.
 */
export async function waitFor<T>(
  what: string,
  timeout: number,
  check: () => Promise<T | undefined | false>,
): Promise<T> {
  const end = performance.now() + timeout;
  for (let pause = 20; ; pause = Math.min(pause * 1.6, 1000)) {
    const answer = await check();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() + pause > end) throw new Error(`${what} is not ready after ${Math.round(timeout / 1000)} s`);
    await sleep(pause);
  }
}

/**
 * Calls again while AWS says that something made a moment ago is not known everywhere yet, for example a role that
 * Lambda cannot assume. At most 15 s, because a real mistake gives the same answer; not at all at a local endpoint,
 * which knows everything at once.
 */
export async function retryWhile<T>(
  { local }: { local: boolean },
  transient: (error: Error) => boolean,
  call: () => Promise<T>,
): Promise<T> {
  const end = performance.now() + (local ? 0 : 15_000);
  for (let pause = 100; ; pause = Math.min(pause * 2, 2000)) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof Error) || !transient(error) || performance.now() + pause > end) throw error;
      await sleep(pause);
    }
  }
}

/** The answer, or undefined when AWS says that the thing does not exist. */
export async function unlessGone<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}
