import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, relative, resolve } from "node:path";
import { defineConfig } from "vitest/config";
import { CountReporter } from "./integration/harness/count-reporter.mts";
import { LeastPrivilegeReporter } from "./integration/harness/least-privilege-reporter.mts";

const root = import.meta.dirname;
const compiled = new Set([
  "bench",
  "cli",
  "client",
  "components",
  "dashboard",
  "deploy",
  "emulator",
  "handlers",
  "index",
  "testing",
]);

/**
 * Tests run the compiled program, never a transformed copy of its sources: functions that become Lambdas are serialized
 * from the code that Node really loaded (see CONTRIBUTING.md).
 */
const useCompiled = {
  name: "sensorcast:use-compiled",
  enforce: "pre" as const,
  resolveId(source: string, importer: string | undefined) {
    if (!importer || !source.startsWith(".")) return null;
    const path = relative(root, resolve(dirname(importer), source));
    if (!compiled.has(path.split("/")[0]!)) return null;
    const target = [`dist/${path}.js`, `dist/${path}/index.js`].map((p) => resolve(root, p)).find((p) => existsSync(p));
    if (!target) throw new Error(`${path} is not compiled: run "npm run compile"`);
    return { id: target, external: true };
  },
};

/** Where the tests run; what starts it knows what it may be. */
const backend = process.env.TEST_BACKEND || "embedded";
const isEmbedded = backend === "embedded";
const backends = "./integration/harness/backends";
/** Vitest leaves one core free unless told; much of the time here is waiting for child processes. */
const workers = Math.max(2, availableParallelism());

export default defineConfig({
  plugins: [useCompiled],
  test: {
    include: ["integration/**/*.test.ts"],
    // Forked processes: the closure serializer needs the inspector, which worker threads lack.
    pool: "forks",
    // Files share these processes: to load the compiled program and the SDKs, and to run them until they are fast, takes
    // most short files longer than their tests. Nothing here keeps state in modules, and so nothing comes through. Files
    // that leave something behind at another backend, where they stop at what it lacks, stay by themselves.
    isolate: !isEmbedded,
    // An endpoint that somebody else started is emptied between files: one at a time.
    maxWorkers: backend.startsWith("endpoint=") ? 1 : workers,
    reporters: [
      "default",
      isEmbedded ? new CountReporter() : `${backends}/reporter.ts`,
      ...(process.env.LEAST_PRIVILEGE ? [new LeastPrivilegeReporter()] : []),
    ],
    ...(!isEmbedded && {
      globalSetup: `${backends}/setup.ts`,
      runner: `${backends}/runner.ts`,
      // Of calls that a test has left behind where it stopped, at what only the embedded AWS has.
      onUnhandledError: () => false,
    }),
    // Deployments to another process take longer.
    testTimeout: isEmbedded ? 20_000 : 60_000,
    hookTimeout: 60_000,
  },
});
