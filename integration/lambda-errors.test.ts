import { LambdaClient } from "@aws-sdk/client-lambda";
import { expect, it } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { invoke, makeFunction } from "./harness/functions";

const emulator = useEmulator();
let client: LambdaClient | undefined;
const lambda = () => {
  client ??= new LambdaClient(settings(emulator.current));
  return client;
};
const run = async (name: string, code: string | Record<string, string>, options = {}) => {
  await makeFunction(lambda(), name, code, options);
  return invoke(lambda(), name, {}, { LogType: "Tail" });
};

it("answers a thrown error with its type, message and trace, and says so in the status", async () => {
  const { status, error, result, log } = await run(
    "throws",
    "class Odd extends Error { constructor(m) { super(m); this.name = 'Odd'; } } exports.handler = async () => { throw new Odd('very'); }",
  );
  expect({ status, error }).toEqual({ status: 200, error: "Unhandled" });
  expect(result).toMatchObject({ errorType: "Odd", errorMessage: "very" });
  expect(result.trace[0]).toBe("Odd: very");
  expect(result.trace[1]).toContain("index.js:1");
  expect(log).toMatch(/\tERROR\tInvoke Error\t\{"errorType":"Odd","errorMessage":"very"/);
  expect(log).toContain("Status: error\tError Type: Odd");
});

it("answers a thrown value that is no error", async () => {
  const { result } = await run("throws-text", "exports.handler = async () => { throw 'plain'; }");
  expect(result).toEqual({ errorType: "string", errorMessage: "plain", trace: [] });
});

it("goes on with the same environment after an error of the handler", async () => {
  await makeFunction(
    lambda(),
    "every-other",
    "let n = 0; exports.handler = async () => { if (++n % 2) throw new Error('odd'); return n; }",
  );
  expect((await invoke(lambda(), "every-other")).error).toBe("Unhandled");
  expect((await invoke(lambda(), "every-other")).result).toBe(2);
});

it("stops a function at its timeout, even one that never yields, and starts anew", async () => {
  await makeFunction(
    lambda(),
    "endless",
    "let runs = 0; exports.handler = async (event) => { runs++; if (event.spin) { console.log('spinning'); for (;;); } return runs; }",
    { Timeout: 1 },
  );
  expect((await invoke(lambda(), "endless", {})).result).toBe(1);
  const { error, result, log } = await invoke(lambda(), "endless", { spin: true }, { LogType: "Tail" });
  expect(error).toBe("Unhandled");
  expect(result).toEqual({
    errorType: "Sandbox.Timedout",
    errorMessage: expect.stringMatching(/^RequestId: [0-9a-f-]{36} Error: Task timed out after 1\.00 seconds$/),
  });
  expect(log).toContain("spinning");
  expect(log).toContain("Task timed out after 1.00 seconds");
  expect(log).toContain("Status: timeout");
  expect((await invoke(lambda(), "endless", {})).result).toBe(1);
});

it.each([
  ["exit status 3", "process.exit(3)", "Error: Runtime exited with error: exit status 3"],
  ["signal", "process.kill(process.pid, 'SIGKILL')", "Error: Runtime exited with error: exit status 1"],
  ["exit without status", "process.exit(0)", "Error: Runtime exited without providing a reason"],
])("reports a function that ends its process: %s", async (name, code, message) => {
  const { error, result } = await run(name.replaceAll(" ", "-"), `exports.handler = async () => { ${code} }`);
  expect(error).toBe("Unhandled");
  expect(result.errorType).toBe("Runtime.ExitError");
  expect(result.errorMessage).toMatch(new RegExp(`^RequestId: [0-9a-f-]{36} ${message}$`));
});

it("ends a function that needs more memory than it has, and nothing else", async () => {
  const { result, log } = await run(
    "hungry",
    "exports.handler = async () => { const all = []; for (;;) all.push(new Array(100_000).fill(Math.random())); }",
    { Timeout: 30 },
  );
  expect(result.errorType).toBe("Runtime.OutOfMemory");
  expect(log).toContain("Max Memory Used: 128 MB");
});

it("reports an exception outside of the handler's promise", async () => {
  const { result, log } = await run(
    "later",
    "exports.handler = () => new Promise(() => setTimeout(() => { throw new RangeError('late'); }, 1))",
  );
  expect(result).toMatchObject({ errorType: "RangeError", errorMessage: "late" });
  expect(log).toContain("Uncaught Exception");
});

it("reports a rejection that nobody handles", async () => {
  const { result, log } = await run(
    "rejects",
    "exports.handler = async () => { Promise.reject(new Error('lost')); await new Promise((r) => setTimeout(r, 1000)); }",
  );
  expect(result).toMatchObject({ errorType: "Runtime.UnhandledPromiseRejection", errorMessage: "Error: lost" });
  expect(log).toContain("Unhandled Promise Rejection");
});

it("reports a result that is not JSON", async () => {
  const { result } = await run("circular", "exports.handler = async () => { const a = {}; a.a = a; return a; }");
  expect(result).toMatchObject({ errorMessage: "Unable to stringify response body" });
});

it.each([
  [
    "Runtime.ImportModuleError",
    "require('not-there'); exports.handler = async () => 1",
    "Error: Cannot find module 'not-there'",
  ],
  ["Runtime.UserCodeSyntaxError", "exports.handler = async () => { this is wrong }", "SyntaxError: "],
  ["Runtime.HandlerNotFound", "exports.other = async () => 1", "index.handler is undefined or not exported"],
  [
    "Runtime.CallbackHandlerDeprecated",
    "exports.handler = (event, context, callback) => callback(null, 1)",
    "ERROR: AWS Lambda has removed support for callback-based function handlers",
  ],
  ["TypeError", "null.x; exports.handler = async () => 1", "Cannot read properties of null"],
])("names what is wrong with the code: %s", async (type, code, message) => {
  const { error, result } = await run(type.replace(".", "-"), code);
  expect(error).toBe("Unhandled");
  expect(result.errorType).toBe(type);
  expect(result.errorMessage).toContain(message);
});

it("names a module that the package does not have", async () => {
  const { result } = await run("no-module", { "other.js": "exports.handler = async () => 1" });
  expect(result.errorType).toBe("Runtime.ImportModuleError");
});

it("tells each of several waiting invocations that the code does not load", async () => {
  await makeFunction(lambda(), "broken", "throw new Error('at the start')");
  const answers = await Promise.all([1, 2, 3, 4, 5].map(() => invoke(lambda(), "broken")));
  for (const { error, result } of answers) {
    expect(error).toBe("Unhandled");
    expect(result).toMatchObject({ errorType: "Error", errorMessage: "at the start" });
  }
});

it("shows no file of the emulator in a trace", async () => {
  const { text } = await run("trace", "exports.handler = async () => { throw new Error('x'); }");
  expect(text).not.toContain("emulator");
});
