import { fork } from "node:child_process";
import { startEmulator } from "../emulator";

/** How an emulator does, after a collection of garbage. */
export interface Health {
  /** Bytes that the emulator's own thread has on its heap; functions have heaps of their own. */
  readonly heap: number;
  /** Bytes outside of it: of buffers. */
  readonly external: number;
  /** Resident bytes of the whole process, functions included. */
  readonly rss: number;
  /** What keeps the process alive, by kind: sockets, servers, timers. */
  readonly handles: Readonly<Record<string, number>>;
  /** Faults that the emulator has reported since the start. */
  readonly faults: readonly string[];
  /** How often each call was answered by a 5xx since the start, as `service:Operation status code`. */
  readonly serverErrors: Readonly<Record<string, number>>;
}

/** An embedded AWS in a process of its own, which can be looked at from outside. */
export interface ObservedEmulator extends AsyncDisposable {
  readonly endpoint: string;
  readonly port: number;
  health(): Promise<Health>;
  /** Moves the emulator's clock. */
  advance(duration: string): Promise<void>;
  /** Resolves with what the process ended by, should it end before it is told to. */
  readonly crashed: Promise<string>;
}

type Question = { health: true } | { advance: string };
type Answer = { endpoint: string; port: number } | Health | { failed: string } | { done: true };

/** Starts one; its quotas are out of the way. */
export async function startObserved(): Promise<ObservedEmulator> {
  const child = fork(__filename, [], {
    execArgv: ["--expose-gc", "--enable-source-maps"],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const crashed = new Promise<string>((resolve) => {
    child.once("exit", (code, signal) => resolve(`the emulator's process ended: ${signal ?? `exit code ${code}`}`));
  });
  const gone = crashed.then((why) => Promise.reject(new Error(why)));
  gone.catch(() => {});
  const next = <T>() => Promise.race([new Promise<T>((resolve) => child.once("message", resolve)), gone]);
  let last: Promise<unknown> = Promise.resolve();
  // One question at a time: answers carry no number.
  const ask = <T>(question: Question): Promise<T> => {
    const answer = last.then(async () => {
      child.send(question);
      const answered = await next<T | { failed: string }>();
      if (typeof answered === "object" && answered !== null && "failed" in answered) throw new Error(answered.failed);
      return answered as T;
    });
    last = answer.catch(() => {});
    return answer;
  };
  const { endpoint, port } = await next<{ endpoint: string; port: number }>();
  return {
    endpoint,
    port,
    crashed,
    health: () => ask<Health>({ health: true }),
    advance: async (duration) => {
      await ask({ advance: duration });
    },
    async [Symbol.asyncDispose]() {
      child.kill();
      await crashed;
    },
  };
}

async function serve(): Promise<void> {
  const faults: string[] = [];
  const serverErrors: Record<string, number> = {};
  const emulator = await startEmulator({
    port: 0,
    quotas: { connectionsPerSecond: 1_000_000, requestsPerSecond: 1_000_000, requestBurst: 1_000_000 },
    onFault: (error, where) => faults.push(`${where}: ${error instanceof Error ? error.stack : String(error)}`),
  });
  emulator.watch(({ service, operation, status, code = "" }) => {
    if (status < 500) return;
    const call = `${service}:${operation} ${status} ${code}`.trim();
    serverErrors[call] = (serverErrors[call] ?? 0) + 1;
  });
  const health = async (): Promise<Health> => {
    // What finalizers let go of is collected in the next rounds.
    for (let round = 0; round < 3; round++) {
      globalThis.gc?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { heapUsed: heap, external, rss } = process.memoryUsage();
    const handles: Record<string, number> = {};
    for (const kind of process.getActiveResourcesInfo()) handles[kind] = (handles[kind] ?? 0) + 1;
    return { heap, external, rss, handles, faults, serverErrors };
  };
  const answer = async (question: Question): Promise<Answer> => {
    if ("health" in question) return health();
    await emulator.clock.advance(question.advance);
    return { done: true };
  };
  process.on("message", (question: Question) => {
    answer(question).then(
      (answered) => process.send?.(answered),
      (error: unknown) => process.send?.({ failed: String(error) } satisfies Answer),
    );
  });
  process.on("disconnect", () => process.exit());
  process.send?.({ endpoint: emulator.endpoint, port: emulator.port } satisfies Answer);
}

if (require.main === module) void serve();
