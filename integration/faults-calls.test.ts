import { APIGatewayClient, GetRestApisCommand } from "@aws-sdk/client-api-gateway";
import { ApiGatewayV2Client, GetApisCommand } from "@aws-sdk/client-apigatewayv2";
import { CloudWatchLogsClient, PutLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { CognitoIdentityProviderClient, ListUserPoolsCommand } from "@aws-sdk/client-cognito-identity-provider";
import {
  CreateTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  TransactWriteItemsCommand,
} from "@aws-sdk/client-dynamodb";
import { DynamoDBStreamsClient, ListStreamsCommand } from "@aws-sdk/client-dynamodb-streams";
import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, ListRolesCommand } from "@aws-sdk/client-iam";
import { IoTClient, ListThingsCommand } from "@aws-sdk/client-iot";
import { IoTDataPlaneClient, PublishCommand as PublishToTopic } from "@aws-sdk/client-iot-data-plane";
import { CreateStreamCommand, KinesisClient, PutRecordCommand } from "@aws-sdk/client-kinesis";
import { InvokeCommand, LambdaClient, ListFunctionsCommand } from "@aws-sdk/client-lambda";
import { ListBucketsCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateTopicCommand, ListTopicsCommand, PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { QueryCommand, TimestreamQueryClient } from "@aws-sdk/client-timestream-query";
import { ListDatabasesCommand, TimestreamWriteClient } from "@aws-sdk/client-timestream-write";
import { afterEach, describe, expect, it } from "vitest";
import type { RequestRecord } from "../emulator";
import { resourceMatches } from "../emulator/core/faults/place";
import { registry } from "../emulator/registry";
import { createTable } from "./harness/dynamodb";
import { settings, startEmulator, useEmulator } from "./harness/emulator";
import { makeBucket, s3Client } from "./harness/s3";

const emulator = useEmulator();
afterEach(() => emulator.current.faults.clear());

const at = () => settings(emulator.current);
const inject = (...[options]: Parameters<typeof emulator.current.faults.inject>) =>
  emulator.current.faults.inject(options);

/** What a call rejects with, as people see it. */
async function refusal(call: Promise<unknown>) {
  const error = await call.then(
    () => undefined,
    (reason: Error & { $metadata?: { httpStatusCode?: number }; Reason?: string; $fault?: string }) => reason,
  );
  return error && { name: error.name, status: error.$metadata?.httpStatusCode, message: error.message };
}

async function queue(name: string): Promise<{ sqs: SQSClient; QueueUrl: string }> {
  const sqs = new SQSClient(at());
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
  return { sqs, QueueUrl: QueueUrl! };
}

/** A call of each service, and how it throttles. */
const throttles: [string, () => Promise<unknown>, string, number][] = [
  ["sts", () => new STSClient(at()).send(new GetCallerIdentityCommand({})), "Throttling", 400],
  ["iam", () => new IAMClient(at()).send(new ListRolesCommand({})), "Throttling", 400],
  [
    "logs",
    () =>
      new CloudWatchLogsClient(at()).send(
        new PutLogEventsCommand({ logGroupName: "g", logStreamName: "s", logEvents: [{ timestamp: 1, message: "m" }] }),
      ),
    "ThrottlingException",
    400,
  ],
  [
    "dynamodb",
    () => new DynamoDBClient(at()).send(new GetItemCommand({ TableName: "t", Key: { id: { S: "1" } } })),
    "ProvisionedThroughputExceededException",
    400,
  ],
  [
    "dynamodbstreams",
    () => new DynamoDBStreamsClient(at()).send(new ListStreamsCommand({})),
    "ThrottlingException",
    400,
  ],
  ["sqs", () => new SQSClient(at()).send(new GetQueueAttributesCommand({ QueueUrl: "u" })), "RequestThrottled", 403],
  ["sns", () => new SNSClient(at()).send(new ListTopicsCommand({})), "ThrottledException", 429],
  [
    "events",
    () => new EventBridgeClient(at()).send(new PutEventsCommand({ Entries: [{}] })),
    "ThrottlingException",
    400,
  ],
  [
    "kinesis",
    () =>
      new KinesisClient(at()).send(
        new PutRecordCommand({ StreamName: "s", PartitionKey: "k", Data: Buffer.from("d") }),
      ),
    "ProvisionedThroughputExceededException",
    400,
  ],
  ["timestream", () => new TimestreamWriteClient(at()).send(new ListDatabasesCommand({})), "ThrottlingException", 429],
  [
    "timestreamquery",
    () => new TimestreamQueryClient(at()).send(new QueryCommand({ QueryString: "SELECT 1" })),
    "ThrottlingException",
    429,
  ],
  ["s3", () => new S3Client(at()).send(new ListBucketsCommand({})), "SlowDown", 503],
  ["lambda", () => new LambdaClient(at()).send(new ListFunctionsCommand({})), "TooManyRequestsException", 429],
  ["apigateway", () => new APIGatewayClient(at()).send(new GetRestApisCommand({})), "TooManyRequestsException", 429],
  ["apigatewayv2", () => new ApiGatewayV2Client(at()).send(new GetApisCommand({})), "TooManyRequestsException", 429],
  ["iot", () => new IoTClient(at()).send(new ListThingsCommand({})), "ThrottlingException", 400],
  ["iotdata", () => new IoTDataPlaneClient(at()).send(new PublishToTopic({ topic: "t" })), "ThrottlingException", 429],
  [
    "cognito-idp",
    () => new CognitoIdentityProviderClient(at()).send(new ListUserPoolsCommand({ MaxResults: 1 })),
    "TooManyRequestsException",
    429,
  ],
];

/** What the same calls answer when the service fails. */
const failures: Record<string, [name: string, status: number]> = {
  sts: ["InternalFailure", 500],
  iam: ["ServiceFailureException", 500],
  logs: ["ServiceUnavailableException", 500],
  dynamodb: ["InternalServerError", 500],
  dynamodbstreams: ["InternalServerError", 500],
  sqs: ["InternalFailure", 500],
  sns: ["InternalErrorException", 500],
  events: ["InternalException", 500],
  kinesis: ["InternalFailure", 500],
  timestream: ["InternalServerException", 500],
  timestreamquery: ["InternalServerException", 500],
  s3: ["InternalError", 500],
  lambda: ["ServiceException", 500],
  apigateway: ["ServiceUnavailableException", 503],
  apigatewayv2: ["InternalFailure", 500],
  iot: ["InternalFailureException", 500],
  iotdata: ["InternalFailureException", 500],
  "cognito-idp": ["InternalErrorException", 500],
};

describe("calls that fail", () => {
  it("covers every service of the emulator", () => {
    expect(throttles.map(([service]) => service).sort()).toEqual(Object.keys(registry).sort());
    expect(Object.keys(failures).sort()).toEqual(Object.keys(registry).sort());
  });

  it.each(throttles)("throttles %s with the error that its SDK knows", async (service, call, name, status) => {
    inject({ fault: "throttle", service });
    expect(await refusal(call())).toMatchObject({ name, status, message: expect.stringMatching(/\w/) });
  });

  it.each(throttles)("fails %s with its own internal error", async (service, call) => {
    inject({ fault: "error", service });
    const [name, status] = failures[service]!;
    expect(await refusal(call())).toMatchObject({ name, status });
  });

  it("says why a call of Lambda was throttled", async () => {
    inject({ fault: "throttle", service: "lambda" });
    const call = new LambdaClient(at()).send(new ListFunctionsCommand({}));
    await expect(call).rejects.toMatchObject({ Reason: "CallerRateLimitExceeded", message: "Rate exceeded" });
  });

  it("throttles changes of a DynamoDB table as changes, not as reads and writes", async () => {
    inject({ fault: "throttle", service: "dynamodb" });
    const create = new CreateTableCommand({
      TableName: "changed",
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
    });
    expect(await refusal(new DynamoDBClient(at()).send(create))).toMatchObject({ name: "ThrottlingException" });
  });

  it("shows older clients of SQS the query protocol's code", async () => {
    inject({ fault: "throttle", service: "sqs" });
    const response = await fetch(`${emulator.current.endpoint}/`, {
      method: "POST",
      headers: {
        "content-type": "application/x-www-form-urlencoded",
        authorization:
          "AWS4-HMAC-SHA256 Credential=test/20261130/eu-west-1/sqs/aws4_request, SignedHeaders=host, Signature=0",
      },
      body: "Action=ListQueues&Version=2012-11-05",
    });
    expect(response.status).toBe(403);
    expect(await response.text()).toContain("<Code>RequestThrottled</Code>");
  });

  it("answers with any error that is named, with the status of the model and further members", async () => {
    const dynamodb = new DynamoDBClient(at());
    inject({
      fault: "error",
      service: "dynamodb",
      operation: "TransactWriteItems",
      code: "TransactionCanceledException",
      message: "Transaction cancelled",
      fields: { CancellationReasons: [{ Code: "TransactionConflict" }] },
    });
    const write = new TransactWriteItemsCommand({
      TransactItems: [{ Put: { TableName: "t", Item: { id: { S: "1" } } } }],
    });
    await expect(dynamodb.send(write)).rejects.toMatchObject({
      name: "TransactionCanceledException",
      message: "Transaction cancelled",
      $metadata: { httpStatusCode: 400 },
      CancellationReasons: [{ Code: "TransactionConflict" }],
    });
    inject({ fault: "error", service: "dynamodb", operation: "PutItem", code: "Teapot", status: 418 });
    const put = dynamodb.send(new PutItemCommand({ TableName: "t", Item: {} }));
    expect(await refusal(put)).toMatchObject({ name: "Teapot", status: 418 });
  });

  it("does nothing of a call that fails, and all of one whose answer is replaced", async () => {
    const { sqs, QueueUrl } = await queue("replaced");
    const before = inject({ fault: "error", service: "sqs", operation: "SendMessage", count: 1 });
    const send = (MessageBody: string) => sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
    await expect(send("not sent")).rejects.toThrow();
    expect(before.ended).toBe(true);
    inject({ fault: "error", service: "sqs", operation: "SendMessage", after: true, count: 1 });
    await expect(send("sent")).rejects.toThrow();
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
    expect(Messages.map(({ Body }) => Body)).toEqual(["sent"]);
  });

  it("lets an SDK with its usual retries get over faults that end", async () => {
    const fault = inject({ fault: "error", service: "sqs", operation: "CreateQueue", count: 2 });
    const sqs = new SQSClient(settings(emulator.current, { maxAttempts: 3 }));
    await sqs.send(new CreateQueueCommand({ QueueName: "retried" }));
    expect(fault.hits).toBe(2);
  });
});

describe("slow and broken connections", () => {
  it("delays an answer in the time of the caller, who may give up before", async () => {
    const { sqs, QueueUrl } = await queue("slow");
    inject({ fault: "latency", service: "sqs", operation: "SendMessage", delayMs: 60_000 });
    const patience = AbortSignal.timeout(50);
    const call = sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "late" }), { abortSignal: patience });
    expect(await refusal(call)).toMatchObject({ name: "AbortError" });
  });

  it("delays an answer until the emulator's clock has moved", async () => {
    const { sqs, QueueUrl } = await queue("held");
    const hits = Promise.withResolvers<void>();
    const stop = emulator.current.faults.watch(() => hits.resolve());
    inject({ fault: "latency", service: "sqs", operation: "SendMessage", delayMs: 3_600_000, clock: "emulator" });
    let done = false;
    const call = sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "held" })).then(() => {
      done = true;
    });
    await hits.promise;
    stop();
    await emulator.current.clock.advance("59 minutes");
    const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }));
    expect([done, Attributes!.ApproximateNumberOfMessages]).toEqual([false, "0"]);
    await emulator.current.clock.advance("1 minute");
    await call;
  });

  it("lets a call go on when the fault that holds it up is removed", async () => {
    const { sqs, QueueUrl } = await queue("freed");
    const hits = Promise.withResolvers<void>();
    const stop = emulator.current.faults.watch(() => hits.resolve());
    const fault = inject({
      fault: "latency",
      service: "sqs",
      operation: "SendMessage",
      delayMs: 3_600_000,
      after: true,
    });
    const call = sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "freed" }));
    await hits.promise;
    stop();
    fault.remove();
    expect((await call).MessageId).toMatch(/-/);
  });

  it("cuts the connection before a call is done, or after it", async () => {
    const { sqs, QueueUrl } = await queue("cut");
    const send = (MessageBody: string) => sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
    const drop = inject({ fault: "drop", service: "sqs", operation: "SendMessage" });
    expect(await refusal(send("lost"))).toMatchObject({
      status: undefined,
      message: expect.stringMatching(/hang up|ECONNRESET/),
    });
    drop.remove();
    inject({ fault: "drop", service: "sqs", operation: "SendMessage", after: true, count: 1 });
    expect(await refusal(send("kept"))).toMatchObject({ status: undefined });
    await send("answered");
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
    expect(Messages.map(({ Body }) => Body)).toEqual(["kept", "answered"]);
  });

  it("sends a message twice where an SDK tries again after an answer was lost", async () => {
    const { QueueUrl } = await queue("twice");
    const sqs = new SQSClient(settings(emulator.current, { maxAttempts: 2 }));
    inject({ fault: "drop", service: "sqs", operation: "SendMessage", after: true, count: 1 });
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "once" }));
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
    expect(Messages.map(({ Body }) => Body)).toEqual(["once", "once"]);
  });
});

describe("where faults act", () => {
  it("is one queue by its name, by its ARN, or by an ARN with wildcards", async () => {
    const { sqs, QueueUrl } = await queue("meant");
    const other = await queue("other");
    const send = (url: string) => refusal(sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: "x" })));
    for (const resource of ["meant", "mea*", "arn:aws:sqs:eu-west-1:000000000000:meant", "arn:aws:sqs:*:*:m??nt"]) {
      const fault = inject({ fault: "throttle", service: "sqs", resource });
      expect([resource, await send(QueueUrl), await send(other.QueueUrl)]).toEqual([
        resource,
        expect.objectContaining({ name: "RequestThrottled" }),
        undefined,
      ]);
      expect([fault.matched, fault.hits]).toEqual([1, 1]);
      fault.remove();
    }
  });

  it.each([
    ["readings", "arn:aws:dynamodb:eu-west-1:000000000000:table/readings/index/by-time", true],
    ["arn:aws:dynamodb:*:*:table/readings*", "arn:aws:dynamodb:eu-west-1:000000000000:table/readings", true],
    ["readings", "arn:aws:dynamodb:eu-west-1:000000000000:table/old-readings", false],
    ["table", "arn:aws:dynamodb:eu-west-1:000000000000:table/readings", false],
    ["ingest", "arn:aws:lambda:eu-west-1:000000000000:function:ingest:live", true],
    ["ingest:live", "arn:aws:lambda:eu-west-1:000000000000:function:ingest:live", true],
    ["live", "arn:aws:lambda:eu-west-1:000000000000:function:ingest:live", false],
    ["archive", "arn:aws:s3:::archive/2026/11", true],
    ["archive/2026/*", "arn:aws:s3:::archive/2026/11", true],
    ["archive/2025/*", "arn:aws:s3:::archive/2026/11", false],
    ["alarms", "arn:aws:sns:eu-west-1:000000000000:alarms", true],
    ["readings", "arn:aws:kinesis:eu-west-1:000000000000:stream/readings", true],
    ["live/POST/@connections/*", "arn:aws:execute-api:eu-west-1:000000000000:abc/live/POST/@connections/x", false],
    ["abc/live/POST/@connections/*", "arn:aws:execute-api:eu-west-1:000000000000:abc/live/POST/@connections/x", true],
    ["/aws/lambda/*", "arn:aws:logs:eu-west-1:000000000000:log-group:/aws/lambda/ingest:log-stream:x", true],
    ["/aws/lambda/ingest", "arn:aws:logs:eu-west-1:000000000000:log-group:/aws/lambda/ingest:log-stream:x", true],
    ["readings", "*", false],
  ])("takes %s for %s: %s", (wanted, arn, expected) => {
    expect(resourceMatches(wanted, arn)).toBe(expected);
  });

  it("is a table, a stream, a topic or an object by what people call it", async () => {
    const dynamodb = new DynamoDBClient(at());
    const kinesis = new KinesisClient(at());
    const sns = new SNSClient(at());
    const s3 = s3Client(emulator.current);
    await createTable(dynamodb, "readings", "id");
    await kinesis.send(new CreateStreamCommand({ StreamName: "readings", ShardCount: 1 }));
    const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: "alarms" }));
    const Bucket = await makeBucket(s3);
    inject({ fault: "throttle", resource: "readings" });
    inject({ fault: "throttle", resource: "alarms" });
    inject({ fault: "throttle", resource: `${Bucket}/2026/*` });
    const get = (TableName: string) =>
      refusal(dynamodb.send(new GetItemCommand({ TableName, Key: { id: { S: "1" } } })));
    expect(await get("readings")).toMatchObject({ name: "ProvisionedThroughputExceededException" });
    const record = new PutRecordCommand({ StreamName: "readings", PartitionKey: "k", Data: Buffer.from("d") });
    expect(await refusal(kinesis.send(record))).toMatchObject({
      message: "Rate exceeded for shard in stream readings under account 000000000000.",
    });
    expect(await refusal(sns.send(new PublishCommand({ TopicArn, Message: "m" })))).toMatchObject({ status: 429 });
    const put = (Key: string) => refusal(s3.send(new PutObjectCommand({ Bucket, Key, Body: "x" })));
    expect(await put("2026/11")).toMatchObject({ name: "SlowDown", status: 503 });
    expect(await put("2025/11")).toBeUndefined();
  });

  it("is an operation, also by a pattern", async () => {
    const { sqs, QueueUrl } = await queue("operations");
    inject({ fault: "throttle", operation: "Send*" });
    expect(await refusal(sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "x" })))).toBeDefined();
    expect(await refusal(sqs.send(new ReceiveMessageCommand({ QueueUrl })))).toBeUndefined();
  });

  it("is not where IAM refuses the call already", async () => {
    const iam = new IAMClient(at());
    await iam.send(new CreateUserCommand({ UserName: "stranger" }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: "stranger" }));
    const credentials = { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! };
    const fault = inject({ fault: "throttle", service: "sqs" });
    const call = new SQSClient({ ...at(), credentials }).send(new CreateQueueCommand({ QueueName: "theirs" }));
    expect(await refusal(call)).toMatchObject({ name: "AccessDenied" });
    expect(fault.matched).toBe(0);
  });

  it("is one emulator, not another in the same process", async () => {
    inject({ fault: "throttle", service: "sqs" });
    await using own = await startEmulator({ port: 0 });
    await new SQSClient(settings(own)).send(new CreateQueueCommand({ QueueName: "theirs" }));
  });
});

describe("who watches", () => {
  it("is shown which faults acted on a request, and a status of 0 where the connection was cut", async () => {
    const { sqs, QueueUrl } = await queue("watched");
    const records: RequestRecord[] = [];
    const stop = emulator.current.watch((record) => records.push(record));
    const send = () => refusal(sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "x" })));
    await send();
    inject({ fault: "latency", service: "sqs", delayMs: 1 });
    const throttle = inject({ fault: "throttle", service: "sqs" });
    await send();
    throttle.remove();
    inject({ fault: "drop", service: "sqs" });
    await send();
    stop();
    expect(records.map(({ status, code, fault }) => ({ status, code, fault }))).toEqual([
      { status: 200 },
      { status: 403, code: "RequestThrottled", fault: "latency, throttle" },
      { status: 0, fault: "latency, drop" },
    ]);
  });

  it("is shown each fault that acts, with where it did", async () => {
    const { sqs, QueueUrl } = await queue("told");
    const hits: unknown[] = [];
    const stop = emulator.current.faults.watch(({ fault, ...place }) => hits.push({ id: fault.id, ...place }));
    const { id } = inject({ fault: "throttle", service: "sqs", count: 1 });
    await refusal(sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "x" })));
    await refusal(sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "y" })));
    stop();
    const resources = ["arn:aws:sqs:eu-west-1:000000000000:told"];
    expect(hits).toEqual([{ id, service: "sqs", operation: "SendMessage", resources }]);
  });

  it("finds no fault left after a reset", async () => {
    await using own = await startEmulator({ port: 0 });
    own.faults.inject({ fault: "throttle" });
    await own.reset();
    expect(own.faults.list()).toEqual([]);
    await new SQSClient(settings(own)).send(new CreateQueueCommand({ QueueName: "free" }));
  });
});

it("leaves a call of Lambda's Invoke to the function's own concurrency", async () => {
  inject({ fault: "throttle", service: "lambda" });
  const call = new LambdaClient(at()).send(new InvokeCommand({ FunctionName: "missing" }));
  expect(await refusal(call)).toMatchObject({ name: "ResourceNotFoundException" });
});
