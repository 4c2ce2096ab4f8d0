import { CreateTableCommand, DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateQueueCommand, SendMessageBatchCommand, SQSClient } from "@aws-sdk/client-sqs";
import { type Load, measure } from "./load";
import type { Row } from "./report";
import type { Started } from "./servers";

const connections = 32;
const amount = 20_000;
const distinct = 500;

const region = "eu-west-1";
const scope = (service: string) =>
  `AWS4-HMAC-SHA256 Credential=test/20261121/${region}/${service}/aws4_request, SignedHeaders=host, Signature=0`;

const jsonHeaders = (service: string, target: string) => ({
  authorization: scope(service),
  "content-type": "application/x-amz-json-1.0",
  "x-amz-target": target,
});

const item = (index: number) => ({
  tuid: { S: `TSPR04E2O${index % 50}` },
  sk: { S: `2026-11-21T00:00:00.000Z#12100#10#${index}` },
  data: { M: { temp: { N: "21.3" }, humd: { N: "45.2" }, tsmId: { N: "12100" }, tsmEv: { N: "10" } } },
});

/** The plain HTTP requests of one operation, without an SDK, so that the server is what is measured. */
type Operation = { name: string; load: Omit<Load, "url" | "connections" | "amount"> };

async function prepare(endpoint: string): Promise<readonly Operation[]> {
  const settings = { endpoint, region, credentials: { accessKeyId: "test", secretAccessKey: "test" } };
  const dynamodb = new DynamoDBClient(settings);
  await dynamodb.send(
    new CreateTableCommand({
      TableName: "rates",
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [
        { AttributeName: "tuid", AttributeType: "S" },
        { AttributeName: "sk", AttributeType: "S" },
      ],
      KeySchema: [
        { AttributeName: "tuid", KeyType: "HASH" },
        { AttributeName: "sk", KeyType: "RANGE" },
      ],
    }),
  );
  for (let index = 0; index < distinct; index++) {
    await dynamodb.send(new PutItemCommand({ TableName: "rates", Item: item(index) }));
  }
  const sqs = new SQSClient(settings);
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: "rates" }));
  const { QueueUrl: full } = await sqs.send(
    new CreateQueueCommand({ QueueName: "full", Attributes: { VisibilityTimeout: "0" } }),
  );
  const Entries = Array.from({ length: 10 }, (_, index) => ({
    Id: String(index),
    MessageBody: JSON.stringify(item(index)),
  }));
  for (let batch = 0; batch < 100; batch++) await sqs.send(new SendMessageBatchCommand({ QueueUrl: full, Entries }));
  await new S3Client({ ...settings, forcePathStyle: true }).send(
    new CreateBucketCommand({ Bucket: "rates", CreateBucketConfiguration: { LocationConstraint: region } }),
  );
  dynamodb.destroy();
  sqs.destroy();

  // One device after another: a partition key gives 3,000 read units a second.
  const queries = Array.from({ length: 50 }, (_, device) =>
    JSON.stringify({
      TableName: "rates",
      KeyConditionExpression: "tuid = :tuid AND sk > :from",
      ExpressionAttributeValues: { ":tuid": { S: `TSPR04E2O${device}` }, ":from": { S: "2026" } },
      Limit: 10,
    }),
  );
  const puts = Array.from({ length: distinct }, (_, index) =>
    JSON.stringify({ TableName: "rates", Item: item(index) }),
  );
  return [
    { name: "DynamoDB PutItem", load: { headers: jsonHeaders("dynamodb", "DynamoDB_20120810.PutItem"), body: puts } },
    {
      name: "DynamoDB Query (10 items)",
      load: { headers: jsonHeaders("dynamodb", "DynamoDB_20120810.Query"), body: queries },
    },
    {
      name: "SQS SendMessage",
      load: {
        headers: jsonHeaders("sqs", "AmazonSQS.SendMessage"),
        body: JSON.stringify({ QueueUrl, MessageBody: JSON.stringify(item(1)) }),
      },
    },
    {
      name: "SQS ReceiveMessage (10)",
      load: {
        headers: jsonHeaders("sqs", "AmazonSQS.ReceiveMessage"),
        body: JSON.stringify({ QueueUrl: full, MaxNumberOfMessages: 10 }),
      },
    },
    {
      name: "S3 PutObject (1 KB)",
      load: {
        method: "PUT",
        headers: { authorization: scope("s3"), "content-type": "application/octet-stream" },
        body: "x".repeat(1024),
        paths: Array.from({ length: distinct }, (_, index) => `/rates/object-${index}`),
      },
    },
  ];
}

/** Rates of single operations over plain HTTP, as ratios to a server that answers a constant to the same requests. */
export async function rates(emulator: Started, constant: Started): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { name, load } of await prepare(emulator.url)) {
    const baseline = await measure({ ...load, url: constant.url, connections, amount });
    const measured = await measure({ ...load, url: emulator.url, connections, amount });
    rows.push({ name, measured, ratios: { constant: measured.requestsPerSecond / baseline.requestsPerSecond } });
  }
  return rows;
}
