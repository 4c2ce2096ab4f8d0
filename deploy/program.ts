import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { createInterface } from "node:readline";
import { stripVTControlCharacters } from "node:util";
import type { Project } from "./project";

/** How the program's process ended. */
export interface ProgramResult {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** The last lines that it wrote to stderr. */
  stderr: string[];
}

export interface ProgramOptions {
  project: Project;
  stack: string;
  /** Address of our gRPC server. */
  address: string;
  environment: Record<string, string>;
  output: (line: string) => void;
  /** Ends the process. */
  signal: AbortSignal;
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
export function runProgram({ project, stack, address, environment, output, signal }: ProgramOptions) {
  const flags = {
    ...{ monitor: address, engine: address, project: project.name, stack, organization: "organization" },
    ...{ "root-directory": project.root, pwd: project.directory, parallel: "16" },
  };
  const child = spawn(
    process.execPath,
    [
      ...(process.env.PULUMI_DEBUG_PROMISE_LEAKS ? [] : ["--require", require.resolve("./quiet-stacks")]),
      ...["--require", require.resolve("./late-modules")],
      ...project.nodeArguments,
      findRunner(project.directory),
      ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]),
      project.entry,
    ],
    {
      cwd: project.directory,
      stdio: ["ignore", "pipe", "pipe"],
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
      signal,
    },
  );
  // A Ctrl-C in the middle of a deployment ends this process, and must leave no program behind.
  const end = () => child.kill();
  process.once("exit", end);
  const stderr: string[] = [];
  createInterface({ input: child.stdout }).on("line", output);
  createInterface({ input: child.stderr }).on("line", (line) => {
    stderr.push(line);
    if (stderr.length > 200) stderr.shift();
  });
  return new Promise<ProgramResult>((resolve, reject) => {
    child.on("error", (error) => (error.name === "AbortError" ? undefined : reject(error)));
    child.on("close", (code, ended) => resolve({ code, signal: ended, stderr }));
  }).finally(() => process.off("exit", end));
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
