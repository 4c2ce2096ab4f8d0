import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { expect, it, vi } from "vitest";

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

it("leaves no program behind when what deploys it is killed", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sensorcast-killed-"));
  try {
    await writeFile(join(folder, "Pulumi.yaml"), "name: endless\nruntime: nodejs\n");
    await writeFile(join(folder, "index.js"), "console.log('program', process.pid); setInterval(() => {}, 1000);");
    const cli = resolve(__dirname, "../dist/cli/deploy.js");
    const child = spawn(process.execPath, [cli, "--endpoint", "http://127.0.0.1:1", "--program", folder], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let program = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      program = Number(/program (\d+)/.exec(line)?.[1] ?? 0);
      if (program > 0) break;
    }
    expect(isAlive(program)).toBe(true);
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
    await vi.waitFor(() => expect(isAlive(program)).toBe(false), { timeout: 10_000, interval: 50 });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 30_000);
