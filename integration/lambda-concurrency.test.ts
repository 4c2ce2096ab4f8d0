import {
  DeleteFunctionConcurrencyCommand,
  GetAccountSettingsCommand,
  GetFunctionConcurrencyCommand,
  LambdaClient,
  PutFunctionConcurrencyCommand,
  UpdateFunctionCodeCommand,
} from "@aws-sdk/client-lambda";
import { expect, it } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { bundledSdk, invoke, makeFunction, zip } from "./harness/functions";

const emulator = useEmulator();
let client: LambdaClient | undefined;
const lambda = () => {
  client ??= new LambdaClient(settings(emulator.current));
  return client;
};

/** Answers with the number of its environment after a while. */
const slow =
  "const id = Math.random(); exports.handler = async (ms) => { await new Promise((r) => setTimeout(r, ms)); return id; }";
const many = (count: number, name: string, event: unknown) =>
  Promise.all(Array.from({ length: count }, () => invoke(lambda(), name, event)));

it("runs one event at a time in an environment, and more environments side by side", async () => {
  await makeFunction(
    lambda(),
    "exclusive",
    "let busy = 0; exports.handler = async () => { busy++; await new Promise((r) => setTimeout(r, 20)); const seen = busy; busy--; return seen; }",
  );
  const answers = await many(12, "exclusive", {});
  expect(answers.map(({ result }) => result)).toEqual(Array(12).fill(1));
});

it("lets concurrent events that all wait for each other finish", async () => {
  await makeFunction(lambda(), "parallel", slow, { Timeout: 30 });
  const answers = await many(8, "parallel", 500);
  expect(new Set(answers.map(({ result }) => result)).size).toBeGreaterThan(2);
});

it("serves a burst of short events with few environments", async () => {
  await makeFunction(lambda(), "burst", slow);
  const answers = await many(40, "burst", 0);
  expect(new Set(answers.map(({ result }) => result)).size).toBeLessThan(20);
});

it("uses the environment again that was used last", async () => {
  await makeFunction(lambda(), "reused", slow);
  await many(3, "reused", 50);
  const ids = [];
  for (let i = 0; i < 3; i++) ids.push((await invoke(lambda(), "reused", 0)).result);
  expect(new Set(ids).size).toBe(1);
});

it("lets go of environments that are idle for minutes", async () => {
  await makeFunction(lambda(), "idle", slow);
  const first = (await invoke(lambda(), "idle", 0)).result;
  await emulator.current.clock.advance("1 minute");
  expect((await invoke(lambda(), "idle", 0)).result).toBe(first);
  await emulator.current.clock.advance("10 minutes");
  expect((await invoke(lambda(), "idle", 0)).result).not.toBe(first);
});

it("lets a function call itself", async () => {
  await makeFunction(
    lambda(),
    "recursive",
    {
      "sdk.js": bundledSdk("@aws-sdk/client-lambda"),
      "index.js": `const { LambdaClient, InvokeCommand } = require("./sdk");
     const lambda = new LambdaClient({});
     exports.handler = async (depth) => {
       if (depth === 0) return 0;
       const { Payload } = await lambda.send(new InvokeCommand({ FunctionName: "recursive", Payload: JSON.stringify(depth - 1) }));
       return 1 + JSON.parse(Buffer.from(Payload).toString());
     };`,
    },
    { Timeout: 20, MemorySize: 512 },
  );
  expect((await invoke(lambda(), "recursive", 2)).result).toBe(2);
});

it("throttles a function that has used up its reserved concurrency", async () => {
  await makeFunction(lambda(), "reserved", slow, { Timeout: 10 });
  await invoke(lambda(), "reserved", 0);
  const reserve = new PutFunctionConcurrencyCommand({ FunctionName: "reserved", ReservedConcurrentExecutions: 1 });
  expect(await lambda().send(reserve)).toMatchObject({ ReservedConcurrentExecutions: 1 });
  const results = await Promise.allSettled([1, 2].map(() => invoke(lambda(), "reserved", 300)));
  expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  expect(results.find((result) => result.status === "rejected")?.reason).toMatchObject({
    name: "TooManyRequestsException",
    message: "Rate Exceeded.",
    Reason: "ReservedFunctionConcurrentInvocationLimitExceeded",
    $metadata: { httpStatusCode: 429 },
  });
  await lambda().send(new DeleteFunctionConcurrencyCommand({ FunctionName: "reserved" }));
  expect(
    (await lambda().send(new GetFunctionConcurrencyCommand({ FunctionName: "reserved" }))).ReservedConcurrentExecutions,
  ).toBeUndefined();
  expect(await many(2, "reserved", 0)).toHaveLength(2);
});

it("keeps 100 executions unreserved", async () => {
  await makeFunction(lambda(), "greedy", slow);
  const reserve = (count: number) =>
    lambda().send(new PutFunctionConcurrencyCommand({ FunctionName: "greedy", ReservedConcurrentExecutions: count }));
  await expect(reserve(901)).rejects.toMatchObject({
    name: "InvalidParameterValueException",
    message: expect.stringContaining("below its minimum value of [100]"),
  });
  await reserve(900);
  expect((await lambda().send(new GetAccountSettingsCommand({}))).AccountLimit).toMatchObject({
    ConcurrentExecutions: 1000,
    UnreservedConcurrentExecutions: 100,
  });
  await reserve(0);
  await expect(invoke(lambda(), "greedy", 0)).rejects.toMatchObject({ name: "TooManyRequestsException" });
});

it("runs new code after an update and lets what runs finish", async () => {
  await makeFunction(lambda(), "updated", slow, { Timeout: 10 });
  await invoke(lambda(), "updated", 0);
  const arrived = Promise.withResolvers<void>();
  const stop = emulator.current.intercept(() => arrived.resolve());
  const running = invoke(lambda(), "updated", 400);
  await arrived.promise;
  stop();
  await lambda().send(
    new UpdateFunctionCodeCommand({
      FunctionName: "updated",
      ZipFile: zip({ "index.js": "exports.handler = async () => 'new'" }),
    }),
  );
  expect((await invoke(lambda(), "updated", 0)).result).toBe("new");
  expect(await running).toMatchObject({ error: undefined, result: expect.any(Number) });
});
