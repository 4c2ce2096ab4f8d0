import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  DynamoDBClient,
  ScanCommand,
  type WriteRequest,
} from "@aws-sdk/client-dynamodb";
import { PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { KinesisClient, PutRecordsCommand } from "@aws-sdk/client-kinesis";
import { DeleteObjectsCommand, ListObjectsV2Command, PutObjectCommand } from "@aws-sdk/client-s3";
import { PublishBatchCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import {
  ChangeMessageVisibilityBatchCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { assert, asyncProperty, double, integer, record } from "fast-check";
import { afterEach, expect, it } from "vitest";
import type { FaultOptions, RequestRecord } from "../emulator";
import { createTable } from "./harness/dynamodb";
import { settings, useEmulator } from "./harness/emulator";
import { Rules } from "./harness/event-rules";
import { useKinesis } from "./harness/kinesis";
import { makeBucket, s3Client } from "./harness/s3";
import { makeOpenQueue, makeTopic, takeUntil } from "./harness/topics";

const emulator = useEmulator();
const kinesis = useKinesis(emulator);
afterEach(() => emulator.current.faults.clear());
const at = () => settings(emulator.current);
const inject = (options: FaultOptions) => emulator.current.faults.inject(options);
const partial = (service: string, more: object = {}) => inject({ fault: "partialFailure", service, seed: 1, ...more });
const ten = [..."0123456789"];

const puts = (ids: readonly string[]): WriteRequest[] => ids.map((id) => ({ PutRequest: { Item: { id: { S: id } } } }));

async function idsIn(dynamodb: DynamoDBClient, TableName: string): Promise<string[]> {
  const { Items = [] } = await dynamodb.send(new ScanCommand({ TableName }));
  return Items.map(({ id }) => id!.S!).sort();
}

it("leaves writes to DynamoDB unprocessed: every item is either stored or given back", async () => {
  const dynamodb = new DynamoDBClient(at());
  const options = record({ seed: integer({ min: 0 }), share: double({ min: 0.05, max: 0.94, noNaN: true }) });
  let table = 0;
  await assert(
    asyncProperty(options, async ({ seed, share }) => {
      const TableName = `written-${++table}`;
      await createTable(dynamodb, TableName, "id");
      const fault = partial("dynamodb", { operation: "BatchWriteItem", seed, share });
      const RequestItems = { [TableName]: puts(ten) };
      const { UnprocessedItems = {} } = await dynamodb.send(new BatchWriteItemCommand({ RequestItems }));
      fault.remove();
      const left = UnprocessedItems[TableName]!.map(({ PutRequest }) => PutRequest!.Item!.id!.S!);
      expect(left).toHaveLength(Math.max(1, Math.round(share * 10)));
      expect([...left, ...(await idsIn(dynamodb, TableName))].sort()).toEqual(ten);
    }),
    { numRuns: 10 },
  );
});

it("answers with an error where DynamoDB can process nothing of a batch", async () => {
  const dynamodb = new DynamoDBClient(at());
  await createTable(dynamodb, "nothing", "id");
  partial("dynamodb", { share: 1 });
  const error = { name: "ProvisionedThroughputExceededException", $metadata: { httpStatusCode: 400 } };
  const write = new BatchWriteItemCommand({ RequestItems: { nothing: puts(["1", "2"]) } });
  await expect(dynamodb.send(write)).rejects.toMatchObject(error);
  const read = new BatchGetItemCommand({ RequestItems: { nothing: { Keys: [{ id: { S: "1" } }] } } });
  await expect(dynamodb.send(read)).rejects.toMatchObject(error);
  expect(await idsIn(dynamodb, "nothing")).toEqual([]);
});

it("gives back keys that DynamoDB did not read, as they were asked for", async () => {
  const dynamodb = new DynamoDBClient(at());
  await createTable(dynamodb, "read", "id");
  await dynamodb.send(new BatchWriteItemCommand({ RequestItems: { read: puts(ten) } }));
  partial("dynamodb", { operation: "BatchGetItem", share: 0.3 });
  const Keys = ten.map((id) => ({ id: { S: id } }));
  const { Responses, UnprocessedKeys } = await dynamodb.send(
    new BatchGetItemCommand({ RequestItems: { read: { Keys, ConsistentRead: true } } }),
  );
  expect(UnprocessedKeys!.read).toEqual({ ConsistentRead: true, Keys: expect.any(Array) });
  expect(UnprocessedKeys!.read!.Keys).toHaveLength(3);
  const all = [...Responses!.read!, ...UnprocessedKeys!.read!.Keys!].map(({ id }) => id!.S);
  expect(all.sort()).toEqual(ten);
});

it("fails only entries for the bus that is meant", async () => {
  const { events } = new Rules(emulator.current);
  await events.createEventBus({ Name: "meant" });
  partial("events", { resource: "meant", share: 1 });
  const entry = { Source: "test", DetailType: "n", Detail: "{}" };
  const { Entries = [] } = await events.putEvents({ Entries: [entry, { ...entry, EventBusName: "meant" }] });
  expect(Entries.map(({ ErrorCode }) => ErrorCode)).toEqual([undefined, "InternalFailure"]);
});

it("refuses a batch that is wrong before anything of it fails", async () => {
  const dynamodb = new DynamoDBClient(at());
  const fault = partial("dynamodb");
  const write = new BatchWriteItemCommand({ RequestItems: { missing: puts(ten) } });
  await expect(dynamodb.send(write)).rejects.toThrow("Requested resource not found");
  expect(fault.hits).toBe(0);
});

it("fails entries of batches for a queue as a failure of SQS, not of the sender", async () => {
  const sqs = new SQSClient(at());
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: "batches" }));
  partial("sqs", { operation: "SendMessageBatch", share: 0.4, count: 1 });
  const Entries = ten.map((Id) => ({ Id, MessageBody: Id }));
  const { Failed = [], Successful = [] } = await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
  expect(Failed).toHaveLength(4);
  expect(Failed[0]).toEqual({
    Id: expect.any(String),
    Code: "InternalError",
    Message: "An internal error occurred.",
    SenderFault: false,
  });
  expect([...Failed, ...Successful].map(({ Id }) => Id).sort()).toEqual(ten);
  const received = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
  expect(received.Messages!.map(({ Body }) => Body)).toEqual(Successful.map(({ Id }) => Id));

  partial("sqs", { operation: "DeleteMessageBatch", share: 0.5 });
  const handles = received.Messages!.map(({ ReceiptHandle }, i) => ({ Id: String(i), ReceiptHandle }));
  const deleted = await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries: handles }));
  expect([deleted.Failed?.length, deleted.Successful?.length]).toEqual([3, 3]);

  partial("sqs", { operation: "ChangeMessageVisibilityBatch", share: 1 });
  const left = handles.filter(({ Id }) => deleted.Failed!.some((failed) => failed.Id === Id));
  const shown = left.map((entry) => ({ ...entry, VisibilityTimeout: 0 }));
  const hidden = await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries: shown }));
  expect(hidden.Failed).toHaveLength(3);
  expect((await sqs.send(new ReceiveMessageCommand({ QueueUrl }))).Messages).toBeUndefined();
});

it("fails records of Kinesis with the shard that has no room, or with the code that is named", async () => {
  const StreamName = await kinesis.stream();
  const client = new KinesisClient(at());
  const Records = ten.map((data) => ({ Data: Buffer.from(data), PartitionKey: data }));
  partial("kinesis", { share: 0.2, count: 1 });
  const first = await client.send(new PutRecordsCommand({ StreamName, Records }));
  expect(first.FailedRecordCount).toBe(2);
  expect(first.Records!.filter(({ ErrorCode }) => ErrorCode !== undefined)).toEqual(
    [1, 2].map(() => ({
      ErrorCode: "ProvisionedThroughputExceededException",
      ErrorMessage: `Rate exceeded for shard shardId-000000000000 in stream ${StreamName} under account 000000000000.`,
    })),
  );
  expect(await kinesis.read(StreamName)).toEqual(ten.filter((_, i) => first.Records![i]!.ErrorCode === undefined));
  partial("kinesis", { share: 1, code: "InternalFailure", message: "Internal service failure." });
  const second = await client.send(new PutRecordsCommand({ StreamName, Records }));
  expect(second.FailedRecordCount).toBe(10);
  expect(second.Records![0]).toEqual({ ErrorCode: "InternalFailure", ErrorMessage: "Internal service failure." });
});

it("fails entries of PutEvents, which then reach no rule", async () => {
  const rules = new Rules(emulator.current);
  const { source, queue } = await rules.toQueue();
  partial("events", { share: 0.6 });
  const entries = ten.map((n) => ({ Source: source, DetailType: "n", Detail: JSON.stringify({ n }) }));
  const { FailedEntryCount, Entries = [] } = await rules.events.send(new PutEventsCommand({ Entries: entries }));
  expect(FailedEntryCount).toBe(6);
  expect(Entries.find(({ ErrorCode }) => ErrorCode)).toEqual({
    ErrorCode: "InternalFailure",
    ErrorMessage: "Internal Service Failure",
  });
  const came = (await rules.bodies(queue.url, 4)).map(({ detail }) => detail.n).sort();
  expect(came).toEqual(ten.filter((_, i) => Entries[i]!.EventId !== undefined));
});

it("keeps objects that S3 did not delete, and says which", async () => {
  const s3 = s3Client(emulator.current);
  const Bucket = await makeBucket(s3);
  for (const Key of ten) await s3.send(new PutObjectCommand({ Bucket, Key: `logs/${Key}`, Body: "x" }));
  partial("s3", { operation: "DeleteObjects", share: 0.5 });
  const Objects = ten.map((Key) => ({ Key: `logs/${Key}` }));
  const { Deleted = [], Errors = [] } = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
  expect([Deleted.length, Errors.length]).toEqual([5, 5]);
  expect(Errors[0]).toEqual({
    Key: expect.stringMatching(/^logs\//),
    Code: "InternalError",
    Message: "We encountered an internal error. Please try again.",
  });
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
  expect(Contents.map(({ Key }) => Key)).toEqual(Errors.map(({ Key }) => Key));
});

it("fails entries of PublishBatch, which then reach no subscriber", async () => {
  const sns = new SNSClient(at());
  const sqs = new SQSClient(at());
  const TopicArn = await makeTopic(sns);
  const queue = await makeOpenQueue(sqs, "sns.amazonaws.com", TopicArn);
  const Attributes = { RawMessageDelivery: "true" };
  await sns.send(new SubscribeCommand({ TopicArn, Protocol: "sqs", Endpoint: queue.arn, Attributes }));
  partial("sns", { share: 0.7 });
  const PublishBatchRequestEntries = ten.map((Id) => ({ Id, Message: Id }));
  const { Failed = [], Successful = [] } = await sns.send(
    new PublishBatchCommand({ TopicArn, PublishBatchRequestEntries }),
  );
  expect(Failed).toHaveLength(7);
  expect(Failed[0]).toMatchObject({ Code: "InternalError", SenderFault: false });
  const came = (await takeUntil(sqs, queue.url, 3)).map(({ Body }) => Body).sort();
  expect(came).toEqual(Successful.map(({ Id }) => Id));
});

it("is shown to who watches, and chooses the same entries for the same seed", async () => {
  const dynamodb = new DynamoDBClient(at());
  await createTable(dynamodb, "seeded", "id");
  const records: RequestRecord[] = [];
  const stop = emulator.current.watch((seen) => records.push(seen));
  const unprocessed = async () => {
    const fault = partial("dynamodb", { seed: 42 });
    const write = new BatchWriteItemCommand({ RequestItems: { seeded: puts(ten) } });
    const answers = [await dynamodb.send(write), await dynamodb.send(write)];
    fault.remove();
    return answers.map(({ UnprocessedItems }) => UnprocessedItems);
  };
  const first = await unprocessed();
  expect(await unprocessed()).toEqual(first);
  expect(first[0]).not.toEqual(first[1]);
  stop();
  expect(records.map(({ status, fault }) => [status, fault])).toEqual([1, 2, 3, 4].map(() => [200, "partialFailure"]));
});
