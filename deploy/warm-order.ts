import type { ProgramCall } from "./program-call";

/** What the process that runs programs again and again is told; see {@link WarmProgram}. */
export type WarmOrder =
  | { readonly run: Pick<ProgramCall, "flags" | "dryRun" | "entry" | "env"> }
  /** Modules to load before there is anything to run, by path. */
  | { readonly load: readonly string[] };

/** What it tells when it ends because it cannot run the program a second time: what another one may load in advance. */
export interface WarmReport {
  readonly loadNext: readonly string[];
}

/** What it writes after all that a run has written, as the end of a line, to stdout and to stderr. */
export const endOfRun = "\u0000end of the program\u0000";
