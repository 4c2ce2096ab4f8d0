import { Kinesis } from "@aws-sdk/client-kinesis";
import { Lambda } from "@aws-sdk/client-lambda";
import { expect, it } from "vitest";
import { type Declared, declaring, deployDeclared, find } from "./harness/deploying";
import { settings, useEmulator } from "./harness/emulator";
import { role } from "./harness/functions";
import { adminRole } from "./harness/permissions";

const emulator = useEmulator();

const code = { assets: { "index.js": { text: "exports.handler = async () => ({});" } } };
const policy = (Action: string) => JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action }] });

/** Streams with all that hangs on them, before and after a change. */
const program = (changed: boolean): Declared[] => [
  {
    type: "kinesis.Stream",
    name: "readings",
    args: changed
      ? {
          shardCount: 3,
          retentionPeriod: 48,
          encryptionType: "KMS",
          kmsKeyId: "alias/aws/kinesis",
          shardLevelMetrics: ["IncomingBytes"],
          maxRecordSizeInKib: 2048,
          tags: { stage: "after" },
          enforceConsumerDeletion: true,
        }
      : { shardCount: 2, retentionPeriod: 72, tags: { stage: "before", old: "yes" }, enforceConsumerDeletion: true },
  },
  { type: "kinesis.Stream", name: "elastic", args: { streamModeDetails: { streamMode: "ON_DEMAND" } } },
  { type: "kinesis.StreamConsumer", name: "fan", args: { streamArn: "$readings.arn", tags: { n: `${changed}` } } },
  {
    type: "kinesis.ResourcePolicy",
    name: "policy",
    args: { resourceArn: "$readings.arn", policy: policy(changed ? "kinesis:PutRecords" : "kinesis:PutRecord") },
  },
  { type: "sqs.Queue", name: "failed" },
  { type: "lambda.Function", name: "fn", args: { role, runtime: "nodejs24.x", handler: "index.handler", code } },
  {
    type: "lambda.EventSourceMapping",
    name: "mapping",
    args: {
      eventSourceArn: "$readings.arn",
      functionName: "$fn.name",
      startingPosition: "LATEST",
      ...(changed
        ? { batchSize: 10 }
        : {
            batchSize: 50,
            maximumBatchingWindowInSeconds: 5,
            parallelizationFactor: 2,
            bisectBatchOnFunctionError: true,
            maximumRetryAttempts: 3,
            maximumRecordAgeInSeconds: 3600,
            functionResponseTypes: ["ReportBatchItemFailures"],
            destinationConfig: { onFailure: { destinationArn: "$failed.arn" } },
            filterCriteria: { filters: [{ pattern: JSON.stringify({ data: { kind: ["alarm"] } }) }] },
          }),
    },
  },
  {
    type: "dynamodb.Table",
    name: "table",
    args: {
      hashKey: "pk",
      attributes: [{ name: "pk", type: "S" }],
      billingMode: "PAY_PER_REQUEST",
      streamEnabled: true,
      streamViewType: changed ? "NEW_IMAGE" : "KEYS_ONLY",
    },
  },
  {
    type: "lambda.EventSourceMapping",
    name: "changes",
    args: { eventSourceArn: "$table.streamArn", functionName: "$fn.name", startingPosition: "TRIM_HORIZON" },
  },
];

it("deploys, changes and destroys streams with their consumers, policies and mappings", async () => {
  const kinesis = new Kinesis(settings(emulator.current));
  const lambda = new Lambda(settings(emulator.current));
  await adminRole(lambda);
  const first = await deployDeclared(emulator.current, program(false));
  const { id: StreamARN } = find(first, "readings");
  const stream = async () => (await kinesis.describeStreamSummary({ StreamARN })).StreamDescriptionSummary!;
  expect(StreamARN).toMatch(/^arn:aws:kinesis:.*:stream\/readings-[0-9a-f]{7}$/);
  expect(await stream()).toMatchObject({ OpenShardCount: 2, RetentionPeriodHours: 72, ConsumerCount: 1 });
  const elastic = await kinesis.describeStreamSummary({ StreamARN: find(first, "elastic").id });
  expect(elastic.StreamDescriptionSummary).toMatchObject({ StreamModeDetails: { StreamMode: "ON_DEMAND" } });
  const mapping = { UUID: find(first, "mapping").id };
  const settingsBefore = await lambda.getEventSourceMapping(mapping);
  expect(settingsBefore).toMatchObject({
    EventSourceArn: StreamARN,
    StartingPosition: "LATEST",
    BatchSize: 50,
    MaximumBatchingWindowInSeconds: 5,
    ParallelizationFactor: 2,
    BisectBatchOnFunctionError: true,
    MaximumRetryAttempts: 3,
    MaximumRecordAgeInSeconds: 3600,
    FunctionResponseTypes: ["ReportBatchItemFailures"],
    DestinationConfig: { OnFailure: { Destination: expect.stringContaining(":failed-") } },
  });

  const second = await first.update(declaring(program(true)));
  expect(second.summary).toEqual({ created: 0, updated: 5, replaced: 1, deleted: 0, same: 3 });
  expect(await stream()).toMatchObject({
    OpenShardCount: 3,
    RetentionPeriodHours: 48,
    EncryptionType: "KMS",
    MaxRecordSizeInKiB: 2048,
    EnhancedMonitoring: [{ ShardLevelMetrics: ["IncomingBytes"] }],
  });
  expect((await kinesis.listTagsForStream({ StreamARN })).Tags).toEqual([{ Key: "stage", Value: "after" }]);
  expect((await kinesis.getResourcePolicy({ ResourceARN: StreamARN })).Policy).toContain("kinesis:PutRecords");
  const settingsAfter = await lambda.getEventSourceMapping(mapping);
  expect(settingsAfter).toMatchObject({
    StartingPosition: "LATEST",
    BatchSize: 10,
    MaximumBatchingWindowInSeconds: 0,
    ParallelizationFactor: 1,
    BisectBatchOnFunctionError: false,
    MaximumRetryAttempts: -1,
    MaximumRecordAgeInSeconds: -1,
    FunctionResponseTypes: [],
    DestinationConfig: { OnFailure: {} },
  });
  expect(settingsAfter.FilterCriteria).toBeUndefined();

  await second.destroy();
  expect((await kinesis.listStreams({})).StreamNames).toEqual([]);
  expect((await lambda.listEventSourceMappings({})).EventSourceMappings).toEqual([]);
  kinesis.destroy();
});
