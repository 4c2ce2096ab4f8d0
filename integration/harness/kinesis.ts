import {
  CreateStreamCommand,
  type CreateStreamCommandInput,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type GetShardIteratorCommandInput,
  KinesisClient,
  ListShardsCommand,
  MergeShardsCommand,
  PutRecordCommand,
  type PutRecordCommandInput,
  PutRecordsCommand,
  type Shard,
  SplitShardCommand,
} from "@aws-sdk/client-kinesis";
import { afterAll } from "vitest";
import type { Emulator } from "../../emulator";
import { settings } from "./emulator";

/** The text of a record's data. */
export const text = (data: Uint8Array | undefined): string => Buffer.from(data ?? []).toString("utf8");

const last = 2n ** 128n - 1n;

/** An explicit hash key in the middle of one of so many equal parts of all hash keys. */
export const middleOf = (part: number, parts: number): string =>
  String((last / BigInt(parts)) * BigInt(part) + last / BigInt(2 * parts));

/** Kinesis for one test file, and short ways to make, fill and read streams. Read it inside tests only. */
export function useKinesis(emulator: { readonly current: Emulator }) {
  let client: KinesisClient | undefined;
  let counter = 0;
  afterAll(() => client?.destroy());
  const kinesis = {
    get client(): KinesisClient {
      client ??= new KinesisClient(settings(emulator.current));
      return client;
    },
    /** Makes a stream of one shard, unless told otherwise, and gives its name. */
    async stream(options: Partial<CreateStreamCommandInput> = {}): Promise<string> {
      const StreamName = options.StreamName ?? `stream-${++counter}`;
      const ShardCount = options.StreamModeDetails?.StreamMode === "ON_DEMAND" ? undefined : 1;
      await kinesis.client.send(new CreateStreamCommand({ ShardCount, ...options, StreamName }));
      return StreamName;
    },
    arn: (name: string) => `arn:aws:kinesis:eu-west-1:000000000000:stream/${name}`,
    put: (StreamName: string, data: string, PartitionKey = "key", more: Partial<PutRecordCommandInput> = {}) =>
      kinesis.client.send(new PutRecordCommand({ StreamName, Data: Buffer.from(data), PartitionKey, ...more })),
    putAll: (StreamName: string, records: readonly (readonly [data: string, key?: string])[]) =>
      kinesis.client.send(
        new PutRecordsCommand({
          StreamName,
          Records: records.map(([data, PartitionKey = "key"]) => ({ Data: Buffer.from(data), PartitionKey })),
        }),
      ),
    async shards(StreamName: string): Promise<Shard[]> {
      return (await kinesis.client.send(new ListShardsCommand({ StreamName }))).Shards!;
    },
    async openShards(StreamName: string): Promise<Shard[]> {
      const shards = await kinesis.shards(StreamName);
      return shards.filter(({ SequenceNumberRange }) => SequenceNumberRange!.EndingSequenceNumber === undefined);
    },
    /** Splits a shard in its middle. */
    split(StreamName: string, { ShardId, HashKeyRange }: Shard) {
      const middle = (BigInt(HashKeyRange!.StartingHashKey!) + BigInt(HashKeyRange!.EndingHashKey!)) / 2n;
      return kinesis.client.send(
        new SplitShardCommand({ StreamName, ShardToSplit: ShardId, NewStartingHashKey: String(middle) }),
      );
    },
    merge: (StreamName: string, shard: Shard, adjacent: Shard) =>
      kinesis.client.send(
        new MergeShardsCommand({ StreamName, ShardToMerge: shard.ShardId, AdjacentShardToMerge: adjacent.ShardId }),
      ),
    async iterator(StreamName: string, more: Partial<GetShardIteratorCommandInput> = {}): Promise<string> {
      const { ShardIterator } = await kinesis.client.send(
        new GetShardIteratorCommand({
          StreamName,
          ShardId: "shardId-000000000000",
          ShardIteratorType: "TRIM_HORIZON",
          ...more,
        }),
      );
      return ShardIterator!;
    },
    get: (ShardIterator: string | undefined, Limit?: number) =>
      kinesis.client.send(new GetRecordsCommand({ ShardIterator, Limit })),
    /** The data of all records of a shard, from the oldest one or from where the iterator says. */
    async read(StreamName: string, more: Partial<GetShardIteratorCommandInput> = {}): Promise<string[]> {
      const { Records } = await kinesis.get(await kinesis.iterator(StreamName, more));
      return Records!.map(({ Data }) => text(Data));
    },
  };
  return kinesis;
}
