import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { GenericContainer } from "testcontainers";
import type { RunningBackend } from "./backend";
import { startContainers } from "./containers";

const name = "ministack";
const resetPath = "/_ministack/reset";
const readyPath = "/_ministack/ready";

/** IAM decides about calls, as on AWS; MiniStack leaves that off unless told. */
const settings = { AUTH: "true", LOG_LEVEL: "WARNING" };

/** With the AWS SDK, which functions find on AWS. */
const modules = resolve(__dirname, "../../../node_modules");
const sdkInContainer = "/opt/nodejs/node_modules";

/**
 * Starts MiniStack for each worker: as processes in the environment that `scripts/ministack.js` makes, or as containers
 * of the image that MINISTACK_IMAGE names.
 *
 * @throws Error that says what is missing.
 */
export async function startMiniStack(workers: number): Promise<RunningBackend> {
  const image = process.env.MINISTACK_IMAGE;
  if (image) return inContainers(image, workers);
  const python = pythonOf();
  // It unpacks functions there, and leaves them.
  const folder = mkdtempSync(join(tmpdir(), "ministack-"));
  const processes = await Promise.all(Array.from({ length: workers }, () => startProcess(python, folder)));
  const close = async () => {
    await Promise.all(processes.map(({ child }) => end(child)));
    rmSync(folder, { recursive: true, force: true });
  };
  return { name, resetPath, endpoints: processes.map(({ endpoint }) => endpoint), close };
}

/** In the host's network: what tests start, and a function or an integration calls, listens on 127.0.0.1. */
async function inContainers(image: string, workers: number): Promise<RunningBackend> {
  const ports: number[] = [];
  const { close } = await startContainers(image, workers, async () => {
    const port = await freePort();
    ports.push(port);
    return new GenericContainer(image)
      .withNetworkMode("host")
      .withEnvironment({ ...settings, ...addressOn(port), NODE_PATH: sdkInContainer })
      .withBindMounts([{ source: modules, target: sdkInContainer, mode: "ro" }]);
  });
  const endpoints = ports.map((port) => `http://127.0.0.1:${port}`);
  try {
    await Promise.all(endpoints.map((endpoint) => untilAnswer(`${endpoint}${readyPath}`)));
  } catch (error) {
    await close();
    throw error;
  }
  return { name, resetPath, endpoints, close };
}

/** Where it listens. Its MQTT port does on all addresses of the machine, whatever BIND_HOST says. */
const addressOn = (port: number) => ({ GATEWAY_PORT: `${port}`, BIND_HOST: "127.0.0.1", IOT_MTLS_ENABLED: "0" });

function pythonOf(): string {
  const script = resolve(__dirname, "../../../scripts/ministack.js");
  try {
    return execFileSync(process.execPath, [script], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }).trim();
  } catch {
    throw new Error(
      "TEST_BACKEND=ministack needs Python with access to PyPI, or MINISTACK_IMAGE with an image to run in Docker",
    );
  }
}

async function startProcess(python: string, folder: string): Promise<{ child: ChildProcess; endpoint: string }> {
  const port = await freePort();
  const env = {
    // Functions see all of it, as they do not on AWS; so it is no more than what they need to run, and the AWS SDK.
    PATH: process.env.PATH,
    HOME: folder,
    NODE_PATH: modules,
    ...settings,
    ...addressOn(port),
    TMPDIR: folder,
  };
  const child = spawn(python, ["-m", "ministack"], { env, cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  // Also where the run is broken off, and nobody calls `close`.
  process.once("exit", () => child.kill());
  let log = "";
  child.stderr?.on("data", (chunk) => {
    log = `${log}${chunk}`.slice(-4_000);
  });
  const endpoint = `http://127.0.0.1:${port}`;
  const ended = once(child, "exit").then(() => {
    throw new Error(`MiniStack ended before it was ready:\n${log}`);
  });
  await Promise.race([ended, untilAnswer(`${endpoint}${readyPath}`)]);
  ended.catch(() => {});
  return { child, endpoint };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 5_000);
  await gone;
  clearTimeout(timer);
}

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no TCP port is free");
  return address.port;
}

/** Waits until an address answers well. */
async function untilAnswer(url: string, patience = 30_000): Promise<void> {
  for (const end = Date.now() + patience; Date.now() < end; await new Promise((next) => setTimeout(next, 100))) {
    const response = await fetch(url).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.ok) return;
  }
  throw new Error(`${url} has not answered for ${patience / 1_000} s`);
}
