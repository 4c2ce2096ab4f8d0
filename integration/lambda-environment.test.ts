import { existsSync } from "node:fs";
import { CloudWatchLogsClient, DescribeLogStreamsCommand, GetLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { CreateRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import { CreateEventSourceMappingCommand, LambdaClient, ListFunctionsCommand } from "@aws-sdk/client-lambda";
import { CreateQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { expect, it, vi } from "vitest";
import { settings, startEmulator, useEmulator } from "./harness/emulator";
import { invoke, makeFunction } from "./harness/functions";

const emulator = useEmulator();
let client: LambdaClient | undefined;
const lambda = () => {
  client ??= new LambdaClient(settings(emulator.current));
  return client;
};
const trust = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
});

it("writes what a function prints to its log group, one stream for each environment", async () => {
  const logs = new CloudWatchLogsClient(settings(emulator.current));
  await makeFunction(lambda(), "logged", "exports.handler = async (n) => { console.log('event', n); }");
  await invoke(lambda(), "logged", 1);
  await invoke(lambda(), "logged", 2);
  const logGroupName = "/aws/lambda/logged";
  const streams = await vi.waitFor(async () => {
    const { logStreams = [] } = await logs.send(new DescribeLogStreamsCommand({ logGroupName }));
    expect(logStreams).toHaveLength(1);
    return logStreams;
  });
  expect(streams[0]!.logStreamName).toMatch(/^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}$/);
  const { events = [] } = await logs.send(
    new GetLogEventsCommand({ logGroupName, logStreamName: streams[0]!.logStreamName, startFromHead: true }),
  );
  expect(events.map(({ message }) => message!.split(/\s/, 1)[0]!.replace(/^\d{4}-.*/, "own line"))).toEqual([
    "INIT_START",
    "START",
    "own line",
    "END",
    "REPORT",
    "START",
    "own line",
    "END",
    "REPORT",
  ]);
  expect(events[2]!.message).toMatch(/\tINFO\tevent 1\n$/);
});

it("writes to another log group where the function says so", async () => {
  const logs = new CloudWatchLogsClient(settings(emulator.current));
  const LogGroup = "/shared/group";
  await makeFunction(lambda(), "elsewhere", "exports.handler = async () => {}", { LoggingConfig: { LogGroup } });
  await invoke(lambda(), "elsewhere");
  await vi.waitFor(async () => {
    const { logStreams } = await logs.send(new DescribeLogStreamsCommand({ logGroupName: LogGroup }));
    expect(logStreams).toHaveLength(1);
  });
});

it("gives a function the credentials of its role, and new ones before they end", async () => {
  const iam = new IAMClient(settings(emulator.current));
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName: "worker", AssumeRolePolicyDocument: trust }));
  await makeFunction(
    lambda(),
    "credentialed",
    {
      "index.js": `const { STSClient, GetCallerIdentityCommand } = require("@aws-sdk/client-sts");
        const sts = new STSClient({});
        exports.handler = async () => ({ arn: (await sts.send(new GetCallerIdentityCommand({}))).Arn, key: process.env.AWS_ACCESS_KEY_ID });`,
    },
    { Role: Role!.Arn, Timeout: 20, MemorySize: 512 },
  );
  const first = (await invoke(lambda(), "credentialed")).result;
  expect(first.arn).toBe("arn:aws:sts::000000000000:assumed-role/worker/credentialed");
  expect(first.key).toMatch(/^ASIA/);
  expect((await invoke(lambda(), "credentialed")).result.key).toBe(first.key);
  await emulator.current.clock.advance("13 hours");
  const later = (await invoke(lambda(), "credentialed")).result;
  expect(later.arn).toBe(first.arn);
  expect(later.key).not.toBe(first.key);
});

it("stops functions and pollers and removes their files on reset, and goes on as new", async () => {
  const local = await startEmulator({ port: 0 });
  try {
    const lambda = new LambdaClient(settings(local));
    const sqs = new SQSClient(settings(local));
    await makeFunction(
      lambda,
      "kept",
      "exports.handler = async (hang) => hang ? new Promise(() => {}) : process.env.LAMBDA_TASK_ROOT",
      {
        Timeout: 30,
      },
    );
    await sqs.send(new CreateQueueCommand({ QueueName: "kept" }));
    const EventSourceArn = "arn:aws:sqs:eu-west-1:000000000000:kept";
    await lambda.send(new CreateEventSourceMappingCommand({ FunctionName: "kept", EventSourceArn }));
    const { result: folder } = await invoke(lambda, "kept", false);
    expect(existsSync(folder)).toBe(true);
    const arrived = Promise.withResolvers<void>();
    local.intercept(() => arrived.resolve());
    const hanging = invoke(lambda, "kept", true);
    await arrived.promise;
    await local.reset();
    expect((await hanging.catch(() => ({ error: "refused" }))).error).toBeDefined();
    expect(existsSync(folder)).toBe(false);
    expect((await lambda.send(new ListFunctionsCommand({}))).Functions).toEqual([]);
    await makeFunction(lambda, "kept", "exports.handler = async () => process.env.LAMBDA_TASK_ROOT");
    const { result: again } = await invoke(lambda, "kept");
    await local.close();
    expect(existsSync(again)).toBe(false);
  } finally {
    await local.close();
  }
});

it("tells the time of the emulator's clock, also for dates of subclasses and calls without new", async () => {
  const code = `const loaded = new Date().getTime();
    class Own extends Date {}
    exports.handler = async () => ({
      loaded,
      times: [Date.now(), new Date().getTime(), Date.parse(Date()), new Own().getTime()],
      fixed: new Date(0).toISOString(),
      is: [new Date() instanceof Date, new Own() instanceof Own, new Date().constructor === Date, Date.UTC(1970, 0, 2)],
    });`;
  await makeFunction(lambda(), "timely", code);
  const { clock } = emulator.current;
  const first = (await invoke(lambda(), "timely")).result;
  await clock.advance("2 minutes");
  const { loaded, times, fixed, is } = (await invoke(lambda(), "timely")).result;
  // The same environment, two minutes later.
  expect(loaded).toBe(first.loaded);
  for (const time of [...times, loaded + 120_000]) expect(Math.abs(time - clock.now())).toBeLessThan(20_000);
  expect(fixed).toBe("1970-01-01T00:00:00.000Z");
  expect(is).toEqual([true, true, true, 86_400_000]);
});
