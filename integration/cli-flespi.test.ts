import { spawn } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { temporaryDirectory } from "./harness/flespi";
import { type FlespiStandin, position, startFlespi, token } from "./harness/flespi-standin";

const program = resolve(__dirname, "../dist/cli/flespi.js");
let flespi: FlespiStandin;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
const running = new Set<ReturnType<typeof spawn>>();
beforeEach(async () => {
  flespi = await startFlespi();
  directory = await temporaryDirectory();
});
afterEach(async () => {
  for (const child of running) child.kill("SIGKILL");
  expect(flespi.mistakes).toEqual([]);
  await flespi[Symbol.asyncDispose]();
  await directory[Symbol.asyncDispose]();
});

/** Runs the command in the test's directory. */
function run(args: string[], environment: Record<string, string> = { FLESPI_TOKEN: token }) {
  const child = spawn(process.execPath, [program, "--channel", "429", "--url", flespi.url, ...args], {
    cwd: directory.path,
    env: { PATH: process.env.PATH, ...environment },
  });
  running.add(child);
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => (stdout += chunk));
  child.stderr.on("data", (chunk) => (stderr += chunk));
  const exited = new Promise<number | null>((done) => child.once("close", (code) => done(code)));
  const lines = () => stdout.split("\n").slice(0, -1);
  return { child, exited, lines, messages: () => lines().map((line) => JSON.parse(line)), log: () => stderr };
}

const many = (count: number) => Array.from({ length: count }, (_, n) => position(`truck-${n % 3}`, n));
const inDirectory = (file: string) => readFile(join(directory.path, file), "utf8");

test("prints a channel's messages, keeps its place in a file, and waits for more until it is ended", async () => {
  flespi.add(...many(5), "no message");
  const first = run([]);
  await expect.poll(() => first.messages()).toEqual(many(5));
  flespi.add(position("late", 9));
  await expect.poll(() => first.messages().at(-1)).toEqual(position("late", 9));
  first.child.kill("SIGTERM");
  expect(await first.exited).toBe(0);
  expect(JSON.parse(await inDirectory("flespi-429.cursor.json"))).toEqual({ channelId: "429", nextKey: "8" });
  expect(JSON.parse(await inDirectory("flespi-429.dead-letters.ndjson"))).toMatchObject({
    reason: "it is not a JSON object",
    message: "no message",
  });
  expect(first.log()).not.toContain(token);

  flespi.add(position("next", 10));
  const second = run(["--once", "--wait", "0"]);
  expect(await second.exited).toBe(0);
  expect(second.messages()).toEqual([position("next", 10)]);
});

test("killed in the middle, and started again, it has lost nothing, and repeated one page at most", async () => {
  flespi.add(...many(200));
  // The fifth request is on its way when the process is killed.
  flespi.fault = ({ number }) => (number === 5 ? "hang" : undefined);
  const killed = run(["--limit-count", "10"]);
  await vi.waitFor(() => expect(flespi.requests).toHaveLength(5), 10_000);
  killed.child.kill("SIGKILL");
  await killed.exited;
  const next = run(["--limit-count", "10", "--once", "--wait", "0"]);
  expect(await next.exited).toBe(0);
  const texts = [...killed.lines(), ...next.lines()];
  expect(new Set(texts)).toEqual(new Set(many(200).map((message) => JSON.stringify(message))));
  expect(texts.length).toBeLessThanOrEqual(210);
});

test("hands messages to a handler of one's own", async () => {
  const handler = `
    import { appendFileSync } from "node:fs";
    export default () => ({
      async handle(messages) { appendFileSync("out.txt", messages.map(({ id, ident }) => ident + " " + id + "\\n").join("")); },
      async close() { appendFileSync("out.txt", "closed"); },
    });`;
  await writeFile(join(directory.path, "mine.mjs"), handler);
  flespi.add(...many(2));
  const mine = run(["--handler", "./mine.mjs", "--once", "--wait", "0"]);
  expect(await mine.exited).toBe(0);
  expect(mine.lines()).toEqual([]);
  expect(await inDirectory("out.txt")).toMatch(/^truck-0 truck-0\/\d+\/\S{22}\ntruck-1 truck-1\/\d+\/\S{22}\nclosed$/);
});

describe("ends at once, with a message that says why, when", () => {
  test("the command line is wrong: all mistakes are told together", async () => {
    const wrong = run(
      ["--limit-count", "1", "--wait", "soon", "--topic", "a/+", "--mqtt", "host", "--handler", "./no.js"],
      {},
    );
    expect(await wrong.exited).toBe(2);
    for (const part of [
      "the variable FLESPI_TOKEN must hold a flespi token",
      "--limit-count must be a whole number from 2 to 10000, not 1",
      "--wait must be a whole number from 0 to 60, not soon",
      "--topic must be a topic of AWS IoT (the topic must not hold +, # or a null character)",
      "--cert must be given with --mqtt",
      "--key must be given with --mqtt",
      "--handler ./no.js cannot be loaded",
    ]) {
      expect(wrong.log()).toContain(part);
    }
    expect(flespi.requests).toEqual([]);
  });

  test("flespi refuses the token", async () => {
    flespi.fault = () => ({ status: 401, reason: "expired" });
    const refused = run([]);
    expect(await refused.exited).toBe(1);
    expect(refused.log()).toContain(
      "flespi refused the token (HTTP 401): 401 expired; use one that may read channel 429",
    );
    expect(refused.log()).not.toContain(token);
  });

  test("the cursor's file is none", async () => {
    await writeFile(join(directory.path, "flespi-429.cursor.json"), "{}");
    const refused = run([]);
    expect(await refused.exited).toBe(1);
    expect(refused.log()).toContain("does not hold a cursor; name another file, or delete it");
  });
});
