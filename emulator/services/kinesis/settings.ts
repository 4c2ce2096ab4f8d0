import type { MetricsName } from "@aws-sdk/client-kinesis";
import { limits } from "../../core/limits";
import type { Scope } from "../../core/service";
import { check } from "./checks";
import { invalidArgument } from "./errors";
import type { KinesisOperations, Store, StreamReference } from "./store";
import type { Stream } from "./stream";
import { recordSizeRange, streamModes } from "./streams";

const shortestRetention = limits.kinesis.retention.least;
/** A year (https://docs.aws.amazon.com/streams/latest/dev/kinesis-extended-retention.html). */
const longestRetention = limits.kinesis.retention.value;

const metricNames: readonly MetricsName[] = [
  "IncomingBytes",
  "IncomingRecords",
  "OutgoingBytes",
  "OutgoingRecords",
  "WriteProvisionedThroughputExceeded",
  "ReadProvisionedThroughputExceeded",
  "IteratorAgeMilliseconds",
];

/** Retention, mode, record size, encryption and monitoring of streams. */
export const settingOperations = (store: Store): KinesisOperations => {
  const monitoring = (
    input: StreamReference & { ShardLevelMetrics: MetricsName[] | undefined },
    scope: Scope,
    change: (stream: Stream, names: readonly MetricsName[]) => Set<MetricsName>,
  ) => {
    check({ shardLevelMetrics: [input.ShardLevelMetrics, { required: true, length: [1, 7] }] });
    for (const name of input.ShardLevelMetrics!) {
      check({ shardLevelMetrics: [name, { oneOf: [...metricNames, "ALL"] }] });
    }
    const stream = store.find(input, scope);
    const before = [...stream.metrics];
    stream.metrics = change(stream, input.ShardLevelMetrics!.includes("ALL") ? metricNames : input.ShardLevelMetrics!);
    return {
      StreamName: stream.name,
      StreamARN: stream.arn,
      CurrentShardLevelMetrics: before,
      DesiredShardLevelMetrics: [...stream.metrics],
    };
  };

  return {
    IncreaseStreamRetentionPeriod(input, context) {
      const hours = checkRetention(input.RetentionPeriodHours);
      const stream = store.find(input, context);
      if (hours < stream.retentionHours) {
        throw invalidArgument(
          `Requested retention period (${hours} hours) for stream ${stream.name} can not be shorter than existing retention period (${stream.retentionHours} hours). Use DecreaseRetentionPeriod API.`,
        );
      }
      stream.trim(store.clock.now());
      stream.retentionHours = hours;
      return {};
    },

    DecreaseStreamRetentionPeriod(input, context) {
      const hours = checkRetention(input.RetentionPeriodHours);
      const stream = store.find(input, context);
      if (hours > stream.retentionHours) {
        throw invalidArgument(
          `Requested retention period (${hours} hours) for stream ${stream.name} can not be longer than existing retention period (${stream.retentionHours} hours). Use IncreaseRetentionPeriod API.`,
        );
      }
      stream.retentionHours = hours;
      stream.trim(store.clock.now());
      return {};
    },

    UpdateStreamMode(input, context) {
      const mode = input.StreamModeDetails?.StreamMode;
      check({
        streamARN: [input.StreamARN, { required: true }],
        "streamModeDetails.streamMode": [mode, { required: true, oneOf: streamModes }],
      });
      // Shards stay as they are; from here on they are AWS's or the owner's to change.
      store.find({ StreamARN: input.StreamARN }, context).mode = mode!;
      return {};
    },

    UpdateMaxRecordSize(input, context) {
      check({
        streamARN: [input.StreamARN, { required: true }],
        maxRecordSizeInKiB: [input.MaxRecordSizeInKiB, { required: true, range: recordSizeRange }],
      });
      store.find({ StreamARN: input.StreamARN }, context).maxRecordKiB = input.MaxRecordSizeInKiB!;
      return {};
    },

    /** Marks the records that come from now on. Nothing is encrypted here. */
    StartStreamEncryption(input, context) {
      checkEncryption(input);
      store.find(input, context).keyId = input.KeyId!;
      return {};
    },

    StopStreamEncryption(input, context) {
      checkEncryption(input);
      store.find(input, context).keyId = undefined;
      return {};
    },

    EnableEnhancedMonitoring: (input, context) =>
      monitoring(input, context, ({ metrics }, names) => new Set([...metrics, ...names])),

    DisableEnhancedMonitoring: (input, context) =>
      monitoring(input, context, ({ metrics }, names) => new Set([...metrics].filter((name) => !names.includes(name)))),
  };
};

function checkRetention(hours: number | undefined): number {
  check({ retentionPeriodHours: [hours, { required: true }] });
  const requested = `Requested retention period (${hours} hours)`;
  if (hours! < shortestRetention) {
    throw invalidArgument(`Minimum allowed retention period is ${shortestRetention} hours. ${requested} is too short.`);
  }
  if (hours! > longestRetention) {
    throw invalidArgument(`Maximum allowed retention period is ${longestRetention} hours. ${requested} is too long.`);
  }
  return hours!;
}

const checkEncryption = (input: { EncryptionType?: string; KeyId?: string }) =>
  check({
    encryptionType: [input.EncryptionType, { required: true, oneOf: ["NONE", "KMS"] }],
    keyId: [input.KeyId, { required: true, length: [1, 2048] }],
  });
