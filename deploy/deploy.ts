import { resolve } from "node:path";
import { Engine } from "./engine";
import { DeployError, type Failure } from "./errors";
import { Monitor } from "./monitor";
import { describeProgramError, type ProgramResult, runProgram } from "./program";
import { loadProject, type Project } from "./project";
import { ProviderHosts } from "./providers/host";
import { FileStore, MemoryStore, type ResourceState, type StateStore } from "./state";
import type { DeployEvent, DeployedResource, Deployment, DeployOptions, Summary, UpdateOptions } from "./types";
import { toOutput, type WireObject } from "./values";

// After the first failure the program has nothing left to do; one that still waits for something is ended.
const patience = 2000;

/** A stack and where its state is: what stays the same from one run to the next. */
interface Stack {
  options: DeployOptions;
  project: Project;
  store: StateStore;
  /** The next run is the first one with a state that another process wrote. */
  verify: boolean;
}

/**
 * Deploys a Pulumi program to an endpoint, without the Pulumi CLI: runs the unmodified program in its own process and
 * does what its resources ask for through AWS SDK calls. With a state from before, only the difference is applied.
 *
 * Rejects with a {@link DeployError} whose message tells what failed and what helps; what was created until then is
 * kept in the state and in the error's `deployment`, to be fixed by another deployment or destroyed.
 *
 * ```ts
 * const stack = await deploy({ program: "examples/hello", stack: "dev", endpoint: "http://localhost:4566" });
 * stack.outputs.url?.value;
 * await stack.destroy();
 * ```
 */
export async function deploy(options: DeployOptions): Promise<Deployment> {
  const { project, passphrase } = await prepare(options);
  const { stateFile, stack } = options;
  const store = stateFile ? new FileStore(resolve(stateFile), project.name, stack, passphrase) : new MemoryStore();
  return run({ options, project, store, verify: stateFile !== undefined });
}

/**
 * Takes up a stack from its state file without running the program, to destroy it.
 */
export async function openStack(options: DeployOptions & { stateFile: string }): Promise<Deployment> {
  const { project, passphrase } = await prepare(options);
  const store = new FileStore(resolve(options.stateFile), project.name, options.stack, passphrase);
  const stack: Stack = { options, project, store, verify: true };
  const engine = await openEngine(stack);
  const { resources } = engine.snapshot();
  return deployment(stack, engine, resources);
}

async function prepare(options: DeployOptions) {
  if (!URL.canParse(options.endpoint)) {
    throw new DeployError(`endpoint: "${options.endpoint}" is not a URL such as http://localhost:4566`);
  }
  const passphrase = options.passphrase ?? process.env.PULUMI_CONFIG_PASSPHRASE;
  const project = await loadProject({ ...options, passphrase });
  return { project, passphrase };
}

const emitter = ({ onEvent = () => undefined }: DeployOptions) => onEvent;

async function openEngine({ options, project, store, verify }: Stack): Promise<Engine> {
  const { stack, endpoint, credentials = { accessKeyId: "test", secretAccessKey: "test" } } = options;
  const hosts = new ProviderHosts({ endpoint, credentials, directory: project.directory, config: project.config });
  const emit = emitter(options);
  return new Engine(
    { stack, project: project.name, root: project.root, directory: project.directory, hosts, store, emit, verify },
    await store.load(),
  );
}

async function run(stack: Stack): Promise<Deployment> {
  const { options, project } = stack;
  const started = performance.now();
  const emit = emitter(options);
  for (const message of project.warnings) emit({ kind: "log", severity: "warning", message });
  await using _lock = await stack.store.lock();
  const engine = await openEngine(stack);
  const programErrors: string[] = [];
  try {
    const result = await runWithMonitor(stack, engine, (entry) => {
      if (entry.severity === "error") programErrors.push(entry.message);
      else emit(entry);
    });
    await engine.settle();
    const problem = engine.failed ? undefined : programProblem(result, programErrors, project);
    if (!engine.failed && !problem) await engine.deleteRest();
    await engine.save();
    const { resources } = engine.snapshot();
    const done = deployment({ ...stack, verify: false }, engine, resources);
    const failed = engine.failed || problem !== undefined;
    const milliseconds = performance.now() - started;
    emit({ kind: "summary", summary: done.summary, recorded: done.recorded, milliseconds, failed });
    if (failed) throw failure(engine, problem, done);
    return done;
  } finally {
    engine.settings.hosts.close();
  }
}

async function runWithMonitor(
  { options, project }: Stack,
  engine: Engine,
  log: (entry: Extract<DeployEvent, { kind: "log" }>) => void,
): Promise<ProgramResult> {
  const { endpoint, stack, credentials, environment, timeout = 300_000, warm } = options;
  const monitor = new Monitor(engine, log);
  const address = await monitor.start();
  const stop = new AbortController();
  const deadline = setTimeout(() => stop.abort(), timeout);
  // Looked at now and then only to end a program that hangs after a failure; one that ends by itself is not affected.
  const watch = setInterval(() => {
    if (!engine.failed) return;
    clearInterval(watch);
    engine.settle().then(() => setTimeout(() => stop.abort(), patience).unref());
  }, 50);
  try {
    return await runProgram({
      ...{ project, stack, address, signal: stop.signal, warm },
      output: (line) => emitter(options)({ kind: "output", line }),
      environment: {
        // A program that calls AWS itself reaches the same endpoint, never a real account.
        AWS_ENDPOINT_URL: endpoint,
        AWS_REGION: project.config["aws:region"],
        AWS_ACCESS_KEY_ID: credentials?.accessKeyId ?? "test",
        AWS_SECRET_ACCESS_KEY: credentials?.secretAccessKey ?? "test",
        AWS_SESSION_TOKEN: credentials?.sessionToken ?? "",
        ...environment,
      },
    });
  } finally {
    clearTimeout(deadline);
    clearInterval(watch);
    await engine.settle();
    monitor.stop();
  }
}

/** Why the program did not end well, or undefined when it did. */
function programProblem(
  { code, signal, stderr }: ProgramResult,
  errors: string[],
  project: Project,
): string | undefined {
  if (errors.length > 0) return errors.map((error) => describeProgramError(error, project)).join("\n");
  if (code === 0) return undefined;
  if (signal) return `the program did not end in time and was stopped (${signal})`;
  return describeProgramError(stderr.join("\n") || `the process ended with code ${code}`, project);
}

/** The first failure in full; of those that were under way at the same time only what they say. */
const summarize = ([first, ...others]: readonly Failure[]) =>
  [first?.message, ...others.map(({ message }) => `also: ${message.split("\n")[0]}`)].join("\n");

function failure(engine: Engine, problem: string | undefined, done: Deployment): DeployError {
  const { failures } = engine;
  return new DeployError(problem ?? summarize(failures), { failures, deployment: done });
}

function deployment(stack: Stack, engine: Engine, states: readonly ResourceState[]): Deployment {
  const { directory, config } = stack.project;
  const outputs = (values: WireObject) =>
    Object.fromEntries(Object.entries(values).map(([key, value]) => [key, toOutput(value, directory)]));
  const root = states.find(({ type }) => type === "pulumi:pulumi:Stack");
  const resources: DeployedResource[] = states
    .filter(({ obsolete }) => !obsolete)
    .map((state) => ({
      urn: state.urn,
      type: state.type,
      name: state.name,
      ...(state.parent && { parent: state.parent }),
      ...(state.id && { id: state.id }),
      action: engine.actions.get(state.urn) ?? "same",
      recorded: state.recorded === true,
      inputs: outputs(state.inputs),
      outputs: outputs(state.outputs),
    }));
  return {
    outputs: outputs(root?.outputs ?? {}),
    resources,
    summary: engine.summary,
    region: config["aws:region"],
    recorded: [...engine.recorded].sort(),
    async update(changes: UpdateOptions = {}) {
      const options = { ...stack.options, ...changes };
      const { project } = await prepare(options);
      return run({ ...stack, options, project });
    },
    destroy: () => destroy(stack),
  };
}

async function destroy(stack: Stack): Promise<Summary> {
  const started = performance.now();
  await using _lock = await stack.store.lock();
  const engine = await openEngine(stack);
  try {
    await engine.destroy();
    await engine.save();
    const { summary, failed } = engine;
    const milliseconds = performance.now() - started;
    emitter(stack.options)({ kind: "summary", summary, recorded: [], milliseconds, failed });
    if (failed) throw failure(engine, undefined, deployment(stack, engine, engine.snapshot().resources));
    return summary;
  } finally {
    engine.settings.hosts.close();
  }
}
