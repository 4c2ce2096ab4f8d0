import { fork } from "node:child_process";
import autocannon from "autocannon";

/** Requests to send to one address, over and over. */
export interface Load {
  url: string;
  headers?: Record<string, string>;
  method?: "POST" | "GET" | "PUT";
  /** One body for all requests, or several in turn. */
  body?: string | string[];
  /** Path for each request in turn, for loads that write to different keys. */
  paths?: string[];
  connections: number;
  /** Requests in all. */
  amount: number;
}

/** What one load measured. */
export interface Measured {
  requestsPerSecond: number;
  /** Milliseconds. */
  p50: number;
  /** Milliseconds. */
  p99: number;
  /** Answers that were not 2xx, and requests without an answer. */
  failures: number;
}

const percentile = (sorted: readonly number[], part: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;

async function send({ url, headers = {}, method = "POST", body, paths, connections, amount }: Load): Promise<Measured> {
  const times: number[] = [];
  let failures = 0;
  const bodies = Array.isArray(body) ? body : [body];
  const requests = Array.from({ length: Math.max(bodies.length, paths?.length ?? 0) }, (_, index) => ({
    method,
    headers,
    body: bodies[index % bodies.length],
    ...(paths && { path: paths[index % paths.length] }),
  }));
  const started = performance.now();
  // Autocannon says that it is done at its next tick, up to a second after the last answer.
  let ended = started;
  await new Promise<void>((resolve, reject) => {
    const run = autocannon({ url, connections, amount, requests, timeout: 30 }, (error) =>
      error ? reject(error) : resolve(),
    );
    run.on("response", (_client, status, _bytes, time) => {
      times.push(time);
      ended = performance.now();
      if (status < 200 || status > 299) failures++;
    });
    run.on("reqError", () => {
      failures++;
    });
  });
  const seconds = (ended - started) / 1000;
  times.sort((a, b) => a - b);
  return {
    requestsPerSecond: times.length / seconds,
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
    failures,
  };
}

/** Sends a load from a process of its own, after a warm-up of a tenth of it. */
export function measure(load: Load): Promise<Measured> {
  return new Promise((resolve, reject) => {
    const child = fork(__filename, [], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    child.once("message", (result) => {
      child.disconnect();
      resolve(result as Measured);
    });
    child.once("error", reject);
    child.once("exit", (code) => code && reject(new Error(`the load generator ended with ${code}`)));
    child.send(load);
  });
}

if (require.main === module) {
  process.once("message", (message) => {
    const load = message as Load;
    const warmUp = { ...load, amount: Math.max(load.connections, Math.ceil(load.amount / 10)) };
    send(warmUp)
      .then(() => send(load))
      .then((result) => process.send?.(result));
  });
}
