import { createRequire } from "node:module";
import { CloudWatchLogsClient, CreateLogGroupCommand } from "@aws-sdk/client-cloudwatch-logs";
import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Action } from "@aws-sdk/client-iot";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { expect, test, vi } from "vitest";
import { Clock } from "../emulator/core/clock";
import { Lanes } from "../emulator/services/iot/rules/lanes";
import { Retries } from "../emulator/services/iot/rules/retries";
import { keyed } from "./harness/dynamodb";
import { settings, useEmulator } from "./harness/emulator";
import { makeFunction } from "./harness/functions";
import { useKinesis } from "./harness/kinesis";
import { template, useRules } from "./harness/rules";
import { makeBucket, s3Client } from "./harness/s3";

const faults: string[] = [];
const emulator = useEmulator({ onFault: (_error, where) => faults.push(where) });
const kinesis = useKinesis(emulator);
const rules = useRules(emulator);
const { roleArn } = rules;
const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64");

test("tells the error action once of all actions that failed, with the original payload; the others have run", async () => {
  const [good, errors] = [await rules.queue(), await rules.queue()];
  const missing = "arn:aws:sns:eu-west-1:000000000000:missing";
  const { ruleName } = await rules.create(
    [
      { kinesis: { roleArn, streamName: "missing", partitionKey: template("topic(2)") } },
      good.action,
      { sns: { roleArn, targetArn: missing } },
    ],
    { sql: "SELECT a + 1 AS b FROM 'failing/+'", errorAction: errors.action },
  );
  await rules.publish("failing/x", { a: 1 });
  expect(await good.take(1)).toEqual(['{"b":2}']);
  const report = await errors.report();
  expect(report).toEqual({
    ruleName,
    topic: "failing/x",
    cloudwatchTraceId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    clientId: "n/a",
    base64OriginalPayload: base64({ a: 1 }),
    failures: [
      {
        failedAction: "KinesisAction",
        failedResource: "missing",
        errorMessage: expect.stringMatching(
          /^Failed to put the record\. The error received was Stream missing under account 000000000000 not found\. \(Service: AmazonKinesis; Status Code: 400; Error Code: ResourceNotFoundException; Request ID: [0-9a-f-]{36}\)\. Message arrived on: failing\/x, Action: kinesis, Stream: missing, PartitionKey: x$/,
        ),
      },
      {
        failedAction: "SnsAction",
        failedResource: missing,
        errorMessage: expect.stringMatching("Topic does not exist"),
      },
    ],
  });
});

test.each<[string, () => Promise<Action> | Action, string, RegExp]>([
  [
    "SqsAction",
    () => ({ sqs: { roleArn, queueUrl: "http://sqs.eu-west-1.localhost/000000000000/missing" } }),
    "http://sqs.eu-west-1.localhost/000000000000/missing",
    /The specified queue does not exist/,
  ],
  [
    "S3Action",
    () => ({ s3: { roleArn, bucketName: "missing", key: "a" } }),
    "missing",
    /^Failed to put S3 object\. The error received was The specified bucket does not exist.*Bucket: missing, Key: "a"$/,
  ],
  [
    "S3Action",
    async () => {
      const bucketName = await makeBucket(s3Client(emulator.current));
      return { s3: { roleArn, bucketName, key: template("missing") } };
    },
    expect.any(String) as string,
    /The key parameter must be specified/,
  ],
  [
    "DynamoDBAction",
    () => ({ dynamoDB: { roleArn, tableName: "missing", hashKeyField: "pk", hashKeyValue: "1" } }),
    "missing",
    /Requested resource not found/,
  ],
  [
    "DynamoDBv2Action",
    async () => {
      const dynamodb = new DynamoDBClient(settings(emulator.current));
      await dynamodb.send(new CreateTableCommand({ TableName: "keyless", ...keyed() }));
      return { dynamoDBv2: { roleArn, putItem: { tableName: "keyless" } } };
    },
    "keyless",
    /Missing the key pk in the item/,
  ],
  [
    "LambdaAction",
    async () => {
      const functionArn = await makeFunction(new LambdaClient(settings(emulator.current)), "closed", "");
      return { lambda: { functionArn } };
    },
    "arn:aws:lambda:eu-west-1:000000000000:function:closed",
    /iot\.amazonaws\.com is not authorized to perform: lambda:InvokeFunction/,
  ],
  [
    "CloudwatchLogsAction",
    () => ({ cloudwatchLogs: { roleArn, logGroupName: "missing" } }),
    "missing",
    /The specified log group does not exist/,
  ],
  [
    "RepublishAction",
    () => ({ republish: { roleArn, topic: "a/#" } }),
    "a/#",
    /Invalid topic: a topic to publish to has no wildcards/,
  ],
])("tells the error action of a %s that fails", async (failedAction, action, failedResource, words) => {
  const errors = await rules.queue();
  const topic = `one/${failedAction}`;
  const { ruleName } = await rules.create([await action()], {
    sql: `SELECT * FROM '${topic}'`,
    errorAction: errors.action,
  });
  await rules.publish(topic, { a: 1 });
  const { failures } = await errors.report();
  await rules.delete(ruleName);
  expect(failures).toEqual([{ failedAction, failedResource, errorMessage: expect.stringMatching(words) }]);
});

test.each([
  ["before 1970", [{ timestamp: -1, message: "a" }], /'logEvents\.1\.member\.timestamp' failed/],
  ["of no time that there is", [{ timestamp: 1e300, message: "a" }], /must be an array of records such as/],
  ["between two milliseconds", [{ timestamp: 1.5, message: "a" }], /must be an array of records such as/],
  [
    "without a text",
    [
      { timestamp: 1, message: "a" },
      { timestamp: 1, message: "" },
    ],
    /'logEvents\.2\.member\.message' failed/,
  ],
  ["that are no records", { timestamp: 1, message: "a" }, /must be an array of records such as/],
])("tells the error action of log events %s", async (_what, payload, words) => {
  const errors = await rules.queue();
  const logs = new CloudWatchLogsClient(settings(emulator.current));
  const logGroupName = "rules/events";
  await logs.send(new CreateLogGroupCommand({ logGroupName })).catch(() => {});
  const { ruleName } = await rules.create([{ cloudwatchLogs: { roleArn, logGroupName, batchMode: true } }], {
    sql: "SELECT * FROM 'events'",
    errorAction: errors.action,
  });
  await rules.publish("events", payload);
  expect((await errors.report()).failures[0]!.errorMessage).toMatch(words);
  await rules.delete(ruleName);
});

/** A stream that a large record keeps busy: it takes 1 MiB a second. */
async function busyStream() {
  const streamName = await kinesis.stream({ MaxRecordSizeInKiB: 10_240 });
  const { SequenceNumber: StartingSequenceNumber } = await kinesis.put(
    streamName,
    "x".repeat(10 * 1024 * 1024 - 1),
    "k",
  );
  const records = () =>
    kinesis.read(streamName, { ShardIteratorType: "AFTER_SEQUENCE_NUMBER", StartingSequenceNumber });
  return { streamName, records };
}

test("waits for a throttled stream, and keeps the order of what waits; other actions wait for nothing", async () => {
  const [{ streamName, records }, queue] = [await busyStream(), await rules.queue()];
  await rules.create([{ kinesis: { roleArn, streamName, partitionKey: "a" } }, queue.action], {
    sql: "SELECT VALUE n FROM 'busy'",
  });
  const numbers = Array.from({ length: 20 }, (_, n) => n);
  for (const n of numbers.slice(0, 10)) await rules.publish("busy", { n });
  expect(await queue.take(10)).toEqual(numbers.slice(0, 10).map(String));
  expect(await records()).toEqual([]);
  // What comes now would be tried again sooner than what has waited for long.
  await emulator.current.clock.advance("8 seconds");
  for (const n of numbers.slice(10)) await rules.publish("busy", { n });
  await emulator.current.clock.advance("20 seconds");
  // A shard can be read five times a second.
  await expect.poll(records, { interval: 250 }).toEqual(numbers.map(String));
});

test("gives up a stream that stays throttled, and tells the error action", async () => {
  const [errors, streamName] = [await rules.queue(), await kinesis.stream()];
  const ten = (action: Action) => Array.from({ length: 10 }, () => action);
  // 300 records of 120 kB at once, for a shard that takes 8 of them at each try: after all tries some are left.
  await rules.create(ten({ republish: { roleArn, topic: "flood/ten" } }), { sql: "SELECT * FROM 'flood/one'" });
  await rules.create(ten({ republish: { roleArn, topic: "flood/all" } }), { sql: "SELECT * FROM 'flood/ten'" });
  const put: Action = { kinesis: { roleArn, streamName, partitionKey: template("newuuid()") } };
  await rules.create([put, put, put], { sql: "SELECT * FROM 'flood/all'", errorAction: errors.action });
  await rules.publish("flood/one", { text: "x".repeat(120_000) });
  await emulator.current.clock.advance("5 minutes");
  const { failures } = await errors.report();
  expect(failures[0]).toMatchObject({
    failedAction: "KinesisAction",
    errorMessage: expect.stringMatching(/Rate exceeded.*Error Code: ProvisionedThroughputExceededException/),
  });
});

// The class that the services know: what they require themselves is not what a test imports.
const { AwsError } = createRequire(__filename)(
  "../dist/emulator/core/errors",
) as typeof import("../emulator/core/errors");

test("gives up what has waited for five minutes in its turn for a service that stays overloaded", async () => {
  const clock = new Clock();
  const reported: unknown[] = [];
  const retries = new Retries({ clock, report: (error) => reported.push(error) });
  const lanes = new Lanes((error) => reported.push(error));
  const since = clock.now();
  const ends: number[] = [];
  for (let n = 0; n < 1_000; n++) {
    lanes.run("one", async () => {
      const given = await retries.run(
        () => Promise.reject(new AwsError("ThrottlingException", "Slow down", 400)),
        since,
      );
      if (given) ends.push(n);
    });
  }
  await clock.advance("1 minute");
  expect(ends).toEqual([]);
  await clock.advance("5 minutes");
  await vi.waitFor(() => expect(ends).toHaveLength(1_000));
  expect(ends).toEqual(Array.from({ length: 1_000 }, (_, n) => n));
  expect(reported).toEqual([]);
});

test("says what becomes of a message whose failure nobody is told of", async () => {
  faults.length = 0;
  const { ruleName } = await rules.create([{ s3: { roleArn, bucketName: "missing", key: "a" } }], {
    sql: "SELECT * FROM 'unheard'",
  });
  await rules.publish("unheard", {});
  await vi.waitFor(() => expect(faults).toEqual([expect.stringMatching(`rule ${ruleName}: Failed to put S3 object`)]));
});

test("says so where the error action fails, too", async () => {
  faults.length = 0;
  const missing: Action = { s3: { roleArn, bucketName: "missing", key: "a" } };
  await rules.create([missing], { sql: "SELECT * FROM 'twice'", errorAction: missing });
  await rules.publish("twice", {});
  await vi.waitFor(() => expect(faults).toHaveLength(2));
});

test("does not tell the error action of a statement that fails", async () => {
  faults.length = 0;
  const [errors, queue] = [await rules.queue(), await rules.queue()];
  const { ruleName } = await rules.create([queue.action], {
    sql: "SELECT *, 1 AS one FROM 'statement'",
    errorAction: errors.action,
  });
  await rules.publish("statement", Buffer.from([255]));
  await rules.publish("statement", { a: 1 });
  expect(await queue.take(1)).toEqual(['{"a":1,"one":1}']);
  expect(faults).toEqual([expect.stringMatching(`the statement of rule ${ruleName} failed`)]);
});

test("forgets rules and what they wait for when the emulator is reset", async () => {
  const { streamName } = await busyStream();
  await rules.create([{ kinesis: { roleArn, streamName, partitionKey: "a" } }], { sql: "SELECT * FROM 'forgotten'" });
  await rules.publish("forgotten", { n: 1 });
  await emulator.current.reset();
  faults.length = 0;
  await kinesis.stream({ StreamName: streamName });
  await rules.publish("forgotten", { n: 2 });
  await emulator.current.clock.advance("5 minutes");
  expect(await kinesis.read(streamName)).toEqual([]);
  expect(faults).toEqual([]);
});
