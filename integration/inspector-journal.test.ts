import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  PutSubscriptionFilterCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { CreateTableCommand, DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from "@aws-sdk/client-eventbridge";
import {
  AddPermissionCommand,
  CreateEventSourceMappingCommand,
  InvokeCommand,
  LambdaClient,
} from "@aws-sdk/client-lambda";
import { PutBucketNotificationConfigurationCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import * as SQS from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { Clock } from "../emulator/core/clock";
import { Journal } from "../emulator/core/journal/journal";
import { Devices } from "./harness/devices";
import { keyed } from "./harness/dynamodb";
import { settings, startEmulator, useEmulator } from "./harness/emulator";
import { makeFunction } from "./harness/functions";
import { useKinesis } from "./harness/kinesis";
import { useRules } from "./harness/rules";
import { makeBucket, s3Client } from "./harness/s3";
import { told } from "./harness/story";
import { makeOpenQueue, takeUntil } from "./harness/topics";

const emulator = useEmulator();
const kinesis = useKinesis(emulator);
const rules = useRules(emulator);
let sqs: SQS.SQSClient;
let lambda: LambdaClient;
let devices: Devices;

beforeAll(() => {
  sqs = new SQS.SQSClient(settings(emulator.current));
  lambda = new LambdaClient(settings(emulator.current));
  devices = new Devices(emulator.current);
});
afterAll(() => devices.close());
beforeEach(() => {
  emulator.current.journal.start();
});

const ok = "exports.handler = async () => ({})";
const nameOf = (arn: string) => arn.split(":").at(-1);
const queue = async (QueueName: string, Attributes?: Record<string, string>) => {
  const { QueueUrl = "" } = await sqs.send(new SQS.CreateQueueCommand({ QueueName, Attributes }));
  return { url: QueueUrl, arn: `arn:aws:sqs:eu-west-1:000000000000:${QueueName}` };
};
const read = (FunctionName: string, EventSourceArn: string, StartingPosition?: "TRIM_HORIZON") =>
  lambda.send(new CreateEventSourceMappingCommand({ FunctionName, EventSourceArn, StartingPosition }));

describe("the journal", () => {
  it("follows an object from its upload to who takes its notification", async () => {
    const s3 = s3Client(emulator.current);
    const Bucket = await makeBucket(s3);
    const { url, arn } = await makeOpenQueue(sqs, "s3.amazonaws.com", `arn:aws:s3:::${Bucket}`);
    const QueueConfigurations = [{ QueueArn: arn, Events: ["s3:ObjectCreated:*" as const] }];
    const NotificationConfiguration = { QueueConfigurations };
    await s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration }));
    await takeUntil(sqs, url, 1);
    await s3.send(new PutObjectCommand({ Bucket, Key: "a/b", Body: "the content" }));
    await takeUntil(sqs, url, 1);
    expect(await told(emulator.current, "PutObject", "ReceiveMessage")).toEqual([
      expect.stringMatching(/^call s3 PutObject.* 200$/),
      `  delivery sqs SendMessage ${nameOf(arn)},${Bucket}`,
      `    call sqs ReceiveMessage ${nameOf(arn)} 200`,
    ]);
  });

  it("follows a message of a device through a rule and a stream to a function", async () => {
    const streamName = await kinesis.stream();
    await makeFunction(lambda, "fleet", ok);
    await read("fleet", kinesis.arn(streamName), "TRIM_HORIZON");
    const { ruleName } = await rules.create([{ kinesis: { roleArn: rules.roleArn, streamName, partitionKey: "k" } }]);
    const device = await devices.connect(await devices.certificate());
    await device.publishAsync("devices/one/up", '{"n":1}', { qos: 1 });
    expect(await told(emulator.current, "PUBLISH devices/one/up", "invocation")).toEqual([
      "message iot PUBLISH devices/one/up up",
      `  rule iot ${ruleName} ${ruleName}`,
      expect.stringMatching(`^    delivery kinesis PutRecord ${streamName}`),
      `      batch kinesis Batch ${streamName}`,
      "        invocation lambda Invoke fleet",
    ]);
  });

  it("tells of what a fault refuses, on its way in and between services", async () => {
    const streamName = await kinesis.stream();
    await rules.create([{ kinesis: { roleArn: rules.roleArn, streamName, partitionKey: "k" } }], {
      sql: "SELECT * FROM 'faulty/up'",
    });
    onTestFinished(() => emulator.current.faults.clear());
    const certificate = await devices.certificate();
    const device = await devices.connect(certificate);
    emulator.current.faults.inject({ fault: "error", service: "kinesis", operation: "PutRecord", code: "NotNow" });
    await device.publishAsync("faulty/up", "1", { qos: 1 });
    expect(await told(emulator.current, "PUBLISH faulty/up", "delivery")).toEqual([
      "message iot PUBLISH faulty/up up",
      expect.stringMatching("^  rule iot"),
      expect.stringMatching(`^    delivery kinesis PutRecord ${streamName}.* NotNow$`),
    ]);
    emulator.current.faults.inject({ fault: "drop", service: "iotdata", operation: "Publish" });
    device.publish("faulty/cut", "1", { qos: 1 });
    expect(await told(emulator.current, "PUBLISH faulty/cut", "Dropped")).toEqual([
      "message iot PUBLISH faulty/cut cut ConnectionDropped",
    ]);
  });

  it("follows a change of a table through its stream to a function", async () => {
    const dynamodb = new DynamoDBClient(settings(emulator.current));
    const { TableDescription } = await dynamodb.send(
      new CreateTableCommand({
        ...keyed(),
        TableName: "changes",
        StreamSpecification: { StreamEnabled: true, StreamViewType: "KEYS_ONLY" },
      }),
    );
    await makeFunction(lambda, "watcher", ok);
    await read("watcher", TableDescription!.LatestStreamArn!, "TRIM_HORIZON");
    await dynamodb.send(new PutItemCommand({ TableName: "changes", Item: { pk: { S: "1" } } }));
    expect(await told(emulator.current, "PutItem", "invocation lambda Invoke watcher")).toHaveLength(3);
  });

  it("tells what becomes of records that a function never takes", async () => {
    const streamName = await kinesis.stream();
    await makeFunction(lambda, "choosy", "exports.handler = async () => { throw new RangeError('no') }");
    const { url, arn } = await queue("given-up");
    await lambda.send(
      new CreateEventSourceMappingCommand({
        ...{ FunctionName: "choosy", EventSourceArn: kinesis.arn(streamName), StartingPosition: "TRIM_HORIZON" },
        ...{ MaximumRetryAttempts: 0, DestinationConfig: { OnFailure: { Destination: arn } } },
      }),
    );
    await kinesis.put(streamName, "data");
    await takeUntil(sqs, url, 1);
    expect(await told(emulator.current, "PutRecord", "ReceiveMessage")).toEqual([
      `call kinesis PutRecord ${streamName} 200`,
      `  batch kinesis Batch ${streamName}`,
      "    invocation lambda Invoke choosy RangeError",
      expect.stringMatching(/^ {2}delivery sqs SendMessage given-up/),
      "    call sqs ReceiveMessage given-up 200",
    ]);
  });

  it("tells of each try of a message that fails, of its way to the dead letters and of the way back", async () => {
    const dead = await queue("dead");
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 2 });
    const jobs = await queue("jobs", { RedrivePolicy, VisibilityTimeout: "3" });
    await makeFunction(lambda, "broken", "exports.handler = async () => { throw new TypeError('no') }");
    await read("broken", jobs.arn);
    await sqs.send(new SQS.SendMessageCommand({ QueueUrl: jobs.url, MessageBody: "work" }));
    const tries = ["  batch sqs Batch jobs", "    invocation lambda Invoke broken TypeError"];
    expect(await told(emulator.current, "SendMessage", "TypeError")).toEqual([
      "call sqs SendMessage jobs 200",
      ...tries,
    ]);
    await emulator.current.clock.advance("3 seconds");
    expect(await told(emulator.current, "SendMessage", /invocation(.*\n)*.*invocation/)).toHaveLength(5);
    await emulator.current.clock.advance("3 seconds");
    await told(emulator.current, "SendMessage", "move sqs DeadLetter dead,jobs");
    await sqs.send(new SQS.StartMessageMoveTaskCommand({ SourceArn: dead.arn }));
    expect(await told(emulator.current, "SendMessage", /Redrive(.*\n)*.*TypeError/)).toEqual([
      "call sqs SendMessage jobs 200",
      ...tries,
      ...tries,
      "  move sqs DeadLetter dead,jobs",
      "    move sqs Redrive jobs,dead",
      ...tries.map((line) => `    ${line}`),
    ]);
  });

  it("keeps a run that is tried again with who asked for it", async () => {
    await makeFunction(lambda, "second-chance", "exports.handler = async () => { throw new TypeError('no') }");
    await lambda.send(new InvokeCommand({ FunctionName: "second-chance", InvocationType: "Event" }));
    const tries = ["call lambda Invoke second-chance 202", "  invocation lambda Invoke second-chance TypeError"];
    expect(await told(emulator.current, "Invoke", "TypeError")).toEqual(tries);
    await emulator.current.clock.advance("1 minute");
    expect(await told(emulator.current, "Invoke", /(TypeError.*){2}/s)).toEqual([...tries, tries[1]]);
  });

  it("does not take for a call's doing what is made of log lines, which come of many", async () => {
    await makeFunction(lambda, "talker", "exports.handler = async () => console.log('listen')");
    const destinationArn = await makeFunction(lambda, "listener", ok);
    await lambda.send(
      new AddPermissionCommand({
        ...{ FunctionName: "listener", StatementId: "logs", Action: "lambda:InvokeFunction" },
        Principal: "logs.eu-west-1.amazonaws.com",
      }),
    );
    const logs = new CloudWatchLogsClient(settings(emulator.current));
    const logGroupName = "/aws/lambda/talker";
    await logs.send(new CreateLogGroupCommand({ logGroupName }));
    await logs.send(
      new PutSubscriptionFilterCommand({ logGroupName, filterName: "all", filterPattern: "listen", destinationArn }),
    );
    await lambda.send(new InvokeCommand({ FunctionName: "talker" }));
    const root = () =>
      emulator.current.journal
        .entries()
        .find(({ kind, resources }) => kind === "delivery" && resources[0] === destinationArn);
    await vi.waitFor(() => expect(root()).toMatchObject({ causes: [], caller: "logs.amazonaws.com" }));
  });

  it("begins a story of its own at each run of a schedule", async () => {
    const events = new EventBridgeClient(settings(emulator.current));
    const { url, arn } = await makeOpenQueue(
      sqs,
      "events.amazonaws.com",
      "arn:aws:events:eu-west-1:000000000000:rule/tick",
    );
    await events.send(new PutRuleCommand({ Name: "tick", ScheduleExpression: "rate(1 hour)" }));
    await events.send(new PutTargetsCommand({ Rule: "tick", Targets: [{ Id: "1", Arn: arn }] }));
    await emulator.current.clock.advance("1 hour");
    await takeUntil(sqs, url, 1);
    expect(await told(emulator.current, "tick", "ReceiveMessage")).toEqual([
      "rule events tick tick",
      `  delivery sqs SendMessage ${nameOf(arn)},tick`,
      `    call sqs ReceiveMessage ${nameOf(arn)} 200`,
    ]);
  });

  it("says who called what, how it went and how long it took, on the emulator's clock", async () => {
    await emulator.current.clock.advance("1 day");
    await sqs.send(new SQS.GetQueueUrlCommand({ QueueName: "missing" })).catch(() => {});
    const entry = emulator.current.journal.entries().at(-1)!;
    expect(entry).toMatchObject({
      ...{ kind: "call", service: "sqs", operation: "GetQueueUrl", causes: [] },
      ...{ status: 400, error: "QueueDoesNotExist", caller: "arn:aws:iam::000000000000:root" },
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(entry.durationMs).toBeGreaterThan(0);
    expect(entry.time).toBeGreaterThan(Date.now() + 86_000_000);
  });

  it("holds nothing of what messages say", async () => {
    const secret = "the-secret-that-nobody-may-see";
    const { url } = await queue("private");
    await sqs.send(new SQS.SendMessageCommand({ QueueUrl: url, MessageBody: secret }));
    await takeUntil(sqs, url, 1);
    await rules.publish("devices/two/up", secret);
    const text = JSON.stringify(emulator.current.journal.entries());
    expect(text).toContain("private");
    expect(text).not.toContain(secret);
  });

  it("writes nothing down before it is started, and forgets all at a reset", async () => {
    await using fresh = await startEmulator({ port: 0 });
    const client = new SQS.SQSClient(settings(fresh));
    const list = () => client.send(new SQS.ListQueuesCommand({}));
    await list();
    expect(fresh.journal.entries()).toEqual([]);
    fresh.journal.start();
    await list();
    expect(fresh.journal.entries()).toHaveLength(1);
    fresh.journal.stop();
    await list();
    expect(fresh.journal.entries()).toHaveLength(1);
    await fresh.reset();
    expect(fresh.journal.entries()).toEqual([]);
  });

  it("keeps the last 5,000 steps, and tells watchers of each when it begins and when it ends", () => {
    const clock = new Clock();
    const journal = new Journal(clock);
    journal.start();
    const seen: string[] = [];
    const stop = journal.watch(({ id, durationMs }) =>
      seen.push(`${id} ${durationMs === undefined ? "begins" : "ends"}`),
    );
    const note = () => journal.note(() => ({ kind: "call", service: "sqs", operation: "ListQueues" }));
    note();
    stop();
    for (let n = 0; n < 5_100; n++) note();
    expect(seen).toEqual(["1 begins", "1 ends"]);
    const ids = journal.entries().map(({ id }) => id);
    expect([ids.length, ids[0], ids.at(-1)]).toEqual([5_000, 102, 5_101]);
  });
});
