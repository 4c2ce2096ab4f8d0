import { type ChildProcess, fork } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { BatchWriteItemCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { type Emulator, startEmulator } from "../emulator";

/**
 * What the measurements run against, each in a process of its own:
 * - `constant`: a bare node:http server that answers `{}`.
 * - `sdk`: the same, but each request first makes one BatchWriteItem call through the AWS SDK to the constant server.
 *   What separates it from the emulator is the emulator's own cost.
 * - `emulator`: the embedded AWS.
 */
export type ServerKind = "constant" | "sdk" | "emulator";

/** A started server. */
export interface Started {
  readonly url: string;
  /** Milliseconds from the start of its process to the first request that it could answer. */
  readonly readyMs: number;
  /** Resident memory when it got ready, in bytes. */
  readonly memory: number;
  /** Does `work` and counts the API calls that the emulator got meanwhile, by `service:Operation`. */
  count(work: () => Promise<void>): Promise<Record<string, number>>;
  /** Moves the emulator's clock when nothing is under way. Gives the seconds that the move took. */
  advance(duration: string): Promise<number>;
  stop(): void;
}

interface Ready {
  url: string;
  memory: number;
}

const answer = (body: string) => ({
  status: 200,
  headers: { "content-type": "application/x-amz-json-1.0", "content-length": String(Buffer.byteLength(body)) },
  body,
});

function listen(handle: (body: string) => Promise<string> | string): Promise<string> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", async () => {
      const { status, headers, body } = answer(await handle(Buffer.concat(chunks).toString("utf8")));
      response.writeHead(status, headers).end(body);
    });
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  });
}

async function serveSdk(endpoint: string): Promise<string> {
  const dynamodb = new DynamoDBClient({
    endpoint,
    region: "eu-west-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
  return listen(async (body) => {
    const [message] = JSON.parse(body) as { tsmTuid: string }[];
    const Item = { tuid: { S: message!.tsmTuid }, sk: { S: "0" }, data: { S: body } };
    await dynamodb.send(new BatchWriteItemCommand({ RequestItems: { readings: [{ PutRequest: { Item } }] } }));
    return '{"status":"ok","accepted":1,"rejected":0}';
  });
}

async function advance({ clock }: Emulator, duration: string): Promise<number> {
  await clock.idle();
  const started = performance.now();
  await clock.advance(duration);
  return (performance.now() - started) / 1000;
}

async function serveEmulator(): Promise<string> {
  const emulator = await startEmulator({ port: 0 });
  // Watching costs a little on each request, so it is on only between "count" and "calls".
  const calls: Record<string, number> = {};
  let stop: (() => void) | undefined;
  process.on("message", (message) => {
    if (message === "count") {
      stop = emulator.watch(({ service, operation }) => {
        calls[`${service}:${operation}`] = (calls[`${service}:${operation}`] ?? 0) + 1;
      });
      process.send?.("counting");
    }
    if (typeof message === "object" && message !== null && "advance" in message) {
      void advance(emulator, String(message.advance)).then((seconds) => process.send?.(seconds));
    }
    if (message === "calls") {
      stop?.();
      process.send?.({ ...calls });
      for (const call of Object.keys(calls)) delete calls[call];
    }
  });
  return emulator.endpoint;
}

/**
 * Starts a server in a process of its own.
 *
 * @param target the constant server that `sdk` calls.
 */
export function startServer(kind: ServerKind, target = ""): Promise<Started> {
  const started = performance.now();
  const child = fork(__filename, [kind, target], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("message", (message) => {
      const { url, memory } = message as Ready;
      resolve({
        url,
        memory,
        readyMs: performance.now() - started,
        count: async (work) => {
          await ask(child, "count");
          await work();
          return (await ask(child, "calls")) as Record<string, number>;
        },
        advance: async (duration) => (await ask(child, { advance: duration })) as number,
        stop: () => child.kill(),
      });
    });
  });
}

function ask(child: ChildProcess, question: string | object): Promise<unknown> {
  return new Promise((resolve) => {
    child.once("message", resolve);
    child.send(question);
  });
}

if (require.main === module) {
  const [, , kind, target = ""] = process.argv;
  const serve = { constant: () => listen(() => "{}"), sdk: () => serveSdk(target), emulator: serveEmulator };
  serve[kind as ServerKind]().then((url) => {
    process.send?.({ url, memory: process.memoryUsage().rss } satisfies Ready);
  });
  process.on("disconnect", () => process.exit());
}
