import { Worker } from "node:worker_threads";
import { closureCode } from "../../components/closure";

/** A handler that runs as Lambda would run it: its bundled code alone in a thread of its own, with its own variables. */
export interface RunningFunction extends AsyncDisposable {
  /** All that it has written to its log. */
  readonly log: string;
  /** Runs the handler; rejects with what it throws. */
  invoke<Answer>(event: unknown, options?: { remainingMs?: number }): Promise<Answer>;
}

/** Loads the code and answers one event at a time; plain JavaScript, as it runs without this project around it. */
const loader = `
const { parentPort, workerData } = require("node:worker_threads");
const module_ = { exports: {} };
new Function("module", "exports", "require", workerData.code)(module_, module_.exports, require);
parentPort.on("message", async ({ id, event, remainingMs }) => {
  const end = Date.now() + remainingMs;
  try {
    const answer = await module_.exports.handler(event, { getRemainingTimeInMillis: () => end - Date.now() });
    parentPort.postMessage({ id, answer });
  } catch (error) {
    parentPort.postMessage({ id, error: String(error) });
  }
});
`;

type Reply = { id: number; answer?: unknown; error?: string };

/** Serializes a factory with all that it captures, and bundles it. */
export const functionCode = async (factory: () => unknown) => (await closureCode(factory, "the function")).text;

/** Starts bundled code. */
export function startFunction(code: string, environment: Record<string, string>): RunningFunction {
  const credentials = { AWS_REGION: "eu-west-1", AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };
  const env = { ...credentials, ...environment };
  const worker = new Worker(loader, { eval: true, workerData: { code }, env, stdout: true, stderr: true });
  const waiting = new Map<number, (reply: Reply) => void>();
  worker.on("message", (reply: Reply) => waiting.get(reply.id)?.(reply));
  let log = "";
  for (const stream of [worker.stdout, worker.stderr]) stream.on("data", (chunk) => (log += chunk));
  let last = 0;
  return {
    get log() {
      return log;
    },
    invoke: <Answer>(event: unknown, { remainingMs = 29_000 } = {}) =>
      new Promise<Answer>((resolve, reject) => {
        const id = ++last;
        worker.once("error", reject);
        waiting.set(id, ({ answer, error }) => {
          waiting.delete(id);
          worker.off("error", reject);
          if (error === undefined) resolve(answer as Answer);
          else reject(new Error(error));
        });
        worker.postMessage({ id, event, remainingMs });
      }),
    [Symbol.asyncDispose]: async () => {
      await worker.terminate();
    },
  };
}
