import type { Attempt } from "./attempt";

/** Something that went wrong, with what brought it about. */
interface Wrong {
  readonly what: string;
  readonly attempt: string;
  readonly shown: string;
}

/** What came of some attempts. */
export interface Ran {
  readonly requests: number;
  readonly wrong: readonly Wrong[];
}

/** The 5xx that are right, and why; every other one is wrong. */
const rightServerErrors: readonly { status: number; in: RegExp; because: string }[] = [
  {
    status: 501,
    // Requests that name any service and operation, or that are signed for one, wherever they were meant to go.
    in: /^(address|ingest|postbox|http2|[a-z0-9-]+:\w+)$/,
    because: "AWS has the service or the operation and the emulator has not: it says so instead of pretending",
  },
];

const isRight = (attempt: string, status: number) =>
  status < 500 || rightServerErrors.some((right) => right.status === status && right.in.test(attempt));

/** Runs attempts, so many at a time. */
export async function run(attempts: readonly Attempt[], atOnce: number): Promise<Ran> {
  const wrong: Wrong[] = [];
  let requests = 0;
  const waiting = attempts.values();
  const work = async () => {
    for (const attempt of waiting) {
      requests += attempt.requests;
      const note = (what: string) =>
        wrong.push({ what, attempt: attempt.name, shown: JSON.stringify(attempt.shown.slice(0, 1_000)) });
      try {
        const { statuses, problem } = await attempt.run();
        if (problem !== undefined) note(problem);
        for (const status of statuses) if (!isRight(attempt.name, status)) note(`status ${status}`);
      } catch (error) {
        note(String(error));
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return { requests, wrong };
}
