import {
  CreateEventSourceMappingCommand,
  LambdaClient,
  PutFunctionEventInvokeConfigCommand,
} from "@aws-sdk/client-lambda";
import { CreateQueueCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { FaultOptions, RequestRecord } from "../emulator";
import { settings, useEmulator } from "./harness/emulator";
import { answer, invoke, makeFunction } from "./harness/functions";
import { useKinesis } from "./harness/kinesis";
import { runLater, useRemoteFunctions } from "./harness/remote-function";
import { take, takeUntil } from "./harness/topics";

const emulator = useEmulator();
const remote = useRemoteFunctions();
const kinesis = useKinesis(emulator);
afterEach(() => emulator.current.faults.clear());

const lambda = () => new LambdaClient(settings(emulator.current));
const sqs = () => new SQSClient(settings(emulator.current));
const inject = (options: FaultOptions) => emulator.current.faults.inject(options);
const hit = (fault: { hits: number }, times = 1) =>
  vi.waitFor(() => expect(fault.hits).toBeGreaterThanOrEqual(times), { interval: 5, timeout: 5_000 });
/** Moves the clock step by step until something is so. */
const later = (step: string, look: () => Promise<number>, expected: number) =>
  expect
    .poll(
      async () => {
        await emulator.current.clock.advance(step);
        return look();
      },
      { interval: 5, timeout: 10_000 },
    )
    .toBe(expected);
/** The next run of a function, which begins when the clock has moved. */
const startsAfter = (name: string, step: string) => runLater(remote, emulator.current.clock, name, step);
const asEvent = { InvocationType: "Event" as const };

async function queue(QueueName: string, Attributes: Record<string, string> = {}) {
  const { QueueUrl = "" } = await sqs().send(new CreateQueueCommand({ QueueName, Attributes }));
  return { url: QueueUrl, arn: `arn:aws:sqs:eu-west-1:000000000000:${QueueName}` };
}

/** A queue whose messages a function takes; they may be received twice. */
async function consumer(name: string) {
  const dead = await queue(`${name}-dead`);
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 2 });
  const source = await queue(name, { RedrivePolicy });
  await makeFunction(lambda(), name, remote.code(name));
  const mapping = { EventSourceArn: source.arn, FunctionName: name };
  await lambda().send(new CreateEventSourceMappingCommand(mapping));
  const send = () => sqs().send(new SendMessageCommand({ QueueUrl: source.url, MessageBody: "x" }));
  return { dead, send };
}

describe("a crash", () => {
  it("ends a run before the handler is called, with Lambda's own error and log", async () => {
    await makeFunction(lambda(), "crashing", remote.code("crashing"));
    inject({ fault: "crash", resource: "crashing", count: 1 });
    const { status, error, result, log } = await invoke(lambda(), "crashing", {}, { LogType: "Tail" });
    expect([status, error]).toEqual([200, "Unhandled"]);
    expect(result).toEqual({
      errorType: "Runtime.ExitError",
      errorMessage: expect.stringMatching(/^RequestId: [0-9a-f-]{36} Error: Runtime exited with error: exit status 1$/),
    });
    expect(log).toMatch(/Runtime\.ExitError\nEND RequestId: .*\nREPORT /);
    expect(remote.waiting("crashing")).toBe(0);
  });

  it("ends the environment: the next run begins in a new one", async () => {
    await makeFunction(lambda(), "warm", remote.code("warm"));
    const run = async () => {
      const answered = invoke(lambda(), "warm", {});
      const seen = await remote.next("warm");
      seen.succeed();
      await answered;
      return seen.run;
    };
    expect([await run(), await run()]).toEqual([1, 2]);
    inject({ fault: "crash", resource: "warm", count: 1 });
    await invoke(lambda(), "warm", {});
    expect(await run()).toBe(1);
  });

  it("loses the answer of a handler that has done its work", async () => {
    await makeFunction(lambda(), "worked", remote.code("worked"));
    inject({ fault: "crash", resource: "worked", after: true });
    const answered = invoke(lambda(), "worked", { n: 1 });
    const run = await remote.next("worked");
    expect(run.event).toEqual({ n: 1 });
    run.succeed("done");
    expect((await answered).result.errorType).toBe("Runtime.ExitError");
  });

  it("is another run's, or another function's, where it is not meant", async () => {
    await makeFunction(lambda(), "meant", answer("fine"));
    await makeFunction(lambda(), "spared", answer("fine"));
    inject({ fault: "crash", resource: "arn:aws:lambda:*:*:function:me*" });
    expect((await invoke(lambda(), "meant", {})).error).toBe("Unhandled");
    expect((await invoke(lambda(), "spared", {})).result).toBe("fine");
  });

  it("is tried again twice where the event came by itself, and then told to the destination", async () => {
    const failures = await queue("failures");
    await makeFunction(lambda(), "eventful", answer("fine"));
    await lambda().send(
      new PutFunctionEventInvokeConfigCommand({
        FunctionName: "eventful",
        DestinationConfig: { OnFailure: { Destination: failures.arn } },
      }),
    );
    const fault = inject({ fault: "crash", resource: "eventful" });
    await invoke(lambda(), "eventful", { n: 1 }, asEvent);
    await hit(fault, 1);
    await later("1 minute", async () => fault.hits, 3);
    const [message] = await takeUntil(sqs(), failures.url, 1);
    expect(JSON.parse(message!.Body!)).toMatchObject({
      requestContext: { condition: "RetriesExhausted", approximateInvokeCount: 3 },
      requestPayload: { n: 1 },
      responsePayload: { errorType: "Runtime.ExitError" },
    });
  });

  it("brings the messages of a queue again, and then to the dead-letter queue", async () => {
    const { dead, send } = await consumer("jobs");
    const fault = inject({ fault: "crash", resource: "jobs" });
    await send();
    await later("30 seconds", async () => (await take(sqs(), dead.url)).length, 1);
    expect([fault.hits, remote.waiting("jobs")]).toEqual([2, 0]);
  });

  it("brings the records of a stream again, in order", async () => {
    const StreamName = await kinesis.stream({ StreamName: "records" });
    await makeFunction(lambda(), "records", remote.code("records"));
    const fault = inject({ fault: "crash", resource: "arn:aws:lambda:*:*:function:records", count: 2 });
    await kinesis.putAll(StreamName, [["1"], ["2"], ["3"]]);
    await lambda().send(
      new CreateEventSourceMappingCommand({
        EventSourceArn: kinesis.arn(StreamName),
        FunctionName: "records",
        StartingPosition: "TRIM_HORIZON",
      }),
    );
    const run = await startsAfter("records", "1 second");
    run.succeed();
    const data = run.event.Records.map((record: { kinesis: { data: string } }) => atob(record.kinesis.data));
    expect([data, fault.hits]).toEqual([["1", "2", "3"], 2]);
  });
});

describe("a time-out", () => {
  it("ends a run at once, as if the function's whole timeout had passed", async () => {
    await makeFunction(lambda(), "slow", remote.code("slow"), { Timeout: 900 });
    inject({ fault: "timeout", resource: "slow" });
    const { error, result, log } = await invoke(lambda(), "slow", {}, { LogType: "Tail" });
    expect([error, result]).toEqual([
      "Unhandled",
      {
        errorType: "Sandbox.Timedout",
        errorMessage: expect.stringMatching(/^RequestId: [0-9a-f-]{36} Error: Task timed out after 900\.00 seconds$/),
      },
    ]);
    expect(log).toMatch(/Task timed out after 900\.00 seconds/);
    expect(log).toMatch(/Duration: 900000\.00 ms.*Status: timeout/);
    expect(remote.waiting("slow")).toBe(0);
  });

  it("ends a run whose handler has done its work", async () => {
    await makeFunction(lambda(), "late", remote.code("late"), { Timeout: 900 });
    inject({ fault: "timeout", resource: "late", after: true });
    const answered = invoke(lambda(), "late", {});
    (await remote.next("late")).succeed("done");
    expect((await answered).result.errorType).toBe("Sandbox.Timedout");
  });

  it("takes the function's timeout, in real time, where that is asked for", async () => {
    await makeFunction(lambda(), "whole", answer("fine"), { Timeout: 1 });
    inject({ fault: "timeout", resource: "whole", wait: true });
    const started = performance.now();
    expect((await invoke(lambda(), "whole", {})).result.errorType).toBe("Sandbox.Timedout");
    expect(performance.now() - started).toBeGreaterThan(990);
  });
});

describe("a throttled function", () => {
  it("refuses who waits for its answer, with the reason that a used-up concurrency has", async () => {
    await makeFunction(lambda(), "busy", answer("fine"));
    inject({ fault: "throttle", service: "lambda", resource: "busy" });
    await expect(invoke(lambda(), "busy", {})).rejects.toMatchObject({
      name: "TooManyRequestsException",
      message: "Rate Exceeded.",
      Reason: "ReservedFunctionConcurrentInvocationLimitExceeded",
      $metadata: { httpStatusCode: 429 },
    });
  });

  it("takes events, and runs them when it is no longer throttled", async () => {
    await makeFunction(lambda(), "patient", remote.code("patient"));
    const fault = inject({ fault: "throttle", resource: "patient", service: "lambda", operation: "Invoke", count: 3 });
    expect((await invoke(lambda(), "patient", { n: 1 }, asEvent)).status).toBe(202);
    await hit(fault);
    const run = await startsAfter("patient", "2 seconds");
    expect([run.event, fault.hits]).toEqual([{ n: 1 }, 3]);
    run.succeed();
  });

  it("costs the messages of a queue no receive", async () => {
    const { send } = await consumer("throttled");
    const fault = inject({ fault: "throttle", service: "lambda", resource: "throttled", count: 5 });
    await send();
    const run = await startsAfter("throttled", "1 second");
    run.succeed();
    expect([run.event.Records[0].attributes.ApproximateReceiveCount, fault.hits]).toEqual(["1", 5]);
  });
});

describe("a call of Invoke that fails", () => {
  it("leaves the messages of a queue for later", async () => {
    const { send } = await consumer("failing");
    const fault = inject({ fault: "error", service: "lambda", operation: "Invoke", resource: "failing", count: 1 });
    await send();
    await hit(fault);
    const run = await startsAfter("failing", "30 seconds");
    run.succeed();
    expect(run.event.Records[0].attributes.ApproximateReceiveCount).toBe("2");
  });
});

it("lets the clock move on while a fault makes a function wait for it", async () => {
  const { url, arn } = await queue("input", { VisibilityTimeout: "7200" });
  const output = await queue("output");
  const code = `const { SQSClient, SendMessageCommand } = require("@aws-sdk/client-sqs");
    exports.handler = () => new SQSClient({}).send(
      new SendMessageCommand({ QueueUrl: ${JSON.stringify(output.url)}, MessageBody: "late" }));`;
  await makeFunction(lambda(), "waiting", code);
  await lambda().send(new CreateEventSourceMappingCommand({ EventSourceArn: arn, FunctionName: "waiting" }));
  const wait = { fault: "latency", delayMs: 3_600_000, clock: "emulator" } as const;
  const fault = inject({ ...wait, service: "sqs", operation: "SendMessage", resource: "output" });
  await sqs().send(new SendMessageCommand({ QueueUrl: url, MessageBody: "x", DelaySeconds: 60 }));
  await emulator.current.clock.advance("2 hours");
  expect((await takeUntil(sqs(), output.url, 1))[0]!.Body).toBe("late");
  expect(fault.hits).toBe(1);
});

it("is shown with the request that it ended", async () => {
  await makeFunction(lambda(), "shown", answer("fine"));
  const records: RequestRecord[] = [];
  const stop = emulator.current.watch((record) => records.push(record));
  for (const fault of ["crash", "timeout", "throttle"] as const) {
    const injected = inject({ fault, service: "lambda", resource: "shown" });
    await invoke(lambda(), "shown", {}).catch(() => {});
    injected.remove();
  }
  stop();
  expect(records.map(({ status, fault }) => [status, fault])).toEqual([
    [200, "crash"],
    [200, "timeout"],
    [429, "throttle"],
  ]);
});
