import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

/** What a program's process is started with. */
export interface ProgramCall {
  /** Pulumi's runner: the file that Node runs. */
  readonly runner: string;
  /** For Node itself. */
  readonly nodeArguments: readonly string[];
  readonly cwd: string;
  /** For the runner, by name without dashes. */
  readonly flags: Readonly<Record<string, string>>;
  readonly dryRun: boolean;
  /** What to run, below `cwd`. */
  readonly entry: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Takes what a program writes, line by line. */
export interface ProgramSinks {
  stdout(line: string): void;
  stderr(line: string): void;
}

/** How a run ended. */
export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A program under way. */
export interface ProgramRun {
  /** Once the program has ended, and all that it wrote was taken. */
  readonly ended: Promise<ProgramEnd>;
  kill(): void;
}

/** The runner's arguments, for a process of its own. */
export const argumentsOf = ({ flags, dryRun, entry }: ProgramCall): string[] => [
  ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]),
  ...(dryRun ? ["--dry-run"] : []),
  entry,
];

/** What is loaded before Pulumi's SDK. */
const preloaded = ["./quiet-stacks", "./late-modules", "./end-with-parent"];

/** Starts Node for programs. With an IPC channel where more than one run is meant. */
export function spawnNode(call: ProgramCall, main: readonly string[], ipc = false) {
  const modules = process.env.PULUMI_DEBUG_PROMISE_LEAKS ? preloaded.slice(1) : preloaded;
  return spawn(
    process.execPath,
    [...modules.flatMap((name) => ["--require", require.resolve(name)]), ...call.nodeArguments, ...main],
    {
      cwd: call.cwd,
      env: { ...call.env, SENSORCAST_RUNNER: call.runner },
      stdio: ["ignore", "pipe", "pipe", ...(ipc ? ["ipc" as const] : [])],
    },
  ) as ChildProcessByStdio<null, Readable, Readable>;
}

/** Runs a program in a process of its own. */
export function startProgram(call: ProgramCall, sinks: ProgramSinks): ProgramRun {
  const child = spawnNode(call, [call.runner, ...argumentsOf(call)]);
  createInterface({ input: child.stdout }).on("line", sinks.stdout);
  createInterface({ input: child.stderr }).on("line", sinks.stderr);
  return {
    ended: new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, signal) => resolve({ code, signal }));
    }),
    kill: () => {
      child.kill();
    },
  };
}
