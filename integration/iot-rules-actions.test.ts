import { CloudWatchLogsClient, CreateLogGroupCommand, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DynamoDBClient,
  ScanCommand,
} from "@aws-sdk/client-dynamodb";
import { AddPermissionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { SetSubscriptionAttributesCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { expect, test } from "vitest";
import { keyed } from "./harness/dynamodb";
import { settings, useEmulator } from "./harness/emulator";
import { makeFunction } from "./harness/functions";
import { useKinesis } from "./harness/kinesis";
import { useRemoteFunctions } from "./harness/remote-function";
import { template, useRules } from "./harness/rules";
import { makeBucket, s3Client } from "./harness/s3";
import { makeOpenQueue, makeTopic, takeUntil } from "./harness/topics";

const emulator = useEmulator();
const kinesis = useKinesis(emulator);
const rules = useRules(emulator);
const remote = useRemoteFunctions();
const { roleArn } = rules;

test("puts into Kinesis what the statement selects, with the partition key that the template makes", async () => {
  const streamName = await kinesis.stream();
  await rules.create([{ kinesis: { roleArn, streamName, partitionKey: template("topic(2)") } }], {
    sql: "SELECT temp * 2 AS double FROM 'kinesis/+/up'",
  });
  await rules.publish("kinesis/a/up", { temp: 21 });
  await expect.poll(() => kinesis.read(streamName)).toEqual(['{"double":42}']);
  const { Records } = await kinesis.get(await kinesis.iterator(streamName));
  expect(Records![0]!.PartitionKey).toBe("a");
});

test("sends to SQS as text, and as base64", async () => {
  const plain = await rules.queue();
  const encoded = await rules.queue();
  await rules.create([plain.action, { sqs: { ...encoded.action.sqs, useBase64: true } }], {
    sql: "SELECT * FROM 'sqs/up'",
  });
  await rules.publish("sqs/up", { on: true });
  expect(await plain.take(1)).toEqual(['{"on":true}']);
  expect(await encoded.take(1)).toEqual([Buffer.from('{"on":true}').toString("base64")]);
});

test("publishes to SNS raw, and with a text for each protocol", async () => {
  const sns = new SNSClient(settings(emulator.current));
  const topic = await makeTopic(sns);
  const queue = await makeOpenQueue(rules.sqs, "sns.amazonaws.com", topic);
  const { SubscriptionArn } = await sns.send(
    new SubscribeCommand({ TopicArn: topic, Protocol: "sqs", Endpoint: queue.arn, ReturnSubscriptionArn: true }),
  );
  await sns.send(
    new SetSubscriptionAttributesCommand({
      SubscriptionArn,
      AttributeName: "RawMessageDelivery",
      AttributeValue: "true",
    }),
  );
  await rules.create([{ sns: { roleArn, targetArn: topic } }], { sql: "SELECT * FROM 'sns/raw'" });
  await rules.create([{ sns: { roleArn, targetArn: topic, messageFormat: "JSON" } }], {
    sql: "SELECT * FROM 'sns/json'",
  });
  const texts = { default: "for all", sqs: "for queues" };
  await rules.publish("sns/raw", texts);
  expect((await takeUntil(rules.sqs, queue.url, 1))[0]!.Body).toBe(JSON.stringify(texts));
  await rules.publish("sns/json", texts);
  expect((await takeUntil(rules.sqs, queue.url, 1))[0]!.Body).toBe("for queues");
});

test("stores objects in S3 under the key that the template makes, bytes as they came", async () => {
  const s3 = s3Client(emulator.current);
  const bucketName = await makeBucket(s3);
  await rules.create(
    [
      {
        s3: {
          roleArn,
          bucketName,
          key: `${template("topic(2)")}/${template("clientid()")}`,
          cannedAcl: "bucket-owner-full-control",
        },
      },
    ],
    {
      sql: "SELECT * FROM 's3/+'",
    },
  );
  const bytes = Buffer.from([0, 1, 254, 255]);
  await rules.publish("s3/a", bytes);
  const read = async () => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucketName, Key: "a/n/a" }));
    return Buffer.from(await Body!.transformToByteArray());
  };
  await expect.poll(() => read().catch(() => undefined)).toEqual(bytes);
});

/** A table, and what is in it. */
async function makeTable(TableName: string, definition: Omit<CreateTableCommandInput, "TableName">) {
  const dynamodb = new DynamoDBClient(settings(emulator.current));
  await dynamodb.send(new CreateTableCommand({ TableName, ...definition }));
  return { tableName: TableName, items: async () => (await dynamodb.send(new ScanCommand({ TableName }))).Items };
}

test("inserts, updates and deletes items of DynamoDB, with typed keys", async () => {
  const { tableName, items } = await makeTable("table-v1", keyed("N"));
  const { ruleName } = await rules.create(
    [
      {
        dynamoDB: {
          roleArn,
          tableName,
          operation: template("operation"),
          hashKeyField: "pk",
          hashKeyValue: template("topic(2)"),
          rangeKeyField: "sk",
          rangeKeyValue: template("at"),
          rangeKeyType: "NUMBER",
          payloadField: "data",
        },
      },
    ],
    { sql: "SELECT value FROM 'v1/+'" },
  );
  const key = { pk: { S: "a" }, sk: { N: "7" } };
  await rules.publish("v1/a", { operation: "INSERT", at: 7, value: [1, null, "x"] });
  const list = { L: [{ N: "1" }, { NULL: true }, { S: "x" }] };
  await expect.poll(items).toEqual([{ ...key, data: { M: { value: list } } }]);
  await rules.publish("v1/a", { operation: "UPDATE", at: 7, value: true });
  await expect.poll(items).toEqual([{ ...key, data: { M: { value: { BOOL: true } } } }]);
  await rules.publish("v1/a", { operation: "DELETE", at: 7 });
  await expect.poll(items).toEqual([]);
  await rules.delete(ruleName);
});

test("keeps bytes that are no JSON as binary in DynamoDB, in the field payload", async () => {
  const { tableName, items } = await makeTable("v1-binary", keyed());
  await rules.create([{ dynamoDB: { roleArn, tableName, hashKeyField: "pk", hashKeyValue: template("topic()") } }], {
    sql: "SELECT * FROM 'v1-binary'",
  });
  await rules.publish("v1-binary", Buffer.from([255, 0]));
  await expect.poll(items).toEqual([{ pk: { S: "v1-binary" }, payload: { B: new Uint8Array([255, 0]) } }]);
});

test("makes each member of a payload an attribute of its own with DynamoDBv2, numbers with all digits", async () => {
  const { tableName, items } = await makeTable("table-v2", keyed());
  await rules.create([{ dynamoDBv2: { roleArn, putItem: { tableName } } }], {
    sql: "SELECT *, topic(2) AS pk FROM 'v2/+'",
  });
  await rules.publish("v2/a", '{"n":12345678901234567890123,"m":{"x":"y"},"whole":10.0}');
  await expect
    .poll(items)
    .toEqual([
      { pk: { S: "a" }, n: { N: "12345678901234567890123" }, m: { M: { x: { S: "y" } } }, whole: { N: "10" } },
    ]);
});

test("invokes a function that lets the rule do so", async () => {
  const lambda = new LambdaClient(settings(emulator.current));
  const functionArn = await makeFunction(lambda, "told", remote.code("told"));
  const { arn } = await rules.create([{ lambda: { functionArn } }], { sql: "SELECT temp FROM 'lambda/up'" });
  await lambda.send(
    new AddPermissionCommand({
      FunctionName: "told",
      StatementId: "rule",
      Action: "lambda:InvokeFunction",
      Principal: "iot.amazonaws.com",
      SourceArn: arn,
    }),
  );
  await rules.publish("lambda/up", { temp: 3, more: 4 });
  const run = await remote.next("told");
  expect(run.event).toEqual({ temp: 3 });
  run.succeed();
});

test("writes log events: one for a message, or those that a device has collected", async () => {
  const logs = new CloudWatchLogsClient(settings(emulator.current));
  const [one, many] = ["rules/one", "rules/many"];
  for (const logGroupName of [one, many]) await logs.send(new CreateLogGroupCommand({ logGroupName }));
  await rules.create([{ cloudwatchLogs: { roleArn, logGroupName: one } }], { sql: "SELECT * FROM 'logs/one'" });
  await rules.create([{ cloudwatchLogs: { roleArn, logGroupName: many, batchMode: true } }], {
    sql: "SELECT VALUE * FROM 'logs/many'",
  });
  await rules.publish("logs/one", { line: 1 });
  const now = Date.now();
  const records = [now - 2000, now - 1000].map((timestamp) => ({ timestamp, message: `at ${timestamp}` }));
  await rules.publish("logs/many", records);
  const events = async (logGroupName: string) =>
    (await logs.send(new FilterLogEventsCommand({ logGroupName }))).events!.map(({ timestamp, message }) => ({
      timestamp,
      message,
    }));
  await expect.poll(() => events(one)).toMatchObject([{ message: '{"line":1}' }]);
  await expect.poll(() => events(many)).toEqual(records);
});

test("republishes to the topic that the template makes, where other rules see it", async () => {
  const queue = await rules.queue();
  await rules.create([{ republish: { roleArn, topic: `again/${template("topic(2)")}`, qos: 1 } }], {
    sql: "SELECT upper(name) AS name FROM 'republish/+'",
  });
  await rules.create([queue.action], { sql: "SELECT *, topic() AS topic FROM 'again/#'" });
  await rules.publish("republish/a", { name: "x" });
  expect(await queue.take(1)).toEqual(['{"name":"X","topic":"again/a"}']);
});

test("republishes with headers of MQTT 5, and to topics of AWS's own", async () => {
  const [queue, documents] = [await rules.queue(), await rules.queue()];
  const headers = {
    payloadFormatIndicator: "UTF8_DATA",
    contentType: template("type"),
    responseTopic: `answers/${template("topic(2)")}`,
    correlationData: Buffer.from("id").toString("base64"),
    messageExpiry: "60",
    userProperties: [{ key: "device", value: template("topic(2)") }],
  };
  await rules.create([{ republish: { roleArn, topic: "headed", headers } }], { sql: "SELECT * FROM 'headers/+'" });
  const properties = ["format_indicator", "content_type", "response_topic", "correlation_data"];
  await rules.create([queue.action], {
    sql: `SELECT ${properties.map((name) => `get_mqtt_property('${name}') AS ${name}`).join(", ")},
      get_user_properties('device') AS device FROM 'headed'`,
  });
  await rules.publish("headers/a", { type: "application/json" });
  expect(JSON.parse((await queue.take(1))[0]!)).toEqual({
    format_indicator: "UTF8_DATA",
    content_type: "application/json",
    response_topic: "answers/a",
    correlation_data: "aWQ=",
    device: "a",
  });

  await rules.create([{ republish: { roleArn, topic: `$$aws/things/${template("topic(2)")}/shadow/update` } }], {
    sql: "SELECT state FROM 'shadowed/+'",
  });
  await rules.create([documents.action], {
    sql: "SELECT current.state.reported AS reported FROM '$aws/things/+/shadow/update/documents'",
  });
  await rules.publish("shadowed/lamp", { state: { reported: { on: true } } });
  expect(await documents.take(1)).toEqual(['{"reported":{"on":true}}']);
});
