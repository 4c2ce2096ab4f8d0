import { gunzipSync } from "node:zlib";
import { DeleteTableCommand, DynamoDBClient, QueryCommand } from "@aws-sdk/client-dynamodb";
import { GetRolePolicyCommand, IAMClient, ListRolePoliciesCommand } from "@aws-sdk/client-iam";
import { DeleteStreamCommand, DescribeStreamSummaryCommand, KinesisClient } from "@aws-sdk/client-kinesis";
import {
  GetFunctionConfigurationCommand,
  InvokeCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
} from "@aws-sdk/client-lambda";
import { GetObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { SQSClient } from "@aws-sdk/client-sqs";
import type { MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ReplayReport } from "../components";
import { useDeployed } from "./harness/deployed";
import { Devices, iotArn, variable } from "./harness/devices";
import { settings } from "./harness/emulator";
import { drain } from "./harness/queues";

interface Outputs {
  queueUrl: string;
  seenUrl: string;
  tableName: string;
  archiveBucket: string;
  deadLetterQueueUrl: string;
  failureQueueUrl: string;
  streamArn: string;
  functionName: string;
  roles: { rule: string; consume: string };
  alarms: string[];
  fieldTableName: string;
  fieldDeadLetterQueueUrl: string;
  fieldStreamName: string;
  fieldReplayName: string;
  fleetPolicy: string;
  directTableName: string;
  directDeadLetterQueueUrl: string;
}

const deployed = useDeployed<Outputs>("iot-options");
const outputs = () => deployed.current.outputs;
const config = () => settings(deployed.current.emulator);
const sqs = () => new SQSClient(config());

let devices: Devices | undefined;
let client: MqttClient;
beforeAll(async () => {
  devices = new Devices(deployed.current.emulator);
  client = await devices.connect(await devices.certificate(), { clientId: "hub" });
});
afterAll(() => devices?.close());

const publish = (topic: string, payload: unknown) =>
  client.publishAsync(topic, typeof payload === "string" ? payload : JSON.stringify(payload), { qos: 1 });

async function items(TableName: string, ident: string) {
  const { Items = [] } = await new DynamoDBClient(config()).send(
    new QueryCommand({
      TableName,
      KeyConditionExpression: "ident = :ident",
      ExpressionAttributeValues: { ":ident": { S: ident } },
    }),
  );
  return Items;
}

/** Messages of a queue, once there are some. */
async function arrived(url: string): Promise<Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = [];
  await expect.poll(async () => found.push(...(await drain(sqs(), url))), { timeout: 10_000 }).toBeGreaterThan(0);
  return found;
}

test("messages of several topics go through the condition and the callback into every sink", async () => {
  const { tableName, queueUrl, seenUrl, archiveBucket, deadLetterQueueUrl } = outputs();
  await publish("plants/oulu/air/1", { temp: 21 });
  await publish("plants/oulu/air/2", { temp: 0 });
  await publish("plants/oulu/air/2", { temp: 5000 });
  await publish("plants/oulu/air/3", { temp: -273 });
  await publish("rooms/kitchen", { temp: 23 });
  await expect.poll(() => items(tableName, "kitchen"), { timeout: 10_000 }).toHaveLength(1);
  await expect.poll(() => items(tableName, "oulu"), { timeout: 10_000 }).toHaveLength(1);
  const [item] = await items(tableName, "oulu");
  expect(item!.data!.M).toEqual({ temp: { N: "21" }, place: { S: "oulu 1" } });
  expect(item!.clientId).toEqual({ S: "hub" });
  expect(Number(item!.expiresAt!.N) * 1000 - Date.parse(item!.receivedAt!.S!)).toBeGreaterThan(29 * 86_400_000);

  const live = (await arrived(queueUrl)) as unknown as { ident: string; data: object }[][];
  expect(live.flat()).toContainEqual(expect.objectContaining({ ident: "oulu", data: { temp: 21, place: "oulu 1" } }));
  expect((await arrived(seenUrl)).flat()).toContain(21);
  const s3 = new S3Client({ ...config(), forcePathStyle: true });
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: archiveBucket }));
  const objects = await Promise.all(
    Contents.map(async ({ Key }) => {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: archiveBucket, Key }));
      return gunzipSync(await Body!.transformToByteArray()).toString();
    }),
  );
  expect(objects.join("")).toContain('"data":{"temp":21,"place":"oulu 1"}');
  expect(await arrived(deadLetterQueueUrl)).toEqual([
    expect.objectContaining({ stage: "transform", reason: "Error: too cold", device: "oulu", text: '{"temp":-273}' }),
  ]);
});

test("a message on which the function always dies is named by the failure queue, and its neighbours are stored", async () => {
  for (const temp of [10, 11, 12, 13, 14, 15]) await publish("rooms/cellar", { temp });
  const [failure, ...others] = await arrived(outputs().failureQueueUrl);
  expect(others).toEqual([]);
  expect(failure).toMatchObject({
    requestContext: { condition: "RetryAttemptsExhausted" },
    KinesisBatchInfo: { batchSize: 1, streamArn: outputs().streamArn },
  });
  await expect.poll(() => items(outputs().tableName, "cellar"), { timeout: 10_000 }).toHaveLength(5);
  const found = await items(outputs().tableName, "cellar");
  expect(found.map(({ data }) => data!.M!.temp!.N)).toEqual(["10", "11", "12", "14", "15"]);
});

describe("a device named by the payload", () => {
  test("has its messages in the order of their own time, each once", async () => {
    const { fieldTableName } = outputs();
    for (const timestamp of [1_795_237_203, 1_795_237_201, 1_795_237_202, 1_795_237_201]) {
      await publish("flespi/any/where", { ident: 352093081429150, timestamp, "position.latitude": 60.17 });
    }
    await expect.poll(() => items(fieldTableName, "352093081429150"), { timeout: 10_000 }).toHaveLength(3);
    const found = await items(fieldTableName, "352093081429150");
    expect(found.map(({ timestamp }) => Number(timestamp!.N))).toEqual([
      1_795_237_201_000, 1_795_237_202_000, 1_795_237_203_000,
    ]);
    expect(found[0]!.data!.M!["position.latitude"]).toEqual({ N: "60.17" });
  });

  test.each([
    ["that is missing", { timestamp: 1 }],
    ["of a payload that is no JSON", "ident=1"],
  ])("%s makes a dead letter", async (_, payload) => {
    await publish("flespi/nobody", payload);
    expect(await arrived(outputs().fieldDeadLetterQueueUrl)).toHaveLength(1);
  });
});

describe("direct", () => {
  test("puts a message's fields into the table, with the device, a key that begins with the time, and an end", async () => {
    await publish("meters/m-1/data", { energy: 12.5 });
    await publish("meters/m-1/data", { energy: 12.5 });
    await expect.poll(() => items(outputs().directTableName, "m-1"), { timeout: 10_000 }).toHaveLength(2);
    const [item] = await items(outputs().directTableName, "m-1");
    const day = new Date(deployed.current.emulator.clock.now()).toISOString().slice(0, 10);
    expect(item).toMatchObject({ energy: { N: "12.5" }, topic: { S: "meters/m-1/data" } });
    expect(item!.sortKey!.S).toMatch(new RegExp(`^${day}T[\\d:.]+Z#[\\da-f-]{36}$`));
    expect(item!.receivedAt!.S!.slice(0, 10)).toBe(day);
    const end = Number(item!.expiresAt!.N) * 1000 - Date.parse(item!.receivedAt!.S!);
    expect(Math.round(end / 86_400_000)).toBe(7);
  });

  test("dead-letters what the table does not take, as the rule's error action tells it", async () => {
    await new DynamoDBClient(config()).send(new DeleteTableCommand({ TableName: outputs().directTableName }));
    await publish("meters/m-1/data", { energy: 13 });
    const [letter] = await arrived(outputs().directDeadLetterQueueUrl);
    expect(letter).toMatchObject({
      topic: "meters/m-1/data",
      base64OriginalPayload: Buffer.from('{"energy":13}').toString("base64"),
    });
  });
});

test("a message that the stream does not take is dead-lettered by the rule, and the replay takes it to the table", async () => {
  await new KinesisClient(config()).send(new DeleteStreamCommand({ StreamName: outputs().fieldStreamName }));
  await publish("flespi/late", { ident: "late" });
  const lambda = new LambdaClient(config());
  const replay = async () => {
    const { Payload } = await lambda.send(new InvokeCommand({ FunctionName: outputs().fieldReplayName }));
    return (JSON.parse(Buffer.from(Payload!).toString()) as ReplayReport).replayed;
  };
  await expect.poll(replay, { timeout: 10_000 }).toBe(1);
  expect(await items(outputs().fieldTableName, "late")).toHaveLength(1);
  expect(await drain(sqs(), outputs().fieldDeadLetterQueueUrl)).toEqual([]);
});

describe("what is deployed", () => {
  test("has a stream, a trigger and a function as they were asked for", async () => {
    const { streamArn, functionName } = outputs();
    const { StreamDescriptionSummary: stream } = await new KinesisClient(config()).send(
      new DescribeStreamSummaryCommand({ StreamARN: streamArn }),
    );
    expect(stream).toMatchObject({
      ...{ OpenShardCount: 2, RetentionPeriodHours: 48, EncryptionType: "KMS", KeyId: "alias/aws/kinesis" },
    });
    const lambda = new LambdaClient(config());
    const { EventSourceMappings } = await lambda.send(
      new ListEventSourceMappingsCommand({ FunctionName: functionName }),
    );
    expect(EventSourceMappings).toEqual([
      expect.objectContaining({
        ...{ BatchSize: 100, BisectBatchOnFunctionError: true, MaximumRetryAttempts: 1 },
        ...{ MaximumRecordAgeInSeconds: 172_800, FunctionResponseTypes: ["ReportBatchItemFailures"] },
        DestinationConfig: { OnFailure: { Destination: expect.stringContaining("all-failures") } },
      }),
    ]);
    const made = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: functionName }));
    expect(made).toMatchObject({ MemorySize: 256, Timeout: 30, TracingConfig: { Mode: "PassThrough" } });
  });

  test("lets the rule put records on the stream and letters into the queue, and nothing else", async () => {
    expect(await allowed(outputs().roles.rule)).toEqual([
      ["kinesis:PutRecord", [outputs().streamArn]],
      ["sqs:SendMessage", [expect.stringContaining("all-dead-letters")]],
    ]);
  });

  test("lets the function do what its sinks and callbacks do, each on its own resource, and nothing else", async () => {
    const statements = await allowed(outputs().roles.consume);
    expect(statements.flatMap(([, resources]) => resources)).not.toContain("*");
    expect(statements.flatMap(([actions]) => actions).sort()).toEqual(
      [
        ...["dynamodb:BatchWriteItem", "dynamodb:BatchWriteItem", "dynamodb:Query"],
        ...["kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords"],
        ...["kinesis:GetShardIterator", "kinesis:ListShards", "logs:CreateLogStream", "logs:PutLogEvents"],
        ...["s3:PutObject", "sqs:SendMessage", "sqs:SendMessage", "sqs:SendMessage"],
      ].sort(),
    );
  });

  test("has alarms for letters, failures, old records and a full stream", () => {
    expect(outputs().alarms.sort()).toEqual(
      [
        ...["ApproximateNumberOfMessagesVisible", "ApproximateNumberOfMessagesVisible", "ErrorActionFailure"],
        ...[
          "ErrorActionFailure",
          "Errors",
          "Errors",
          "IteratorAge",
          "Throttles",
          "Throttles",
          "WriteProvisionedThroughputExceeded",
        ],
      ].sort(),
    );
  });

  test("has a policy for a fleet that names no device", () => {
    const { Statement } = JSON.parse(outputs().fleetPolicy) as { Statement: { Resource: string[] }[] };
    expect(Statement.map(({ Resource }) => Resource)).toEqual([
      [iotArn(`client/${variable("iot:Connection.Thing.ThingName")}`)],
      [iotArn("topic/flespi/*")],
    ]);
  });
});

/** Actions and resources that a role allows. */
async function allowed(RoleName: string): Promise<[string | string[], string[]][]> {
  const iam = new IAMClient(config());
  const { PolicyNames = [] } = await iam.send(new ListRolePoliciesCommand({ RoleName }));
  expect(PolicyNames).toHaveLength(1);
  const { PolicyDocument } = await iam.send(new GetRolePolicyCommand({ RoleName, PolicyName: PolicyNames[0] }));
  const { Statement } = JSON.parse(decodeURIComponent(PolicyDocument!)) as {
    Statement: { Action: string[]; Resource: string[] }[];
  };
  return Statement.map(({ Action, Resource }) => [Action.length === 1 ? Action[0]! : Action, Resource]);
}
