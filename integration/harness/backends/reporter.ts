import type { Reporter, TestCase, TestModule, TestSuite } from "vitest/node";
import type { BackendNote } from "./backend";
import { gapsOf, whyNot } from "./capabilities";
import { isFor, testName } from "./capabilities/gap";

/** Ends a run on a backend with what ran, what did not, and why not, each with its count. */
export default class BackendReporter implements Reporter {
  private readonly reasons = new Map<string, number>();
  private readonly names: string[] = [];
  private readonly passNow: string[] = [];
  private passed = 0;
  private failed = 0;

  onTestRunEnd(modules: readonly TestModule[]): void {
    const backend = modules[0]?.project.getProvidedContext().backend;
    if (!backend) return;
    for (const module of modules) {
      // A file that could not even be loaded has no tests to count.
      if (module.errors().length > 0) this.failed++;
      for (const test of module.children.allTests()) this.count(backend, test);
    }
    const notRun = [...this.reasons.values()].reduce((sum, count) => sum + count, 0);
    const numbers = [`${this.passed} passed`, `${this.failed} failed`, `${notRun} not run`];
    const lines = [...this.reasons].sort(([, a], [, b]) => b - a).map(([reason, count]) => `  ${count}: ${reason}`);
    lines.push(...this.passNow.map((name) => `excluded, and passes now: ${name}`), ...this.stale(backend, modules));
    process.stdout.write(`\n${lines.join("\n")}\n\n${backend.name}: ${numbers.join(", ")}\n`);
  }

  private count(backend: BackendNote, test: TestCase): void {
    const name = testName(test.module.moduleId, test.fullName);
    this.names.push(name);
    const reason = whyNot(backend, name);
    const { state } = test.result();
    if (state === "passed") {
      this.passed++;
      if (reason !== undefined) this.passNow.push(name);
    } else if (state === "failed" || (reason === undefined && isBroken(test))) {
      this.failed++;
    } else {
      const why = test.meta().needs ?? reason ?? "skipped on every backend";
      this.reasons.set(why, (this.reasons.get(why) ?? 0) + 1);
    }
  }

  /** Patterns of the table that are for no test, as far as their files were run. */
  private stale(backend: BackendNote, modules: readonly TestModule[]): string[] {
    const files = new Set(modules.map(({ moduleId }) => testName(moduleId, "")));
    const patterns = gapsOf(backend).flatMap(({ tests }) => tests);
    return patterns
      .filter((pattern) => files.has(`${pattern.split(":")[0]}: `) && !this.names.some((test) => isFor(pattern, test)))
      .map((pattern) => `excluded, and no test: ${pattern}`);
  }
}

/** Whether a hook of its suites, or of its file, has failed. */
function isBroken(test: TestCase): boolean {
  for (let at: TestSuite | TestModule = test.parent; ; at = at.parent) {
    if (at.errors().length > 0) return true;
    if (at.type === "module") return false;
  }
}
