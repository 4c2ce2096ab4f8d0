import { relative, resolve, sep } from "node:path";
import { watch } from "chokidar";
import type { DeployEvent, Deployment } from "../deploy";
import { paint } from "./screen";

/** How a program is watched. */
export interface WatchOptions {
  /** The program's folder: names of files are told relative to it. */
  readonly folder: string;
  /** What in it the program is made of. @default all but node_modules, dist, and names that begin with a dot */
  readonly parts?: readonly string[];
  /** A file that is written after each update: it would be a change for ever. */
  readonly except?: string;
  /** Compiles what has changed before it is deployed, for Sensorcast's own stack. Throws what is wrong, for people. */
  readonly compile?: () => void;
  readonly say: (line: string) => void;
  /** Told of the stack after each update. */
  readonly show: (deployment: Deployment) => Promise<void>;
}

/** What a program is made of: changes of anything else deploy nothing. */
const isProgram = (path: string): boolean => /\.([cm]?[jt]sx?|json|ya?ml|css|html|svg)$/.test(path);

const ignored = new Set(["node_modules", "dist", "coverage"]);

/** An editor writes a file in several steps, and a tool several files: this many milliseconds without a change are the end. */
const quiet = 30;

/**
 * Deploys a program again whenever one of its files changes. What fails is said, and leaves what is there as it is; the
 * next change tries again.
 *
 * @returns what ends it, once an update that is under way is done.
 */
export function watchProgram(
  first: Deployment,
  { folder, parts = ["."], except, compile, say, show }: WatchOptions,
): () => Promise<void> {
  const root = resolve(folder);
  let deployment = first;
  const changed: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let ended = false;

  const update = async (): Promise<void> => {
    const files = [...new Set(changed.splice(0))];
    const started = performance.now();
    const [file = "", ...others] = files;
    say(`\n${paint("bold", "Changed")}  ${file}${others.length > 0 ? ` and ${others.length} more` : ""}`);
    try {
      compile?.();
      const lines: string[] = [];
      deployment = await deployment.update({ onEvent: (event) => lines.push(...linesOf(event)) });
      await show(deployment);
      for (const line of lines) say(line);
      const { created, updated, replaced, deleted } = deployment.summary;
      const changes = created + updated + replaced + deleted;
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      say(changes === 0 ? paint("dim", `Nothing to deploy (${seconds} s)`) : paint("green", `Live in ${seconds} s`));
    } catch (error) {
      say(paint("red", error instanceof Error ? error.message : String(error)));
      say(paint("dim", "What was deployed before is still there"));
    }
  };
  const run = async (): Promise<void> => {
    while (changed.length > 0 && !ended) await update();
    running = undefined;
  };
  const note = (path: string) => {
    if (!isProgram(path) || (except !== undefined && resolve(path) === resolve(except))) return;
    changed.push(relative(root, path));
    clearTimeout(timer);
    timer = setTimeout(() => {
      running ??= run();
    }, quiet);
  };
  const paths = parts.map((part) => resolve(root, part));
  const watcher = watch(paths, {
    ignoreInitial: true,
    ignored: (path) => {
      const names = relative(root, path).split(sep);
      return names.some((name) => ignored.has(name) || (name.startsWith(".") && name.length > 1 && name !== ".."));
    },
  });
  for (const event of ["add", "change", "unlink"] as const) watcher.on(event, note);
  watcher.on("error", (error) => say(paint("red", `the program's files are not watched any more: ${String(error)}`)));
  return async () => {
    ended = true;
    clearTimeout(timer);
    await watcher.close();
    await running;
  };
}

/** What of a deployment is worth a line. */
function linesOf(event: DeployEvent): string[] {
  if (event.kind === "output") return [event.line];
  if (event.kind === "log" && event.severity === "warning") return [`warning: ${event.message}`];
  if (event.kind !== "done" || event.action === "same" || event.type === "pulumi:pulumi:Stack") return [];
  return [paint("dim", `  ${event.action}  ${event.name}`)];
}
