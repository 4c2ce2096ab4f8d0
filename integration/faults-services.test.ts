import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  FilterLogEventsCommand,
  PutLogEventsCommand,
  PutSubscriptionFilterCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import {
  AddPermissionCommand,
  CreateEventSourceMappingCommand,
  GetEventSourceMappingCommand,
  InvokeCommand,
  LambdaClient,
} from "@aws-sdk/client-lambda";
import { PutBucketNotificationConfigurationCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { PublishCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { CreateQueueCommand, type Message, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { FaultOptions } from "../emulator";
import { createTable } from "./harness/dynamodb";
import { settings, useEmulator } from "./harness/emulator";
import { arnOf as eventsArn, Rules } from "./harness/event-rules";
import { answer, makeFunction } from "./harness/functions";
import { useKinesis } from "./harness/kinesis";
import { runLater, useRemoteFunctions } from "./harness/remote-function";
import { useRules } from "./harness/rules";
import { makeBucket, s3Client } from "./harness/s3";
import { makeOpenQueue, makeTopic, take } from "./harness/topics";

const reported: string[] = [];
const emulator = useEmulator({ onFault: (_error, where) => reported.push(where) });
const kinesis = useKinesis(emulator);
const rules = useRules(emulator);
const remote = useRemoteFunctions();
afterEach(() => emulator.current.faults.clear());

const at = () => settings(emulator.current);
const inject = (options: FaultOptions) => emulator.current.faults.inject(options);

/** Moves the clock step by step until so many messages have come to a queue. */
async function takeLater(url: string, count: number, step: string): Promise<Message[]> {
  const sqs = new SQSClient(at());
  const found: Message[] = [];
  await expect
    .poll(
      async () => {
        await emulator.current.clock.advance(step);
        found.push(...(await take(sqs, url)));
        return found.length;
      },
      { interval: 5, timeout: 10_000 },
    )
    .toBeGreaterThanOrEqual(count);
  return found;
}

const hit = (fault: { hits: number }, times = 1) =>
  vi.waitFor(() => expect(fault.hits).toBeGreaterThanOrEqual(times), { interval: 5, timeout: 5_000 });

/** The next run of a function, which begins when the clock has moved. */
const startsAfter = (name: string, step: string) => runLater(remote, emulator.current.clock, name, step);

describe("a rule of AWS IoT", () => {
  const { roleArn } = rules;

  it("tries again while a stream is throttled, and keeps the order of a device's messages", async () => {
    const streamName = await kinesis.stream();
    await rules.create([{ kinesis: { roleArn, streamName, partitionKey: "device" } }], {
      sql: "SELECT * FROM 'slow/+'",
    });
    const throttle = inject({
      fault: "throttle",
      service: "kinesis",
      operation: "PutRecord",
      resource: streamName,
      count: 3,
    });
    for (const n of [1, 2, 3]) await rules.publish("slow/x", { n });
    const records = async () => {
      await emulator.current.clock.advance("1 second");
      return (await kinesis.read(streamName)).map((data) => JSON.parse(data).n);
    };
    await expect.poll(records, { interval: 5, timeout: 5_000 }).toEqual([1, 2, 3]);
    expect(throttle.hits).toBe(3);
  });

  it("tells its error action of a stream that stays throttled", async () => {
    const streamName = await kinesis.stream();
    const errors = await rules.queue();
    await rules.create([{ kinesis: { roleArn, streamName, partitionKey: "device" } }], {
      sql: "SELECT * FROM 'throttled/+'",
      errorAction: errors.action,
    });
    inject({ fault: "throttle", service: "kinesis", resource: streamName });
    await rules.publish("throttled/x", { n: 1 });
    const [message] = await takeLater(errors.url, 1, "5 seconds");
    expect(JSON.parse(message!.Body!).failures[0]).toMatchObject({
      failedAction: "KinesisAction",
      errorMessage: expect.stringMatching(
        /Rate exceeded.*Status Code: 400; Error Code: ProvisionedThroughputExceededException/,
      ),
    });
  });

  it("tells its error action at once of what waiting cannot help", async () => {
    const dynamodb = new DynamoDBClient(at());
    await createTable(dynamodb, "shadowed", "id");
    const errors = await rules.queue();
    const putItem = { tableName: "shadowed" };
    await rules.create([{ dynamoDBv2: { roleArn, putItem } }], {
      sql: "SELECT * FROM 'denied/+'",
      errorAction: errors.action,
    });
    inject({
      fault: "error",
      service: "dynamodb",
      operation: "PutItem",
      resource: "shadowed",
      code: "ItemCollectionSizeLimitExceededException",
      message: "Collection size exceeded.",
    });
    await rules.publish("denied/x", { id: "1" });
    const report = await errors.report();
    expect(report.failures[0]!.errorMessage).toContain(
      "Collection size exceeded. (Service: AmazonDynamoDBv2; Status Code: 400; Error Code: ItemCollectionSizeLimitExceededException",
    );
    expect((await dynamodb.send(new ScanCommand({ TableName: "shadowed" }))).Count).toBe(0);
  });

  it("sends twice where the answer of a queue is lost", async () => {
    const queue = await rules.queue();
    await rules.create([queue.action], { sql: "SELECT * FROM 'lost/+'" });
    const fault = inject({ fault: "drop", service: "sqs", operation: "SendMessage", after: true, count: 1 });
    await rules.publish("lost/x", { n: 1 });
    const messages = await takeLater(queue.url, 2, "1 second");
    expect(messages.map(({ Body }) => Body)).toEqual(['{"n":1}', '{"n":1}']);
    expect(fault.hits).toBe(1);
  });
});

describe("a topic of SNS", () => {
  /** A topic, a queue that is subscribed to it, and a dead-letter queue. */
  async function subscribed() {
    const sns = new SNSClient(at());
    const sqs = new SQSClient(at());
    const TopicArn = await makeTopic(sns);
    const queue = await makeOpenQueue(sqs, "sns.amazonaws.com", TopicArn);
    const dead = await makeOpenQueue(sqs, "sns.amazonaws.com", TopicArn);
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dead.arn });
    const Attributes = { RawMessageDelivery: "true", RedrivePolicy };
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: "sqs", Endpoint: queue.arn, Attributes }));
    return { queue, dead, publish: (Message: string) => sns.send(new PublishCommand({ TopicArn, Message })) };
  }

  it("tries a throttled queue again after 20 seconds", async () => {
    const { queue, publish } = await subscribed();
    const fault = inject({ fault: "throttle", service: "sqs", resource: queue.arn, count: 2 });
    await publish("again");
    await hit(fault);
    expect((await takeLater(queue.url, 1, "20 seconds"))[0]!.Body).toBe("again");
  });

  it("gives a message to the dead-letter queue after the third retry", async () => {
    const { queue, dead, publish } = await subscribed();
    const fault = inject({ fault: "error", service: "sqs", operation: "SendMessage", resource: queue.arn });
    await publish("given up");
    expect((await takeLater(dead.url, 1, "20 seconds"))[0]!.Body).toBe("given up");
    expect(fault.hits).toBe(4);
  });
});

describe("a rule of EventBridge", () => {
  it("gives up on a failing queue after its retries, and says why in the dead-letter queue", async () => {
    const bus = new Rules(emulator.current);
    const Name = bus.newName();
    const dead = await makeOpenQueue(bus.sqs, "events.amazonaws.com", eventsArn(`rule/${Name}`));
    const queue = await makeOpenQueue(bus.sqs, "events.amazonaws.com", eventsArn(`rule/${Name}`));
    const target = {
      Id: "q",
      Arn: queue.arn,
      DeadLetterConfig: { Arn: dead.arn },
      RetryPolicy: { MaximumRetryAttempts: 2 },
    };
    const { source } = await bus.make([target], { Name });
    const fault = inject({ fault: "throttle", service: "sqs", operation: "SendMessage", resource: queue.arn });
    await bus.put(source);
    const attributes = (await takeLater(dead.url, 1, "1 minute"))[0]!.MessageAttributes!;
    expect(fault.hits).toBe(3);
    expect(
      Object.fromEntries(Object.entries(attributes).map(([name, { StringValue }]) => [name, StringValue])),
    ).toMatchObject({
      ERROR_CODE: "THROTTLING",
      ERROR_MESSAGE: "Request is throttled.",
      RETRY_ATTEMPTS: "2",
      EXHAUSTED_RETRY_CONDITION: "MaximumRetryAttempts",
    });
  });
});

describe("a bucket", () => {
  it("tells a queue and EventBridge of an object later, where they fail at first", async () => {
    const s3 = s3Client(emulator.current);
    const bus = new Rules(emulator.current);
    const Bucket = await makeBucket(s3);
    const told = await makeOpenQueue(bus.sqs, "s3.amazonaws.com", `arn:aws:s3:::${Bucket}`);
    const Name = bus.newName();
    const routed = await makeOpenQueue(bus.sqs, "events.amazonaws.com", eventsArn(`rule/${Name}`));
    const EventPattern = JSON.stringify({ source: ["aws.s3"], detail: { bucket: { name: [Bucket] } } });
    await bus.make([{ Id: "queue", Arn: routed.arn }], { Name, EventPattern });
    const NotificationConfiguration = {
      EventBridgeConfiguration: {},
      QueueConfigurations: [{ QueueArn: told.arn, Events: ["s3:ObjectCreated:*" as const] }],
    };
    await s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration }));
    await take(bus.sqs, told.url);
    const failures = [
      inject({ fault: "error", service: "sqs", resource: told.arn, count: 2 }),
      inject({ fault: "throttle", service: "events", operation: "PutEvents", count: 2 }),
    ];
    await s3.send(new PutObjectCommand({ Bucket, Key: "a", Body: "x" }));
    await takeLater(told.url, 1, "2 seconds");
    await takeLater(routed.url, 1, "2 seconds");
    expect(failures.map(({ hits }) => hits)).toEqual([2, 2]);
  });
});

describe("a subscription filter of CloudWatch Logs", () => {
  it("tries its function again while Lambda fails", async () => {
    const logs = new CloudWatchLogsClient(at());
    const lambda = new LambdaClient(at());
    const destinationArn = await makeFunction(lambda, "reader", remote.code("reader"));
    const permission = { FunctionName: "reader", StatementId: "logs", Action: "lambda:InvokeFunction" };
    await lambda.send(new AddPermissionCommand({ ...permission, Principal: "logs.amazonaws.com" }));
    const log = { logGroupName: "watched", logStreamName: "s" };
    await logs.send(new CreateLogGroupCommand(log));
    await logs.send(new CreateLogStreamCommand(log));
    const filter = { logGroupName: "watched", filterName: "all", filterPattern: "" };
    await logs.send(new PutSubscriptionFilterCommand({ ...filter, destinationArn }));
    const fault = inject({ fault: "error", service: "lambda", operation: "Invoke", resource: "reader", count: 1 });
    const timestamp = emulator.current.clock.now();
    await logs.send(new PutLogEventsCommand({ ...log, logEvents: [{ timestamp, message: "m" }] }));
    await hit(fault);
    (await startsAfter("reader", "1 second")).succeed();
  });
});

describe("an event source mapping", () => {
  async function wire(name: string) {
    const lambda = new LambdaClient(at());
    const sqs = new SQSClient(at());
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
    await makeFunction(lambda, name, remote.code(name));
    const EventSourceArn = `arn:aws:sqs:eu-west-1:000000000000:${name}`;
    const { UUID } = await lambda.send(new CreateEventSourceMappingCommand({ EventSourceArn, FunctionName: name }));
    return {
      send: (MessageBody: string) => sqs.send(new SendMessageCommand({ QueueUrl, MessageBody })),
      result: async () => (await lambda.send(new GetEventSourceMappingCommand({ UUID }))).LastProcessingResult,
    };
  }

  it("says what is wrong while it cannot receive, and goes on afterwards", async () => {
    const fault = inject({ fault: "throttle", service: "sqs", operation: "ReceiveMessage", resource: "poor" });
    const { send, result } = await wire("poor");
    await send("patience");
    await hit(fault, 1);
    await vi.waitFor(async () => expect(await result()).toBe("PROBLEM: Request is throttled."), { interval: 5 });
    fault.remove();
    (await startsAfter("poor", "1 second")).succeed();
  });

  it("brings a message again that it could not delete", async () => {
    const fault = inject({
      fault: "error",
      service: "sqs",
      operation: "DeleteMessageBatch",
      resource: "kept",
      count: 1,
    });
    const { send } = await wire("kept");
    await send("once");
    const first = await remote.next("kept");
    first.succeed();
    await hit(fault);
    const second = await startsAfter("kept", "30 seconds");
    second.succeed();
    const [one, two] = [first, second].map(({ event }) => event.Records[0]);
    expect([one.messageId, two.attributes.ApproximateReceiveCount]).toEqual([two.messageId, "2"]);
  });

  it("reads a stream later whose reads fail", async () => {
    const StreamName = await kinesis.stream({ StreamName: "unread" });
    const fault = inject({
      fault: "throttle",
      service: "kinesis",
      operation: "GetRecords",
      resource: "unread",
      count: 2,
    });
    const lambda = new LambdaClient(at());
    await makeFunction(lambda, "unread", remote.code("unread"));
    await lambda.send(
      new CreateEventSourceMappingCommand({
        EventSourceArn: kinesis.arn(StreamName),
        FunctionName: "unread",
        StartingPosition: "TRIM_HORIZON",
      }),
    );
    await kinesis.put(StreamName, "late");
    (await startsAfter("unread", "1 second")).succeed();
    expect(fault.hits).toBe(2);
  });
});

describe("a function's log", () => {
  it("is lost while CloudWatch Logs fails, and the function does not mind", async () => {
    const lambda = new LambdaClient(at());
    await makeFunction(lambda, "quiet", answer("done"));
    const fault = inject({ fault: "error", service: "logs", operation: "PutLogEvents", resource: "/aws/lambda/quiet" });
    await lambda.send(new InvokeCommand({ FunctionName: "quiet" }));
    await hit(fault);
    expect(reported).toContain("lambda writing logs");
    const events = new CloudWatchLogsClient(at()).send(
      new FilterLogEventsCommand({ logGroupName: "/aws/lambda/quiet" }),
    );
    await expect(events).rejects.toThrow("does not exist");
  });
});
