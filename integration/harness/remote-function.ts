import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll } from "vitest";
import type { Clock } from "../../emulator";

/** A run of a function that waits for the test to say how it ends. */
export interface RemoteRun {
  // biome-ignore lint/suspicious/noExplicitAny: events are whatever the test sent
  readonly event: any;
  readonly requestId: string;
  /** How many runs this environment has had, with this one. */
  readonly run: number;
  /** Makes the handler return a value. */
  succeed(value?: unknown): void;
  /** Makes the handler throw an Error. */
  fail(message: string): void;
  /** Ends the environment's process. */
  crash(): void;
}

/** Functions whose handlers report to the test and end as the test says. */
export interface RemoteFunctions {
  /** The code of a function that reports under a name. It answers the event "probe" at once, without a report. */
  code(name: string): Record<string, string>;
  /** The same, for a function that many tests share: a JavaScript expression gives the name of a run from its `event`. */
  codeNamedBy(expression: string): Record<string, string>;
  /** The next run of the functions of that name. */
  next(name: string): Promise<RemoteRun>;
  /** Runs of that name that the test has not taken with {@link next}. */
  waiting(name: string): number;
}

/** Remote functions for one test file; nothing in them depends on time. */
export function useRemoteFunctions(): RemoteFunctions {
  const runs = new Map<string, RemoteRun[]>();
  const takers = new Map<string, ((run: RemoteRun) => void)[]>();
  const server = createServer(async (request, response) => {
    const name = decodeURIComponent(request.url!.slice(1));
    const report = JSON.parse(Buffer.concat(await request.toArray()).toString("utf8"));
    const run = { ...report, ...endings(response) };
    const taker = takers.get(name)?.shift();
    if (taker) taker(run);
    else runs.set(name, [...(runs.get(name) ?? []), run]);
  });
  beforeAll(async () => {
    await once(server.listen(0, "127.0.0.1"), "listening");
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  const codeNamedBy = (expression: string) => ({
    "index.js": `const http = require("node:http");
        const server = "http://127.0.0.1:${(server.address() as AddressInfo).port}/";
        let run = 0;
        exports.handler = async (event, context) => event === "probe" ? "free" : new Promise((resolve, reject) => {
          const url = server + encodeURIComponent(${expression});
          const request = http.request(url, { method: "POST" }, async (response) => {
            const { error, value, crash } = JSON.parse(Buffer.concat(await response.toArray()).toString("utf8"));
            if (crash) process.exit(1);
            if (error === undefined) resolve(value);
            else reject(new Error(error));
          });
          request.on("error", reject);
          request.end(JSON.stringify({ event, requestId: context.awsRequestId, run: ++run }));
        });`,
  });
  return {
    code: (name) => codeNamedBy(JSON.stringify(name)),
    codeNamedBy,
    next: (name) =>
      new Promise((resolve) => {
        const run = runs.get(name)?.shift();
        if (run) resolve(run);
        else takers.set(name, [...(takers.get(name) ?? []), resolve]);
      }),
    waiting: (name) => runs.get(name)?.length ?? 0,
  };
}

/** Moves the clock step by step until a run begins, and gives it: a move waits for the runs that begin in it. */
export async function runLater(
  { next }: RemoteFunctions,
  clock: Clock,
  name: string,
  step: string,
): Promise<RemoteRun> {
  let run: RemoteRun | undefined;
  const begun = next(name).then((found) => {
    run = found;
  });
  while (!run) await Promise.race([begun, clock.advance(step)]);
  return run;
}

const endings = (response: ServerResponse): Pick<RemoteRun, "succeed" | "fail" | "crash"> => ({
  succeed: (value) => response.end(JSON.stringify({ value })),
  fail: (error) => response.end(JSON.stringify({ error })),
  crash: () => response.end(JSON.stringify({ crash: true })),
});
