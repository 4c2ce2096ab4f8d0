import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import { DeployError } from "./errors";
import { openPulumiSecrets } from "./secrets";
import type { ConfigValues } from "./types";

const { load: parseYaml } = require("js-yaml") as { load(text: string, options?: { filename?: string }): unknown };

/** A Pulumi program and the config that it runs with. */
export interface Project {
  name: string;
  /** The folder with Pulumi.yaml; source positions are relative to it. */
  root: string;
  /** The folder that the program runs in; relative paths of assets start here. */
  directory: string;
  /** What to run in there: a file name, or "." for what package.json says. */
  entry: string;
  /** Whether the sources need Pulumi's TypeScript loader. */
  typescript: boolean;
  /** Extra arguments for Node, from `runtime.options.nodeargs`. */
  nodeArguments: string[];
  /** By full key; `aws:region` is always there. */
  config: Record<string, string> & { "aws:region": string };
  secretKeys: string[];
  warnings: string[];
}

interface ProjectFile {
  name?: string;
  main?: string;
  runtime?: string | { name?: string; options?: { typescript?: boolean; nodeargs?: string | string[] } };
  config?: Record<string, unknown>;
}

interface StackFile {
  config?: Record<string, unknown>;
  encryptionsalt?: string;
}

export interface ProjectOptions {
  program: string;
  stack: string;
  project?: string;
  config?: ConfigValues;
  secretConfig?: ConfigValues;
  passphrase?: string;
  /** Wins over `aws:region` in the project's files. @default "eu-west-1" */
  region?: string;
}

/** Finds the program and reads its config: Pulumi.yaml, then Pulumi.<stack>.yaml, then what the caller gives. */
export async function loadProject(options: ProjectOptions): Promise<Project> {
  const { stack } = options;
  if (!/^[A-Za-z0-9_.-]{1,100}$/.test(stack)) {
    throw new DeployError(`"${stack}" is not a stack name: letters, digits, ".", "_" and "-", at most 100`);
  }
  const program = resolve(options.program);
  if (!existsSync(program)) throw new DeployError(`there is no program at ${options.program}`);
  const isFile = statSync(program).isFile();
  const root = isFile ? findRoot(program) : program;
  const file = readYaml<ProjectFile>(join(root, "Pulumi.yaml")) ?? {};
  const runtime = typeof file.runtime === "string" ? { name: file.runtime } : file.runtime;
  if (runtime?.name && runtime.name !== "nodejs") {
    throw new DeployError(
      `Pulumi.yaml: only programs with runtime "nodejs" can be deployed here, not "${runtime.name}"`,
    );
  }
  const main = isFile ? program : file.main ? resolve(root, file.main) : root;
  if (!existsSync(main))
    throw new DeployError(`Pulumi.yaml: main is ${file.main}, which does not exist: compile first?`);
  const mainIsFile = statSync(main).isFile();
  const [directory, entry] = mainIsFile ? [dirname(main), basename(main)] : [main, "."];
  const name = options.project ?? file.name ?? basename(root);
  return {
    ...{ name, root, directory, entry },
    typescript: runtime?.options?.typescript !== false && needsTypeScript(directory, entry),
    nodeArguments: splitArguments(runtime?.options?.nodeargs),
    ...(await readConfig(name, root, file, options)),
  };
}

/** The folder of the Pulumi.yaml beside the file, or of one further up that has this file as its main; else the file's own. */
function findRoot(program: string): string {
  const own = dirname(program);
  if (existsSync(join(own, "Pulumi.yaml"))) return own;
  for (let at = own; dirname(at) !== at; at = dirname(at)) {
    const path = join(at, "Pulumi.yaml");
    if (!existsSync(path)) continue;
    const { main } = readYaml<ProjectFile>(path) ?? {};
    return main && [program, own].includes(resolve(at, main)) ? at : own;
  }
  return own;
}

/** Whether the sources need Pulumi's TypeScript loader. */
export const needsTypeScript = (directory: string, entry: string): boolean =>
  isTypeScript(entry === "." ? entryOf(directory) : entry);

/** `runtime.options.nodeargs` as a list. */
export const splitArguments = (nodeargs: string | string[] = []): string[] =>
  typeof nodeargs === "string" ? nodeargs.split(/\s+/).filter(Boolean) : nodeargs;

const isTypeScript = (path: string) => [".ts", ".mts", ".cts", ".tsx"].includes(extname(path));

/** The file that a folder stands for. */
function entryOf(folder: string): string {
  const manifest = join(folder, "package.json");
  if (existsSync(manifest)) {
    try {
      const { main } = JSON.parse(readFileSync(manifest, "utf8")) as { main?: string };
      if (main && existsSync(join(folder, main))) return main;
    } catch {
      // Node gives the better message when it reads the same file.
    }
  }
  return existsSync(join(folder, "index.js")) ? "index.js" : existsSync(join(folder, "index.ts")) ? "index.ts" : "";
}

function readYaml<T>(path: string): T | undefined {
  if (!existsSync(path)) return undefined;
  try {
    return (parseYaml(readFileSync(path, "utf8"), { filename: basename(path) }) ?? {}) as T;
  } catch (error) {
    throw new DeployError(`${basename(path)} is not valid YAML: ${(error as Error).message}`);
  }
}

async function readConfig(name: string, root: string, file: ProjectFile, options: ProjectOptions) {
  const config: Project["config"] = { "aws:region": "eu-west-1" };
  const secrets = new Set<string>();
  const warnings: string[] = [];
  const set = (key: string, value: unknown, isSecret: boolean) => {
    const full = key.includes(":") ? key.replace(":config:", ":") : `${name}:${key}`;
    config[full] = typeof value === "string" ? value : JSON.stringify(value);
    if (isSecret) secrets.add(full);
    else secrets.delete(full);
  };
  const given = new Set(
    Object.keys({ ...options.config, ...options.secretConfig }).map((key) =>
      key.includes(":") ? key : `${name}:${key}`,
    ),
  );
  for (const [key, entry] of Object.entries(file.config ?? {})) {
    const declared = typeof entry === "object" && entry !== null && !Array.isArray(entry);
    const { value, default: fallback, secret } = (declared ? entry : { value: entry }) as Record<string, unknown>;
    const initial = value ?? fallback;
    if (initial !== undefined && initial !== null) set(key, initial, secret === true);
  }
  const stackFile = readYaml<StackFile>(join(root, `Pulumi.${options.stack}.yaml`)) ?? {};
  const sealed: string[] = [];
  for (const [key, entry] of Object.entries(stackFile.config ?? {})) {
    const secure = (entry as { secure?: unknown } | null)?.secure;
    if (typeof secure !== "string") {
      set(key, entry, false);
    } else if (options.passphrase && stackFile.encryptionsalt) {
      const open = await openPulumiSecrets(options.passphrase, stackFile.encryptionsalt);
      set(key, open(secure), true);
    } else if (!given.has(key)) {
      sealed.push(key);
    }
  }
  if (sealed.length > 0) {
    warnings.push(
      `Pulumi.${options.stack}.yaml: ${sealed.join(", ")} is encrypted and left out: give the passphrase, or the values as secretConfig`,
    );
  }
  if (options.region) set("aws:region", options.region, false);
  for (const [key, value] of Object.entries(options.config ?? {})) set(key, value, false);
  for (const [key, value] of Object.entries(options.secretConfig ?? {})) set(key, value, true);
  return { config, secretKeys: [...secrets], warnings };
}
