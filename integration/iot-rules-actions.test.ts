import { CloudWatchLogsClient, CreateLogGroupCommand, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { CreateTableCommand, DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { AddPermissionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { CreateBucketCommand, GetObjectCommand } from "@aws-sdk/client-s3";
import { SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { afterAll, beforeAll, expect, test } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { useKinesis } from "./harness/kinesis";
import { useRules } from "./harness/rules";
import { s3Client } from "./harness/s3";
import { makeOpenQueue, makeTopic, takeUntil } from "./harness/topics";

const emulator = useEmulator();
const kinesis = useKinesis(emulator);
const rules = useRules(emulator);
const { roleArn } = rules;

test("puts a message into Kinesis with the partition key that the template makes", async () => {
  const streamName = await kinesis.stream();
  await rules.create([{ kinesis: { roleArn, streamName, partitionKey: "${topic(2)}" } }], {
    sql: "SELECT temp * 2 AS double FROM 'kinesis/+/up'",
  });
  await rules.publish("kinesis/a/up", { temp: 21 });
  await expect.poll(async () => (await kinesis.get(await kinesis.iterator(streamName))).Records).toHaveLength(1);
  const { Records } = await kinesis.get(await kinesis.iterator(streamName));
  expect(Records![0]!.PartitionKey).toBe("a");
  expect(Buffer.from(Records![0]!.Data!).toString()).toBe('{"double":42}');
});

test("sends to SQS as text and as base64", async () => {
  const plain = await rules.queue();
  const encoded = await rules.queue();
  await rules.create([plain.action, { sqs: { ...encoded.action.sqs, useBase64: true } }], {
    sql: "SELECT * FROM 'sqs/up'",
  });
  await rules.publish("sqs/up", { on: true });
  expect(await plain.take(1)).toEqual(['{"on":true}']);
  expect(await encoded.take(1)).toEqual([Buffer.from('{"on":true}').toString("base64")]);
});
