import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { DynamoDBClient, paginateQuery, ScanCommand } from "@aws-sdk/client-dynamodb";
import { KinesisClient, PutRecordsCommand, UpdateShardCountCommand } from "@aws-sdk/client-kinesis";
import {
  GetFunctionConfigurationCommand,
  LambdaClient,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionUpdatedV2,
} from "@aws-sdk/client-lambda";
import { SQSClient } from "@aws-sdk/client-sqs";
import { expect, test } from "vitest";
import { useDeployed } from "./harness/deployed";
import { settings } from "./harness/emulator";
import { startFaultyAws } from "./harness/faulty-aws";
import { throttled } from "./harness/iot-functions";
import { drain } from "./harness/queues";

interface Outputs {
  streamName: string;
  tableName: string;
  queueUrl: string;
  deadLetterQueueUrl: string;
  failureQueueUrl: string;
  functionName: string;
}

const deployed = useDeployed<Outputs>("iot-storm");

const COUNT = 20_000;
const DEVICES = 50;
const start = Date.parse("2026-11-21T05:00:00Z");
const deviceOf = (n: number) => `sensor-${n % DEVICES}`;
const isPoison = (n: number) => n % 100 === 42;
const asks = (n: number) => n === 3_000 || n === 11_000;

/** The n-th message as the topic rule puts it on the stream. */
function record(n: number) {
  const payload = isPoison(n) ? `n=${n}` : JSON.stringify({ n, temp: 20 + (n % 7), ...(asks(n) && { ask: n }) });
  const device = deviceOf(n);
  const envelope = {
    payload: Buffer.from(payload).toString("base64"),
    ...{ device, topic: `devices/${device}/telemetry`, clientId: device, receivedAt: start + n },
  };
  return { PartitionKey: device, Data: Buffer.from(JSON.stringify(envelope)) };
}

/** Answers "die" to the first who asks about a message. */
async function startOracle() {
  const asked = new Set<string>();
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    response.end(asked.has(body) ? "live" : "die");
    asked.add(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    asked,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => void server.close(() => resolve())),
  };
}

test("of 20,000 messages of 50 devices, 1 % of them poison, with a table that throttles, a function that dies twice and shards that split, each good one is in the table once and in order, and each poison one in the dead-letter queue", async () => {
  const { emulator, outputs } = deployed.current;
  await using oracle = await startOracle();
  await using aws = await startFaultyAws(emulator);
  let calls = 0;
  aws.fault = (operation) => (operation === "BatchWriteItem" && ++calls % 5 === 0 ? throttled : undefined);
  const config = settings(emulator);
  const [lambda, kinesis, dynamodb, sqs] = [
    new LambdaClient(config),
    new KinesisClient(config),
    new DynamoDBClient(config),
    new SQSClient(config),
  ];
  const FunctionName = outputs.functionName;
  const { Environment } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
  const Variables = { ...Environment!.Variables, ORACLE: oracle.url, AWS_ENDPOINT_URL_DYNAMODB: aws.endpoint };
  await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Environment: { Variables } }));
  await waitUntilFunctionUpdatedV2({ client: lambda, maxWaitTime: 10, minDelay: 1 }, { FunctionName });

  for (let from = 0; from < COUNT; from += 500) {
    const Records = Array.from({ length: 500 }, (_, i) => record(from + i));
    const { FailedRecordCount } = await kinesis.send(
      new PutRecordsCommand({ StreamName: outputs.streamName, Records }),
    );
    expect(FailedRecordCount).toBe(0);
    if (from === COUNT / 2) {
      const TargetShardCount = 4;
      const StreamName = outputs.streamName;
      await kinesis.send(new UpdateShardCountCommand({ StreamName, TargetShardCount, ScalingType: "UNIFORM_SCALING" }));
    }
    // A shard takes 1,000 records a second.
    if (from % 1000 === 500) await emulator.clock.advance("1 second");
  }
  const good = COUNT * 0.99;
  const stored = async () => {
    let count = 0;
    let ExclusiveStartKey: Record<string, never> | undefined;
    do {
      const page = await dynamodb.send(
        new ScanCommand({ TableName: outputs.tableName, Select: "COUNT", ExclusiveStartKey }),
      );
      count += page.Count ?? 0;
      ExclusiveStartKey = page.LastEvaluatedKey as typeof ExclusiveStartKey;
    } while (ExclusiveStartKey);
    return count;
  };
  await expect.poll(stored, { timeout: 60_000, interval: 200 }).toBe(good);

  for (let device = 0; device < DEVICES; device++) {
    const seen: number[] = [];
    const pages = paginateQuery(
      { client: dynamodb },
      {
        TableName: outputs.tableName,
        KeyConditionExpression: "ident = :ident",
        ExpressionAttributeValues: { ":ident": { S: deviceOf(device) } },
      },
    );
    for await (const { Items } of pages) seen.push(...Items!.map(({ data }) => Number(data!.M!.n!.N)));
    const sent = Array.from({ length: COUNT / DEVICES }, (_, i) => device + i * DEVICES);
    expect(seen).toEqual(sent.filter((n) => !isPoison(n)));
  }
  const poison = Array.from({ length: COUNT }, (_, n) => n).filter(isPoison);
  const letters = await drain(sqs, outputs.deadLetterQueueUrl);
  const texts = letters.map(({ text }) => Number(String(text).slice(2)));
  expect([...new Set(texts)].sort((a, b) => a - b)).toEqual(poison);
  const live = (await drain(sqs, outputs.queueUrl)) as unknown as { data: { n: number } }[][];
  expect(new Set(live.flat().map(({ data }) => data.n)).size).toBe(good);
  expect(await drain(sqs, outputs.failureQueueUrl)).toEqual([]);
  expect(oracle.asked.size).toBe(2);
}, 120_000);
