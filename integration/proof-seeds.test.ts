import fc from "fast-check";
import { expect, it } from "vitest";
import { run } from "./harness/proof/run";
import { programs, type Step } from "./harness/proof/step";
import { useSystem } from "./harness/proof/system";

const system = useSystem("proof-seeds");

/** The first mistake of this kind that the proof finds in programs of these steps; undefined where it finds none. */
async function mistakeIn(kinds: Step["kind"][], kind: RegExp): Promise<string | undefined> {
  let found: string | undefined;
  const property = fc.asyncProperty(programs({ kinds, broken: false, limits: false }), async (steps) => {
    const mistakes: string = await run(system.current, steps).then(
      () => "",
      (error: Error) => error.message,
    );
    found = mistakes.split("\n").find((mistake) => kind.test(mistake));
    return found === undefined;
  });
  await fc.check(property, { numRuns: 100, endOnFailure: true });
  return found;
}

it("catches the ingest handler of Thingsee's guide: what a device says twice in a second is written over", async () => {
  expect(await mistakeIn(["post"], /neither in the table nor a dead letter$/)).toMatch(/^lost: /);
}, 120_000);

it("catches the broadcast loop of the articles: a record that is no JSON takes the rest of its batch with it", async () => {
  expect(await mistakeIn(["queue"], /did not reach \d viewers$/)).toMatch(/^lost: /);
}, 120_000);
