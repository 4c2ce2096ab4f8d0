import type { ChildProcess } from "node:child_process";
import { statSync } from "node:fs";
import type { Socket } from "node:net";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import {
  type ProgramCall,
  type ProgramEnd,
  type ProgramRun,
  type ProgramSinks,
  spawnNode,
  startProgram,
} from "./program-call";
import { endOfRun, type WarmOrder, type WarmReport } from "./warm-order";

/**
 * Runs a program again and again in one process, in which Pulumi's SDK and the AWS SDK stay loaded and compiled: what
 * takes seconds in a new process takes a part of one there. Every other module, the program's own ones first, is loaded
 * anew by each run. For those who deploy the same program often; give it to each `update`, and close it.
 *
 * A new process is started where the old one would not do: after a run that failed, when what is installed or the
 * environment has changed, and for a program that has parts which cannot be loaded twice (ES modules and native add-ons).
 * What a program leaves in `globalThis`, and in modules of Pulumi and AWS, is there in the next run.
 */
export class WarmProgram {
  private host?: Host;
  private closed = false;
  private readonly end = () => this.host?.kill();

  constructor() {
    process.once("exit", this.end);
  }

  /** @internal */
  start(call: ProgramCall, sinks: ProgramSinks): ProgramRun {
    const key = keyOf(call);
    // Two stacks at once: the process has one monitor.
    if (this.host?.busy) return startProgram(call, sinks);
    if (this.host?.key !== key) {
      this.host?.kill();
      this.host = this.prepare(call, key);
    }
    return this.host.run(call, sinks);
  }

  /** Ends the process. */
  close(): void {
    this.closed = true;
    process.off("exit", this.end);
    this.end();
  }

  private prepare(call: ProgramCall, key: string): Host {
    const host: Host = new Host(call, key, (modules) => {
      if (this.host !== host) return;
      this.host = undefined;
      if (this.closed || modules.length === 0) return;
      this.host = this.prepare(call, key);
      this.host.load(modules);
    });
    return host;
  }
}

/** A process that runs programs, one after the other. */
class Host {
  private readonly child: ChildProcess;
  private job?: { sinks: ProgramSinks; open: Set<keyof ProgramSinks>; resolve(end: ProgramEnd): void };
  private readonly failed: Promise<never>;
  private next: readonly string[] = [];

  /** @param gone told when the process has ended, with the modules that the next one is to load in advance */
  constructor(
    call: ProgramCall,
    readonly key: string,
    gone: (modules: readonly string[]) => void,
  ) {
    const child = spawnNode(call, [require.resolve("./warm-process"), call.runner], true);
    this.child = child;
    for (const name of ["stdout", "stderr"] as const) {
      createInterface({ input: child[name] }).on("line", (line) => this.take(name, line));
    }
    child.on("message", ({ loadNext }: WarmReport) => {
      this.next = loadNext;
    });
    this.failed = new Promise((_, reject) => child.on("error", reject));
    this.failed.catch(() => gone([]));
    child.on("close", (code, signal) => {
      gone(this.next);
      this.finish({ code, signal });
    });
    this.hold(false);
  }

  get busy(): boolean {
    return this.job !== undefined;
  }

  /** Has the process load these while it waits. */
  load(modules: readonly string[]): void {
    this.send({ load: modules });
  }

  run(call: ProgramCall, sinks: ProgramSinks): ProgramRun {
    const ended = new Promise<ProgramEnd>((resolve) => {
      this.job = { sinks, open: new Set(["stdout", "stderr"]), resolve };
    });
    this.hold(true);
    const { flags, dryRun, entry, env } = call;
    this.send({ run: { flags, dryRun, entry, env } });
    return { ended: Promise.race([ended, this.failed]), kill: () => this.kill() };
  }

  kill(): void {
    this.child.kill();
  }

  private send(order: WarmOrder): void {
    // A process that is gone tells it by its end.
    this.child.send(order, () => undefined);
  }

  private take(name: keyof ProgramSinks, line: string): void {
    const { job } = this;
    if (!job) return;
    const isEnd = line.endsWith(endOfRun);
    const text = isEnd ? line.slice(0, -endOfRun.length) : line;
    if (!isEnd || text !== "") job.sinks[name](text);
    if (!isEnd) return;
    job.open.delete(name);
    if (job.open.size === 0) this.finish({ code: 0, signal: null });
  }

  private finish(end: ProgramEnd): void {
    const { job } = this;
    this.job = undefined;
    this.hold(false);
    job?.resolve(end);
  }

  /** Whether this process lives as long as that one: not while it waits. */
  private hold(on: boolean): void {
    const { stdout, stderr, channel } = this.child;
    for (const one of [this.child, stdout as Socket, stderr as Socket, channel]) {
      if (on) one?.ref();
      else one?.unref();
    }
  }
}

/**
 * What has to be the same for a run in the same process: all but the program, where the monitor is, and of the environment
 * the program's config and the settings of the AWS SDK, which it reads again for each client.
 */
function keyOf({ runner, nodeArguments, cwd, env }: ProgramCall): string {
  const fixed = Object.entries(env).filter(([name]) => !/^(?:AWS_|PULUMI_CONFIG)/.test(name));
  return JSON.stringify([runner, nodeArguments, fixed, installedStamps(cwd)]);
}

/** Files that tell what is installed, and how Node is to load it: the package's own, npm's, pnpm's and Yarn's. */
const installed = ["package.json", ".package-lock.json", ".modules.yaml", ".yarn-state.yml"].map((name) =>
  name === "package.json" ? name : join("node_modules", name),
);

function installedStamps(directory: string): [string, number][] {
  const stamps = installed.flatMap((name): [string, number][] => {
    const path = join(directory, name);
    const found = statSync(path, { throwIfNoEntry: false });
    return found ? [[path, found.mtimeMs]] : [];
  });
  const above = dirname(directory);
  return above === directory ? stamps : [...stamps, ...installedStamps(above)];
}
