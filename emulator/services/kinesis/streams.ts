import { notEmulated } from "../../core/errors";
import { endsOf, limits } from "../../core/limits";
import { check, checkTags, makeToken, readToken, streamNamePattern } from "./checks";
import { invalidArgument, streamExists, streamHasConsumers } from "./errors";
import type { KinesisOperations, Store } from "./store";
import { Stream } from "./stream";

/** What an on-demand stream begins with: 4 MiB or 4,000 records a second (developer guide, "Choose the right mode"). */
const onDemandShards = 4;

const mostShards = limits.kinesis.shards.value;
export const recordSizeRange = endsOf(limits.kinesis.maxRecordSize);
export const streamModes = ["PROVISIONED", "ON_DEMAND"] as const;

const enhancedMonitoring = ({ metrics }: Stream) => [{ ShardLevelMetrics: [...metrics] }];

const encryptionOf = ({ keyId }: Stream) => ({
  EncryptionType: keyId === undefined ? ("NONE" as const) : ("KMS" as const),
  KeyId: keyId,
});

const modeOf = ({ mode }: Stream) => ({ StreamMode: mode });

/** What streams there are. A stream is ready as soon as the request that makes or changes it is answered. */
export const streamOperations = (store: Store): KinesisOperations => ({
  CreateStream(input, context) {
    const { StreamName, ShardCount, MaxRecordSizeInKiB } = input;
    const mode = input.StreamModeDetails?.StreamMode;
    check({
      streamName: [StreamName, { required: true, length: [1, limits.kinesis.name.value], pattern: streamNamePattern }],
      shardCount: [ShardCount, { range: [1, mostShards] }],
      "streamModeDetails.streamMode": [mode, { required: input.StreamModeDetails !== undefined, oneOf: streamModes }],
      maxRecordSizeInKiB: [MaxRecordSizeInKiB, { range: recordSizeRange }],
    });
    checkTags(input.Tags, new Map());
    if (input.WarmThroughputMiBps !== undefined) throw notEmulated("kinesis", "CreateStream", "WarmThroughputMiBps");
    if (mode === "ON_DEMAND" && ShardCount !== undefined) {
      throw invalidArgument("ShardCount cannot be specified when StreamMode is ON_DEMAND.");
    }
    if (mode !== "ON_DEMAND" && ShardCount === undefined) {
      throw invalidArgument("ShardCount must be specified when StreamMode is PROVISIONED.");
    }
    const { streams } = store.region(context);
    if (streams.has(StreamName!)) throw streamExists(StreamName!, context.account);
    const stream = new Stream(
      StreamName!,
      { account: context.account, region: context.region },
      store.clock.now(),
      mode ?? "PROVISIONED",
      ShardCount ?? onDemandShards,
    );
    stream.maxRecordKiB = MaxRecordSizeInKiB ?? stream.maxRecordKiB;
    for (const [key, value] of Object.entries(input.Tags ?? {})) stream.tags.set(key, value);
    streams.set(stream.name, stream);
    return {};
  },

  DeleteStream(input, context) {
    const stream = store.find(input, context);
    if (stream.consumers.size > 0 && !input.EnforceConsumerDeletion) {
      throw streamHasConsumers(stream.name, stream.scope.account);
    }
    store.delete(stream);
    return {};
  },

  DescribeStream(input, context) {
    check({
      limit: [input.Limit, { range: [1, 10_000] }],
      exclusiveStartShardId: [input.ExclusiveStartShardId, { length: [1, 128], pattern: streamNamePattern }],
    });
    const stream = store.find(input, context);
    stream.trim(store.clock.now());
    const after = [...stream.shards.values()].filter(({ id }) => id > (input.ExclusiveStartShardId ?? ""));
    const shards = after.slice(0, Math.min(input.Limit ?? 100, 100));
    return {
      StreamDescription: {
        StreamName: stream.name,
        StreamARN: stream.arn,
        StreamStatus: "ACTIVE",
        StreamModeDetails: modeOf(stream),
        Shards: shards.map((shard) => shard.describe()),
        HasMoreShards: after.length > shards.length,
        RetentionPeriodHours: stream.retentionHours,
        StreamCreationTimestamp: new Date(stream.created),
        EnhancedMonitoring: enhancedMonitoring(stream),
        ...encryptionOf(stream),
      },
    };
  },

  DescribeStreamSummary(input, context) {
    const stream = store.find(input, context);
    return {
      StreamDescriptionSummary: {
        StreamName: stream.name,
        StreamARN: stream.arn,
        StreamStatus: "ACTIVE",
        StreamModeDetails: modeOf(stream),
        RetentionPeriodHours: stream.retentionHours,
        StreamCreationTimestamp: new Date(stream.created),
        EnhancedMonitoring: enhancedMonitoring(stream),
        ...encryptionOf(stream),
        OpenShardCount: stream.openShards.length,
        ConsumerCount: stream.consumers.size,
        MaxRecordSizeInKiB: stream.maxRecordKiB,
      },
    };
  },

  ListStreams(input, context) {
    check({
      limit: [input.Limit, { range: [1, 10_000] }],
      exclusiveStartStreamName: [input.ExclusiveStartStreamName, { length: [1, 128], pattern: streamNamePattern }],
    });
    const now = store.clock.now();
    const [token] = input.NextToken === undefined ? [] : readToken(input.NextToken, now);
    const start = token ?? input.ExclusiveStartStreamName ?? "";
    const after = [...store.region(context).streams.values()]
      .filter(({ name }) => name > start)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    const streams = after.slice(0, Math.min(input.Limit ?? 100, 100));
    const more = after.length > streams.length;
    return {
      StreamNames: streams.map(({ name }) => name),
      HasMoreStreams: more,
      NextToken: more ? makeToken([streams.at(-1)!.name], now) : undefined,
      StreamSummaries: streams.map((stream) => ({
        StreamName: stream.name,
        StreamARN: stream.arn,
        StreamStatus: "ACTIVE",
        StreamModeDetails: modeOf(stream),
        StreamCreationTimestamp: new Date(stream.created),
      })),
    };
  },
});
