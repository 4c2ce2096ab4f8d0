import {
  CreateEventSourceMappingCommand,
  type CreateEventSourceMappingCommandInput,
  DeleteEventSourceMappingCommand,
  GetEventSourceMappingCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
  PutFunctionConcurrencyCommand,
  UpdateEventSourceMappingCommand,
} from "@aws-sdk/client-lambda";
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { expect, it, vi } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { makeFunction } from "./harness/functions";
import { type RemoteRun, useRemoteFunctions } from "./harness/remote-function";

const emulator = useEmulator();
const remote = useRemoteFunctions();
let clients: { lambda: LambdaClient; sqs: SQSClient } | undefined;
const aws = () => {
  clients ??= { lambda: new LambdaClient(settings(emulator.current)), sqs: new SQSClient(settings(emulator.current)) };
  return clients;
};

async function makeQueue(name: string, attributes: Record<string, string> = {}) {
  const { sqs } = aws();
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: attributes }));
  return {
    arn: `arn:aws:sqs:eu-west-1:000000000000:${name}`,
    url: QueueUrl!,
    send: (MessageBody: string, more = {}) => sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, ...more })),
    sendAll: (bodies: string[]) =>
      sqs.send(
        new SendMessageBatchCommand({
          QueueUrl,
          Entries: bodies.map((MessageBody, i) => ({ Id: String(i), MessageBody })),
        }),
      ),
    async receive(WaitTimeSeconds = 0) {
      const { Messages } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds, VisibilityTimeout: 3600 }),
      );
      return Messages?.[0]?.Body;
    },
    /** Messages waiting and in flight. */
    async counts() {
      const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }));
      return [
        Number(Attributes!.ApproximateNumberOfMessages),
        Number(Attributes!.ApproximateNumberOfMessagesNotVisible),
      ];
    },
  };
}

async function connect(
  source: { arn: string },
  FunctionName: string,
  options: Partial<CreateEventSourceMappingCommandInput> = {},
) {
  const mapping = await aws().lambda.send(
    new CreateEventSourceMappingCommand({ EventSourceArn: source.arn, FunctionName, ...options }),
  );
  return mapping.UUID!;
}

/** A queue and a function that reads it, whose runs end as the test says. */
async function wire(name: string, options: Partial<CreateEventSourceMappingCommandInput> = {}, attributes = {}) {
  const source = await makeQueue(name, attributes);
  await makeFunction(aws().lambda, name, remote.code(name));
  const uuid = await connect(source, name, options);
  return { source, uuid, next: () => remote.next(name) };
}

const bodies = ({ event }: RemoteRun): string[] => event.Records.map((record: { body: string }) => record.body);

const settled = (source: { counts(): Promise<number[]> }, counts: [number, number]) =>
  vi.waitFor(async () => expect(await source.counts()).toEqual(counts), { interval: 5, timeout: 5_000 });

const reportFailures = { FunctionResponseTypes: ["ReportBatchItemFailures" as const] };

it("hands a message to the function as AWS does, and deletes it when the function is done", async () => {
  const { source, next } = await wire("plain");
  const { MessageId, MD5OfMessageBody } = await source.send("hello", {
    MessageAttributes: { kind: { DataType: "String", StringValue: "greeting" } },
  });
  const run = await next();
  expect(run.event).toEqual({
    Records: [
      {
        messageId: MessageId,
        receiptHandle: expect.any(String),
        body: "hello",
        attributes: {
          ApproximateReceiveCount: "1",
          SentTimestamp: expect.stringMatching(/^\d{13}$/),
          SenderId: expect.any(String),
          ApproximateFirstReceiveTimestamp: expect.stringMatching(/^\d{13}$/),
        },
        messageAttributes: {
          kind: { stringValue: "greeting", stringListValues: [], binaryListValues: [], dataType: "String" },
        },
        md5OfBody: MD5OfMessageBody,
        md5OfMessageAttributes: expect.stringMatching(/^[0-9a-f]{32}$/),
        eventSource: "aws:sqs",
        eventSourceARN: source.arn,
        awsRegion: "eu-west-1",
      },
    ],
  });
  expect(await source.counts()).toEqual([0, 1]);
  run.succeed();
  await settled(source, [0, 0]);
});

it("handles what was in the queue before, and what comes at any later time", async () => {
  const source = await makeQueue("before");
  await source.send("early");
  await makeFunction(aws().lambda, "before", remote.code("before"));
  await connect(source, "before");
  const early = await remote.next("before");
  expect(bodies(early)).toEqual(["early"]);
  early.succeed();
  await settled(source, [0, 0]);
  await emulator.current.clock.advance("1 hour");
  await source.send("late");
  const late = await remote.next("before");
  expect(bodies(late)).toEqual(["late"]);
  late.succeed();
});

it("lets failed messages come back after the visibility timeout, and moves them on after the allowed number of times", async () => {
  const dead = await makeQueue("failing-dead");
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 2 });
  const { source, uuid, next } = await wire("failing", {}, { VisibilityTimeout: "60", RedrivePolicy });
  await source.send("bad");
  let passed: Promise<void> | undefined;
  for (const count of ["1", "2"]) {
    const run = await next();
    expect(run.event.Records[0].attributes.ApproximateReceiveCount).toBe(count);
    run.fail("no");
    expect(await source.counts()).toEqual([0, 1]);
    await emulator.current.clock.idle();
    passed = emulator.current.clock.advance("61 seconds");
  }
  await passed;
  expect(await dead.receive(15)).toBe("bad");
  expect(await source.counts()).toEqual([0, 0]);
  const { LastProcessingResult } = await aws().lambda.send(new GetEventSourceMappingCommand({ UUID: uuid }));
  expect(LastProcessingResult).toBe("PROBLEM: Function call failed");
});

it("keeps only the reported items of a batch", async () => {
  const source = await makeQueue("partial");
  await source.sendAll(["good 1", "bad 2", "good 3"]);
  await makeFunction(aws().lambda, "partial", remote.code("partial"));
  await connect(source, "partial", reportFailures);
  const run = await remote.next("partial");
  expect(bodies(run).sort()).toEqual(["bad 2", "good 1", "good 3"]);
  const bad = run.event.Records.find(({ body }: { body: string }) => body === "bad 2");
  run.succeed({ batchItemFailures: [{ itemIdentifier: bad.messageId }] });
  await settled(source, [0, 1]);
  void emulator.current.clock.advance("31 seconds");
  const again = await remote.next("partial");
  expect(bodies(again)).toEqual(["bad 2"]);
  again.succeed();
});

it("keeps the whole batch when the report of failed items cannot be trusted", async () => {
  const { source, next } = await wire("doubtful", reportFailures);
  await source.send("kept");
  const reports = [
    { batchItemFailures: [{ itemIdentifier: "" }] },
    { batchItemFailures: [{ itemIdentifier: null }] },
    { batchItemFailures: [{ identifier: "of another key" }] },
    { batchItemFailures: [{ itemIdentifier: "of another batch" }] },
    { batchItemFailures: "all" },
    "text",
  ];
  for (const report of reports) {
    const run = await next();
    expect(bodies(run)).toEqual(["kept"]);
    run.succeed(report);
    await emulator.current.clock.idle();
    void emulator.current.clock.advance("31 seconds");
  }
  (await next()).succeed();
  await settled(source, [0, 0]);
});

it("takes an empty report of failed items for complete success", async () => {
  const { source, next } = await wire("successful", reportFailures);
  for (const report of [undefined, null, {}, { batchItemFailures: [] }, { batchItemFailures: null }]) {
    await source.send("done");
    (await next()).succeed(report);
    await settled(source, [0, 0]);
  }
});

it("gathers messages for the batching window, up to the batch size", async () => {
  const { source, next } = await wire(
    "window",
    { BatchSize: 12, MaximumBatchingWindowInSeconds: 300 },
    { VisibilityTimeout: "900" },
  );
  for (let i = 0; i < 12; i += 4) await source.sendAll(["1", "2", "3", "4"].map((n) => `${i}-${n}`));
  const full = await next();
  expect(bodies(full)).toHaveLength(12);
  full.succeed();
  await settled(source, [0, 0]);
  await source.sendAll(["a", "b"]);
  await settled(source, [0, 2]);
  expect(remote.waiting("window")).toBe(0);
  void emulator.current.clock.advance("300 seconds");
  const rest = await next();
  expect(bodies(rest).sort()).toEqual(["a", "b"]);
  rest.succeed();
});

it("drops what its filters do not want, for good", async () => {
  const Pattern = JSON.stringify({ body: { kind: ["alarm"], level: [{ numeric: [">=", 3] }] } });
  const { source, next } = await wire("filtered", { FilterCriteria: { Filters: [{ Pattern }] } });
  await source.send("plain text");
  await source.send(JSON.stringify({ kind: "alarm", level: 2 }));
  await source.send(JSON.stringify({ kind: "note", level: 5 }));
  const wanted = JSON.stringify({ kind: "alarm", level: 3 });
  await source.send(wanted);
  const run = await next();
  expect(bodies(run)).toEqual([wanted]);
  run.succeed();
  await settled(source, [0, 0]);
  expect(remote.waiting("filtered")).toBe(0);
});

it("runs no more batches at a time than MaximumConcurrency says, and all of them in the end", async () => {
  const { source, next } = await wire("scaled", { BatchSize: 1, ScalingConfig: { MaximumConcurrency: 2 } });
  await source.sendAll(Array.from({ length: 10 }, (_, i) => String(i)));
  let [one, two] = [await next(), await next()];
  const seen = [...bodies(one), ...bodies(two)];
  for (let i = 2; i < 10; i++) {
    // Two run; the others are still in the queue.
    expect(await source.counts()).toEqual([10 - i, 2]);
    one.succeed();
    [one, two] = [two, await next()];
    seen.push(...bodies(two));
    await settled(source, [9 - i, 2]);
  }
  one.succeed();
  two.succeed();
  await settled(source, [0, 0]);
  expect(seen.sort()).toEqual(Array.from({ length: 10 }, (_, i) => String(i)));
});

it("cuts a batch whose event would be beyond 6 MB into several, which count one by one", async () => {
  const source = await makeQueue("large", { MaximumMessageSize: "1048576" });
  // A quote takes two bytes in the event: three of these messages do not go into one.
  for (let i = 0; i < 6; i++) await source.send('"'.repeat(1024 * 1024));
  await makeFunction(aws().lambda, "large", remote.code("large"));
  await connect(source, "large", { ScalingConfig: { MaximumConcurrency: 2 } });
  const runs = [await remote.next("large"), await remote.next("large")];
  expect(remote.waiting("large")).toBe(0);
  runs[0]!.succeed();
  runs.push(await remote.next("large"));
  expect(runs.map((run) => bodies(run).length)).toEqual([2, 2, 2]);
  for (const run of runs) run.succeed();
});

it("waits for a throttled function without losing or repeating messages", async () => {
  const source = await makeQueue("busy");
  await makeFunction(aws().lambda, "busy", remote.code("busy"));
  await aws().lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: "busy", ReservedConcurrentExecutions: 1 }));
  await source.sendAll(["1", "2", "3", "4", "5", "6"]);
  await connect(source, "busy", { BatchSize: 1 });
  const seen: string[] = [];
  for (let i = 0; i < 6; i++) {
    const run = await remote.next("busy");
    seen.push(...bodies(run));
    run.succeed();
  }
  expect(seen.sort()).toEqual(["1", "2", "3", "4", "5", "6"]);
  await settled(source, [0, 0]);
});

it("keeps the order within a message group", async () => {
  const source = await makeQueue("ordered.fifo", { FifoQueue: "true", ContentBasedDeduplication: "true" });
  const next = () => remote.next("ordered");
  await makeFunction(aws().lambda, "ordered", remote.code("ordered"));
  await connect(source, "ordered", { BatchSize: 2 });
  for (let i = 0; i < 5; i++) await source.send(`m${i}`, { MessageGroupId: "one" });
  const seen: string[] = [];
  while (seen.length < 5) {
    const run = await next();
    seen.push(...bodies(run));
    expect(remote.waiting("ordered")).toBe(0);
    run.succeed();
  }
  expect(seen).toEqual(["m0", "m1", "m2", "m3", "m4"]);
});

it("stops reading while it is disabled and after it is deleted", async () => {
  const { source, uuid, next } = await wire("switched");
  const { lambda } = aws();
  const update = (Enabled: boolean) => lambda.send(new UpdateEventSourceMappingCommand({ UUID: uuid, Enabled }));
  const state = async () => (await lambda.send(new GetEventSourceMappingCommand({ UUID: uuid }))).State;
  expect(await state()).toBe("Enabled");
  expect((await update(false)).State).toBe("Disabling");
  expect(await state()).toBe("Disabled");
  await source.send("waits");
  expect(await source.counts()).toEqual([1, 0]);
  expect((await update(true)).State).toBe("Enabling");
  const run = await next();
  expect(bodies(run)).toEqual(["waits"]);
  run.succeed();
  await settled(source, [0, 0]);
  expect((await lambda.send(new DeleteEventSourceMappingCommand({ UUID: uuid }))).State).toBe("Deleting");
  await expect(state()).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  await source.send("stays");
  expect(await source.counts()).toEqual([1, 0]);
});

it("shows mappings as they were made, by function and by source", async () => {
  const { lambda } = aws();
  const [one, two] = [await makeQueue("listed-1"), await makeQueue("listed-2")];
  const FunctionArn = await makeFunction(lambda, "listed", "exports.handler = async () => {}");
  const created = await lambda.send(
    new CreateEventSourceMappingCommand({ EventSourceArn: one.arn, FunctionName: "listed", BatchSize: 7 }),
  );
  expect(created).toMatchObject({
    State: "Creating",
    BatchSize: 7,
    MaximumBatchingWindowInSeconds: 0,
    EventSourceArn: one.arn,
    FunctionArn,
    FunctionResponseTypes: [],
    LastModified: expect.any(Date),
    EventSourceMappingArn: `arn:aws:lambda:eu-west-1:000000000000:event-source-mapping:${created.UUID}`,
  });
  await connect(two, "listed", { Enabled: false });
  const list = async (by: object) =>
    (await lambda.send(new ListEventSourceMappingsCommand(by))).EventSourceMappings!.map(
      ({ EventSourceArn }) => EventSourceArn,
    );
  expect((await list({ FunctionName: "listed" })).sort()).toEqual([one.arn, two.arn]);
  expect(await list({ EventSourceArn: two.arn })).toEqual([two.arn]);
  await expect(connect(one, FunctionArn)).rejects.toMatchObject({
    name: "ResourceConflictException",
    message: expect.stringContaining(created.UUID!),
    $metadata: { httpStatusCode: 409 },
  });
});

it.each([
  [{ BatchSize: 11 }, "InvalidParameterValueException", "Maximum batch window in seconds must be greater than 0"],
  [{ BatchSize: 10_001 }, "ValidationException", "less than or equal to 10000"],
  [{ MaximumBatchingWindowInSeconds: 301 }, "ValidationException", "less than or equal to 300"],
  [{ ScalingConfig: { MaximumConcurrency: 1 } }, "ValidationException", "greater than or equal to 2"],
  [{ StartingPosition: "LATEST" as const }, "InvalidParameterValueException", "Unsupported StartingPosition parameter"],
  [{ BisectBatchOnFunctionError: true }, "InvalidParameterValueException", "Unsupported BisectBatchOnFunctionError"],
  [
    { FilterCriteria: { Filters: [{ Pattern: "{" }] } },
    "InvalidParameterValueException",
    "Invalid filter pattern definition.",
  ],
  [
    { FilterCriteria: { Filters: [{ Pattern: '{"body":"x"}' }] } },
    "InvalidParameterValueException",
    "Invalid filter pattern definition.",
  ],
  [
    { FilterCriteria: { Filters: [{ Pattern: '{"body":[{"wildcard":"x"}]}' }] } },
    "InvalidParameterValueException",
    "wildcard",
  ],
  [
    { EventSourceArn: "arn:aws:sqs:eu-west-1:000000000000:missing" },
    "InvalidParameterValueException",
    "SQS Error Code",
  ],
  [{ EventSourceArn: "arn:aws:kafka:eu-west-1:000000000000:cluster/x" }, "NotImplemented", "kafka"],
  [{ FunctionName: "missing" }, "ResourceNotFoundException", "Function not found"],
])("refuses a mapping that AWS refuses: %j", async (options, name, message) => {
  const { arn } = await makeQueue("refused");
  await makeFunction(aws().lambda, "refused", "exports.handler = async () => {}").catch(() => undefined);
  await expect(connect({ arn }, "refused", options)).rejects.toMatchObject({
    name,
    message: expect.stringContaining(message),
  });
});

it("refuses a queue that shows messages again before the function may be done", async () => {
  const { arn } = await makeQueue("short", { VisibilityTimeout: "5" });
  await makeFunction(aws().lambda, "longer", "exports.handler = async () => {}", { Timeout: 6 });
  await expect(connect({ arn }, "longer")).rejects.toMatchObject({
    name: "InvalidParameterValueException",
    message: "Queue visibility timeout: 5 seconds is less than Function timeout: 6 seconds",
  });
});
