import { PutRecordsCommand } from "@aws-sdk/client-kinesis";
import { DeleteFunctionCommand, PutFunctionConcurrencyCommand } from "@aws-sdk/client-lambda";
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { expect, it } from "vitest";
import { settings } from "./harness/emulator";
import { makeFunction } from "./harness/functions";
import { middleOf } from "./harness/kinesis";
import { consumer, dataOf, type MappingOptions, numbersOf, useStreamFunction } from "./harness/stream-function";
import { makeOpenQueue, makeTopic, takeUntil } from "./harness/topics";

const { emulator, remote, kinesis, aws, connect, wire, makeQueue } = useStreamFunction();

const toQueue = ({ arn }: { arn: string }): MappingOptions => ({
  DestinationConfig: { OnFailure: { Destination: arn } },
});

const reportFailures: MappingOptions = { FunctionResponseTypes: ["ReportBatchItemFailures"] };

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
  const s3 = new S3Client({ ...settings(emulator.current), forcePathStyle: true });
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

it("tells an on-failure topic what it gives up", async () => {
  const sns = new SNSClient(settings(emulator.current));
  const TopicArn = await makeTopic(sns);
  const queue = await makeOpenQueue(aws().sqs, "sns.amazonaws.com", TopicArn);
  const Attributes = { RawMessageDelivery: "true" };
  await sns.send(new SubscribeCommand({ TopicArn, Protocol: "sqs", Endpoint: queue.arn, Attributes }));
  const { put, next } = await wire("to-topic", { MaximumRetryAttempts: 0, ...toQueue({ arn: TopicArn }) });
  const { SequenceNumber } = await put("lost?");
  (await next()).fail("no");
  const [message] = await takeUntil(aws().sqs, queue.url, 1);
  expect(JSON.parse(message!.Body!).KinesisBatchInfo).toMatchObject({
    startSequenceNumber: SequenceNumber,
    batchSize: 1,
  });
});

it("gives up records that are older than the mapping allows, and goes on with the others", async () => {
  const queue = await makeQueue("aged");
  const { put, next } = await wire("aged", { MaximumRecordAgeInSeconds: 60, ...toQueue(queue) });
  await put("old");
  const run = await next();
  await emulator.current.clock.advance("2 minutes");
  run.fail("no");
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
  const { put, next } = await wire("trimmed", toQueue(queue));
  await put("old");
  const run = await next();
  await emulator.current.clock.advance("25 hours");
  run.fail("no");
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
    MaximumRetryAttempts: 0,
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
  void emulator.current.clock.advance("1 minute");
  const run = await remote.next("limited");
  expect(dataOf(run)).toEqual(["patient"]);
  run.succeed();
});

it("lets hundreds of shards take turns where the function may run only once at a time", async () => {
  const { lambda } = aws();
  const shards = 400;
  await makeFunction(lambda, "turns", remote.code("turns"));
  const once = { FunctionName: "turns", ReservedConcurrentExecutions: 1 };
  await lambda.send(new PutFunctionConcurrencyCommand(once));
  await kinesis.stream({ StreamName: "turns", ShardCount: shards });
  await connect("turns", "turns");
  const Records = Array.from({ length: shards }, (_, part) => {
    return { Data: Buffer.from(String(part)), PartitionKey: "key", ExplicitHashKey: middleOf(part, shards) };
  });
  await kinesis.client.send(new PutRecordsCommand({ StreamName: "turns", Records }));
  const seen: string[] = [];
  while (seen.length < shards) {
    const run = await remote.next("turns");
    expect(remote.waiting("turns")).toBe(0);
    seen.push(...dataOf(run));
    run.succeed();
  }
  expect(new Set(seen).size).toBe(shards);
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

it("begins nothing anew, whatever became of the function, while a batch still runs", async () => {
  const { lambda } = aws();
  const make = () => makeFunction(lambda, "phoenix", remote.code("phoenix"));
  const other = await wire("bystander");
  await kinesis.stream({ StreamName: "phoenix" });
  await make();
  await connect("phoenix", "phoenix", { ParallelizationFactor: 2 });
  // These keys run beside each other.
  for (const key of ["a", "b"]) await kinesis.put("phoenix", key, key);
  const [first, second] = [await remote.next("phoenix"), await remote.next("phoenix")];
  await lambda.send(new DeleteFunctionCommand({ FunctionName: "phoenix" }));
  first.succeed();
  for (let round = 0; round < 5; round++) {
    await emulator.current.clock.advance("1 minute");
    await other.put("time passes");
    (await other.next()).succeed();
    if (round === 1) await make();
  }
  expect(remote.waiting("phoenix")).toBe(0);
  second.succeed();
  await kinesis.put("phoenix", "new", "a");
  await emulator.current.clock.idle();
  void emulator.current.clock.advance("5 minutes");
  const run = await remote.next("phoenix");
  expect(dataOf(run)).toEqual(["new"]);
  run.succeed();
});
