import {
  DeleteFunctionEventInvokeConfigCommand,
  GetFunctionEventInvokeConfigCommand,
  InvokeAsyncCommand,
  LambdaClient,
  PutFunctionConcurrencyCommand,
  PutFunctionEventInvokeConfigCommand,
  UpdateFunctionEventInvokeConfigCommand,
} from "@aws-sdk/client-lambda";
import { CreateQueueCommand, type Message, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { expect, it, vi } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { invoke, makeFunction } from "./harness/functions";
import { useRemoteFunctions } from "./harness/remote-function";

const emulator = useEmulator();
const remote = useRemoteFunctions();
let clients: { lambda: LambdaClient; sqs: SQSClient } | undefined;
const aws = () => {
  clients ??= { lambda: new LambdaClient(settings(emulator.current)), sqs: new SQSClient(settings(emulator.current)) };
  return clients;
};

async function makeQueue(name: string) {
  const { QueueUrl } = await aws().sqs.send(new CreateQueueCommand({ QueueName: name }));
  const receive = async (WaitTimeSeconds: number): Promise<Message | undefined> => {
    const { Messages } = await aws().sqs.send(
      new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds, MessageAttributeNames: ["All"], VisibilityTimeout: 3600 }),
    );
    return Messages?.[0];
  };
  return { arn: `arn:aws:sqs:eu-west-1:000000000000:${name}`, receive };
}

const event = { InvocationType: "Event" } as const;

it("accepts an event with 202 and runs it", async () => {
  await makeFunction(aws().lambda, "accepts", remote.code("accepts"));
  const answer = await invoke(aws().lambda, "accepts", { a: 1 }, event);
  expect(answer).toMatchObject({ status: 202, text: "", version: undefined });
  const run = await remote.next("accepts");
  expect(run.event).toEqual({ a: 1 });
  run.succeed();
});

it("accepts the older InvokeAsync", async () => {
  await makeFunction(aws().lambda, "accepts-old", remote.code("accepts-old"));
  const answer = await aws().lambda.send(
    new InvokeAsyncCommand({ FunctionName: "accepts-old", InvokeArgs: '{"b":2}' }),
  );
  expect(answer.Status).toBe(202);
  const run = await remote.next("accepts-old");
  expect(run.event).toEqual({ b: 2 });
  run.succeed();
});

/** A function that runs one event at a time, so that a test can tell when a run has come to its end. */
async function makeFailing(name: string) {
  await makeFunction(aws().lambda, name, remote.code(name));
  await aws().lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: name, ReservedConcurrentExecutions: 1 }));
}

/** Lets the next attempt fail, and waits until Lambda knows it: then there is room for another event. */
async function failNext(name: string) {
  const attempt = await remote.next(name);
  attempt.fail(`failure ${attempt.run}`);
  await vi.waitFor(() => invoke(aws().lambda, name, "probe"), { timeout: 10_000, interval: 5 });
  return attempt;
}

it("tries a failed event again after one minute and after two more, with the same request id", async () => {
  const { clock } = emulator.current;
  await makeFailing("retried");
  await invoke(aws().lambda, "retried", { n: 1 }, event);
  const first = await failNext("retried");
  await clock.advance("58 seconds");
  expect(remote.waiting("retried")).toBe(0);
  void clock.advance("2 seconds");
  const second = await failNext("retried");
  await clock.advance("118 seconds");
  expect(remote.waiting("retried")).toBe(0);
  void clock.advance("2 seconds");
  const third = await failNext("retried");
  expect([first, second, third].map(({ run }) => run)).toEqual([1, 2, 3]);
  expect(new Set([first, second, third].map(({ requestId }) => requestId)).size).toBe(1);
  await clock.advance("5 hours");
  expect(remote.waiting("retried")).toBe(0);
});

it("sends the record of an event that failed for good to the destination on failure", async () => {
  const failures = await makeQueue("failures");
  await makeFailing("failing");
  await aws().lambda.send(
    new PutFunctionEventInvokeConfigCommand({
      FunctionName: "failing",
      MaximumRetryAttempts: 1,
      DestinationConfig: { OnFailure: { Destination: failures.arn } },
    }),
  );
  await invoke(aws().lambda, "failing", { n: 9 }, event);
  const { requestId } = await failNext("failing");
  expect(await failures.receive(0)).toBeUndefined();
  void emulator.current.clock.advance("1 minute");
  await failNext("failing");
  expect(JSON.parse((await failures.receive(10))!.Body!)).toEqual({
    version: "1.0",
    timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    requestContext: {
      requestId,
      functionArn: "arn:aws:lambda:eu-west-1:000000000000:function:failing:$LATEST",
      condition: "RetriesExhausted",
      approximateInvokeCount: 2,
    },
    requestPayload: { n: 9 },
    responseContext: { statusCode: 200, executedVersion: "$LATEST", functionError: "Unhandled" },
    responsePayload: expect.objectContaining({ errorType: "Error", errorMessage: "failure 2" }),
  });
});

it("sends the record of a successful event to the destination on success, a function as well", async () => {
  await makeFunction(aws().lambda, "source", "exports.handler = async (event) => event.n * 2");
  const Destination = await makeFunction(aws().lambda, "sink", remote.code("sink"));
  await aws().lambda.send(
    new PutFunctionEventInvokeConfigCommand({
      FunctionName: "source",
      DestinationConfig: { OnSuccess: { Destination } },
    }),
  );
  await invoke(aws().lambda, "source", { n: 21 }, event);
  const run = await remote.next("sink");
  run.succeed();
  expect(run.event).toMatchObject({
    requestContext: { condition: "Success", approximateInvokeCount: 1 },
    requestPayload: { n: 21 },
    responseContext: { statusCode: 200, executedVersion: "$LATEST" },
    responsePayload: 42,
  });
});

it("puts an event that failed for good into the dead-letter queue, as it was, with the error beside it", async () => {
  const dead = await makeQueue("dead");
  await makeFunction(aws().lambda, "dying", "exports.handler = async () => { throw new Error('no use'); }", {
    DeadLetterConfig: { TargetArn: dead.arn },
  });
  await aws().lambda.send(new PutFunctionEventInvokeConfigCommand({ FunctionName: "dying", MaximumRetryAttempts: 0 }));
  await invoke(aws().lambda, "dying", { keep: "me" }, event);
  const message = await dead.receive(15);
  expect(JSON.parse(message!.Body!)).toEqual({ keep: "me" });
  expect(message!.MessageAttributes).toMatchObject({
    RequestID: { DataType: "String", StringValue: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    ErrorCode: { DataType: "Number", StringValue: "200" },
    ErrorMessage: { DataType: "String", StringValue: "no use" },
  });
});

it("gives up an event that would be too old at its next attempt", async () => {
  const failures = await makeQueue("too-old");
  await makeFailing("aging");
  await aws().lambda.send(
    new PutFunctionEventInvokeConfigCommand({
      FunctionName: "aging",
      MaximumEventAgeInSeconds: 90,
      DestinationConfig: { OnFailure: { Destination: failures.arn } },
    }),
  );
  await invoke(aws().lambda, "aging", {}, event);
  await failNext("aging");
  void emulator.current.clock.advance("1 minute");
  await failNext("aging");
  expect(JSON.parse((await failures.receive(10))!.Body!).requestContext).toMatchObject({
    condition: "EventAgeExceeded",
    approximateInvokeCount: 2,
  });
});

it("keeps a throttled event until there is room for it", async () => {
  await makeFailing("throttled");
  const holding = invoke(aws().lambda, "throttled", { first: true });
  const held = await remote.next("throttled");
  await invoke(aws().lambda, "throttled", { late: true }, event);
  held.succeed();
  await holding;
  expect(remote.waiting("throttled")).toBe(0);
  void emulator.current.clock.advance("1 second");
  const late = await remote.next("throttled");
  expect(late.event).toEqual({ late: true });
  late.succeed();
});

it("gives up at once where no concurrency is reserved at all", async () => {
  const dead = await makeQueue("dead-at-once");
  await makeFunction(aws().lambda, "closed", "exports.handler = async () => 1", {
    DeadLetterConfig: { TargetArn: dead.arn },
  });
  await aws().lambda.send(
    new PutFunctionConcurrencyCommand({ FunctionName: "closed", ReservedConcurrentExecutions: 0 }),
  );
  await invoke(aws().lambda, "closed", { x: 1 }, event);
  expect(JSON.parse((await dead.receive(10))!.Body!)).toEqual({ x: 1 });
});

it("keeps, merges and forgets the settings of asynchronous invocation", async () => {
  const { lambda } = aws();
  const FunctionName = "configured";
  const arn = await makeFunction(lambda, FunctionName, "exports.handler = async () => 1");
  const read = () => lambda.send(new GetFunctionEventInvokeConfigCommand({ FunctionName }));
  await expect(read()).rejects.toMatchObject({
    name: "ResourceNotFoundException",
    message: `The function ${arn}:$LATEST doesn't have an EventInvokeConfig`,
  });
  await lambda.send(new PutFunctionEventInvokeConfigCommand({ FunctionName, MaximumRetryAttempts: 0 }));
  await lambda.send(new UpdateFunctionEventInvokeConfigCommand({ FunctionName, MaximumEventAgeInSeconds: 60 }));
  expect(await read()).toMatchObject({
    FunctionArn: `${arn}:$LATEST`,
    LastModified: expect.any(Date),
    MaximumRetryAttempts: 0,
    MaximumEventAgeInSeconds: 60,
    DestinationConfig: { OnSuccess: {}, OnFailure: {} },
  });
  await lambda.send(new DeleteFunctionEventInvokeConfigCommand({ FunctionName }));
  await expect(read()).rejects.toMatchObject({ name: "ResourceNotFoundException" });
});

it.each([
  [{ MaximumRetryAttempts: 3 }, "ValidationException", "less than or equal to 2"],
  [{ MaximumEventAgeInSeconds: 59 }, "ValidationException", "greater than or equal to 60"],
  [
    { DestinationConfig: { OnFailure: { Destination: "arn:aws:sns:eu-west-1:000000000000:topic" } } },
    "NotImplemented",
    "sns",
  ],
  [
    { DestinationConfig: { OnFailure: { Destination: "arn:aws:lambda:eu-west-1:000000000000:function:accepts" } } },
    "InvalidParameterValueException",
    "destination for itself",
  ],
])("refuses settings that cannot work: %j", async (config, name, message) => {
  const put = new PutFunctionEventInvokeConfigCommand({ FunctionName: "accepts", ...config });
  await expect(aws().lambda.send(put)).rejects.toMatchObject({ name, message: expect.stringContaining(message) });
});
