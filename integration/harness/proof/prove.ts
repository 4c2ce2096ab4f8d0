import fc from "fast-check";
import { run } from "./run";
import { everything, programs, type Step } from "./step";
import type { System } from "./system";

/**
 * How many programs in all, over the files that share them, and where fast-check begins. Unless a number is asked for, as
 * every night (`npm run proof`), they are the same each time: a red test is then the doing of the last change.
 */
const programsInAll = Number(process.env.PROOF_PROGRAMS ?? 500);
const origin = process.env.PROOF_PROGRAMS === undefined ? 1_764_360_000 : Date.now();
const seed = process.env.PROOF_SEED === undefined ? undefined : Number(process.env.PROOF_SEED);
const path = process.env.PROOF_PATH;

/**
 * Runs a part of the programs. Rejects with the shortest program that shows the mistake, with the seed and the path that
 * bring it again: `PROOF_SEED=<seed> PROOF_PATH=<path> npm test -- integration/proof-1.test.ts`.
 *
 * @param part this file's number, from 0.
 * @param parts how many files there are.
 */
export async function prove(system: System, part: number, parts: number): Promise<void> {
  const numRuns = Math.ceil(programsInAll / parts);
  const started = seed ?? (origin ^ (part * 0x9e3779b9)) >>> 0;
  const from = performance.now();
  const kinds: Partial<Record<Step["kind"], number>> = {};
  const property = fc.asyncProperty(programs(everything), async (steps) => {
    for (const { kind } of steps) kinds[kind] = (kinds[kind] ?? 0) + 1;
    await run(system, steps);
  });
  await fc.assert(property, {
    numRuns,
    seed: started,
    path,
    interruptAfterTimeLimit: 3_600_000,
    markInterruptAsFailure: true,
  });
  const seconds = ((performance.now() - from) / 1000).toFixed(1);
  const counts = Object.entries(kinds).map(([kind, count]) => `${count} ${kind}`);
  console.log(`${numRuns} programs in ${seconds} s, seed ${started}: ${counts.join(", ")}`);
}
