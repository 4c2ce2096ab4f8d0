import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, relative, resolve } from "node:path";
import { defineConfig } from "vitest/config";
import { CountReporter } from "./integration/harness/count-reporter.mts";

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

export default defineConfig({
  plugins: [useCompiled],
  test: {
    include: ["integration/**/*.test.ts"],
    // Forked processes: the closure serializer needs the inspector, which worker threads lack.
    pool: "forks",
    // Vitest leaves one core free unless told; much of the time here is waiting for child processes.
    maxWorkers: Math.max(2, availableParallelism()),
    reporters: ["default", new CountReporter()],
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
});
