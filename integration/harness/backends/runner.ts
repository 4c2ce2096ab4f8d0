import {
  inject,
  type RunnerTask,
  type RunnerTaskResultPack,
  type RunnerTestCase,
  type RunnerTestFile,
  type RunnerTestSuite,
  TestRunner,
  type VitestTestRunner,
} from "vitest";
import { whyNot } from "./capabilities";
import { embeddedOnly } from "./capabilities/embedded-only";
import { testName } from "./capabilities/gap";

/**
 * Runs tests on a backend that is not embedded. Those that its table of capabilities excludes are skipped, and those that
 * ask for what only the embedded AWS has.
 */
export default class BackendRunner extends TestRunner {
  /** Set by Vitest: tells its main process. */
  declare onTaskUpdate?: VitestTestRunner["onTaskUpdate"];

  onCollected(files: RunnerTestFile[]): void {
    for (const file of files) exclude(file);
  }

  override async onAfterRunSuite(suite: RunnerTestSuite): Promise<void> {
    const errors = suite.result?.errors ?? [];
    if (errors.length > 0 && errors.every(isNeed)) {
      suite.result = { state: "skip" };
      // Vitest has told of these tests already, as skipped without a reason.
      const packs = testsOf(suite).map((test): RunnerTaskResultPack => {
        test.meta.needs ??= errors[0]?.message;
        return [test.id, test.result, test.meta];
      });
      await this.onTaskUpdate?.(packs, []);
    }
    await super.onAfterRunSuite(suite);
  }

  override async onAfterRetryTask(...args: Parameters<TestRunner["onAfterRetryTask"]>): Promise<void> {
    const [test] = args;
    const failsAsExpected = test.result?.state === "fail" && reasonOf(test) !== undefined;
    // A test that needs the embedded AWS has shown nothing, also where it has caught the error.
    if (test.result && (test.meta.needs !== undefined || failsAsExpected)) {
      test.result.state = "skip";
      test.result.errors = undefined;
    }
    await super.onAfterRetryTask(...args);
  }
}

/** The tests of a suite and of the suites in it. */
const testsOf = (suite: RunnerTestSuite): RunnerTestCase[] =>
  suite.tasks.flatMap((task) => (task.type === "suite" ? testsOf(task) : [task]));

const isNeed = ({ name }: { name?: string }) => name === "NeedsEmbedded";

/** With BACKEND_AUDIT=1, what a backend cannot do is run too, to see which of it passes by now. */
const isAudit = process.env.BACKEND_AUDIT === "1";
const isAboutEmbedded = (reason: string) => embeddedOnly.some(({ lacks }) => lacks === reason);

/** Marks what is not to run. A suite with nothing to run does not run its hooks either. */
function exclude(task: RunnerTask): void {
  if (task.type === "suite") {
    for (const child of task.tasks) exclude(child);
    if (task.mode === "run" && task.tasks.every(({ mode }) => mode !== "run")) task.mode = "skip";
  } else if (task.mode === "run") {
    const reason = reasonOf(task);
    if (reason !== undefined && !(isAudit && !isAboutEmbedded(reason))) task.mode = "skip";
  }
}

function reasonOf(test: RunnerTestCase): string | undefined {
  const names = [test.name];
  for (let { suite } = test; suite; { suite } = suite) names.unshift(suite.name);
  return whyNot(inject("backend"), testName(test.file.filepath, names.join(" > ")));
}
