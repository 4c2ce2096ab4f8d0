import { afterEach, beforeEach, inject, type RunnerTask } from "vitest";
import type { Denial, Emulator } from "../../emulator";
import { denialText } from "../../testing";

/** Adds to the failure of a test what IAM refused while it ran, each once. */
export function tellDenials({ result }: Pick<RunnerTask, "result">, denials: readonly Denial[]): void {
  const texts = new Set(denials.map(denialText));
  const first = result?.state === "fail" ? result.errors?.[0] : undefined;
  if (texts.size > 0 && first) first.message += `\n\nIAM refused meanwhile:\n${[...texts].join("\n")}`;
}

/** Tells each failing test of a file what IAM refused meanwhile. */
export function useDenials(emulator: () => Emulator | undefined): void {
  const denials: Denial[] = [];
  let stop: (() => void) | undefined;
  beforeEach(() => {
    denials.length = 0;
    // Other backends keep no list.
    stop = inject("backend") ? undefined : emulator()?.watchDenials((denial) => denials.push(denial));
  });
  afterEach(({ task }) => {
    stop?.();
    tellDenials(task, denials);
  });
}
