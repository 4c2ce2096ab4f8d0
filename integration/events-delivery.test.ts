import { CloudWatchLogs } from "@aws-sdk/client-cloudwatch-logs";
import { EventBridge, type Target } from "@aws-sdk/client-eventbridge";
import { Kinesis } from "@aws-sdk/client-kinesis";
import { AddPermissionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import * as SNS from "@aws-sdk/client-sns";
import * as SQS from "@aws-sdk/client-sqs";
import { beforeAll, describe, expect, it } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { arnOf, eventsRole, everything, principal, Rules, refusal } from "./harness/event-rules";
import { makeFunction } from "./harness/functions";
import { adminRole } from "./harness/permissions";
import { account, makeOpenQueue, makeTopic, servicePolicy, take, takeUntil } from "./harness/topics";

const faults: string[] = [];
const emulator = useEmulator({ onFault: (error, where) => faults.push(`${where}: ${(error as Error).message}`) });
let rules: Rules;
let events: EventBridge;
let sqs: SQS.SQSClient;
let kinesis: Kinesis;
beforeAll(async () => {
  rules = new Rules(emulator.current);
  ({ events, sqs } = rules);
  await adminRole(sqs, "events");
  kinesis = new Kinesis(settings(emulator.current));
});

describe("an event", () => {
  it("reaches the targets of the rules that match, as AWS writes it", async () => {
    const { source, queue } = await rules.toQueue();
    await rules.put("test.other");
    const Time = new Date("2026-11-21T10:00:00.500Z");
    const { EventId } = await rules.put(source, { kind: "level", value: 7 }, { Time, Resources: ["tank/1"] });
    expect(await rules.bodies(queue.url)).toEqual([
      {
        version: "0",
        id: EventId,
        "detail-type": "Reading",
        source,
        account,
        time: "2026-11-21T10:00:00Z",
        region: "eu-west-1",
        resources: ["tank/1"],
        detail: { kind: "level", value: 7 },
      },
    ]);
    expect(await take(sqs, queue.url)).toEqual([]);
  });

  it("passes a rule that is disabled, until it is enabled", async () => {
    const { name, source, queue } = await rules.toQueue();
    await events.disableRule({ Name: name });
    await rules.put(source, { n: 1 });
    await events.enableRule({ Name: name });
    await rules.put(source, { n: 2 });
    expect((await rules.bodies(queue.url)).map(({ detail }) => detail)).toEqual([{ n: 2 }]);
  });

  it("is refused by itself, with the reason, and the others of the request go on", async () => {
    const { source, queue } = await rules.toQueue();
    const good = { Source: source, DetailType: "Reading", Detail: "{}" };
    const deep = `{"a":${"[".repeat(1_001)}${"]".repeat(1_001)}}`;
    const { FailedEntryCount, Entries } = await events.putEvents({
      Entries: [
        { ...good, Source: undefined },
        { ...good, DetailType: "" },
        { ...good, Detail: undefined },
        { ...good, Detail: "{" },
        { ...good, Detail: "[1]" },
        { ...good, Detail: deep },
        { ...good, Source: "aws.ec2" },
        { ...good, EventBusName: "nowhere" },
        good,
      ],
    });
    expect(FailedEntryCount).toBe(7);
    const required = (name: string) => `Parameter ${name} is not valid. Reason: ${name} is a required argument.`;
    expect(Entries?.map(({ ErrorCode, ErrorMessage }) => ErrorCode && `${ErrorCode}: ${ErrorMessage}`)).toEqual([
      `InvalidArgument: ${required("Source")}`,
      `InvalidArgument: ${required("DetailType")}`,
      `InvalidArgument: ${required("Detail")}`,
      ...Array(3).fill("MalformedDetail: Detail is malformed."),
      "NotAuthorizedForSource: Not authorized for the source.",
      undefined,
      undefined,
    ]);
    expect((await rules.bodies(queue.url))[0].id).toBe(Entries?.[8]?.EventId);
  });

  it("is refused with a time that no calendar has", async () => {
    const Entries = [{ Source: "a", DetailType: "b", Detail: "{}", Time: 1e20 }];
    const headers = {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": "AWSEvents.PutEvents",
      authorization:
        "AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/events/aws4_request, SignedHeaders=host, Signature=0",
    };
    const answer = await fetch(emulator.current.endpoint, {
      method: "POST",
      headers,
      body: JSON.stringify({ Entries }),
    });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ __type: "SerializationException" });
  });

  it("comes in requests of ten at most, and 256 KB", async () => {
    const entry = { Source: "a", DetailType: "b", Detail: "{}" };
    expect(await refusal(events.putEvents({ Entries: Array(11).fill(entry) }))).toMatch(
      /^ValidationException: 1 validation error detected: .* at 'entries' failed to satisfy constraint: Member must have length less than or equal to 10$/,
    );
    const fill = (bytes: number) => JSON.stringify({ a: "x".repeat(bytes - '{"a":""}'.length - 2) });
    expect(await refusal(events.putEvents({ Entries: [{ ...entry, Detail: fill(256 * 1024) }] }))).toBe("accepted");
    expect(await refusal(events.putEvents({ Entries: [{ ...entry, Detail: fill(256 * 1024 + 1) }] }))).toBe(
      "ValidationException: Total size of the entries in the request is over the limit.",
    );
  });
});

describe("a target gets", () => {
  it.each<[string, Partial<Target>, unknown]>([
    ["its input", { Input: '"hello"' }, "hello"],
    ["the part at its path", { InputPath: "$.detail.list[1]" }, 2],
    ["nothing where its path leads nowhere", { InputPath: "$.detail.none" }, {}],
    [
      "what its template makes of the event",
      {
        InputTransformer: {
          InputPathsMap: { who: "$.detail.name", list: "$.detail.list", none: "$.detail.none" },
          InputTemplate:
            '{"who":<who>,"text":"it is <who>: <list>","list":<list>,"none":<none>,"rule":"<aws.events.rule-name>"}',
        },
      },
      { who: 'A "B"', text: 'it is A "B": [1,2]', list: [1, 2], none: "", rule: expect.stringMatching(/^rule-/) },
    ],
    [
      "a text",
      { InputTransformer: { InputPathsMap: { who: "$.detail.name" }, InputTemplate: '"hello <who>"' } },
      'hello A "B"',
    ],
  ])("%s", async (_what, target, expected) => {
    const { source, queue } = await rules.toQueue(target);
    await rules.put(source, { name: 'A "B"', list: [1, 2] });
    expect(await rules.bodies(queue.url)).toEqual([expected]);
  });

  it("the whole event for its template, with names that objects have by themselves", async () => {
    const { source, queue } = await rules.toQueue({
      InputTransformer: {
        InputPathsMap: { constructor: "$.detail.__proto__", toString: "$.detail.constructor" },
        InputTemplate: '{"a":<constructor>,"b":<toString>,"c":<hasOwnProperty>,"event":<aws.events.event.json>}',
      },
    });
    await rules.put(source, {}, { Detail: '{"__proto__":"x"}' });
    const [body] = await rules.bodies(queue.url);
    expect(body).toMatchObject({ a: "x", b: "", c: "", event: { source, "detail-type": "Reading" } });
  });
});

describe("events go to", () => {
  it("a function, if its policy lets the rule invoke it", async () => {
    const lambda = new LambdaClient(settings(emulator.current));
    const seen = await makeOpenQueue(sqs, principal, "none");
    const code = `const { SQSClient, SendMessageCommand } = require("@aws-sdk/client-sqs");
      exports.handler = (event) =>
        new SQSClient({}).send(new SendMessageCommand({ QueueUrl: "${seen.url}", MessageBody: JSON.stringify(event) }));`;
    const Arn = await makeFunction(lambda, "told", code);
    const { source, arn } = await rules.make([{ Id: "fn", Arn }]);
    await rules.put(source, { n: 1 });
    await expect
      .poll(() => faults.join())
      .toContain(`User: ${principal} is not authorized to perform: lambda:InvokeFunction on resource: ${Arn}`);
    const permission = {
      FunctionName: "told",
      StatementId: "rule",
      Action: "lambda:InvokeFunction",
      Principal: principal,
    };
    await lambda.send(new AddPermissionCommand({ ...permission, SourceArn: arn }));
    await rules.put(source, { n: 2 });
    expect((await rules.bodies(seen.url)).map(({ detail }) => detail)).toEqual([{ n: 2 }]);
  });

  it("a FIFO queue, in the group that the target names", async () => {
    const Name = rules.newName();
    const Arn = arnOf("ordered.fifo", "sqs");
    const Policy = servicePolicy(principal, "sqs:SendMessage", Arn, arnOf(`rule/${Name}`));
    const Attributes = { FifoQueue: "true", ContentBasedDeduplication: "true", Policy };
    const { QueueUrl = "" } = await sqs.send(new SQS.CreateQueueCommand({ QueueName: "ordered.fifo", Attributes }));
    const target = { Id: "fifo", Arn, SqsParameters: { MessageGroupId: "tank" } };
    const { source } = await rules.make([target], { Name });
    for (const n of [1, 2, 3]) await rules.put(source, { n });
    expect((await rules.bodies(QueueUrl, 3)).map(({ detail }) => detail.n)).toEqual([1, 2, 3]);
    const bare = events.putTargets({ Rule: Name, Targets: [{ Id: "bare", Arn }] });
    expect(await refusal(bare)).toBe(
      "ValidationException: Parameter(s) SqsParameters must be specified for target: bare.",
    );
  });

  it("a topic, a data stream, a log group and another bus", async () => {
    const sns = new SNS.SNSClient(settings(emulator.current));
    const logs = new CloudWatchLogs(settings(emulator.current));
    const [Name, second] = [rules.newName(), rules.newName()];
    const topic = await makeTopic(sns);
    const policy = servicePolicy(principal, "sns:Publish", topic, arnOf(`rule/${Name}`));
    await sns.send(
      new SNS.SetTopicAttributesCommand({ TopicArn: topic, AttributeName: "Policy", AttributeValue: policy }),
    );
    const told = await makeOpenQueue(sqs, "sns.amazonaws.com", topic);
    const raw = { RawMessageDelivery: "true" };
    await sns.send(new SNS.SubscribeCommand({ TopicArn: topic, Protocol: "sqs", Endpoint: told.arn, Attributes: raw }));
    await kinesis.createStream({ StreamName: "readings", ShardCount: 1 });
    await expect
      .poll(
        async () =>
          (await kinesis.describeStreamSummary({ StreamName: "readings" })).StreamDescriptionSummary?.StreamStatus,
      )
      .toBe("ACTIVE");
    await logs.createLogGroup({ logGroupName: "/aws/events/all" });
    const groups = arnOf("log-group:/aws/events/*:*", "logs");
    const policyDocument = servicePolicy(principal, "logs:*", groups, arnOf(`rule/${Name}`));
    await logs.putResourcePolicy({ policyName: "events", policyDocument });
    await events.createEventBus({ Name: "plant" });
    const onBus = await makeOpenQueue(sqs, principal, arnOf(`rule/plant/${second}`));
    const bus = { Id: "queue", Arn: onBus.arn };
    await rules.make([bus], { Name: second, EventBusName: "plant", EventPattern: everything });

    const KinesisParameters = { PartitionKeyPath: "$.detail.tank" };
    const { source } = await rules.make(
      [
        { Id: "topic", Arn: topic },
        { Id: "stream", Arn: arnOf("stream/readings", "kinesis"), RoleArn: eventsRole, KinesisParameters },
        { Id: "logs", Arn: arnOf("log-group:/aws/events/all", "logs") },
        { Id: "bus", Arn: arnOf("event-bus/plant"), RoleArn: eventsRole },
      ],
      { Name },
    );
    const { EventId } = await rules.put(source, { tank: "t-1" });
    expect((await rules.bodies(told.url))[0]).toMatchObject({ id: EventId });
    expect((await rules.bodies(onBus.url))[0]).toMatchObject({ id: EventId, source });
    const logged = async () => (await logs.filterLogEvents({ logGroupName: "/aws/events/all" })).events ?? [];
    await expect.poll(logged).toHaveLength(1);
    expect(JSON.parse((await logged())[0]!.message!)).toMatchObject({ id: EventId });
    const { Shards = [] } = await kinesis.listShards({ StreamName: "readings" });
    const from = { StreamName: "readings", ShardId: Shards[0]!.ShardId, ShardIteratorType: "TRIM_HORIZON" } as const;
    const { ShardIterator } = await kinesis.getShardIterator(from);
    const { Records = [] } = await kinesis.getRecords({ ShardIterator });
    expect(Records.map(({ PartitionKey }) => PartitionKey)).toEqual(["t-1"]);
    expect(JSON.parse(Buffer.from(Records[0]!.Data!).toString())).toMatchObject({ id: EventId });
  });

  it("no third bus", async () => {
    for (const Name of ["second", "third"]) await events.createEventBus({ Name });
    const Name = rules.newName();
    const dead = await makeOpenQueue(sqs, principal, arnOf(`rule/second/${Name}`));
    const on = (bus: string) => ({ Id: "bus", Arn: arnOf(`event-bus/${bus}`), RoleArn: eventsRole });
    const { source } = await rules.make([on("second")]);
    const last = { ...on("third"), DeadLetterConfig: { Arn: dead.arn } };
    await rules.make([last], { Name, EventBusName: "second", EventPattern: everything });
    await rules.put(source);
    const [letter] = await takeUntil(sqs, dead.url, 1);
    expect(letter?.MessageAttributes).toMatchObject({ ERROR_CODE: { StringValue: "THIRD_ACCOUNT_HOP_DETECTED" } });
  });

  it("the bus of another account only where its policy allows it", async () => {
    const other = new EventBridge(settings(emulator.current, { accessKeyId: "111111111111" }));
    await events.createEventBus({ Name: "shared" });
    const Entries = [{ Source: "a", DetailType: "b", Detail: "{}", EventBusName: arnOf("event-bus/shared") }];
    const code = async () => (await other.putEvents({ Entries })).Entries?.[0]?.ErrorCode;
    expect(await code()).toBe("AccessDeniedException");
    const permission = { EventBusName: "shared", StatementId: "other", Action: "events:PutEvents" };
    await events.putPermission({ ...permission, Principal: "111111111111" });
    expect(await code()).toBeUndefined();
    await events.removePermission({ EventBusName: "shared", StatementId: "other" });
    expect(await code()).toBe("AccessDeniedException");
  });
});

describe("an event that a target refuses", () => {
  /** A rule for a target that leads to a dead-letter queue. */
  async function failing(target: Omit<Target, "Id">) {
    const Name = rules.newName();
    const dead = await makeOpenQueue(sqs, principal, arnOf(`rule/${Name}`));
    const rule = await rules.make([{ Id: "t", DeadLetterConfig: { Arn: dead.arn }, ...target }], { Name });
    return { ...rule, dead };
  }
  const attributes = ({ MessageAttributes = {} }: SQS.Message) =>
    Object.fromEntries(Object.entries(MessageAttributes).map(([name, { StringValue }]) => [name, StringValue]));

  it.each([
    ["is gone", () => arnOf("none", "sqs"), "NO_RESOURCE"],
    ["allows nothing", async () => (await makeOpenQueue(sqs, principal, "none")).arn, "NO_PERMISSIONS"],
  ])("goes to the dead-letter queue at once when it %s", async (_what, targetArn, code) => {
    const Arn = await targetArn();
    const { source, arn, dead } = await failing({ Arn });
    const { EventId } = await rules.put(source);
    const [letter] = await takeUntil(sqs, dead.url, 1);
    expect(JSON.parse(letter!.Body!)).toMatchObject({ id: EventId });
    expect(attributes(letter!)).toEqual({
      RULE_ARN: arn,
      TARGET_ARN: Arn,
      ERROR_CODE: code,
      ERROR_MESSAGE: expect.stringMatching(/./),
      RETRY_ATTEMPTS: "0",
    });
  });

  it("is tried again when the target is too busy, and arrives", async () => {
    await kinesis.createStream({ StreamName: "narrow", ShardCount: 1 });
    await expect
      .poll(
        async () =>
          (await kinesis.describeStreamSummary({ StreamName: "narrow" })).StreamDescriptionSummary?.StreamStatus,
      )
      .toBe("ACTIVE");
    const { source, dead } = await failing({ Arn: arnOf("stream/narrow", "kinesis"), RoleArn: eventsRole });
    const strict = await failing({
      Arn: arnOf("stream/narrow", "kinesis"),
      RoleArn: eventsRole,
      RetryPolicy: { MaximumRetryAttempts: 0 },
    });
    // A shard takes 1 MB a second.
    for (let i = 0; i < 6; i++) await rules.put(source, { fill: "x".repeat(250_000) });
    await rules.put(strict.source, { fill: "x".repeat(250_000) });
    const [letter] = await takeUntil(sqs, strict.dead.url, 1);
    expect(attributes(letter!)).toMatchObject({
      ERROR_CODE: "THROTTLING",
      RETRY_ATTEMPTS: "0",
      EXHAUSTED_RETRY_CONDITION: "MaximumRetryAttempts",
    });
    await emulator.current.clock.advance("1 minute");
    const { Shards = [] } = await kinesis.listShards({ StreamName: "narrow" });
    const from = { StreamName: "narrow", ShardId: Shards[0]!.ShardId, ShardIteratorType: "TRIM_HORIZON" } as const;
    const { ShardIterator } = await kinesis.getShardIterator(from);
    const { Records = [] } = await kinesis.getRecords({ ShardIterator });
    expect(Records).toHaveLength(6);
    expect(await take(sqs, dead.url)).toEqual([]);
  });

  it("is reported when there is no dead-letter queue, or it refuses too", async () => {
    const closed = await makeOpenQueue(sqs, principal, "none");
    const lost = await rules.make([{ Id: "t", Arn: arnOf("none", "sqs") }]);
    const twice = await rules.make([{ Id: "t", Arn: arnOf("none", "sqs"), DeadLetterConfig: { Arn: closed.arn } }]);
    await rules.put(lost.source, { secret: "payload" });
    await rules.put(twice.source);
    await expect
      .poll(() => faults.join("\n"))
      .toContain(`dropped an event of ${lost.arn} for ${arnOf("none", "sqs")}:`);
    await expect.poll(() => faults.join("\n")).toContain(`dropped an event of ${twice.arn}`);
    expect(faults.join("\n")).toContain("its dead-letter queue refused it, too");
    expect(faults.join("\n")).not.toContain("payload");
  });
});
