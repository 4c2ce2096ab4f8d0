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
import { invoke, makeFunction, zip } from "./harness/functions";
import { useRemoteFunctions } from "./harness/remote-function";

const emulator = useEmulator();
const remote = useRemoteFunctions();
let client: LambdaClient | undefined;
const lambda = () => {
  client ??= new LambdaClient(settings(emulator.current));
  return client;
};

/** Answers with the number of its environment. */
const numbered = "const id = Math.random(); exports.handler = async () => id";
const times = <T>(count: number, make: () => Promise<T>) => Promise.all(Array.from({ length: count }, make));
const many = (count: number, name: string) => times(count, () => invoke(lambda(), name));

it("runs one event at a time in an environment", async () => {
  await makeFunction(
    lambda(),
    "exclusive",
    "let busy = 0; exports.handler = async () => { busy++; await new Promise(setImmediate); const seen = busy; busy--; return seen; }",
  );
  const answers = await many(20, "exclusive");
  expect(answers.map(({ result }) => result)).toEqual(Array(20).fill(1));
});

it("runs events side by side when they wait, each in its own environment", async () => {
  await makeFunction(lambda(), "parallel", remote.code("parallel"), { Timeout: 30 });
  const answers = times(8, () => invoke(lambda(), "parallel", {}));
  const runs = await times(8, () => remote.next("parallel"));
  expect(runs.map(({ run }) => run)).toEqual(Array(8).fill(1));
  for (const run of runs) run.succeed();
  await answers;
});

it("serves a burst of short events with few environments", async () => {
  await makeFunction(lambda(), "burst", numbered);
  const answers = await many(40, "burst");
  expect(new Set(answers.map(({ result }) => result)).size).toBeLessThan(20);
});

it("uses the environment again that was used last", async () => {
  await makeFunction(lambda(), "reused", numbered);
  await many(3, "reused");
  const ids = [];
  for (let i = 0; i < 5; i++) ids.push((await invoke(lambda(), "reused")).result);
  expect(new Set(ids).size).toBe(1);
});

it("lets go of environments that are idle for minutes", async () => {
  await makeFunction(lambda(), "idle", numbered);
  const first = (await invoke(lambda(), "idle")).result;
  await emulator.current.clock.advance("1 minute");
  expect((await invoke(lambda(), "idle")).result).toBe(first);
  await emulator.current.clock.advance("10 minutes");
  expect((await invoke(lambda(), "idle")).result).not.toBe(first);
});

it("keeps the environment of a function that is called again and again, for as long as the pauses are", async () => {
  await makeFunction(lambda(), "regular", numbered);
  const seen: unknown[] = [];
  for (const pause of ["0 minutes", "1 hour", "1 hour", "1 hour", "3 hours"]) {
    await emulator.current.clock.advance(pause);
    seen.push((await invoke(lambda(), "regular")).result);
  }
  const [first, second, third, fourth, last] = seen;
  expect(second).not.toBe(first);
  expect([third, fourth]).toEqual([second, second]);
  expect(last).not.toBe(fourth);
});

it("lets a function call itself", async () => {
  await makeFunction(
    lambda(),
    "recursive",
    {
      "index.js": `const { LambdaClient, InvokeCommand } = require("@aws-sdk/client-lambda");
     const lambda = new LambdaClient({});
     exports.handler = async (depth) => {
       if (depth === 0) return 0;
       const { Payload } = await lambda.send(new InvokeCommand({ FunctionName: "recursive", Payload: JSON.stringify(depth - 1) }));
       return 1 + JSON.parse(Buffer.from(Payload).toString());
     };`,
    },
    { Timeout: 20, MemorySize: 512 },
  );
  expect((await invoke(lambda(), "recursive", 1)).result).toBe(1);
});

it("throttles a function that has used up its reserved concurrency", async () => {
  await makeFunction(lambda(), "reserved", remote.code("reserved"), { Timeout: 10 });
  const reserve = new PutFunctionConcurrencyCommand({ FunctionName: "reserved", ReservedConcurrentExecutions: 1 });
  expect(await lambda().send(reserve)).toMatchObject({ ReservedConcurrentExecutions: 1 });
  const first = invoke(lambda(), "reserved", {});
  const run = await remote.next("reserved");
  await expect(invoke(lambda(), "reserved", {})).rejects.toMatchObject({
    name: "TooManyRequestsException",
    message: "Rate Exceeded.",
    Reason: "ReservedFunctionConcurrentInvocationLimitExceeded",
    $metadata: { httpStatusCode: 429 },
  });
  await lambda().send(new DeleteFunctionConcurrencyCommand({ FunctionName: "reserved" }));
  const left = await lambda().send(new GetFunctionConcurrencyCommand({ FunctionName: "reserved" }));
  expect(left.ReservedConcurrentExecutions).toBeUndefined();
  const second = invoke(lambda(), "reserved", {});
  (await remote.next("reserved")).succeed("second");
  run.succeed("first");
  expect([(await first).result, (await second).result]).toEqual(["first", "second"]);
});

it("keeps 100 executions unreserved", async () => {
  await makeFunction(lambda(), "greedy", numbered);
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
  await expect(invoke(lambda(), "greedy")).rejects.toMatchObject({ name: "TooManyRequestsException" });
});

it("runs new code after an update and lets what runs finish", async () => {
  await makeFunction(lambda(), "updated", remote.code("updated"), { Timeout: 10 });
  const before = invoke(lambda(), "updated", {});
  const run = await remote.next("updated");
  await lambda().send(
    new UpdateFunctionCodeCommand({
      FunctionName: "updated",
      ZipFile: zip({ "index.js": "exports.handler = async () => 'new'" }),
    }),
  );
  expect((await invoke(lambda(), "updated")).result).toBe("new");
  run.succeed("old");
  expect((await before).result).toBe("old");
});
