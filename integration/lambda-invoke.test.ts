import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { invoke, makeFunction } from "./harness/functions";

const emulator = useEmulator();
let client: LambdaClient | undefined;
const lambda = () => {
  client ??= new LambdaClient(settings(emulator.current));
  return client;
};
const run = async (name: string, code: string | Record<string, string>, event?: unknown, options = {}) => {
  await makeFunction(lambda(), name, code, options);
  return invoke(lambda(), name, event, { LogType: "Tail" });
};

describe("invoking a function", () => {
  it("gives the handler the event and sends back what it returns", async () => {
    const { status, error, version, result } = await run("echo", "exports.handler = async (event) => ({ event })", {
      greeting: "hyvää päivää",
    });
    expect({ status, error, version, result }).toEqual({
      status: 200,
      error: undefined,
      version: "$LATEST",
      result: { event: { greeting: "hyvää päivää" } },
    });
  });

  it("gives an empty object for a missing payload and null for a missing result", async () => {
    const { text, log } = await run("nothing", "exports.handler = async (event) => { console.log(typeof event); }");
    expect(text).toBe("null");
    expect(log).toContain("object");
  });

  it("keeps module state between invocations of one environment", async () => {
    await makeFunction(lambda(), "counter", "let n = 0; exports.handler = async () => ++n");
    const counts = [];
    for (let i = 0; i < 3; i++) counts.push((await invoke(lambda(), "counter")).result);
    expect(counts).toEqual([1, 2, 3]);
  });

  it("fills the context object", async () => {
    const { result } = await run(
      "context",
      `exports.handler = async (event, context) => {
        const { getRemainingTimeInMillis, ...rest } = context;
        return { ...rest, left: getRemainingTimeInMillis() };
      }`,
      {},
      { MemorySize: 256, Timeout: 7 },
    );
    expect(result).toMatchObject({
      functionName: "context",
      functionVersion: "$LATEST",
      invokedFunctionArn: "arn:aws:lambda:eu-west-1:000000000000:function:context",
      memoryLimitInMB: "256",
      logGroupName: "/aws/lambda/context",
      awsRequestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      logStreamName: expect.stringMatching(/^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}$/),
    });
    expect(result.left).toBeGreaterThan(0);
    expect(result.left).toBeLessThanOrEqual(7000);
  });

  it("passes the client context on", async () => {
    await makeFunction(lambda(), "client-context", "exports.handler = async (event, context) => context.clientContext");
    const ClientContext = Buffer.from(JSON.stringify({ custom: { unit: "c" } })).toString("base64");
    const { result } = await invoke(lambda(), "client-context", {}, { ClientContext });
    expect(result).toEqual({ custom: { unit: "c" } });
  });

  it("gives the function its own environment variables and none of this process", async () => {
    vi.stubEnv("SECRET_OF_THE_TEST", "secret");
    onTestFinished(() => void vi.unstubAllEnvs());
    const { result } = await run(
      "env",
      "exports.handler = async () => process.env",
      {},
      {
        Environment: { Variables: { COLOUR: "blue" } },
      },
    );
    expect(result).toMatchObject({
      COLOUR: "blue",
      AWS_REGION: "eu-west-1",
      AWS_LAMBDA_FUNCTION_NAME: "env",
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "128",
      AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x",
      _HANDLER: "index.handler",
      AWS_ENDPOINT_URL: emulator.current.endpoint,
    });
    expect(result).not.toHaveProperty("SECRET_OF_THE_TEST");
    expect(result.PATH).not.toBe(process.env.PATH);
  });

  it("sets the trace header of each invocation", async () => {
    await makeFunction(lambda(), "traced", "exports.handler = async () => process.env._X_AMZN_TRACE_ID");
    const traces = [await invoke(lambda(), "traced"), await invoke(lambda(), "traced")].map(({ result }) => result);
    expect(traces[0]).toMatch(/^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=[01]$/);
    expect(traces[1]).not.toBe(traces[0]);
  });

  it("runs ES modules, with top-level await", async () => {
    const { result } = await run("esm", {
      "index.mjs": "const ready = await Promise.resolve('ready'); export const handler = async () => ready;",
    });
    expect(result).toBe("ready");
  });

  it("runs .js files as ES modules where package.json says so", async () => {
    const { result } = await run("esm-type", {
      "package.json": '{"type":"module"}',
      "index.js": "import { name } from './other.js'; export const handler = async () => name;",
      "other.js": "export const name = import.meta.url.split('/').pop();",
    });
    expect(result).toBe("other.js");
  });

  it("finds handlers in folders and nested exports, and modules of the package's own", async () => {
    const { result } = await run(
      "nested",
      {
        "src/app.js": "exports.routes = { main: async () => require('left')(1) };",
        "node_modules/left/index.js": "module.exports = (n) => n + 41;",
      },
      {},
      { Handler: "src/app.routes.main" },
    );
    expect(result).toBe(42);
  });

  it("offers the AWS SDK to packages that leave it out, and its calls reach the emulator", async () => {
    const { result } = await run(
      "sdk",
      `const { LambdaClient, ListFunctionsCommand } = require("@aws-sdk/client-lambda");
       const lambda = new LambdaClient({});
       exports.handler = async () => (await lambda.send(new ListFunctionsCommand({}))).Functions.some((f) => f.FunctionName === "sdk");`,
      {},
      { Timeout: 15, MemorySize: 512 },
    );
    expect(result).toBe(true);
  });

  it("accepts callbacks in the runtimes that have them", async () => {
    const { result } = await run(
      "callback",
      "exports.handler = (event, context, callback) => { setTimeout(() => callback(null, 'called'), 1); }",
      {},
      { Runtime: "nodejs22.x" },
    );
    expect(result).toBe("called");
  });
});

describe("the log of an invocation", () => {
  it("has the lines of the function between START, END and REPORT", async () => {
    const { log } = await run(
      "logs",
      "exports.handler = async () => { console.log('one', { a: 1 }); console.error('two'); }",
    );
    const lines = log!.trimEnd().split("\n");
    const id = /^START RequestId: (\S+) Version: \$LATEST$/.exec(lines[1]!)![1]!;
    expect(lines[0]).toMatch(/^INIT_START Runtime Version: nodejs:24\.v\d+\tRuntime Version ARN: arn:/);
    expect(lines[2]).toMatch(new RegExp(`^\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z\\t${id}\\tINFO\\tone \\{ a: 1 \\}$`));
    expect(lines[3]).toMatch(new RegExp(`\\t${id}\\tERROR\\ttwo$`));
    expect(lines[4]).toBe(`END RequestId: ${id}`);
    expect(lines[5]).toMatch(
      new RegExp(
        `^REPORT RequestId: ${id}\\tDuration: [\\d.]+ ms\\tBilled Duration: \\d+ ms\\tMemory Size: 128 MB\\tMax Memory Used: \\d+ MB\\tInit Duration: [\\d.]+ ms`,
      ),
    );
  });

  it("reports the initialization only once", async () => {
    await run("init-once", "exports.handler = async () => {}");
    const { log } = await invoke(lambda(), "init-once", {}, { LogType: "Tail" });
    expect(log).toContain("REPORT");
    expect(log).not.toContain("Init Duration");
    expect(log).not.toContain("INIT_START");
  });

  it("takes what is written to the standard streams, line by line and as it is", async () => {
    const { log } = await run(
      "raw",
      "exports.handler = async () => { process.stdout.write('first\\nsec'); process.stdout.write('ond'); process.stderr.write('third\\n'); }",
    );
    expect(log!.split("\n")).toEqual(expect.arrayContaining(["first", "second", "third"]));
  });

  it("is JSON when the function asks for it, from the chosen level on", async () => {
    const { log } = await run(
      "json-logs",
      "exports.handler = async () => { console.debug('quiet'); console.warn('loud', new TypeError('odd')); }",
      {},
      { LoggingConfig: { LogFormat: "JSON", ApplicationLogLevel: "WARN" } },
    );
    const entries = log!
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    const own = entries.filter((entry) => "level" in entry);
    expect(own).toHaveLength(1);
    expect(own[0]).toMatchObject({
      level: "WARN",
      errorType: "TypeError",
      errorMessage: "odd",
      requestId: expect.any(String),
    });
    expect(entries.map((entry) => entry.type).filter(Boolean)).toEqual([
      "platform.initStart",
      "platform.start",
      "platform.report",
    ]);
    expect(entries.at(-1).record).toMatchObject({ status: "success", metrics: { memorySizeMB: 128 } });
  });

  it("is cut to its last 4 KB in LogType=Tail", async () => {
    const { log } = await run(
      "long-log",
      "exports.handler = async () => { for (let i = 0; i < 200; i++) console.log('line', i, '-'.repeat(50)); }",
    );
    expect(Buffer.byteLength(log!)).toBe(4096);
    expect(log).toContain("line 199");
    expect(log).toContain("REPORT");
  });
});

describe("ways of invocation", () => {
  it("checks without running on DryRun", async () => {
    await makeFunction(lambda(), "dry", "exports.handler = async () => { throw new Error('ran'); }");
    expect(await invoke(lambda(), "dry", {}, { InvocationType: "DryRun" })).toMatchObject({ status: 204, text: "" });
    await expect(invoke(lambda(), "missing", {}, { InvocationType: "DryRun" })).rejects.toMatchObject({
      name: "ResourceNotFoundException",
      message: "Function not found: arn:aws:lambda:eu-west-1:000000000000:function:missing",
    });
  });

  it.each(["RequestResponse", "Event", "DryRun"] as const)("refuses a payload that is not JSON (%s)", async (type) => {
    await makeFunction(lambda(), `strict-${type}`, "exports.handler = async () => 1");
    const broken = new InvokeCommand({
      FunctionName: `strict-${type}`,
      InvocationType: type,
      Payload: Buffer.from("{nope"),
    });
    await expect(lambda().send(broken)).rejects.toMatchObject({
      name: "InvalidRequestContentException",
      message: expect.stringContaining("Could not parse request body into json"),
      $metadata: { httpStatusCode: 400 },
    });
    expect((await invoke(lambda(), `strict-${type}`)).result).toBe(1);
  });

  it.each([
    ["RequestResponse", 6_291_456],
    ["Event", 1_048_576],
  ] as const)("refuses a payload above the limit of %s", async (type, limit) => {
    await makeFunction(lambda(), `limit-${type}`, "exports.handler = async (event) => event.length");
    const payload = (size: number) => Buffer.from(JSON.stringify("x".repeat(size - 2)));
    const send = (size: number) =>
      lambda().send(new InvokeCommand({ FunctionName: `limit-${type}`, InvocationType: type, Payload: payload(size) }));
    await expect(send(limit + 1)).rejects.toMatchObject({
      name: "RequestTooLargeException",
      $metadata: { httpStatusCode: 413 },
    });
    expect((await send(limit)).StatusCode).toBe(type === "Event" ? 202 : 200);
  });

  it("answers a result above 6 MB with an error of the function", async () => {
    const { error, result } = await run("large", "exports.handler = async () => 'x'.repeat(6_300_000)");
    expect(error).toBe("Unhandled");
    expect(result.errorType).toBe("Function.ResponseSizeTooLarge");
  });
});
