import { TestRunner } from "vitest";

declare module "vitest" {
  interface TaskMeta {
    /** What of the embedded AWS a test has asked for, on another backend. */
    needs?: string;
  }
}

/** A test wants what only the embedded AWS has. The runner takes it for skipped, whatever else becomes of it. */
export class NeedsEmbedded extends Error {
  override readonly name = "NeedsEmbedded";
}

/** Stops what runs; the running test is taken for skipped. */
export function needsEmbedded(what: string): never {
  const reason = `needs ${what} of the embedded AWS`;
  const test = TestRunner.getCurrentTest();
  // Where there is none, a hook runs before all tests of a suite: the runner sees the error.
  if (test) test.meta.needs ??= reason;
  throw new NeedsEmbedded(reason);
}
