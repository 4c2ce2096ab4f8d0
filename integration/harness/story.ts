import { vi } from "vitest";
import type { Emulator, JournalEntry } from "../../emulator";

/** The last part of an ARN, without the digits that a deployment adds. */
const shortName = (arn: string) =>
  arn
    .split(/[:/]/)
    .at(-1)!
    .replace(/-[0-9a-f]{7}$/, "");

const words = ({ kind, service, operation, resources, status, error }: JournalEntry) =>
  [kind, service, operation, resources.map(shortName).join(), status, error].filter((word) => word).join(" ");

/** What came of the entry, as indented lines; what came of several things stands below each. */
export function story(entries: readonly JournalEntry[], root: JournalEntry, depth = 0): string[] {
  const below = entries.filter(({ causes }) => causes.includes(root.id));
  return [`${"  ".repeat(depth)}${words(root)}`, ...below.flatMap((entry) => story(entries, entry, depth + 1))];
}

/** Waits until the story of the last step of this operation that nothing caused has this in it. Gives its lines. */
export function told({ journal }: Emulator, operation: string, what: RegExp | string): Promise<string[]> {
  return vi.waitFor(
    () => {
      const entries = journal.entries();
      const root = entries.findLast((entry) => entry.operation === operation && entry.causes.length === 0);
      if (!root) throw new Error(`there is no ${operation} in the journal`);
      const lines = story(entries, root);
      const text = lines.join("\n");
      const isThere = typeof what === "string" ? text.includes(what) : what.test(text);
      if (!isThere) throw new Error(`there is no ${what} in:\n${text}`);
      return lines;
    },
    { timeout: 10_000, interval: 10 },
  );
}
