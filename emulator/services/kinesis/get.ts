import { limits } from "../../core/limits";
import { check, parseList, sequenceNumberPattern, shardIdConstraint } from "./checks";
import {
  dryRun,
  expiredIterator,
  invalidArgument,
  invalidIterator,
  shardDoesNotExist,
  shardNotFound,
  throughputExceeded,
} from "./errors";
import { shownRange } from "./hash-keys";
import { type DataRecord, readSequenceNumber, type Shard, shardId } from "./shard";
import type { KinesisOperations, Store } from "./store";
import type { Stream } from "./stream";

export const iteratorTypes = [
  "AFTER_SEQUENCE_NUMBER",
  "AT_SEQUENCE_NUMBER",
  "AT_TIMESTAMP",
  "LATEST",
  "TRIM_HORIZON",
] as const;

const iteratorLife = limits.kinesis.iterator.value;
const mostRecords = limits.kinesis.getRecords.value;
const mostBytes = limits.kinesis.getBytes.value;

/** Reads records out of shards. */
export const getOperations = (store: Store): KinesisOperations => ({
  GetShardIterator(input, context) {
    check({
      shardId: [input.ShardId, shardIdConstraint],
      shardIteratorType: [input.ShardIteratorType, { required: true, oneOf: iteratorTypes }],
      startingSequenceNumber: [input.StartingSequenceNumber, { pattern: sequenceNumberPattern }],
    });
    const stream = store.find(input, context);
    const now = store.clock.now();
    stream.trim(now);
    const shard = findShard(stream, input.ShardId!);
    const position = startingPosition(
      stream,
      shard,
      input.ShardIteratorType!,
      input.StartingSequenceNumber,
      input.Timestamp,
      now,
    );
    return { ShardIterator: makeIterator(stream, shard, position, now) };
  },

  GetRecords(input, context) {
    check({
      shardIterator: [input.ShardIterator, { required: true, length: [1, 512] }],
      limit: [input.Limit, { range: [1, mostRecords] }],
    });
    const now = store.clock.now();
    const { arn, id, shard: name, position, created } = readIterator(input.ShardIterator!);
    if (input.StreamARN !== undefined && input.StreamARN !== arn) throw invalidIterator();
    const stream = store.byArn(arn);
    const account = stream.scope.account;
    if (input.StreamARN === undefined && account !== context.account) throw invalidIterator();
    if (now - created > iteratorLife) throw expiredIterator(created, now, iteratorLife);
    stream.trim(now);
    const shard = stream.id === id ? stream.shards.get(name) : undefined;
    if (!shard) throw shardDoesNotExist(name, stream.name, account);
    if (!shard.reads.hasRoom(now)) throw throughputExceeded(shard.id, stream.name, account);
    if (input.DryRun) throw dryRun();
    const { records, next } = shard.log.read(position, { records: input.Limit ?? mostRecords, bytes: mostBytes });
    shard.reads.use(
      records.reduce((sum, { size }) => sum + size, 0),
      now,
    );
    const rest = shard.log.at(next);
    const done = !shard.open && rest === undefined;
    return {
      Records: records.map(shownRecord),
      NextShardIterator: done ? undefined : makeIterator(stream, shard, next, now),
      MillisBehindLatest: rest ? now - rest.arrival : 0,
      ChildShards: done ? shownChildren(stream, shard) : undefined,
    };
  },
});

/** Records as GetRecords and SubscribeToShard show them. */
export const shownRecord = (record: DataRecord) => ({
  SequenceNumber: record.sequenceNumber,
  ApproximateArrivalTimestamp: new Date(record.arrival),
  Data: record.data,
  PartitionKey: record.partitionKey,
  EncryptionType: record.encrypted ? ("KMS" as const) : undefined,
});

/** The shards that a closed one was split into or merged to. */
export const shownChildren = (stream: Stream, shard: Shard) =>
  stream.childrenOf(shard).map((child) => ({
    ShardId: child.id,
    ParentShards: child.parents.map((parent) => parent.id),
    HashKeyRange: shownRange(child.range),
  }));

/** The shard that a request names: by its id, or as AWS also takes it, by its number. */
export function findShard(stream: Stream, name: string): Shard {
  const { account } = stream.scope;
  const number = Number(/^(?:shardId-)?(\d{1,12})$/.exec(name)?.[1] ?? Number.NaN);
  if (Number.isNaN(number) || number >= 2 ** 31) throw shardNotFound(name, stream.name, account);
  const shard = stream.shards.get(shardId(number));
  if (!shard) throw shardDoesNotExist(shardId(number), stream.name, account);
  return shard;
}

export function startingPosition(
  stream: Stream,
  shard: Shard,
  type: (typeof iteratorTypes)[number],
  number: string | undefined,
  timestamp: Date | undefined,
  now: number,
): number {
  const wantsNumber = type === "AT_SEQUENCE_NUMBER" || type === "AFTER_SEQUENCE_NUMBER";
  if (wantsNumber !== (number !== undefined)) {
    throw invalidArgument(
      `Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or (2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. Request specified ${type} and ${wantsNumber ? "no" : "also a"} StartingSequenceNumber.`,
    );
  }
  if ((type === "AT_TIMESTAMP") !== (timestamp !== undefined)) {
    throw invalidArgument(
      `Must either specify AT_TIMESTAMP and Timestamp, or another type and no Timestamp. Request specified ${type} and ${timestamp ? "also a" : "no"} Timestamp.`,
    );
  }
  switch (type) {
    case "TRIM_HORIZON":
      return shard.log.start;
    case "LATEST":
      return shard.log.end;
    case "AT_TIMESTAMP":
      if (timestamp!.getTime() > now) {
        throw invalidArgument(
          `The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. timestampInMillis: ${timestamp!.getTime()}, currentTimestampInMillis: ${now}`,
        );
      }
      return shard.log.positionAt(timestamp!.getTime());
    default: {
      checkStartingNumber(stream, shard, number!);
      const position = shard.log.positionOf(number!);
      return type === "AFTER_SEQUENCE_NUMBER" && shard.log.at(position)?.sequenceNumber === number
        ? position + 1
        : position;
    }
  }
}

function checkStartingNumber(stream: Stream, shard: Shard, number: string): void {
  const what = `StartingSequenceNumber ${number} used in GetShardIterator on shard ${shard.id} in stream ${stream.name} under account ${stream.scope.account}`;
  const parts = readSequenceNumber(number);
  if (!parts) throw invalidArgument(`${what} is invalid.`);
  if (parts.index !== shard.index) {
    throw invalidArgument(
      `Invalid StartingSequenceNumber. It encodes ${shardId(parts.index)}, while it was used in a call to a shard with ${shard.id}`,
    );
  }
  if (parts.created !== shard.created) {
    throw invalidArgument(`${what} is invalid because it did not come from this stream.`);
  }
}

const makeIterator = (stream: Stream, shard: Shard, position: number, now: number): string =>
  Buffer.from(JSON.stringify([stream.arn, stream.id, shard.id, position, now])).toString("base64");

/** The ARN of the stream that an iterator is for, whether or not it holds. */
export function streamOf(iterator: string | undefined): string | undefined {
  const arn = iterator === undefined ? undefined : parseList(iterator)?.[0];
  return typeof arn === "string" ? arn : undefined;
}

/** @throws AwsError for anything that {@link makeIterator} has not made. */
function readIterator(text: string) {
  const [arn, id, shard, position, created] = parseList(text) ?? [];
  if (typeof arn !== "string" || typeof shard !== "string") throw invalidIterator();
  if (!/^arn:aws:kinesis:[^:]+:\d{12}:stream\/[\w.-]+$/.test(arn)) throw invalidIterator();
  if (!Number.isSafeInteger(position) || !Number.isFinite(created)) throw invalidIterator();
  return { arn, id, shard, position: position as number, created: created as number };
}
