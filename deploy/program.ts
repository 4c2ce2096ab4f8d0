import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { type ProgramCall, type ProgramEnd, type ProgramSinks, startProgram } from "./program-call";
import type { Project } from "./project";
import type { WarmProgram } from "./warm-program";

/** How the program's process ended. */
export interface ProgramResult extends ProgramEnd {
  /** The last lines that it wrote to stderr. */
  stderr: string[];
}

export interface ProgramOptions {
  project: Project;
  stack: string;
  /** Address of the gRPC server that takes resources: ours, or the Pulumi CLI's. */
  address: string;
  /** Address of the one that takes logs. @default the same */
  engineAddress?: string;
  /** Nothing is made; values that only a deployment tells stay unknown. */
  dryRun?: boolean;
  environment: Record<string, string>;
  output: (line: string) => void;
  /** Ends the process. */
  signal: AbortSignal;
  /** Runs it in a process that has run it before, if it can. */
  warm?: WarmProgram;
}

/** The runner of the SDK that the program itself uses; two different SDKs in one process would not know each other. */
function findRunner(directory: string): string {
  try {
    return createRequire(join(directory, "package.json")).resolve("@pulumi/pulumi/cmd/run");
  } catch {
    return require.resolve("@pulumi/pulumi/cmd/run");
  }
}

/**
 * Compiled code is kept between runs, because loading Pulumi's SDK is most of a small deployment's time. In
 * node_modules/.cache, where tools keep such things, and nowhere that other users of the machine can write.
 */
function compileCache(directory: string): Record<string, string> {
  if (process.env.NODE_COMPILE_CACHE !== undefined) return {};
  for (let at = directory; ; at = dirname(at)) {
    const modules = join(at, "node_modules");
    if (existsSync(modules)) return { NODE_COMPILE_CACHE: join(modules, ".cache", "sensorcast") };
    if (dirname(at) === at) return {};
  }
}

/** Runs a Pulumi program in its own process, as Pulumi's language host does. Resolves when the process has ended. */
export async function runProgram(options: ProgramOptions): Promise<ProgramResult> {
  const { project, stack, address, engineAddress = address, dryRun, environment, output, signal, warm } = options;
  const flags = {
    ...{ monitor: address, engine: engineAddress, project: project.name, stack, organization: "organization" },
    ...{ "root-directory": project.root, pwd: project.directory, parallel: "16" },
  };
  const call: ProgramCall = {
    runner: findRunner(project.directory),
    nodeArguments: project.nodeArguments,
    cwd: project.directory,
    ...{ flags, dryRun: dryRun ?? false, entry: project.entry },
    env: {
      ...process.env,
      ...compileCache(project.directory),
      ...environment,
      PULUMI_CONFIG: JSON.stringify(project.config),
      PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(project.secretKeys),
      PULUMI_NODEJS_TYPESCRIPT: String(project.typescript),
      // Types are the editor's and the build's concern; checking them here would cost seconds.
      PULUMI_NODEJS_TRANSPILE_ONLY: process.env.PULUMI_NODEJS_TRANSPILE_ONLY ?? "true",
    },
  };
  const stderr: string[] = [];
  const sinks: ProgramSinks = {
    stdout: output,
    stderr(line) {
      stderr.push(line);
      if (stderr.length > 200) stderr.shift();
    },
  };
  const program = warm ? warm.start(call, sinks) : startProgram(call, sinks);
  // A Ctrl-C in the middle of a deployment ends this process, and must leave no program behind.
  const end = () => program.kill();
  process.once("exit", end);
  signal.addEventListener("abort", end);
  try {
    return { ...(await program.ended), stderr };
  } finally {
    process.off("exit", end);
    signal.removeEventListener("abort", end);
  }
}

/**
 * What a person needs to know of an exception in the program: the message, and the places in the program's own files
 * that it came from, relative to the project.
 */
export function describeProgramError(log: string, { root }: Project): string {
  const text = stripVTControlCharacters(log).trim();
  const missing = /Missing required configuration variable '([^']+)'/.exec(text);
  if (missing) {
    return `the config value "${missing[1]}" is missing: give it as config or secretConfig, or put it into Pulumi.<stack>.yaml`;
  }
  const lines = text
    .replace(/^Running program '[^']*' failed with an unhandled exception:\s*/, "")
    // Pulumi says of each resource on the way which of its properties the error came through.
    .replace(/(?:(?:<ref \*\d+> )?Error: )?(?:error serializing property "[^"]*": )+/g, "Error: ")
    .split("\n");
  const isFrame = (line: string) => /^\s+at /.test(line);
  const foreign = (line: string) => /node_modules|node:internal|\(node:|<anonymous>/.test(line);
  const kept = lines
    .filter((line) => !isFrame(line) || !foreign(line))
    .map((line) => (isFrame(line) ? line.replace(/(?:file:\/\/)?(\/[^\s():]+)/, (path) => shorten(path, root)) : line));
  // Node shows the properties of an error after its stack; what is left of them says nothing.
  const message = kept
    .join("\n")
    .replace(/\s*\{\s*\}?\s*$/, "")
    .trimEnd();
  return `the program failed: ${message.replaceAll(`${root}/`, "")}`;
}

const shorten = (path: string, root: string) => {
  const inside = relative(root, path.replace(/^file:\/\//, ""));
  return inside.startsWith("..") ? path : inside;
};
