import type { ShardFilter } from "@aws-sdk/client-kinesis";
import { parseArn } from "../../core/arn";
import { limits } from "../../core/limits";
import { check, hashKeyPattern, makeToken, readToken, shardIdConstraint, streamNamePattern } from "./checks";
import { invalidArgument, limitExceeded, onDemandOnly, shardClosed, shardNotFound } from "./errors";
import { numberOf, uniformStarts } from "./hash-keys";
import type { Shard } from "./shard";
import type { KinesisOperations, Store } from "./store";
import { hour, type Stream } from "./stream";

const filterTypes = [
  "AFTER_SHARD_ID",
  "AT_TRIM_HORIZON",
  "FROM_TRIM_HORIZON",
  "AT_LATEST",
  "AT_TIMESTAMP",
  "FROM_TIMESTAMP",
] as const;

const listLimit = 1_000;
/** https://docs.aws.amazon.com/kinesis/latest/APIReference/API_UpdateShardCount.html */
const reshardingsADay = limits.kinesis.reshardings.value;
const mostShards = limits.kinesis.shards.value;

/** The shards of a stream: lists, splits, merges. */
export const shardOperations = (store: Store): KinesisOperations => ({
  ListShards(input, context) {
    check({
      maxResults: [input.MaxResults, { range: [1, 10_000] }],
      exclusiveStartShardId: [input.ExclusiveStartShardId, { length: [1, 128], pattern: streamNamePattern }],
      "shardFilter.type": [input.ShardFilter?.Type, { required: !!input.ShardFilter, oneOf: filterTypes }],
    });
    const now = store.clock.now();
    const { NextToken, StreamName, StreamARN, ExclusiveStartShardId, StreamCreationTimestamp } = input;
    let stream: Stream;
    let start = ExclusiveStartShardId ?? "";
    let filter = input.ShardFilter;
    if (NextToken !== undefined) {
      if (StreamName !== undefined || ExclusiveStartShardId !== undefined || StreamCreationTimestamp !== undefined) {
        throw invalidArgument("NextToken and StreamName cannot be provided together.");
      }
      const [arn = "", last = "", filtered = ""] = readToken(NextToken, now);
      stream = store.byArn(arn);
      if (parseArn(arn)!.account !== context.account) throw invalidArgument("Invalid NextToken.");
      start = last;
      if (filtered) filter = readFilter(filtered);
    } else {
      if (StreamName === undefined && StreamARN === undefined) {
        throw invalidArgument("Either NextToken or StreamName should be provided.");
      }
      stream = store.find(input, context);
      checkCreation(stream, StreamCreationTimestamp);
    }
    stream.trim(now);
    const after = filtered(stream, filter, now).filter(({ id }) => id > start);
    const shards = after.slice(0, Math.min(input.MaxResults ?? listLimit, listLimit));
    const more = after.length > shards.length;
    return {
      Shards: shards.map((shard) => shard.describe()),
      NextToken: more
        ? makeToken([stream.arn, shards.at(-1)!.id, ...(filter ? [JSON.stringify(filter)] : [])], now)
        : undefined,
    };
  },

  SplitShard(input, context) {
    check({
      shardToSplit: [input.ShardToSplit, shardIdConstraint],
      newStartingHashKey: [input.NewStartingHashKey, { required: true, pattern: hashKeyPattern }],
    });
    const stream = provisioned(store.find(input, context), "SplitShard");
    const shard = openShard(stream, input.ShardToSplit!);
    const start = BigInt(input.NewStartingHashKey!);
    const [first, last] = [numberOf(shard.range.first), numberOf(shard.range.last)];
    if (start <= first + 1n || start >= last) {
      throw invalidArgument(
        `NewStartingHashKey ${start} used in SplitShard() on shard ${shard.id} in stream ${stream.name} under account ${stream.scope.account} is not both greater than one plus the shard's StartingHashKey ${first} and less than the shard's EndingHashKey ${last}.`,
      );
    }
    stream.split(shard, start, store.clock.now());
    return {};
  },

  MergeShards(input, context) {
    check({
      shardToMerge: [input.ShardToMerge, shardIdConstraint],
      adjacentShardToMerge: [input.AdjacentShardToMerge, shardIdConstraint],
    });
    const stream = provisioned(store.find(input, context), "MergeShards");
    const pair = [openShard(stream, input.ShardToMerge!), openShard(stream, input.AdjacentShardToMerge!)] as const;
    const [lower, upper] = pair[0].range.first <= pair[1].range.first ? pair : ([pair[1], pair[0]] as const);
    if (numberOf(lower.range.last) + 1n !== numberOf(upper.range.first)) {
      throw invalidArgument(
        `Shards ${pair[0].id} and ${pair[1].id} in stream ${stream.name} under account ${stream.scope.account} are not an adjacent pair of shards eligible for merging`,
      );
    }
    stream.merge(lower, upper, store.clock.now());
    return {};
  },

  UpdateShardCount(input, context) {
    check({
      targetShardCount: [input.TargetShardCount, { required: true, range: [1, Number.MAX_SAFE_INTEGER] }],
      scalingType: [input.ScalingType, { required: true, oneOf: ["UNIFORM_SCALING"] }],
    });
    const stream = provisioned(store.find(input, context), "UpdateShardCount");
    const target = input.TargetShardCount!;
    const before = stream.openShards.length;
    const counts = `Current open shard count: ${before}, Target shard count: ${target}`;
    if (target > before * 2) {
      throw limitExceeded(`UpdateShardCount cannot scale up over double your current open shard count. ${counts}`);
    }
    if (target < before / 2) {
      throw limitExceeded(`UpdateShardCount cannot scale down below half your current open shard count. ${counts}`);
    }
    if (target > mostShards) {
      throw limitExceeded(`UpdateShardCount cannot scale up over ${mostShards} shards. ${counts}`);
    }
    const now = store.clock.now();
    const today = stream.reshardings.filter((at) => now - at < 24 * hour);
    if (today.length >= reshardingsADay) {
      throw limitExceeded(
        `UpdateShardCount cannot be called more than ${reshardingsADay} times in a rolling 24-hour period for stream ${stream.name}.`,
      );
    }
    stream.reshardings.splice(0, stream.reshardings.length, ...today, now);
    stream.reshape(uniformStarts(target), now);
    return {
      StreamName: stream.name,
      StreamARN: stream.arn,
      CurrentShardCount: before,
      TargetShardCount: target,
    };
  },

  DescribeLimits(_input, context) {
    const streams = [...store.region(context).streams.values()];
    const count = (mode: Stream["mode"]) => streams.filter((stream) => stream.mode === mode);
    return {
      // Quotas of large regions; nothing here runs out.
      ShardLimit: 20_000,
      OpenShardCount: count("PROVISIONED").reduce((sum, { openShards }) => sum + openShards.length, 0),
      OnDemandStreamCount: count("ON_DEMAND").length,
      OnDemandStreamCountLimit: 50,
    };
  },
});

/** Refuses a request that means an earlier stream of the same name. */
export function checkCreation(stream: Stream, created: Date | undefined): void {
  // The request may carry seconds only.
  if (created === undefined || Math.abs(created.getTime() - stream.created) < 1_000) return;
  throw invalidArgument(`StreamCreationTimestamp ${created.toISOString()} is not that of stream ${stream.name}.`);
}

function provisioned(stream: Stream, operation: string): Stream {
  if (stream.mode === "ON_DEMAND") throw onDemandOnly(operation, stream.name);
  return stream;
}

function openShard(stream: Stream, id: string): Shard {
  const shard = stream.shards.get(id);
  if (!shard) throw shardNotFound(id, stream.name, stream.scope.account);
  if (!shard.open) throw shardClosed(id, stream.name, stream.scope.account);
  return shard;
}

/** The shards that a ShardFilter lets through (https://docs.aws.amazon.com/kinesis/latest/APIReference/API_ShardFilter.html). */
function filtered(stream: Stream, filter: ShardFilter | undefined, now: number): Shard[] {
  const shards = [...stream.shards.values()];
  const horizon = Math.max(now - stream.retentionHours * hour, stream.created);
  const openAt = (time: number) => shards.filter((s) => s.created <= time && (!s.closed || s.closed.at > time));
  const openFrom = (time: number) => shards.filter(({ closed }) => !closed || closed.at >= time);
  const timestamp = () => {
    if (filter?.Timestamp === undefined) {
      throw invalidArgument(`Timestamp must be specified with the ShardFilter type ${filter?.Type}.`);
    }
    return Math.max(filter.Timestamp.getTime(), horizon);
  };
  switch (filter?.Type) {
    case "AFTER_SHARD_ID": {
      const after = filter.ShardId;
      if (after === undefined)
        throw invalidArgument("ShardId must be specified with the ShardFilter type AFTER_SHARD_ID.");
      return shards.filter(({ id }) => id > after);
    }
    case "AT_TRIM_HORIZON":
      return openAt(horizon);
    case "AT_LATEST":
      return [...stream.openShards].sort((a, b) => a.index - b.index);
    case "AT_TIMESTAMP":
      return openAt(timestamp());
    case "FROM_TIMESTAMP":
      return openFrom(timestamp());
    default:
      return shards;
  }
}

function readFilter(json: string): ShardFilter {
  const { Type, ShardId, Timestamp } = JSON.parse(json) as { Type: never; ShardId?: string; Timestamp?: string };
  return { Type, ShardId, Timestamp: Timestamp === undefined ? undefined : new Date(Timestamp) };
}
