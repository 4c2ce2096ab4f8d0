import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DynamoDBClient,
  PutItemCommand,
} from "@aws-sdk/client-dynamodb";
import {
  CreateEventSourceMappingCommand,
  type CreateEventSourceMappingCommandInput,
  LambdaClient,
} from "@aws-sdk/client-lambda";
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { beforeAll, expect, it } from "vitest";
import { type Item, keyed } from "./harness/dynamodb";
import { settings, useEmulator } from "./harness/emulator";
import { makeFunction } from "./harness/functions";
import { type RemoteRun, useRemoteFunctions } from "./harness/remote-function";

const emulator = useEmulator();
const remote = useRemoteFunctions();
let clients: { lambda: LambdaClient; dynamodb: DynamoDBClient; sqs: SQSClient } | undefined;
const aws = () => {
  const config = settings(emulator.current);
  clients ??= { lambda: new LambdaClient(config), dynamodb: new DynamoDBClient(config), sqs: new SQSClient(config) };
  return clients;
};

const consumer = "consumer";
beforeAll(async () => {
  await makeFunction(aws().lambda, consumer, remote.codeNamedBy('event.Records[0].eventSourceARN.split("/")[1]'));
});

const s = (S: string) => ({ S });

/** A table whose stream the function reads; its runs end as the test says. */
async function wire(TableName: string, options: Partial<CreateEventSourceMappingCommandInput> = {}) {
  const definition: CreateTableCommandInput = {
    TableName,
    ...keyed(),
    StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_AND_OLD_IMAGES" },
  };
  const { TableDescription } = await aws().dynamodb.send(new CreateTableCommand(definition));
  const arn = TableDescription!.LatestStreamArn!;
  await aws().lambda.send(
    new CreateEventSourceMappingCommand({
      EventSourceArn: arn,
      FunctionName: consumer,
      StartingPosition: "TRIM_HORIZON",
      ...options,
    }),
  );
  return {
    arn,
    put: (Item: Item) => aws().dynamodb.send(new PutItemCommand({ TableName, Item })),
    next: () => remote.next(TableName),
  };
}

const keysOf = ({ event }: RemoteRun): string[] =>
  event.Records.map(({ dynamodb }: { dynamodb: { Keys: { pk: { S: string } } } }) => dynamodb.Keys.pk.S);

it("hands changes to the function as AWS does, the moment they happen", async () => {
  const { arn, put, next } = await wire("plain");
  await put({ pk: s("a"), bytes: { B: Buffer.from("hi") }, list: { L: [{ N: "1" }, { BOOL: true }] } });
  const run = await next();
  expect(run.event).toEqual({
    Records: [
      {
        eventID: expect.stringMatching(/^[0-9a-f]{32}$/),
        eventName: "INSERT",
        eventVersion: "1.1",
        eventSource: "aws:dynamodb",
        awsRegion: "eu-west-1",
        dynamodb: {
          ApproximateCreationDateTime: expect.any(Number),
          Keys: { pk: s("a") },
          NewImage: { pk: s("a"), bytes: { B: "aGk=" }, list: { L: [{ N: "1" }, { BOOL: true }] } },
          SequenceNumber: expect.stringMatching(/^\d{21}$/),
          SizeBytes: expect.any(Number),
          StreamViewType: "NEW_AND_OLD_IMAGES",
        },
        eventSourceARN: arn,
      },
    ],
  });
  expect(Number.isInteger(run.event.Records[0].dynamodb.ApproximateCreationDateTime)).toBe(true);
  run.succeed();
});

it("drops what its filters do not want", async () => {
  const Pattern = JSON.stringify({ eventName: ["MODIFY"], dynamodb: { NewImage: { state: { S: ["on"] } } } });
  const { put, next } = await wire("filtered", { FilterCriteria: { Filters: [{ Pattern }] } });
  await put({ pk: s("a"), state: s("on") });
  await put({ pk: s("a"), state: s("off") });
  await put({ pk: s("a"), state: s("on") });
  const run = await next();
  expect(run.event.Records).toHaveLength(1);
  expect(run.event.Records[0]).toMatchObject({ eventName: "MODIFY", dynamodb: { OldImage: { state: s("off") } } });
  run.succeed();
});

it("tells the on-failure queue which changes were given up", async () => {
  const { QueueUrl } = await aws().sqs.send(new CreateQueueCommand({ QueueName: "given-up" }));
  const { arn, put, next } = await wire("given-up", {
    MaximumRetryAttempts: 0,
    DestinationConfig: { OnFailure: { Destination: "arn:aws:sqs:eu-west-1:000000000000:given-up" } },
  });
  await put({ pk: s("poison") });
  const run = await next();
  run.fail("no");
  const { Messages } = await aws().sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 10 }));
  const number = run.event.Records[0].dynamodb.SequenceNumber;
  const arrival = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  expect(JSON.parse(Messages![0]!.Body!)).toEqual({
    requestContext: {
      requestId: run.requestId,
      functionArn: `arn:aws:lambda:eu-west-1:000000000000:function:${consumer}`,
      condition: "RetryAttemptsExhausted",
      approximateInvokeCount: 1,
    },
    responseContext: { statusCode: 200, executedVersion: "$LATEST", functionError: "Unhandled" },
    version: "1.0",
    timestamp: expect.any(String),
    DDBStreamBatchInfo: {
      shardId: expect.stringMatching(/^shardId-\d{20}-[0-9a-f]{8}$/),
      startSequenceNumber: number,
      endSequenceNumber: number,
      approximateArrivalOfFirstRecord: arrival,
      approximateArrivalOfLastRecord: arrival,
      batchSize: 1,
      streamArn: arn,
    },
  });
  await put({ pk: s("next") });
  const after = await next();
  expect(keysOf(after)).toEqual(["next"]);
  after.succeed();
});

it("tries again from the lowest change that the function reports as failed", async () => {
  const { put, next } = await wire("partial", {
    FunctionResponseTypes: ["ReportBatchItemFailures"],
    BisectBatchOnFunctionError: true,
    BatchSize: 3,
    MaximumBatchingWindowInSeconds: 300,
  });
  for (const pk of ["a", "b", "c"]) await put({ pk: s(pk) });
  const run = await next();
  expect(keysOf(run)).toEqual(["a", "b", "c"]);
  run.succeed({ batchItemFailures: [{ itemIdentifier: run.event.Records[1].dynamodb.SequenceNumber }] });
  const again = await next();
  expect(keysOf(again)).toEqual(["b", "c"]);
  again.succeed({ batchItemFailures: [] });
});

it.each([
  [
    { EventSourceArn: "arn:aws:dynamodb:eu-west-1:000000000000:table/t/stream/2026-11-21T00:00:00.000" },
    "Stream not found: arn:aws:dynamodb:eu-west-1:000000000000:table/t/stream/2026-11-21T00:00:00.000",
  ],
  [
    { StartingPosition: "AT_TIMESTAMP" as const, StartingPositionTimestamp: new Date(0) },
    "Unsupported starting position AT_TIMESTAMP for given event source mapping type.",
  ],
])("refuses a mapping that cannot be: %j", async (options, message) => {
  const refused = wire(`refused-${"EventSourceArn" in options ? "arn" : "position"}`, options);
  await expect(refused).rejects.toMatchObject({ name: "InvalidParameterValueException", message });
});
