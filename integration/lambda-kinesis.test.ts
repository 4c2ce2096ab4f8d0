import { DeleteStreamCommand, RegisterStreamConsumerCommand } from "@aws-sdk/client-kinesis";
import {
  CreateEventSourceMappingCommand,
  type CreateEventSourceMappingCommandInput,
  DeleteEventSourceMappingCommand,
  GetEventSourceMappingCommand,
  LambdaClient,
  PutFunctionConcurrencyCommand,
  UpdateEventSourceMappingCommand,
} from "@aws-sdk/client-lambda";
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { beforeAll, expect, it } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { makeFunction, role } from "./harness/functions";
import { middleOf, useKinesis } from "./harness/kinesis";
import { type RemoteRun, useRemoteFunctions } from "./harness/remote-function";

const emulator = useEmulator();
const remote = useRemoteFunctions();
const kinesis = useKinesis(emulator);
let clients: { lambda: LambdaClient; sqs: SQSClient; s3: S3Client } | undefined;
const aws = () => {
  clients ??= {
    lambda: new LambdaClient(settings(emulator.current)),
    sqs: new SQSClient(settings(emulator.current)),
    s3: new S3Client({ ...settings(emulator.current), forcePathStyle: true }),
  };
  return clients;
};

type Options = Partial<CreateEventSourceMappingCommandInput>;

async function connect(stream: string, FunctionName: string, options: Options = {}): Promise<string> {
  const { UUID } = await aws().lambda.send(
    new CreateEventSourceMappingCommand({
      EventSourceArn: kinesis.arn(stream),
      FunctionName,
      StartingPosition: "TRIM_HORIZON",
      ...options,
    }),
  );
  return UUID!;
}

/** All streams share it: an environment that is warm is there at once. */
const consumer = "consumer";
beforeAll(async () => {
  await makeFunction(aws().lambda, consumer, remote.codeNamedBy('event.Records[0].eventSourceARN.split("/")[1]'));
});

/** A stream that the function reads; its runs end as the test says. */
async function wire(name: string, options: Options = {}, ShardCount = 1) {
  await kinesis.stream({ StreamName: name, ShardCount });
  const uuid = await connect(name, consumer, options);
  return {
    uuid,
    next: () => remote.next(name),
    put: (data: string, key?: string, more = {}) => kinesis.put(name, data, key, more),
    putAll: (...data: string[]) =>
      kinesis.putAll(
        name,
        data.map((one) => [one]),
      ),
    update: (change: Omit<Options, "FunctionName">) =>
      aws().lambda.send(new UpdateEventSourceMappingCommand({ UUID: uuid, ...change })),
    /** Lets time pass until the function is called again. */
    async again() {
      const called = async () => {
        await emulator.current.clock.advance("1 minute");
        return remote.waiting(name);
      };
      await expect.poll(called, { interval: 2 }).toBeGreaterThan(0);
      return remote.next(name);
    },
    /** Waits until the last batch has come to this. */
    result: (wanted: string) =>
      expect
        .poll(
          async () => (await aws().lambda.send(new GetEventSourceMappingCommand({ UUID: uuid }))).LastProcessingResult,
          {
            interval: 2,
          },
        )
        .toBe(wanted),
  };
}

const failedCall = "PROBLEM: Function call failed";

const dataOf = ({ event }: RemoteRun): string[] =>
  event.Records.map(({ kinesis: record }: { kinesis: { data: string } }) =>
    Buffer.from(record.data, "base64").toString("utf8"),
  );

const numbersOf = ({ event }: RemoteRun): string[] =>
  event.Records.map(({ kinesis: record }: { kinesis: { sequenceNumber: string } }) => record.sequenceNumber);

async function makeQueue(name: string) {
  const { QueueUrl } = await aws().sqs.send(new CreateQueueCommand({ QueueName: name }));
  return {
    arn: `arn:aws:sqs:eu-west-1:000000000000:${name}`,
    async next() {
      const { Messages } = await aws().sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 10 }));
      return JSON.parse(Messages![0]!.Body!);
    },
  };
}

const toQueue = ({ arn }: { arn: string }): Options => ({ DestinationConfig: { OnFailure: { Destination: arn } } });

const reportFailures: Options = { FunctionResponseTypes: ["ReportBatchItemFailures"] };

it("hands records to the function as AWS does, the moment they are put", async () => {
  const { put, next } = await wire("plain");
  const { SequenceNumber } = await put("hello", "device-1");
  const run = await next();
  expect(run.event).toEqual({
    Records: [
      {
        kinesis: {
          kinesisSchemaVersion: "1.0",
          partitionKey: "device-1",
          sequenceNumber: SequenceNumber,
          data: Buffer.from("hello").toString("base64"),
          approximateArrivalTimestamp: expect.any(Number),
        },
        eventSource: "aws:kinesis",
        eventVersion: "1.0",
        eventID: `shardId-000000000000:${SequenceNumber}`,
        eventName: "aws:kinesis:record",
        invokeIdentityArn: role,
        awsRegion: "eu-west-1",
        eventSourceARN: kinesis.arn("plain"),
      },
    ],
  });
  run.succeed();
});

it("begins where the mapping says: at the oldest record, at a time, or behind all that is there", async () => {
  const name = "positions";
  await kinesis.stream({ StreamName: name });
  await kinesis.put(name, "old");
  await emulator.current.clock.advance("1 hour");
  const StartingPositionTimestamp = new Date(emulator.current.clock.now() - 60_000);
  await kinesis.put(name, "newer");
  const seenFrom = async (options: Options, mark: string) => {
    const UUID = await connect(name, consumer, options);
    await kinesis.put(name, mark);
    const seen: string[] = [];
    while (seen.at(-1) !== mark) {
      const run = await remote.next(name);
      seen.push(...dataOf(run));
      run.succeed();
    }
    await aws().lambda.send(new DeleteEventSourceMappingCommand({ UUID }));
    return seen;
  };
  expect(await seenFrom({ StartingPosition: "LATEST" }, "1")).toEqual(["1"]);
  const atTime: Options = { StartingPosition: "AT_TIMESTAMP", StartingPositionTimestamp };
  expect(await seenFrom(atTime, "2")).toEqual(["newer", "1", "2"]);
  expect(await seenFrom({}, "3")).toEqual(["old", "newer", "1", "2", "3"]);
});

it("keeps later records of a shard back while a batch fails, and tries it again and again", async () => {
  const { put, next, again } = await wire("blocked");
  await put("first");
  (await next()).fail("no");
  await put("second");
  for (const _ of [1, 2]) {
    const run = await again();
    expect(dataOf(run)).toEqual(["first"]);
    run.fail("no");
  }
  (await again()).succeed();
  const second = await next();
  expect(dataOf(second)).toEqual(["second"]);
  second.succeed();
});

it("gives a batch up after its retries and tells the on-failure queue which records it had", async () => {
  const queue = await makeQueue("exhausted");
  const { putAll, next, again } = await wire("exhausted", { MaximumRetryAttempts: 1, ...toQueue(queue) });
  const put = await putAll("a", "b");
  const first = await next();
  first.fail("no");
  const second = await again();
  expect(second.event).toEqual(first.event);
  second.fail("no");
  expect(await queue.next()).toEqual({
    requestContext: {
      requestId: second.requestId,
      functionArn: `arn:aws:lambda:eu-west-1:000000000000:function:${consumer}`,
      condition: "RetryAttemptsExhausted",
      approximateInvokeCount: 2,
    },
    responseContext: { statusCode: 200, executedVersion: "$LATEST", functionError: "Unhandled" },
    version: "1.0",
    timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
    KinesisBatchInfo: {
      shardId: "shardId-000000000000",
      startSequenceNumber: put.Records![0]!.SequenceNumber,
      endSequenceNumber: put.Records![1]!.SequenceNumber,
      approximateArrivalOfFirstRecord: expect.stringMatching(/^\d{4}-.*Z$/),
      approximateArrivalOfLastRecord: expect.stringMatching(/^\d{4}-.*Z$/),
      batchSize: 2,
      streamArn: kinesis.arn("exhausted"),
    },
  });
  await putAll("c");
  const after = await next();
  expect(dataOf(after)).toEqual(["c"]);
  after.succeed();
});

it("puts what it gives up into an on-failure bucket, with the records", async () => {
  const { s3 } = aws();
  await s3.send(new CreateBucketCommand({ Bucket: "given-up" }));
  const { uuid, put, next } = await wire("to-bucket", {
    MaximumRetryAttempts: 0,
    ...toQueue({ arn: "arn:aws:s3:::given-up" }),
  });
  await put("lost?");
  const run = await next();
  run.fail("no");
  const keys = async () =>
    (await s3.send(new ListObjectsV2Command({ Bucket: "given-up" }))).Contents?.map(({ Key }) => Key);
  await expect
    .poll(keys, { interval: 5 })
    .toEqual([
      expect.stringMatching(
        new RegExp(
          `^aws/lambda/${uuid}/shardId-000000000000/\\d{4}/\\d\\d/\\d\\d/\\d{4}-\\d\\d-\\d\\dT\\d\\d\\.\\d\\d\\.\\d\\d-`,
        ),
      ),
    ]);
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: "given-up", Key: (await keys())![0] }));
  const record = JSON.parse(await Body!.transformToString());
  expect(record.KinesisBatchInfo.batchSize).toBe(1);
  expect(JSON.parse(record.payload)).toEqual(run.event);
});

it("gives up records that are older than the mapping allows, and goes on with the others", async () => {
  const queue = await makeQueue("aged");
  const { put, next, result } = await wire("aged", { MaximumRecordAgeInSeconds: 60, ...toQueue(queue) });
  await put("old");
  const run = await next();
  run.fail("no");
  await result(failedCall);
  await emulator.current.clock.advance("2 minutes");
  await put("young");
  const { requestContext, KinesisBatchInfo } = await queue.next();
  expect(requestContext).toMatchObject({ condition: "RecordAgeExceeded", approximateInvokeCount: 1 });
  expect(KinesisBatchInfo.startSequenceNumber).toBe(numbersOf(run)[0]);
  const after = await next();
  expect(dataOf(after)).toEqual(["young"]);
  after.succeed();
});

it("gives up records that the stream itself keeps no longer", async () => {
  const queue = await makeQueue("trimmed");
  const { put, next, result } = await wire("trimmed", toQueue(queue));
  await put("old");
  (await next()).fail("no");
  await result(failedCall);
  await emulator.current.clock.advance("25 hours");
  expect((await queue.next()).requestContext.condition).toBe("RecordAgeExceeded");
});

it("tries again from the lowest record that the function reports as failed", async () => {
  const { putAll, next, again, result } = await wire("partial", reportFailures);
  await putAll("1", "2", "3", "4");
  const run = await next();
  const [, second, , fourth] = numbersOf(run);
  run.succeed({ batchItemFailures: [{ itemIdentifier: fourth }, { itemIdentifier: second }] });
  const rest = await again();
  expect(dataOf(rest)).toEqual(["2", "3", "4"]);
  rest.succeed({ batchItemFailures: [] });
  await result("OK");
});

it("tries the whole batch again when the report of failed records cannot be trusted", async () => {
  const { putAll, next, again, result } = await wire("doubtful", reportFailures);
  await putAll("1", "2");
  let run = await next();
  for (const report of [
    { batchItemFailures: [{ itemIdentifier: "" }] },
    { batchItemFailures: [{ itemIdentifier: "49123" }] },
    "text",
  ]) {
    expect(dataOf(run)).toEqual(["1", "2"]);
    run.succeed(report);
    run = await again();
  }
  expect(dataOf(run)).toEqual(["1", "2"]);
  run.succeed();
  await result("OK");
});

it("splits a failing batch until the bad record is alone, and the split costs no retry", async () => {
  const queue = await makeQueue("bisect");
  const { putAll, next } = await wire("bisect", {
    BisectBatchOnFunctionError: true,
    MaximumRetryAttempts: 0,
    ...toQueue(queue),
  });
  await putAll("1", "2", "bad", "4");
  const batches: string[][] = [];
  while (batches.flat().filter((data) => data === "4").length < 3) {
    const run = await next();
    batches.push(dataOf(run));
    if (dataOf(run).includes("bad")) run.fail("no");
    else run.succeed();
  }
  expect(batches).toEqual([["1", "2", "bad", "4"], ["1", "2"], ["bad", "4"], ["bad"], ["4"]]);
  expect((await queue.next()).KinesisBatchInfo.batchSize).toBe(1);
});

it("splits a failing batch at the record that the function reports", async () => {
  const { putAll, next, result } = await wire("bisect-at", {
    BisectBatchOnFunctionError: true,
    ...reportFailures,
  });
  await putAll("1", "2", "3");
  const run = await next();
  run.succeed({ batchItemFailures: [{ itemIdentifier: numbersOf(run)[2] }] });
  const rest = await next();
  expect(dataOf(rest)).toEqual(["3"]);
  rest.succeed();
  await result("OK");
});

it("gathers records for the batching window, up to the batch size", async () => {
  const { put, putAll, next } = await wire("window", { BatchSize: 3, MaximumBatchingWindowInSeconds: 60 });
  await putAll("1", "2");
  await put("3");
  const full = await next();
  expect(dataOf(full)).toEqual(["1", "2", "3"]);
  full.succeed();
  await put("4");
  await put("5");
  expect(remote.waiting("window")).toBe(0);
  await emulator.current.clock.advance("60 seconds");
  const rest = await next();
  expect(dataOf(rest)).toEqual(["4", "5"]);
  rest.succeed();
});

it("processes as many batches of a shard at a time as the parallelization factor says, each key in order", async () => {
  const { put, next } = await wire("parallel", { ParallelizationFactor: 10, BatchSize: 1 });
  const keys = ["a", "b", "c", "d", "e", "f"];
  for (const key of keys) await put(`${key}1`, key);
  const runs: RemoteRun[] = [];
  // Keys share lanes: two at least run beside each other.
  while (runs.length < 2) runs.push(await next());
  for (const key of keys) await put(`${key}2`, key);
  const seen: string[] = [];
  while (seen.length < keys.length * 2) {
    const run = runs.shift() ?? (await next());
    seen.push(...dataOf(run));
    run.succeed();
  }
  for (const key of keys) expect(seen.filter((data) => data.startsWith(key))).toEqual([`${key}1`, `${key}2`]);
});

it("drops what its filters do not want, and looks at the data as JSON or text", async () => {
  const Pattern = JSON.stringify({ data: { kind: ["alarm"], level: [{ numeric: [">=", 3] }] } });
  const { putAll, put, next, update } = await wire("filtered", {
    FilterCriteria: { Filters: [{ Pattern }] },
  });
  await putAll("text", '{"kind":"alarm","level":1}', '{"kind":"alarm","level":4}', '{"kind":"other"}');
  const run = await next();
  expect(dataOf(run)).toEqual(['{"kind":"alarm","level":4}']);
  run.succeed();
  await update({ FilterCriteria: { Filters: [{ Pattern: JSON.stringify({ partitionKey: ["vip"] }) }] } });
  await put("not for you", "other");
  await put("for you", "vip");
  const byKey = await next();
  expect(dataOf(byKey)).toEqual(["for you"]);
  byKey.succeed();
});

it("reads the shards of a split or merge after the shards they came from", async () => {
  const { put, next, again } = await wire("reshard", {}, 2);
  const at = (part: number) => ({ ExplicitHashKey: middleOf(part, 4) });
  await put("parent", "k", at(0));
  const parent = await next();
  const [lower, upper] = await kinesis.openShards("reshard");
  await kinesis.split("reshard", lower!);
  await put("child", "k", at(0));
  await put("other", "k", at(3));
  const other = await next();
  expect(dataOf(other)).toEqual(["other"]);
  other.succeed();
  parent.fail("no");
  const retried = await again();
  expect(dataOf(retried)).toEqual(["parent"]);
  retried.succeed();
  const child = await next();
  expect(dataOf(child)).toEqual(["child"]);
  child.succeed();
  const children = await kinesis.openShards("reshard");
  expect(children.map(({ ParentShardId }) => ParentShardId)).toEqual([undefined, lower!.ShardId, lower!.ShardId]);
  await kinesis.merge("reshard", children[2]!, upper!);
  await put("merged", "k", at(3));
  const merged = await next();
  expect(dataOf(merged)).toEqual(["merged"]);
  expect(merged.event.Records[0].eventID).toMatch(/^shardId-000000000004:/);
  merged.succeed();
});

it("goes on where it was after it was disabled", async () => {
  const { put, next, update, result } = await wire("pausing");
  await put("1");
  const first = await next();
  const disabling = update({ Enabled: false });
  first.succeed();
  await disabling;
  await result("OK");
  await put("2");
  await emulator.current.clock.advance("1 hour");
  expect(remote.waiting("pausing")).toBe(0);
  await update({ Enabled: true });
  const second = await next();
  expect(dataOf(second)).toEqual(["2"]);
  second.succeed();
});

it("waits while the function is throttled, without giving anything up", async () => {
  const { lambda } = aws();
  const queue = await makeQueue("throttled");
  const limit = (ReservedConcurrentExecutions: number) =>
    lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: "limited", ReservedConcurrentExecutions }));
  await makeFunction(lambda, "limited", remote.code("limited"));
  await limit(0);
  await kinesis.stream({ StreamName: "limited" });
  await connect("limited", "limited", { MaximumRetryAttempts: 0, ...toQueue(queue) });
  await kinesis.put("limited", "patient");
  await emulator.current.clock.advance("1 minute");
  expect(remote.waiting("limited")).toBe(0);
  await limit(1);
  await emulator.current.clock.advance("5 seconds");
  const run = await remote.next("limited");
  expect(dataOf(run)).toEqual(["patient"]);
  run.succeed();
});

it("gives up a record that is too large for an invocation, which its base64 makes it", async () => {
  const queue = await makeQueue("oversize");
  await kinesis.stream({ StreamName: "oversize", MaxRecordSizeInKiB: 10_240 });
  await connect("oversize", consumer, { MaximumRetryAttempts: 0, ...toQueue(queue) });
  await kinesis.put("oversize", "", "key", { Data: Buffer.alloc(5 * 1024 * 1024) });
  const { requestContext, responseContext } = await queue.next();
  expect(requestContext.condition).toBe("RetryAttemptsExhausted");
  expect(responseContext).toBeUndefined();
  expect(remote.waiting("oversize")).toBe(0);
});

it("hands a batch over in parts where its event would be beyond 6 MB", async () => {
  await kinesis.stream({ StreamName: "parts" });
  for (let i = 0; i < 6; i++) {
    await kinesis.put("parts", "", "key", { Data: Buffer.alloc(1000 * 1024) });
    await emulator.current.clock.advance("1 second");
  }
  await connect("parts", consumer);
  const sizes: number[] = [];
  while (sizes.reduce((sum, size) => sum + size, 0) < 6) {
    const run = await remote.next("parts");
    sizes.push(run.event.Records.length);
    run.succeed();
  }
  expect(sizes).toEqual([4, 2]);
});

it("goes on with a stream that was deleted and made anew, from its first record", async () => {
  const { put, next, result } = await wire("anew");
  await put("before");
  (await next()).succeed();
  await result("OK");
  await kinesis.client.send(new DeleteStreamCommand({ StreamName: "anew" }));
  await result("PROBLEM: Stream anew under account 000000000000 not found.");
  await kinesis.stream({ StreamName: "anew" });
  await put("after");
  await emulator.current.clock.advance("5 minutes");
  const run = await next();
  expect(dataOf(run)).toEqual(["after"]);
  run.succeed();
});

it("reads through the ARN of a registered consumer", async () => {
  await kinesis.stream({ StreamName: "fan-out" });
  const { Consumer } = await kinesis.client.send(
    new RegisterStreamConsumerCommand({ StreamARN: kinesis.arn("fan-out"), ConsumerName: "lambda" }),
  );
  await connect("fan-out", consumer, { EventSourceArn: Consumer!.ConsumerARN });
  await kinesis.put("fan-out", "hello");
  const run = await remote.next("fan-out");
  expect(dataOf(run)).toEqual(["hello"]);
  run.succeed();
});

it.each<[string, Options, string, string]>([
  [
    "no stream",
    { EventSourceArn: kinesis.arn("missing") },
    "InvalidParameterValueException",
    `Stream not found: ${kinesis.arn("missing")}`,
  ],
  ["no position", { StartingPosition: undefined }, "InvalidParameterValueException", "startingPosition"],
  [
    "no time",
    { StartingPosition: "AT_TIMESTAMP" },
    "InvalidParameterValueException",
    "StartingPositionTimestamp must be specified",
  ],
  [
    "a queue's setting",
    { ScalingConfig: { MaximumConcurrency: 2 } },
    "InvalidParameterValueException",
    "Unsupported ScalingConfig",
  ],
  ["a batch too large", { BatchSize: 10_001 }, "ValidationException", "less than or equal to 10000"],
  ["too many lanes", { ParallelizationFactor: 11 }, "ValidationException", "less than or equal to 10"],
  [
    "an age too small",
    { MaximumRecordAgeInSeconds: 30 },
    "InvalidParameterValueException",
    "from 60 to 604800; it is 30",
  ],
  ["a tumbling window", { TumblingWindowInSeconds: 10 }, "NotImplemented", "TumblingWindowInSeconds"],
  ["no function", { FunctionName: "missing" }, "ResourceNotFoundException", "Function not found: "],
])("refuses a mapping with %s", async (_what, options, name, message) => {
  await kinesis.stream({ StreamName: `refusing-${_what.replaceAll(/[^a-z]/g, "-")}` });
  const refused = connect(`refusing-${_what.replaceAll(/[^a-z]/g, "-")}`, consumer, options);
  await expect(refused).rejects.toMatchObject({ name, message: expect.stringContaining(message) });
});

it("refuses a second mapping of the same stream and function", async () => {
  const { uuid } = await wire("twice");
  await expect(connect("twice", consumer)).rejects.toMatchObject({
    name: "ResourceConflictException",
    message: `The event source arn (" ${kinesis.arn("twice")} ") and function (" ${consumer} ") provided mapping already exists. Please update or delete the existing mapping with UUID ${uuid}`,
  });
});
