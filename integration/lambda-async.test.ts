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
import { bundledSdk, invoke, makeFunction } from "./harness/functions";

const emulator = useEmulator();
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
  return { arn: `arn:aws:sqs:eu-west-1:000000000000:${name}`, url: QueueUrl!, receive };
}

type Queue = Awaited<ReturnType<typeof makeQueue>>;

/** Code that tells a queue of each attempt, and fails as often as its event says. A probe does nothing. */
const reporting = (url: string) => ({
  "sqs.js": bundledSdk("@aws-sdk/client-sqs"),
  "index.js": `
  const { SQSClient, SendMessageCommand } = require("./sqs");
  const sqs = new SQSClient({});
  let runs = 0;
  exports.handler = async (event, context) => {
    if (event.probe) return "idle";
    runs++;
    await sqs.send(new SendMessageCommand({ QueueUrl: "${url}", MessageBody: JSON.stringify({ run: runs, id: context.awsRequestId, event }) }));
    if (runs <= (event.failures ?? 0)) throw new Error("failure " + runs);
    return { done: runs };
  };`,
});
const options = { Timeout: 20, MemorySize: 512 };
const event = { InvocationType: "Event" } as const;

it("accepts an event with 202 and runs it", async () => {
  const seen = await makeQueue("seen");
  await makeFunction(aws().lambda, "accepts", reporting(seen.url), options);
  expect(await invoke(aws().lambda, "accepts", { a: 1 }, event)).toMatchObject({
    status: 202,
    text: "",
    version: undefined,
  });
  expect(JSON.parse((await seen.receive(10))!.Body!)).toMatchObject({ run: 1, event: { a: 1 } });
});

it("accepts the older InvokeAsync", async () => {
  const seen = await makeQueue("seen-old");
  await makeFunction(aws().lambda, "accepts-old", reporting(seen.url), options);
  const answer = await aws().lambda.send(
    new InvokeAsyncCommand({ FunctionName: "accepts-old", InvokeArgs: '{"b":2}' }),
  );
  expect(answer.Status).toBe(202);
  expect(JSON.parse((await seen.receive(10))!.Body!)).toMatchObject({ event: { b: 2 } });
});

/** A function whose attempts can be followed one by one: it runs one event at a time. */
async function makeObserved(name: string, seen: Queue, more = {}) {
  await makeFunction(aws().lambda, name, reporting(seen.url), { ...options, ...more });
  await aws().lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: name, ReservedConcurrentExecutions: 1 }));
}

/** The next attempt, once it has come to its end. */
async function attempt(name: string, seen: Queue) {
  const message = await seen.receive(15);
  await vi.waitFor(async () => expect((await invoke(aws().lambda, name, { probe: true })).result).toBe("idle"), {
    timeout: 10_000,
    interval: 5,
  });
  return JSON.parse(message!.Body!);
}

it("tries a failed event again after one minute and after two more, with the same request id", async () => {
  const seen = await makeQueue("attempts");
  const { clock } = emulator.current;
  await makeObserved("retried", seen);
  await invoke(aws().lambda, "retried", { failures: 9 }, event);
  const first = await attempt("retried", seen);
  await clock.advance("58 seconds");
  expect(await seen.receive(0)).toBeUndefined();
  await clock.advance("2 seconds");
  const second = await attempt("retried", seen);
  await clock.advance("118 seconds");
  expect(await seen.receive(0)).toBeUndefined();
  await clock.advance("2 seconds");
  const third = await attempt("retried", seen);
  expect([first, second, third].map(({ run }) => run)).toEqual([1, 2, 3]);
  expect(new Set([first.id, second.id, third.id]).size).toBe(1);
  await clock.advance("50 minutes");
  expect(await seen.receive(0)).toBeUndefined();
});

it("sends the record of an event that failed for good to the destination on failure", async () => {
  const [seen, failures] = [await makeQueue("seen-failing"), await makeQueue("failures")];
  await makeObserved("failing", seen);
  await aws().lambda.send(
    new PutFunctionEventInvokeConfigCommand({
      FunctionName: "failing",
      MaximumRetryAttempts: 1,
      DestinationConfig: { OnFailure: { Destination: failures.arn } },
    }),
  );
  await invoke(aws().lambda, "failing", { failures: 9 }, event);
  const { id } = await attempt("failing", seen);
  expect(await failures.receive(0)).toBeUndefined();
  await emulator.current.clock.advance("1 minute");
  await attempt("failing", seen);
  expect(JSON.parse((await failures.receive(10))!.Body!)).toEqual({
    version: "1.0",
    timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    requestContext: {
      requestId: id,
      functionArn: "arn:aws:lambda:eu-west-1:000000000000:function:failing:$LATEST",
      condition: "RetriesExhausted",
      approximateInvokeCount: 2,
    },
    requestPayload: { failures: 9 },
    responseContext: { statusCode: 200, executedVersion: "$LATEST", functionError: "Unhandled" },
    responsePayload: expect.objectContaining({ errorType: "Error", errorMessage: "failure 2" }),
  });
});

it("sends the record of a successful event to the destination on success, a function as well", async () => {
  const seen = await makeQueue("seen-destination");
  await makeFunction(aws().lambda, "source", "exports.handler = async (event) => event.n * 2");
  const Destination = await makeFunction(aws().lambda, "sink", reporting(seen.url), options);
  await aws().lambda.send(
    new PutFunctionEventInvokeConfigCommand({
      FunctionName: "source",
      DestinationConfig: { OnSuccess: { Destination } },
    }),
  );
  await invoke(aws().lambda, "source", { n: 21 }, event);
  expect(JSON.parse((await seen.receive(15))!.Body!).event).toMatchObject({
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
  const [seen, failures] = [await makeQueue("seen-old-event"), await makeQueue("too-old")];
  await makeObserved("aging", seen);
  await aws().lambda.send(
    new PutFunctionEventInvokeConfigCommand({
      FunctionName: "aging",
      MaximumEventAgeInSeconds: 90,
      DestinationConfig: { OnFailure: { Destination: failures.arn } },
    }),
  );
  await invoke(aws().lambda, "aging", { failures: 9 }, event);
  await attempt("aging", seen);
  await emulator.current.clock.advance("1 minute");
  await attempt("aging", seen);
  expect(JSON.parse((await failures.receive(10))!.Body!).requestContext).toMatchObject({
    condition: "EventAgeExceeded",
    approximateInvokeCount: 2,
  });
});

it("keeps a throttled event until there is room for it", async () => {
  const seen = await makeQueue("seen-throttled");
  await makeFunction(
    aws().lambda,
    "throttled",
    {
      ...reporting(seen.url),
      "holding.js": `const { handler } = require("./index");
        exports.handler = (event, context) => event.hold ? new Promise((r) => setTimeout(r, event.hold)) : handler(event, context);`,
    },
    { ...options, Handler: "holding.handler" },
  );
  await aws().lambda.send(
    new PutFunctionConcurrencyCommand({ FunctionName: "throttled", ReservedConcurrentExecutions: 1 }),
  );
  const arrived = Promise.withResolvers<void>();
  const stop = emulator.current.intercept(() => arrived.resolve());
  const holding = invoke(aws().lambda, "throttled", { hold: 300 });
  await arrived.promise;
  stop();
  await invoke(aws().lambda, "throttled", { late: true }, event);
  await holding;
  expect(await seen.receive(0)).toBeUndefined();
  await emulator.current.clock.advance("1 second");
  expect(JSON.parse((await seen.receive(10))!.Body!)).toMatchObject({ run: 1, event: { late: true } });
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
