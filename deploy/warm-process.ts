/**
 * The process of {@link WarmProgram}: runs programs one after the other, each as Pulumi's runner (`cmd/run`) would in a
 * process of its own. A program is over when there is nothing left for the event loop to do. If it went well, and can be
 * loaded once more, the process waits for the next; otherwise it ends, and its exit code is the program's.
 *
 * Imported by nothing. Its argument is the path of Pulumi's runner.
 *
 * @see https://github.com/pulumi/pulumi/blob/master/sdk/nodejs/cmd/run/index.ts
 */
import type { Session } from "node:inspector";
import Module, { createRequire, flushCompileCache } from "node:module";
import { getCallSites } from "node:util";
import { type ClosureLookups, quickenClosures } from "./quick-closures";
import { isLasting, WarmModules } from "./warm-modules";
import { endOfRun, type WarmOrder, type WarmReport } from "./warm-order";

/** What of Pulumi's SDK is used here. */
interface Runner {
  run(
    argv: object,
    started: () => void,
    logged: (error: unknown) => void,
    isLogged: (error: unknown) => boolean,
  ): Promise<unknown>;
}
interface Settings {
  signalAndWaitForShutdown(): Promise<void>;
  disconnectSync(): void;
}
interface Hooks {
  getSessionAsync(): Promise<Session>;
}
interface Tracing {
  withRootContext<T>(action: () => T): T;
  shutdownTracing(): Promise<void>;
}
interface Store {
  resourcePackages: unknown;
  resourceModules: unknown;
}

type Job = Extract<WarmOrder, { run: unknown }>["run"];

/** The exit code that says: what went wrong has been logged. */
const alreadyLogged = 32;

const [node = "", , runner = ""] = process.argv;
const sdk = createRequire(runner);
const ours = process.channel;
const tell = process.send?.bind(process) as (report: WarmReport) => void;
// Programs, and what they use, take it for the sign of another parent.
delete process.send;
const write = [process.stdout, process.stderr].map((stream) => stream.write.bind(stream) as (text: string) => void);
const modules = new WarmModules();
const extensions = (Module as unknown as { _extensions: Record<string, unknown> })._extensions;

/** What is put back after each run. */
const original = {
  directory: process.cwd(),
  env: { ...process.env },
  extensions: { ...extensions },
  emit: process.emit,
};
let hooked = false;

process.on("disconnect", () => process.exit(1));
process.on("message", (order: WarmOrder) => {
  if ("run" in order) void start(order.run);
  else load(order.load);
});

/** Listeners that the run under way has added to the process. */
const added: { event: string | symbol; listener: (...values: unknown[]) => void }[] = [];
process.on("newListener", (event: string | symbol, listener: (...values: unknown[]) => void) => {
  const frames = getCallSites(20);
  const adding = frames.findIndex(({ functionName }) => functionName === "_addListener");
  const caller = frames.slice(adding + 1).find(({ scriptName }) => !scriptName.startsWith("node:"));
  // Modules that stay are loaded once, and so add theirs once.
  if (caller && !isLasting(caller.scriptName.replace(/^file:\/\//, ""))) added.push({ event, listener });
});

function load(paths: readonly string[]): void {
  for (const path of paths) {
    try {
      sdk(path);
    } catch {
      // The program gets the error, if it still wants the module.
    }
  }
}

const setEnv = (env: NodeJS.ProcessEnv) => {
  for (const name of Object.keys(process.env)) if (env[name] === undefined) delete process.env[name];
  for (const [name, value] of Object.entries(env)) if (value !== undefined) process.env[name] = value;
};

async function start(job: Job): Promise<void> {
  const { flags, dryRun, entry, env } = job;
  // From here on, only the program keeps the event loop busy.
  ours?.unref();
  setEnv(env);
  process.argv = [node, runner, entry];
  // Where each copy of the SDK finds the settings.
  const settings = { ...flags, ...(dryRun && { "dry-run": "true" }) };
  for (const [name, value] of Object.entries(settings)) {
    process.env[`PULUMI_NODEJS_${name.replaceAll("-", "_").toUpperCase()}`] = value;
  }
  const errors = new Set<unknown>();
  const logged = new Set<unknown>();
  let running = false;
  const { error: log } = sdk("../../log") as { error(message: string): void };
  const failed = (error: unknown) => {
    errors.add(error);
    if (running || logged.has(error)) return;
    log(error instanceof Error ? (error.stack ?? error.message) : String(error));
    logged.add(error);
  };
  process.on("uncaughtException", failed);
  process.on("unhandledRejection", failed);
  process.on("exit", (code) => {
    if (code === 0 && errors.size > 0)
      process.exitCode = [...errors].every((one) => logged.has(one)) ? alreadyLogged : 1;
  });
  const tracing = sdk("./instrumentation") as Tracing;
  // Others may go on when the loop is empty for the first time, as buckets with handlers do. Ours is the last.
  process.once("beforeExit", () =>
    process.nextTick(() => {
      setImmediate(() => undefined);
      process.once("beforeExit", (code) => {
        if (errors.size === 0 && code === 0) void end(tracing);
      });
    }),
  );
  sdk("source-map-support/register");
  newStore();
  await watchScripts();
  // All that `run` wants of the runner's own file, which would run the program by itself.
  const exports = { nodeJSProcessExitedAfterLoggingUserActionableMessage: alreadyLogged };
  sdk.cache[runner] = { id: runner, filename: runner, loaded: true, children: [], exports } as unknown as NodeModule;
  const { run } = sdk("./run") as Runner;
  const argv = { _: [entry], ...flags, "dry-run": dryRun };
  await tracing.withRootContext(() =>
    run(
      argv,
      () => {
        running = true;
      },
      (error) => logged.add(error),
      (error) => logged.has(error),
    ),
  );
  running = false;
}

/** The SDK's settings and all that it knows of a stack, read from the environment at its first use. */
function newStore(): void {
  const { getStore } = sdk("../../runtime/state") as { getStore(): Store };
  const place = globalThis as { globalStore?: Store; stackResource?: unknown };
  const { globalStore: before } = place;
  place.globalStore = undefined;
  place.stackResource = undefined;
  // What the packages have registered that stay loaded.
  if (before) {
    const { resourcePackages, resourceModules } = before;
    Object.assign(getStore(), { resourcePackages, resourceModules });
  }
}

/** Before the program is loaded: the SDK has to know its functions' files, and we which of them are ES modules. */
async function watchScripts(): Promise<void> {
  const session = await (sdk("../../runtime/closure/v8Hooks") as Hooks).getSessionAsync();
  if (hooked) return;
  hooked = true;
  quickenClosures(sdk("../../runtime/closure/v8") as ClosureLookups, session);
  session.on("Debugger.scriptParsed", ({ params }: { params: { url: string; isModule?: boolean } }) =>
    modules.onScript(params),
  );
}

/** After a run that went well. */
async function end(tracing: Tracing): Promise<void> {
  const copies = Object.entries(sdk.cache).flatMap(([path, one]) =>
    /@pulumi[\\/]pulumi[\\/]runtime[\\/]settings\.js$/.test(path) && one ? [one.exports as Settings] : [],
  );
  try {
    await (sdk("../../runtime/settings") as Settings).signalAndWaitForShutdown();
  } catch (error) {
    console.error(`Error while signaling shutdown: ${String(error)}`);
  }
  for (const copy of copies) copy.disconnectSync();
  for (const { event, listener } of added.splice(0)) {
    process.removeListener(event, listener);
    // For the program, its process ends here.
    if (event === "exit") listener.call(process, 0);
  }
  for (const name of Object.keys(extensions)) delete extensions[name];
  Object.assign(extensions, original.extensions);
  process.emit = original.emit;
  process.chdir(original.directory);
  setEnv(original.env);
  const loaded = modules.loaded();
  if (!modules.forget()) {
    tell({ loadNext: loaded });
    await tracing.shutdownTracing();
    return;
  }
  flushCompileCache();
  ours?.ref();
  for (const one of write) one(`${endOfRun}\n`);
}
