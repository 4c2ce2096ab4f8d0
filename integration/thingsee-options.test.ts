import { gunzipSync } from "node:zlib";
import {
  CloudWatchLogsClient,
  DescribeLogGroupsCommand,
  FilterLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { DynamoDBClient, QueryCommand } from "@aws-sdk/client-dynamodb";
import {
  GetRolePolicyCommand,
  IAMClient,
  ListAttachedRolePoliciesCommand,
  ListRolePoliciesCommand,
} from "@aws-sdk/client-iam";
import { GetFunctionCommand, InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import {
  GetBucketLifecycleConfigurationCommand,
  GetObjectCommand,
  GetPublicAccessBlockCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  S3Client,
} from "@aws-sdk/client-s3";
import { GetQueueAttributesCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { expect, test } from "vitest";
import type { ReplayReport, ThingseeMessage } from "../components";
import { useDeployed } from "./harness/deployed";
import { settings } from "./harness/emulator";

interface Outputs {
  url: string;
  tableName: string;
  queueUrl: string;
  archiveBucket: string;
  deadLetterQueueUrl: string;
  deadLetterBucket: string;
  replayFunction: string;
  receiveFunction: string;
  receiveRole: string;
  receiveLogs: string;
  accessLogs: string;
}

const deployed = useDeployed<Outputs>("thingsee-everything");
const config = () => settings(deployed.current.emulator);
const message = (fields: Partial<ThingseeMessage>) => ({
  tsmId: 12100,
  tsmEv: 10,
  tsmTs: 1520416221,
  temp: 21,
  ...fields,
});

async function post(body: unknown) {
  const answer = await fetch(deployed.current.outputs.url, { method: "POST", body: JSON.stringify(body) });
  return { status: answer.status, ...((await answer.json()) as Record<string, unknown>) };
}

async function items(tuid: string, from: string, to: string) {
  const { Items = [] } = await new DynamoDBClient(config()).send(
    new QueryCommand({
      TableName: deployed.current.outputs.tableName,
      KeyConditionExpression: "tuid = :tuid AND sortKey BETWEEN :from AND :to",
      ExpressionAttributeValues: { ":tuid": { S: tuid }, ":from": { S: from }, ":to": { S: to } },
    }),
  );
  return Items;
}

async function take(QueueUrl: string): Promise<unknown[]> {
  const { Messages = [] } = await new SQSClient(config()).send(
    new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 0 }),
  );
  return Messages.map(({ Body }) => JSON.parse(Body!) as unknown);
}

test("a request goes through the callback into the table, the queue and the archive, and what fails is dead-lettered", async () => {
  const { queueUrl, deadLetterQueueUrl, archiveBucket } = deployed.current.outputs;
  const sent = [
    message({ tsmTuid: "full" }),
    message({ tsmTuid: "full", tsmEv: 0 }),
    message({ tsmTuid: "full", temp: "warm" }),
    message({ tsmTuid: "full", tsmTs: 1520419821 }),
  ];
  expect(await post(sent)).toMatchObject({ status: "ok", accepted: 3, rejected: 1 });

  // The device's messages of one hour, by the key alone.
  const [item, ...others] = await items("full", "2018-03-07T09", "2018-03-07T10");
  expect(others).toEqual([]);
  expect(item).toMatchObject({ timestamp: { N: "1520416221" }, messageId: { N: "12100" } });
  expect(item!.data!.M).toMatchObject({ temp: { N: "21.5" }, site: { S: "Oulu" }, bytes: { N: "4" } });
  // One code file, with the program's modules in it.
  expect(item!.data!.M!.files).toEqual({ L: [{ S: "index.js" }] });
  const lives = Number(item!.expiresAt!.N) - deployed.current.emulator.clock.now() / 1000;
  expect(lives).toBeGreaterThan(29.9 * 86_400);
  expect(lives).toBeLessThan(30.1 * 86_400);

  const enriched = { temp: 21.5, site: "Oulu", bytes: 4, files: ["index.js"] };
  expect(await take(queueUrl)).toEqual([
    [
      { ...sent[0], ...enriched },
      { ...sent[3], ...enriched },
    ],
  ]);
  expect(await take(deadLetterQueueUrl)).toEqual([
    expect.objectContaining({ stage: "onMessage", index: 2, reason: "Error: no temperature", message: sent[2] }),
  ]);

  const s3 = new S3Client({ ...config(), forcePathStyle: true });
  const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: archiveBucket }));
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: archiveBucket, Key: Contents![0]!.Key }));
  const lines = gunzipSync(await Body!.transformToByteArray())
    .toString()
    .trim()
    .split("\n");
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(sent);
});

test("the replay function, invoked by its name, reports what it did", async () => {
  const { archiveBucket, queueUrl, tableName } = deployed.current.outputs;
  const refused = [
    { service: "dynamodb", operation: "BatchWriteItem", resource: tableName, code: "ResourceNotFoundException" },
    { service: "s3", operation: "PutObject", resource: `${archiveBucket}/*`, code: "InvalidRequest" },
  ];
  for (const call of refused) deployed.current.emulator.faults.inject({ fault: "error", count: 1, ...call });
  expect(await post([message({ tsmTuid: "late" })])).toMatchObject({ accepted: 0, rejected: 1 });
  const lambda = new LambdaClient(config());
  const { Payload, FunctionError } = await lambda.send(
    new InvokeCommand({ FunctionName: deployed.current.outputs.replayFunction, Payload: '{"max": 5}' }),
  );
  expect(FunctionError).toBeUndefined();
  const report = JSON.parse(Buffer.from(Payload!).toString()) as ReplayReport;
  expect(report).toMatchObject({ replayed: 2, stillFailing: 1, remaining: 1 });
  expect(report.failures[0]!.reason).toBe("onMessage: Error: no temperature");
  expect(await items("late", "2018", "2019")).toHaveLength(1);
  expect(await take(queueUrl)).toContainEqual([expect.objectContaining({ tsmTuid: "late" })]);
});

test("the function takes less than 300 KB, and runs on nodejs24.x and arm64 with the settings that were asked for", async () => {
  const lambda = new LambdaClient(config());
  const { Configuration } = await lambda.send(
    new GetFunctionCommand({ FunctionName: deployed.current.outputs.receiveFunction }),
  );
  expect(Configuration).toMatchObject({
    Runtime: "nodejs24.x",
    Architectures: ["arm64"],
    MemorySize: 256,
    Timeout: 10,
    TracingConfig: { Mode: "PassThrough" },
  });
  expect(Configuration!.CodeSize).toBeLessThan(300 * 1024);
});

test("the function's role may do what the function does, to its own resources, and nothing else", async () => {
  const iam = new IAMClient(config());
  const RoleName = deployed.current.outputs.receiveRole;
  const { AttachedPolicies } = await iam.send(new ListAttachedRolePoliciesCommand({ RoleName }));
  expect(AttachedPolicies).toEqual([]);
  const { PolicyNames } = await iam.send(new ListRolePoliciesCommand({ RoleName }));
  expect(PolicyNames).toHaveLength(1);
  const { PolicyDocument } = await iam.send(new GetRolePolicyCommand({ RoleName, PolicyName: PolicyNames![0] }));
  const { Statement } = JSON.parse(decodeURIComponent(PolicyDocument!)) as {
    Statement: { Action: string[]; Resource: string[] }[];
  };
  expect(Statement.flatMap(({ Action }) => Action).sort()).toEqual([
    "dynamodb:BatchWriteItem",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "s3:PutObject",
    "s3:PutObject",
    "sqs:SendMessage",
    "sqs:SendMessage",
  ]);
  expect(Statement.flatMap(({ Resource }) => Resource)).not.toContain("*");
});

test("logs are kept as long as asked, and the access log has a line of JSON for each request without secrets", async () => {
  const { receiveLogs, accessLogs } = deployed.current.outputs;
  const logs = new CloudWatchLogsClient(config());
  for (const logGroupNamePrefix of [receiveLogs, accessLogs]) {
    const { logGroups } = await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix }));
    expect(logGroups).toEqual([expect.objectContaining({ retentionInDays: 30 })]);
  }
  await post([message({ tsmTuid: "logged" })]);
  await expect
    .poll(async () => {
      const { events = [] } = await logs.send(new FilterLogEventsCommand({ logGroupName: accessLogs }));
      return events.map(({ message: line }) => JSON.parse(line!) as unknown);
    })
    .toContainEqual(expect.objectContaining({ httpMethod: "POST", status: "200", path: "/prod/thingsee" }));
  await expect
    .poll(async () => {
      const { events = [] } = await logs.send(new FilterLogEventsCommand({ logGroupName: receiveLogs }));
      return events.some(({ message: line }) => line!.startsWith("REPORT"));
    })
    .toBe(true);
});

test("buckets are private and forget, and dead letters are kept as long as asked", async () => {
  const { archiveBucket, deadLetterBucket, deadLetterQueueUrl } = deployed.current.outputs;
  const s3 = new S3Client({ ...config(), forcePathStyle: true });
  for (const [Bucket, days] of [
    [archiveBucket, 90],
    [deadLetterBucket, 8],
  ] as const) {
    const { PublicAccessBlockConfiguration } = await s3.send(new GetPublicAccessBlockCommand({ Bucket }));
    expect(Object.values(PublicAccessBlockConfiguration!)).toEqual([true, true, true, true]);
    const { Rules } = await s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket }));
    expect(Rules![0]!.Expiration!.Days).toBe(days);
  }
  const { Attributes } = await new SQSClient(config()).send(
    new GetQueueAttributesCommand({ QueueUrl: deadLetterQueueUrl, AttributeNames: ["All"] }),
  );
  expect(Attributes).toMatchObject({ MessageRetentionPeriod: String(7 * 86_400), MaximumMessageSize: "1048576" });
});

test("a second deployment of the same program changes nothing", async () => {
  const again = await deployed.current.stack.update();
  expect(again.summary).toMatchObject({ created: 0, updated: 0, replaced: 0, deleted: 0 });
});

test("everything goes when the stack is destroyed, the archive with what is in it", async () => {
  const { stack, outputs, emulator } = deployed.current;
  await stack.destroy();
  expect((await fetch(outputs.url, { method: "POST", body: "[]" })).status).toBe(403);
  const { Buckets } = await new S3Client(settings(emulator)).send(new ListBucketsCommand({}));
  expect(Buckets ?? []).toEqual([]);
});
