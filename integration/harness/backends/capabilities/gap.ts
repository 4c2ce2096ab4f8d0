/** Something that a backend cannot do, and the tests that show it. */
export interface Gap {
  /** In a few words; what skipped tests are counted by, and the deviation in `docs/backends.md`. */
  readonly lacks: string;
  /** What AWS does; undefined where that is no matter of AWS. */
  readonly aws?: string;
  /** Where that is said, when no run has shown it. */
  readonly source?: string;
  /** Files ("sqs-fifo"), groups ("sqs-fifo: a FIFO queue") or tests ("sqs-fifo: a FIFO queue > keeps the order"). */
  readonly tests: readonly string[];
}

/** How the tables call a test. `path` is its file, `fullName` its name after those of its groups, with " > " between. */
export const testName = (path: string, fullName: string): string =>
  `${path.replaceAll("\\", "/").replace(/^.*integration\/|\.test\.ts$/g, "")}: ${fullName}`;

/** Whether a pattern of a table is for a test. */
export const isFor = (pattern: string, name: string): boolean =>
  name === pattern || name.startsWith(pattern.includes(": ") ? `${pattern} > ` : `${pattern}: `);
