import * as RA from "@aws-sdk/client-api-gateway";
import { ApiGatewayManagementApiClient, PostToConnectionCommand } from "@aws-sdk/client-apigatewaymanagementapi";
import { ApiGatewayV2Client } from "@aws-sdk/client-apigatewayv2";
import * as CW from "@aws-sdk/client-cloudwatch-logs";
import * as DB from "@aws-sdk/client-dynamodb";
import * as EB from "@aws-sdk/client-eventbridge";
import { CreateTopicRuleCommand, IoTClient } from "@aws-sdk/client-iot";
import { IoTDataPlaneClient, PublishCommand as IotPublish } from "@aws-sdk/client-iot-data-plane";
import * as KI from "@aws-sdk/client-kinesis";
import * as LA from "@aws-sdk/client-lambda";
import * as S3 from "@aws-sdk/client-s3";
import { CreateTopicCommand, PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import * as SQ from "@aws-sdk/client-sqs";
import { beforeAll, describe, expect, it } from "vitest";
import { settings, startEmulator, useEmulator } from "./harness/emulator";
import { answer, arnOf, makeFunction } from "./harness/functions";
import { makeRecorder } from "./harness/recorder";
import { RestApiBuilder } from "./harness/rest-api";
import { s3Client } from "./harness/s3";
import { proxyTo, WebSocketApi } from "./harness/websocket-api";

const emulator = useEmulator();
const MiB = 1024 * 1024;
const clients = () => {
  const own = settings(emulator.current);
  return {
    rest: new RA.APIGatewayClient(own),
    lambda: new LA.LambdaClient(own),
    sqs: new SQ.SQSClient(own),
    sns: new SNSClient(own),
    events: new EB.EventBridge(own),
    dynamodb: new DB.DynamoDBClient(own),
    kinesis: new KI.KinesisClient(own),
    s3: s3Client(emulator.current),
    logs: new CW.CloudWatchLogsClient(own),
    iot: new IoTClient(own),
    iotData: new IoTDataPlaneClient(own),
  };
};
let aws: ReturnType<typeof clients>;
let api: RestApiBuilder;
let QueueUrl: string;
let TopicArn: string;

beforeAll(async () => {
  aws = clients();
  api = await RestApiBuilder.create(aws.rest, emulator.current);
  await api.add("POST /");
  QueueUrl = (await aws.sqs.send(new SQ.CreateQueueCommand({ QueueName: "edge" }))).QueueUrl!;
  TopicArn = (await aws.sns.send(new CreateTopicCommand({ Name: "edge" }))).TopicArn!;
  await makeFunction(aws.lambda, "edge", answer("ok"), { Timeout: 30 });
  await aws.kinesis.send(new KI.CreateStreamCommand({ StreamName: "edge", ShardCount: 1 }));
  await aws.s3.send(new S3.CreateBucketCommand({ Bucket: "edge" }));
  await aws.logs.send(new CW.CreateLogGroupCommand({ logGroupName: "edge" }));
  await aws.logs.send(new CW.CreateLogStreamCommand({ logGroupName: "edge", logStreamName: "edge" }));
  const key = { AttributeName: "pk", AttributeType: "S" } as const;
  await aws.dynamodb.send(
    new DB.CreateTableCommand({
      TableName: "edge",
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [key],
      KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
    }),
  );
});

const times = <T>(count: number, make: (index: number) => T) => Array.from({ length: count }, (_, i) => make(i));
let unique = 0;

const timeout = (timeoutInMillis: number) => () =>
  api.add(`GET /timeout-${++unique}`, { integration: { timeoutInMillis } });
const authorizer = (authorizerResultTtlInSeconds: number) => () =>
  aws.rest.send(
    new RA.CreateAuthorizerCommand({
      restApiId: api.id,
      name: `ttl-${++unique}`,
      type: "REQUEST",
      identitySource: "method.request.header.Authorization",
      authorizerUri: `arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/${arnOf("edge")}/invocations`,
      authorizerResultTtlInSeconds,
    }),
  );
const apiKey = (length: number) => () =>
  aws.rest.send(new RA.CreateApiKeyCommand({ name: "edge", value: `${++unique}`.padEnd(length, "x") }));

/** A message of so many bytes, those of an attribute included. */
const message = (bytes: number) => () =>
  aws.sqs.send(
    new SQ.SendMessageCommand({
      QueueUrl,
      MessageBody: "x".repeat(bytes - 12),
      MessageAttributes: { name: { DataType: "String", StringValue: "ab" } },
    }),
  );
const messages = (count: number, bytes: number) => () =>
  aws.sqs.send(
    new SQ.SendMessageBatchCommand({
      QueueUrl,
      Entries: times(count, (i) => ({ Id: `${i}`, MessageBody: "x".repeat(i === 0 ? bytes - count + 1 : 1) })),
    }),
  );
const queue =
  (Attributes: Record<string, string>, QueueName = `edge-${++unique}`) =>
  () =>
    aws.sqs.send(new SQ.CreateQueueCommand({ QueueName, Attributes }));
const delay = (DelaySeconds: number) => () =>
  aws.sqs.send(new SQ.SendMessageCommand({ QueueUrl, MessageBody: "x", DelaySeconds }));
const wait = (WaitTimeSeconds: number) => async () => {
  await aws.sqs.send(new SQ.SendMessageCommand({ QueueUrl, MessageBody: "x" }));
  await aws.sqs.send(new SQ.ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds }));
};

const invoke = (InvocationType: LA.InvocationType, bytes: number) => () =>
  aws.lambda.send(
    new LA.InvokeCommand({ FunctionName: "edge", InvocationType, Payload: JSON.stringify("x".repeat(bytes - 2)) }),
  );
const fn = (options: Partial<LA.CreateFunctionCommandInput>) => () =>
  makeFunction(aws.lambda, `edge-${++unique}`, answer("ok"), options);
const mapping = (options: Partial<LA.CreateEventSourceMappingCommandInput>) => async () => {
  await queue({ VisibilityTimeout: "60" }, `source-${++unique}`)();
  const EventSourceArn = `arn:aws:sqs:eu-west-1:000000000000:source-${unique}`;
  const input = { FunctionName: "edge", EventSourceArn, ...options };
  const { UUID } = await aws.lambda.send(new LA.CreateEventSourceMappingCommand(input));
  await aws.lambda.send(new LA.DeleteEventSourceMappingCommand({ UUID }));
};
const filters = (count: number) => ({
  FilterCriteria: { Filters: times(count, (i) => ({ Pattern: JSON.stringify({ body: { kind: [`${i}`] } }) })) },
});

/** An item of so many bytes. */
const item = (bytes: number) => () =>
  aws.dynamodb.send(
    new DB.PutItemCommand({
      TableName: "edge",
      Item: { pk: { S: `${++unique}` }, t: { S: "x".repeat(bytes - 3 - `${unique}`.length) } },
    }),
  );
const writes = (count: number) => () =>
  aws.dynamodb.send(
    new DB.BatchWriteItemCommand({
      RequestItems: { edge: times(count, (i) => ({ PutRequest: { Item: { pk: { S: `${i}` } } } })) },
    }),
  );
const record = (bytes: number) => async () => {
  const Data = Buffer.alloc(bytes - 1);
  await aws.kinesis.send(new KI.PutRecordCommand({ StreamName: "edge", PartitionKey: "k", Data }));
  await emulator.current.clock.advance("2 seconds");
};
const records = (count: number) => async () => {
  const Records = times(count, () => ({ PartitionKey: "k", Data: Buffer.of(1) }));
  await aws.kinesis.send(new KI.PutRecordsCommand({ StreamName: "edge", Records }));
};
const publish = (bytes: number) => () => aws.sns.send(new PublishCommand({ TopicArn, Message: "x".repeat(bytes) }));
const puts = (count: number) => () =>
  aws.events.putEvents({ Entries: times(count, () => ({ Source: "edge", DetailType: "Edge", Detail: "{}" })) });
const object =
  (Key: string, metadata = 0) =>
  () =>
    aws.s3.send(new S3.PutObjectCommand({ Bucket: "edge", Key, Body: "x", Metadata: { m: "x".repeat(metadata) } }));
const device =
  (topic: string, bytes = 1) =>
  () =>
    aws.iotData.send(new IotPublish({ topic, payload: Buffer.alloc(bytes), qos: 1 }));
const logged = (count: number) => () =>
  aws.logs.send(
    new CW.PutLogEventsCommand({
      logGroupName: "edge",
      logStreamName: "edge",
      logEvents: times(count, () => ({ timestamp: emulator.current.clock.now(), message: "x" })),
    }),
  );
const rule = (count: number) => () =>
  aws.iot.send(
    new CreateTopicRuleCommand({
      ruleName: `edge_${++unique}`,
      topicRulePayload: {
        sql: "SELECT * FROM 'edge'",
        actions: times(count, () => ({ lambda: { functionArn: arnOf("edge") } })),
      },
    }),
  );

/** What is just allowed, what is just not, and the error that says so. */
type Edge = readonly [what: string, at: () => Promise<unknown>, over: () => Promise<unknown>, error: string];

const edges: readonly Edge[] = [
  ["an integration's timeout of 29 s", timeout(29_000), timeout(29_001), "BadRequestException"],
  ["an integration's timeout of 50 ms", timeout(50), timeout(49), "BadRequestException"],
  ["an authorizer's answer kept for an hour", authorizer(3_600), authorizer(3_601), "BadRequestException"],
  ["an API key of 20 characters", apiKey(20), apiKey(19), "BadRequestException"],
  ["an API key of 128 characters", apiKey(128), apiKey(129), "BadRequestException"],
  ["a message of 1 MiB on a queue", message(MiB), message(MiB + 1), "InvalidParameterValue"],
  ["a batch of 1 MiB on a queue", messages(10, MiB), messages(10, MiB + 1), "BatchRequestTooLong"],
  ["a batch of 10 messages", messages(10, 10), messages(11, 11), "TooManyEntriesInBatchRequest"],
  ["a message's delay of 15 minutes", delay(900), delay(901), "InvalidParameterValue"],
  [
    "a queue's delay of 15 minutes",
    queue({ DelaySeconds: "900" }),
    queue({ DelaySeconds: "901" }),
    "InvalidAttributeValue",
  ],
  ["a long poll of 20 s", wait(20), wait(21), "InvalidParameterValue"],
  [
    "messages kept for two weeks",
    queue({ MessageRetentionPeriod: "1209600" }),
    queue({ MessageRetentionPeriod: "1209601" }),
    "InvalidAttributeValue",
  ],
  [
    "a visibility timeout of 12 hours",
    queue({ VisibilityTimeout: "43200" }),
    queue({ VisibilityTimeout: "43201" }),
    "InvalidAttributeValue",
  ],
  ["a queue's name of 80 characters", queue({}, "q".repeat(80)), queue({}, "q".repeat(81)), "InvalidParameterValue"],
  [
    "an event of 6 MiB",
    invoke("RequestResponse", 6 * MiB),
    invoke("RequestResponse", 6 * MiB + 1),
    "RequestTooLargeException",
  ],
  ["an asynchronous event of 1 MiB", invoke("Event", MiB), invoke("Event", MiB + 1), "RequestTooLargeException"],
  ["a function's timeout of 15 minutes", fn({ Timeout: 900 }), fn({ Timeout: 901 }), "ValidationException"],
  ["10,240 MB of memory", fn({ MemorySize: 10_240 }), fn({ MemorySize: 10_241 }), "ValidationException"],
  [
    "4 KB of variables",
    fn({ Environment: { Variables: { AB: "x".repeat(4_094) } } }),
    fn({ Environment: { Variables: { AB: "x".repeat(4_095) } } }),
    "InvalidParameterValueException",
  ],
  [
    "a batch of 10,000 messages for a function",
    mapping({ BatchSize: 10_000, MaximumBatchingWindowInSeconds: 1 }),
    mapping({ BatchSize: 10_001, MaximumBatchingWindowInSeconds: 1 }),
    "ValidationException",
  ],
  [
    "a batch of 10 without a window",
    mapping({ BatchSize: 10 }),
    mapping({ BatchSize: 11 }),
    "InvalidParameterValueException",
  ],
  [
    "2 functions at a time for a queue",
    mapping({ ScalingConfig: { MaximumConcurrency: 2 } }),
    mapping({ ScalingConfig: { MaximumConcurrency: 1 } }),
    "ValidationException",
  ],
  [
    "1,000 functions at a time for a queue",
    mapping({ ScalingConfig: { MaximumConcurrency: 1_000 } }),
    mapping({ ScalingConfig: { MaximumConcurrency: 1_001 } }),
    "ValidationException",
  ],
  ["five filters", mapping(filters(5)), mapping(filters(6)), "InvalidParameterValueException"],
  ["an item of 400 KB", item(400 * 1024), item(400 * 1024 + 1), "ValidationException"],
  ["25 writes at once", writes(25), writes(26), "ValidationException"],
  ["a record of 1 MiB with its key", record(MiB), record(MiB + 1), "ValidationException"],
  ["500 records at once", records(500), records(501), "ValidationException"],
  ["a notification of 256 KB", publish(256 * 1024), publish(256 * 1024 + 1), "InvalidParameterException"],
  ["10 events at once", puts(10), puts(11), "ValidationException"],
  ["a key of 1,024 bytes", object("ä".repeat(512)), object(`${"ä".repeat(512)}x`), "KeyTooLongError"],
  ["2 KB of metadata", object("metadata", 2_047), object("metadata", 2_048), "MetadataTooLarge"],
  ["10,000 log events", logged(10_000), logged(10_001), "InvalidParameterException"],
  ["a payload of 128 KB", device("edge", 128 * 1024), device("edge", 128 * 1024 + 1), "RequestEntityTooLargeException"],
  ["a topic with 7 slashes", device("a/b/c/d/e/f/g/h"), device("a/b/c/d/e/f/g/h/i"), "InvalidRequestException"],
  [
    "7 slashes behind Basic Ingest",
    device("$aws/rules/r/a/b/c/d/e/f/g/h"),
    device("$aws/rules/r/a/b/c/d/e/f/g/h/i"),
    "InvalidRequestException",
  ],
  ["10 actions of a rule", rule(10), rule(11), "InvalidRequestException"],
];

describe("lets pass", () => {
  it.each(edges)("%s, and nothing beyond", async (_what, at, over, error) => {
    await at();
    expect(await over().catch(({ name }: Error) => name)).toBe(error);
  });
});

describe("the account's requests a second", () => {
  it("are shared by REST APIs, WebSocket APIs and @connections, and shown by GetAccount", async () => {
    await using own = await startEmulator({ port: 0, quotas: { requestsPerSecond: 1 / 60, requestBurst: 4 } });
    const rest = new RA.APIGatewayClient(settings(own));
    const { throttleSettings } = await rest.send(new RA.GetAccountCommand({}));
    expect(throttleSettings).toEqual({ rateLimit: 1 / 60, burstLimit: 4 });
    const ownApi = await RestApiBuilder.create(rest, own);
    await ownApi.add("GET /pets");
    const url = `${await ownApi.deploy("test")}/pets`;
    const sockets = await WebSocketApi.create(new ApiGatewayV2Client(settings(own)), own);
    const recorder = await makeRecorder(own);
    await sockets.add("$connect", { integration: proxyTo(recorder.functionArn) });
    await sockets.stage();

    const { connectionId } = await recorder.connect(sockets.url());
    const management = new ApiGatewayManagementApiClient({ ...settings(own), endpoint: sockets.management() });
    const post = () => management.send(new PostToConnectionCommand({ ConnectionId: connectionId, Data: "x" }));
    await post();
    const get = () => fetch(url);
    expect([(await get()).status, (await get()).status]).toEqual([200, 200]);
    const refused = await get();
    expect([refused.status, await refused.json()]).toEqual([429, { message: "Too Many Requests" }]);
    await expect(post()).rejects.toMatchObject({ name: "LimitExceededException" });
    await own.clock.advance("1 minute");
    expect((await get()).status).toBe(200);
  });

  it("are AWS's unless told: 10,000, and 5,000 at once", async () => {
    const { throttleSettings } = await aws.rest.send(new RA.GetAccountCommand({}));
    expect(throttleSettings).toEqual({ rateLimit: 10_000, burstLimit: 5_000 });
  });
});

it("runs as many functions at a time as the account may, 1,000 unless told", async () => {
  const { AccountLimit } = await aws.lambda.send(new LA.GetAccountSettingsCommand({}));
  expect(AccountLimit?.ConcurrentExecutions).toBe(1_000);
  await using own = await startEmulator({ port: 0, quotas: { concurrentExecutions: 1 } });
  const lambda = new LA.LambdaClient(settings(own));
  // One that calls itself needs two.
  const code = `const { LambdaClient, InvokeCommand } = require("@aws-sdk/client-lambda");
    const lambda = new LambdaClient({ maxAttempts: 1 });
    exports.handler = (event) => event.inner ? "ran" : lambda
      .send(new InvokeCommand({ FunctionName: "twice", Payload: JSON.stringify({ inner: true }) }))
      .then(() => "ran", ({ name }) => name);`;
  await makeFunction(lambda, "twice", code, { Timeout: 30 });
  const { Payload } = await lambda.send(new LA.InvokeCommand({ FunctionName: "twice", Payload: "{}" }));
  expect(JSON.parse(Buffer.from(Payload!).toString())).toBe("TooManyRequestsException");
});
