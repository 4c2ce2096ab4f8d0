import { getHeapStatistics } from "node:v8";
import { parentPort, workerData } from "node:worker_threads";
import type { InvokeMessage, WorkerMessage, WorkerSettings } from "./messages";
import { machineNow, setAhead } from "./worker-clock";
import { describeError, formatError, runtimeError } from "./worker-errors";
import { type Handler, loadHandler, supportsCallbacks } from "./worker-handler";
import { captureOutput } from "./worker-log";

/*
 * One execution environment: loads the function's code once, then runs one event at a time.
 *
 * Unlike on AWS, the environment is not frozen between invocations: timers and requests that a handler leaves behind go on.
 */
const port = parentPort!;
const settings = workerData as WorkerSettings;
setAhead(settings.ahead);
const post = (message: WorkerMessage) => port.postMessage(message);

let current: InvokeMessage | undefined;
// A worker cannot change directory; code that asks for it sees the package's folder, as on AWS.
process.cwd = () => settings.taskRoot;
// A function that ends its own process ends its environment, not the emulator that it shares the process with.
const { kill } = process;
process.kill = (pid, signal) => (pid === process.pid && signal !== 0 ? process.exit(1) : kill(pid, signal));
const output = captureOutput(settings, () => current?.id, post);

/** Bytes that V8 holds for this environment. Memory outside of V8 belongs to the whole process and is not counted. */
const memory = () => {
  const { total_heap_size, external_memory } = getHeapStatistics();
  return total_heap_size + external_memory;
};

function crash(label: string, thrown: unknown): void {
  output.error(label, describeError(thrown));
  const error = formatError(thrown);
  output.flush();
  post({ kind: "crash", payload: JSON.stringify(error), errorType: error.errorType, memory: memory() });
  process.exit(129);
}
process.on("uncaughtException", (error) => crash("Uncaught Exception", error));
process.on("unhandledRejection", (reason) => {
  const error = runtimeError("UnhandledPromiseRejection", String(reason));
  crash("Unhandled Promise Rejection", Object.assign(error, { reason }));
});

function fail(thrown: unknown): void {
  output.error("Invoke Error", describeError(thrown));
  const error = formatError(thrown);
  output.flush();
  current = undefined;
  post({ kind: "error", payload: JSON.stringify(error), errorType: error.errorType, memory: memory() });
}

function succeed(result: unknown): void {
  const payload = serialize(result);
  output.flush();
  current = undefined;
  post({ kind: "result", payload, memory: memory() });
}

function serialize(result: unknown): string {
  try {
    return JSON.stringify(result) ?? "null";
  } catch {
    throw runtimeError("JSONStringifyError", "Unable to stringify response body");
  }
}

async function invoke(handler: Handler, message: InvokeMessage): Promise<void> {
  let event: unknown;
  let clientContext: unknown;
  try {
    event = message.event === "" ? {} : JSON.parse(message.event);
    clientContext = message.clientContext ? JSON.parse(message.clientContext) : undefined;
  } catch (error) {
    return post({ kind: "not-json", message: (error as Error).message });
  }
  current = message;
  setAhead(message.ahead);
  process.env._X_AMZN_TRACE_ID = message.traceId;
  const context = {
    clientContext,
    identity: undefined,
    invokedFunctionArn: message.functionArn,
    awsRequestId: message.id,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    getRemainingTimeInMillis: () => message.deadline - machineNow(),
  };
  try {
    succeed(
      supportsCallbacks(settings.runtime)
        ? await callWithCallback(handler, event, context)
        : await handler(event, context),
    );
  } catch (error) {
    fail(error);
  }
}

/** The older signature. Not emulated: `callbackWaitsForEmptyEventLoop`; the answer goes out with the callback. */
function callWithCallback(handler: Handler, event: unknown, context: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const done = (error?: unknown, result?: unknown) => (error == null ? resolve(result) : reject(error));
    const legacy = { done, succeed: (result: unknown) => done(null, result), fail: (error: unknown) => reject(error) };
    const returned = handler(event, { ...context, ...legacy, callbackWaitsForEmptyEventLoop: true }, done);
    if (typeof (returned as PromiseLike<unknown> | undefined)?.then === "function") resolve(returned);
    // What a handler without promise and callback returns is not its answer in these runtimes.
    else if (handler.length < 3) setImmediate(() => resolve(null));
  });
}

loadHandler(settings.taskRoot, settings.handler, settings.runtime).then(
  (handler) => {
    port.on("message", (message: InvokeMessage) => void invoke(handler, message));
    post({ kind: "ready", memory: memory() });
  },
  (error) => crash("Uncaught Exception", error),
);
