import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { serveProvider } from "../../deploy/serving";
import type { Declared } from "./deploying";

const { findPulumi } = createRequire(__filename)("../../scripts/pulumi-cli.js") as { findPulumi(): string | undefined };

/** The Pulumi CLI of this machine, if there is one. */
export const cli = findPulumi();

/** What tests of the CLI are called. Where they cannot run, the name says why; the output too, which has no names of skipped ones. */
export function called(name: string): string {
  if (cli) return name;
  const why = `${name} (not run: no Pulumi CLI here; "node scripts/pulumi-cli.js" builds one)`;
  console.warn(why);
  return why;
}

const root = resolve(__dirname, "../..");

/** How a command of the CLI ended. */
export interface Ended {
  code: number;
  /** What it wrote to stdout and stderr. */
  text: string;
}

/** A step of an update, as the engine's events tell: `create jobs`, `delete-replaced jobs`. */
export type Step = string;

interface EngineEvent {
  resOutputsEvent?: { metadata: { op: string; urn: string; type: string } };
}

/** A Pulumi project in a folder of its own, with its own backend and its own provider server. */
export interface PulumiProject extends AsyncDisposable {
  /** Makes a stack with these config values; secrets are encrypted with the passphrase "passphrase". */
  stack(name: string, config?: Record<string, string>, secrets?: Record<string, string>): Promise<PulumiStack>;
}

export interface PulumiStack {
  configure(config: Record<string, string>, secrets?: Record<string, string>): Promise<void>;
  /** Runs a command of the CLI on the stack, such as `["preview", "--diff"]`. */
  run(args: readonly string[]): Promise<Ended>;
  /** `up` without a preview: what it did, without what it only looked at. Rejects when it fails. */
  up(args?: readonly string[]): Promise<Step[]>;
  /** The state file as it is on disk. */
  state(): Promise<string>;
  outputs(): Promise<Record<string, unknown>>;
}

/** The config for `integration/programs/declared`. */
export const declared = (resources: Declared[], outputs: Record<string, string> = {}): Record<string, string> => ({
  "declared:resources": JSON.stringify(resources),
  "declared:outputs": JSON.stringify(outputs),
});

/**
 * @param main the program's compiled file or folder in the clone.
 */
export async function pulumiProject(name: string, main: string, endpoint: string): Promise<PulumiProject> {
  if (!cli) throw new Error("there is no Pulumi CLI here");
  const pulumi = cli;
  const folder = await mkdtemp(join(tmpdir(), "sensorcast-pulumi-"));
  const program = join(root, main);
  const serving = await serveProvider({ endpoint, directory: /\.js$/.test(main) ? dirname(program) : program });
  const runtime = "runtime:\n  name: nodejs\n  options:\n    typescript: false\n";
  await writeFile(join(folder, "Pulumi.yaml"), `name: ${name}\n${runtime}main: ${program}\n`);
  await mkdir(join(folder, "backend"));
  const environment = {
    ...process.env,
    ...serving.environment({ language: true }),
    PATH: `${dirname(pulumi)}${delimiter}${process.env.PATH}`,
    PULUMI_BACKEND_URL: `file://${join(folder, "backend")}`,
    PULUMI_CONFIG_PASSPHRASE: "passphrase",
    PULUMI_HOME: join(folder, "home"),
    PULUMI_SKIP_UPDATE_CHECK: "true",
    // For --event-log.
    PULUMI_DEBUG_COMMANDS: "true",
    // A plugin that would have to be downloaded fails at once, wherever the tests run.
    ...{ HTTP_PROXY: "http://127.0.0.1:9", HTTPS_PROXY: "http://127.0.0.1:9", NO_PROXY: "localhost,127.0.0.1" },
  };
  const run = (args: readonly string[]) =>
    new Promise<Ended>((done) => {
      const options = { cwd: folder, env: environment, maxBuffer: 64 * 1024 * 1024 };
      execFile(pulumi, [...args, "--non-interactive"], options, (error, stdout, stderr) => {
        done({ code: error ? Number(error.code) || 1 : 0, text: stdout + stderr });
      });
    });
  const succeed = async (args: readonly string[]) => {
    const { code, text } = await run(args);
    if (code !== 0) throw new Error(`pulumi ${args.join(" ")} ended with ${code}:\n${text}`);
    return text;
  };

  const stackOf = (stack: string): PulumiStack => ({
    async configure(config, secrets = {}) {
      const plain = Object.entries(config).flatMap(([key, value]) => ["--plaintext", `${key}=${value}`]);
      const secret = Object.entries(secrets).flatMap(([key, value]) => ["--secret", `${key}=${value}`]);
      if (plain.length + secret.length > 0) await succeed(["config", "set-all", "--stack", stack, ...plain, ...secret]);
    },
    run: ([command = "", ...args]) => run([command, "--stack", stack, ...args]),
    async up(args = []) {
      const log = join(folder, `${stack}.events`);
      await rm(log, { force: true });
      await succeed(["up", "--stack", stack, "--yes", "--skip-preview", "--event-log", log, ...args]);
      const events = (await readFile(log, "utf8")).trim().split("\n");
      return events.flatMap((line) => {
        const { metadata } = (JSON.parse(line) as EngineEvent).resOutputsEvent ?? {};
        if (!metadata || ["same", "refresh"].includes(metadata.op) || metadata.type === "pulumi:pulumi:Stack")
          return [];
        return [`${metadata.op} ${metadata.urn.split("::").at(-1)}`];
      });
    },
    state: () => readFile(join(folder, "backend", ".pulumi", "stacks", name, `${stack}.json`), "utf8"),
    outputs: async () => JSON.parse(await succeed(["stack", "output", "--json", "--show-secrets", "--stack", stack])),
  });
  return {
    async stack(stack, config = {}, secrets = {}) {
      await succeed(["stack", "init", stack]);
      const made = stackOf(stack);
      await made.configure({ "aws:region": "eu-west-1", ...config }, secrets);
      return made;
    },
    async [Symbol.asyncDispose]() {
      await serving.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
