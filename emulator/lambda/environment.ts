import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { Worker } from "node:worker_threads";
import type { ForcedEnd } from "../core/faults/run";
import { limits } from "../core/limits";
import type { SystemLog } from "./log-lines";
import type { InvokeMessage, WorkerMessage, WorkerSettings } from "./messages";

/** A line of log on its way to CloudWatch Logs. */
export interface LogEvent {
  readonly timestamp: number;
  readonly message: string;
}

/** What an environment needs to run one version of a function. */
export interface EnvironmentSpec extends Omit<WorkerSettings, "ahead"> {
  /** Everything that `process.env` holds. */
  readonly variables: Readonly<Record<string, string>>;
  /** MB. */
  readonly memorySize: number;
  /** Milliseconds. */
  readonly timeout: number;
  readonly systemLog: SystemLog;
  readonly now: () => number;
  readonly log: (events: readonly LogEvent[]) => void;
}

export interface InvokeRequest extends Omit<InvokeMessage, "deadline" | "ahead"> {
  /** How it is to end, whatever the handler does. */
  readonly forcedEnd?: ForcedEnd;
}

export interface Outcome {
  /** JSON of the answer or of the error. */
  readonly payload: string;
  /** Undefined when the handler returned. */
  readonly errorType?: string;
  /** The event could not be read as JSON: the handler was not called. */
  readonly notJson?: string;
  /** Log lines of this invocation, oldest first. */
  readonly lines: readonly string[];
}

type Ending = Omit<Outcome, "lines">;

interface Running {
  readonly request: InvokeRequest;
  readonly started: number;
  readonly events: LogEvent[];
  readonly timer: NodeJS.Timeout;
  readonly resolve: (outcome: Outcome) => void;
}

const initLimit = limits.lambda.init.value;

const responseLimit = limits.lambda.responsePayload.value;

/**
 * One execution environment: a worker thread with its own heap, modules and `process.env`, that runs one event at a time.
 *
 * The memory limit is that of V8's heap. Not emulated: buffers count for nothing, and a single allocation far above
 * the limit (a Map or a text that grows to hundreds of MB) ends the whole process, because V8 cannot give up one thread.
 *
 * Inside functions, `Date` is that of the emulator's clock. Timers, and so init and invocation timeouts, wait in real time:
 * they wait for real I/O.
 */
export class Environment {
  /** Set when nothing can run here any more. */
  dead = false;
  private readonly worker: Worker;
  private readonly born = performance.now();
  private readonly gone: Promise<unknown>;
  private initMs?: number;
  private memory = 0;
  private running?: Running;
  private failure?: Ending;
  private early: LogEvent[] = [];

  /** Starts a worker; {@link load} tells when it has the function's code. */
  constructor(private readonly spec: EnvironmentSpec) {
    this.worker = new Worker(join(__dirname, "worker.js"), {
      workerData: {
        taskRoot: spec.taskRoot,
        handler: spec.handler,
        runtime: spec.runtime,
        logFormat: spec.logFormat,
        logLevel: spec.logLevel,
        ahead: this.ahead,
      } satisfies WorkerSettings,
      env: { ...spec.variables },
      argv: [],
      execArgv: [],
      stdin: false,
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: spec.memorySize },
      name: spec.variables.AWS_LAMBDA_FUNCTION_NAME,
    });
    this.gone = new Promise((resolve) => this.worker.once("exit", resolve));
    // Only what Node itself prints comes this way: the worker has replaced its own streams.
    for (const stream of [this.worker.stdout, this.worker.stderr]) {
      stream.on("data", (chunk: Buffer) => this.append(chunk.toString("utf8")));
    }
    const initLine = spec.systemLog.initStart(spec.now());
    if (initLine) this.early.push({ timestamp: spec.now(), message: initLine });
  }

  /** Runs one event. On an environment whose code failed to load, answers that failure. */
  invoke(request: InvokeRequest): Promise<Outcome> {
    const { spec } = this;
    const events = this.early;
    this.early = [];
    const now = spec.now();
    const line = spec.systemLog.start(now, request.id);
    if (line) events.push({ timestamp: now, message: line });
    return new Promise((resolve) => {
      this.running = {
        request,
        started: performance.now(),
        events,
        resolve,
        timer: setTimeout(() => this.timeOut(), spec.timeout),
      };
      if (this.dead) return this.finish(this.failure ?? this.exited(undefined));
      const { forcedEnd, ...message } = request;
      if (forcedEnd && !forcedEnd.after) return this.force(forcedEnd);
      const deadline = Date.now() + spec.timeout;
      this.worker.postMessage({ ...message, deadline, ahead: this.ahead } satisfies InvokeMessage);
    });
  }

  /** Stops the worker at once and waits until it is gone. */
  async terminate(): Promise<void> {
    this.dead = true;
    if (this.running) this.finish(this.exited(undefined));
    this.flush();
    await this.worker.terminate();
    await this.gone;
  }

  /** Resolves when the code is loaded or failed to: then {@link invoke} answers the failure. */
  load(): Promise<void> {
    return new Promise((resolve) => {
      const settle = () => {
        clearTimeout(timer);
        this.initMs = performance.now() - this.born;
        resolve();
      };
      const timer = setTimeout(() => {
        this.die({
          payload: error("Sandbox.Timedout", `Error: Task timed out after ${seconds(initLimit)} seconds`),
          errorType: "Sandbox.Timedout",
        });
        settle();
      }, initLimit);
      this.worker.on("message", (message: WorkerMessage) => {
        if (typeof message === "string") return this.append(`${message}\n`);
        if ("memory" in message) this.memory = Math.max(this.memory, message.memory);
        if (message.kind === "ready") return settle();
        if (message.kind === "crash") {
          this.die(message);
          return settle();
        }
        const forcedEnd = this.running?.request.forcedEnd;
        if (forcedEnd && message.kind !== "not-json") return this.force(forcedEnd);
        this.finish(this.ending(message));
      });
      this.worker.on("error", (cause: NodeJS.ErrnoException) => {
        this.die(cause.code === "ERR_WORKER_OUT_OF_MEMORY" ? this.outOfMemory() : this.exited(1));
        settle();
      });
      this.worker.on("exit", (code) => {
        if (!this.dead) this.die(this.exited(code));
        settle();
      });
    });
  }

  private get ahead(): number {
    return this.spec.now() - Date.now();
  }

  private ending(message: Exclude<WorkerMessage, string | { kind: "ready" | "crash" }>): Ending {
    if (message.kind === "not-json") return { payload: "", notJson: message.message };
    if (message.kind === "error") return message;
    const { payload } = message;
    if (payload.length * 3 <= responseLimit || Buffer.byteLength(payload) <= responseLimit) return { payload };
    const errorType = "Function.ResponseSizeTooLarge";
    const why = `Response payload size exceeded maximum allowed payload size (${responseLimit} bytes).`;
    return { payload: error(errorType, why), errorType };
  }

  /** Marks the environment dead and answers what runs in it; without a running event the failure waits for the next one. */
  private die(failure: Ending): void {
    if (this.dead) return;
    this.dead = true;
    this.failure = failure;
    void this.worker.terminate();
    if (this.running) this.finish(failure);
  }

  /** Ends the running event as a fault has it. */
  private force({ kind, wait }: ForcedEnd): void {
    if (kind === "crash") this.die(this.exited(1));
    // Else the timer ends it.
    else if (!wait) this.timeOut();
  }

  private timeOut(): void {
    const running = this.running;
    // An answer may already wait in the event loop's next turn when this thread was busy.
    setImmediate(() => {
      if (!running || this.running !== running) return;
      const { id } = running.request;
      const text = `Task timed out after ${seconds(this.spec.timeout)} seconds`;
      this.append(`${new Date(this.spec.now()).toISOString()} ${id} ${text}\n\n`);
      const errorType = "Sandbox.Timedout";
      this.die({ payload: error(errorType, `RequestId: ${id} Error: ${text}`), errorType });
    });
  }

  private exited(code: number | undefined) {
    const why = code ? `Runtime exited with error: exit status ${code}` : "Runtime exited without providing a reason";
    return { payload: this.runtimeFailure("Runtime.ExitError", why), errorType: "Runtime.ExitError" };
  }

  private outOfMemory() {
    this.memory = this.spec.memorySize * 1_048_576;
    const errorType = "Runtime.OutOfMemory";
    return { payload: this.runtimeFailure(errorType, "Runtime exited with error: signal: killed"), errorType };
  }

  private runtimeFailure(errorType: string, why: string): string {
    const id = this.running?.request.id;
    this.append(`RequestId: ${id} Error: ${why}\n${errorType}\n`);
    return error(errorType, `${id ? `RequestId: ${id} ` : ""}Error: ${why}`);
  }

  private finish(end: Ending): void {
    const running = this.running;
    if (!running) return;
    this.running = undefined;
    clearTimeout(running.timer);
    if (end.notJson === undefined) this.report(running, end);
    running.resolve({ ...end, lines: running.events.map(({ message }) => message) });
  }

  /** Writes the last lines of an invocation and hands its log over. */
  private report(running: Running, end: Ending): void {
    const { spec } = this;
    const timestamp = spec.now();
    const status = !end.errorType ? "success" : end.errorType === "Sandbox.Timedout" ? "timeout" : "error";
    const report = {
      requestId: running.request.id,
      durationMs: status === "timeout" ? spec.timeout : performance.now() - running.started,
      initMs: this.initMs,
      memorySize: spec.memorySize,
      memoryUsed: this.memory,
      status,
      errorType: end.errorType,
    } as const;
    this.initMs = undefined;
    for (const message of spec.systemLog.end(timestamp, report)) running.events.push({ timestamp, message });
    spec.log(running.events);
  }

  /** Adds output to the running invocation's log, or keeps it for the next one. */
  private append(message: string): void {
    (this.running?.events ?? this.early).push({ timestamp: this.spec.now(), message });
    if (this.early.length > 1_000) this.flush();
  }

  private flush(): void {
    if (this.early.length) this.spec.log(this.early);
    this.early = [];
  }
}

const seconds = (ms: number) => (ms / 1000).toFixed(2);
const error = (errorType: string, errorMessage: string) => JSON.stringify({ errorType, errorMessage });
