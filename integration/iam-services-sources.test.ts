import { CreateTableCommand, DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import {
  CreateEventSourceMappingCommand,
  type CreateEventSourceMappingCommandInput,
  GetEventSourceMappingCommand,
  LambdaClient,
  UpdateEventSourceMappingCommand,
} from "@aws-sdk/client-lambda";
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { beforeAll, describe, expect, it } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { makeFunction } from "./harness/functions";
import { useKinesis } from "./harness/kinesis";
import { makeRole, type TestRole } from "./harness/permissions";
import { refusal } from "./harness/policies";
import { take, takeUntil } from "./harness/topics";

const emulator = useEmulator();
const kinesis = useKinesis(emulator);
let lambda: LambdaClient;
let sqs: SQSClient;
beforeAll(() => {
  lambda = new LambdaClient(settings(emulator.current));
  sqs = new SQSClient(settings(emulator.current));
});

const refused = (message: string) => ["InvalidParameterValueException", message, 400];
const queueArn = (name: string, account = "000000000000") => `arn:aws:sqs:eu-west-1:${account}:${name}`;
const makeQueue = async (QueueName: string, client = sqs) =>
  (await client.send(new CreateQueueCommand({ QueueName }))).QueueUrl!;
const map = (FunctionName: string, EventSourceArn: string, more: Partial<CreateEventSourceMappingCommandInput> = {}) =>
  lambda.send(new CreateEventSourceMappingCommand({ FunctionName, EventSourceArn, ...more }));
const result = async (UUID: string | undefined) =>
  (await lambda.send(new GetEventSourceMappingCommand({ UUID }))).LastProcessingResult;
/** Messages of a queue, those that are being processed included. */
const left = async (QueueUrl: string) => {
  const names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"] as const;
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...names] }));
  return names.reduce((sum, name) => sum + Number(Attributes![name]), 0);
};
const denialOf = (action: string) => emulator.current.denials.filter((denial) => denial.action === action).at(-1)!;

/** A function that passes on to a queue what it reads, with a role of its own. */
async function reader(name: string, service = "lambda.amazonaws.com") {
  const url = await makeQueue(`${name}-seen`);
  const role = await makeRole(lambda, name, service);
  const seen = ["sqs:SendMessage", queueArn(`${name}-seen`)] as const;
  await role.allow(seen);
  const code = `const { SQSClient, SendMessageCommand } = require("@aws-sdk/client-sqs");
    const sqs = new SQSClient({});
    exports.handler = async ({ Records }) => {
      for (const { body, kinesis, dynamodb } of Records) {
        const MessageBody = body ?? (kinesis ? Buffer.from(kinesis.data, "base64").toString() : dynamodb.Keys.id.S);
        await sqs.send(new SendMessageCommand({ QueueUrl: ${JSON.stringify(url)}, MessageBody }));
      }
    };`;
  await makeFunction(lambda, name, code, { Role: role.arn, Timeout: 20 });
  return {
    role: { ...role, allow: (...statements: Parameters<TestRole["allow"]>) => role.allow(seen, ...statements) },
    next: async () => (await takeUntil(sqs, url, 1))[0]!.Body,
    none: async () => expect(await take(sqs, url)).toEqual([]),
  };
}

const session = (role: string) =>
  new RegExp(`^PROBLEM: User: arn:aws:sts::000000000000:assumed-role/${role}/awslambda_\\d+_\\d{17} `);

describe("a queue", () => {
  const reading = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];

  it("is read only by a function whose role may do all that this takes", async () => {
    await makeQueue("jobs");
    const { role, next } = await reader("picky");
    for (const missing of reading) {
      await role.allow([reading.filter((action) => action !== missing), queueArn("jobs")]);
      expect(await refusal(map("picky", queueArn("jobs")))).toEqual(
        refused(`The function execution role does not have permissions to call ${missing.split(":")[1]} on SQS`),
      );
      expect(denialOf(missing)).toMatchObject({ resource: queueArn("jobs"), place: role.arn });
    }
    await role.allow([reading, queueArn("jobs")]);
    await map("picky", queueArn("jobs"));
    await sqs.send(new SendMessageCommand({ QueueUrl: await makeQueue("jobs"), MessageBody: "one" }));
    expect(await next()).toBe("one");
  });

  it("rests while the role may not read, says so, and goes on when it may again", async () => {
    const QueueUrl = await makeQueue("pausing");
    const { role, next, none } = await reader("pausing");
    await role.allow([reading, queueArn("pausing")]);
    const { UUID } = await map("pausing", queueArn("pausing"));
    const send = (MessageBody: string) => sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
    await send("first");
    expect(await next()).toBe("first");
    await expect.poll(() => left(QueueUrl)).toBe(0);
    await role.allow();
    await expect
      .poll(() => result(UUID))
      .toMatch(
        /sqs:ReceiveMessage on resource: .*:pausing because no identity-based policy allows the sqs:ReceiveMessage action$/i,
      );
    expect(await result(UUID)).toMatch(session("pausing"));
    await send("second");
    await none();
    await role.allow([reading, queueArn("pausing")]);
    expect(await next()).toBe("second");
    await expect.poll(() => result(UUID)).toBe("OK");
    await role.delete();
    await expect
      .poll(() => result(UUID))
      .toBe("PROBLEM: The role defined for the function cannot be assumed by Lambda.");
    await lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: false }));
  });

  it("of another account is read where its policy lets the role in, and not where one denies it", async () => {
    const other = new SQSClient(settings(emulator.current, { accessKeyId: "111122223333" }));
    const QueueUrl = await makeQueue("theirs", other);
    const arn = queueArn("theirs", "111122223333");
    const { role, next } = await reader("visitor");
    await role.allow([reading, arn]);
    const lacking = refused("The function execution role does not have permissions to call ReceiveMessage on SQS");
    expect(await refusal(map("visitor", arn))).toEqual(lacking);
    expect(denialOf("sqs:ReceiveMessage").place).toBe(`the policy of ${arn}`);
    const open = (...effects: string[]) => {
      const Statement = effects.map((Effect) => ({
        Effect,
        Principal: { AWS: role.arn },
        Action: "sqs:*",
        Resource: arn,
      }));
      const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
      return other.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy } }));
    };
    await open("Allow", "Deny");
    expect(await refusal(map("visitor", arn))).toEqual(lacking);
    await open("Allow");
    await map("visitor", arn);
    await other.send(new SendMessageCommand({ QueueUrl, MessageBody: "hello" }));
    expect(await next()).toBe("hello");
  });
});

describe("a data stream", () => {
  const reading = ["kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:DescribeStream", "kinesis:ListShards"];
  const start = { StartingPosition: "TRIM_HORIZON" } as const;

  it("is read only by a function whose role may do all that this takes, on and on", async () => {
    const arn = kinesis.arn(await kinesis.stream({ StreamName: "readings" }));
    const { role, next, none } = await reader("streamer");
    const lacking = refused(
      `Cannot access stream ${arn}. Please ensure the role can perform the GetRecords, GetShardIterator, DescribeStream, ListShards, and ListStreams Actions on your stream in IAM.`,
    );
    for (const missing of reading) {
      await role.allow([reading.filter((action) => action !== missing), arn]);
      expect(await refusal(map("streamer", arn, start))).toEqual(lacking);
      expect(denialOf(missing)).toMatchObject({ resource: arn, place: role.arn });
    }
    await role.allow([reading, arn]);
    const { UUID } = await map("streamer", arn, start);
    await kinesis.put("readings", "first");
    expect(await next()).toBe("first");
    await role.allow();
    await kinesis.put("readings", "second");
    await expect.poll(() => result(UUID)).toMatch(session("streamer"));
    await none();
    await role.allow([reading, arn]);
    expect(await next()).toBe("second");
  });

  it("tells a queue of what was given up only where the role may send there", async () => {
    const arn = kinesis.arn(await kinesis.stream({ StreamName: "failing" }));
    const url = await makeQueue("given-up");
    const role = await makeRole(lambda, "fragile", "lambda.amazonaws.com", [reading, arn]);
    await makeFunction(lambda, "fragile", 'exports.handler = async () => { throw new Error("no") }', {
      Role: role.arn,
    });
    const DestinationConfig = { OnFailure: { Destination: queueArn("given-up") } };
    const options = { ...start, MaximumRetryAttempts: 0, DestinationConfig };
    expect(await refusal(map("fragile", arn, options))).toEqual(
      refused("The function execution role does not have permissions to call SendMessage on SQS"),
    );
    await role.allow([reading, arn], ["sqs:SendMessage", queueArn("given-up")]);
    await map("fragile", arn, options);
    await kinesis.put("failing", "bad");
    const [message] = await takeUntil(sqs, url, 1);
    expect(JSON.parse(message!.Body!)).toMatchObject({ requestContext: { condition: "RetryAttemptsExhausted" } });
  });
});

describe("the stream of a table", () => {
  it("is read only by a function whose role may do all that this takes", async () => {
    const dynamo = new DynamoDBClient(settings(emulator.current));
    const { TableDescription } = await dynamo.send(
      new CreateTableCommand({
        TableName: "things",
        AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
        KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
        BillingMode: "PAY_PER_REQUEST",
        StreamSpecification: { StreamEnabled: true, StreamViewType: "KEYS_ONLY" },
      }),
    );
    const arn = TableDescription!.LatestStreamArn!;
    const { role, next } = await reader("follower");
    const reading = ["dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream"];
    for (const missing of reading) {
      await role.allow([reading.filter((action) => action !== missing), arn]);
      expect(await refusal(map("follower", arn, { StartingPosition: "LATEST" }))).toEqual(
        refused(
          `Cannot access stream ${arn}. Please ensure the role can perform the GetRecords, GetShardIterator, DescribeStream, and ListStreams Actions on your stream in IAM.`,
        ),
      );
      expect(denialOf(missing)).toMatchObject({ resource: arn, place: role.arn });
    }
    await role.allow([reading, arn]);
    await map("follower", arn, { StartingPosition: "TRIM_HORIZON" });
    await dynamo.send(new PutItemCommand({ TableName: "things", Item: { id: { S: "t-1" } } }));
    expect(await next()).toBe("t-1");
  });
});
