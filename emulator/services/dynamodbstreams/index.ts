import { parseArn } from "../../core/arn";
import type { TableStream } from "../../core/bus";
import { type Constraint, checkConstraints } from "../../core/constraint";
import { limits } from "../../core/limits";
import { defineService, type Host, type Operations, type Scope } from "../../core/service";
import { access } from "./access";
import { expiredIterator, shardNotFound, streamNotFound, trimmed, validation } from "./errors";
import { makeIterator, readIterator } from "./iterator";

type Sdk = typeof import("@aws-sdk/client-dynamodb-streams");

/**
 * Amazon DynamoDB Streams (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Operations_Amazon_DynamoDB_Streams.html).
 * The streams themselves are kept with their tables.
 */
export const definition = defineService<Sdk>({
  sdk: () => require("@aws-sdk/client-dynamodb-streams"),
  client: "DynamoDBStreamsClient",
  create: (host) => ({ operations: streamOperations(host), access, reset() {} }),
});

const check = (rules: Record<string, readonly [value: unknown, rule: Constraint]>) =>
  checkConstraints("ValidationException", rules);

const streamArn: Constraint = { required: true, length: [37, 1024] };
const iteratorTypes = ["AFTER_SEQUENCE_NUMBER", "AT_SEQUENCE_NUMBER", "LATEST", "TRIM_HORIZON"];

const mostRecords = limits.dynamodb.streamRecords.value;
const mostBytes = limits.dynamodb.streamBytes.value;

const streamOperations = (host: Host): Operations<Sdk> => {
  const find = async (arn: string | undefined, { region }: Scope): Promise<TableStream> => {
    check({ streamArn: [arn, streamArn] });
    if (parseArn(arn!)?.region !== region) throw streamNotFound(arn!);
    return (await host.bus.to("dynamodbStreams")).find(arn!);
  };
  return {
    async ListStreams(input, context) {
      check({ tableName: [input.TableName, { length: [1, 1024] }], limit: [input.Limit, { range: [1, 100] }] });
      const all = await (await host.bus.to("dynamodbStreams")).list(context, input.TableName);
      const start = input.ExclusiveStartStreamArn;
      const sorted = all.toSorted((a, b) => (a.arn < b.arn ? -1 : 1)).filter(({ arn }) => !start || arn > start);
      const page = sorted.slice(0, input.Limit ?? 100);
      return {
        Streams: page.map(({ arn, tableName, label }) => ({
          StreamArn: arn,
          TableName: tableName,
          StreamLabel: label,
        })),
        LastEvaluatedStreamArn: sorted.length > page.length ? page.at(-1)!.arn : undefined,
      };
    },

    async DescribeStream(input, context) {
      check({
        limit: [input.Limit, { range: [1, 100] }],
        exclusiveStartShardId: [input.ExclusiveStartShardId, { length: [28, 65] }],
        "shardFilter.type": [input.ShardFilter?.Type, { oneOf: ["CHILD_SHARDS"] }],
      });
      const stream = await find(input.StreamArn, context);
      const after = stream.shardId > (input.ExclusiveStartShardId ?? "");
      return {
        StreamDescription: {
          StreamArn: stream.arn,
          StreamLabel: stream.label,
          StreamStatus: stream.enabled ? "ENABLED" : "DISABLED",
          StreamViewType: stream.viewType,
          CreationRequestDateTime: new Date(stream.created),
          TableName: stream.tableName,
          KeySchema: [...stream.keySchema],
          // Its one shard has no children.
          Shards:
            after && !input.ShardFilter
              ? [
                  {
                    ShardId: stream.shardId,
                    SequenceNumberRange: {
                      StartingSequenceNumber: stream.firstSequenceNumber,
                      EndingSequenceNumber: stream.lastSequenceNumber,
                    },
                  },
                ]
              : [],
        },
      };
    },

    async GetShardIterator(input, context) {
      check({
        shardId: [input.ShardId, { required: true, length: [28, 65] }],
        shardIteratorType: [input.ShardIteratorType, { required: true, oneOf: iteratorTypes }],
        sequenceNumber: [input.SequenceNumber, { length: [21, 40] }],
      });
      const stream = await find(input.StreamArn, context);
      if (input.ShardId !== stream.shardId) throw shardNotFound(input.ShardId!, stream.arn);
      return { ShardIterator: makeIterator(stream, startingPosition(stream, input), host.clock.now()) };
    },

    async GetRecords(input, context) {
      check({
        shardIterator: [input.ShardIterator, { required: true, length: [1, 2048] }],
        limit: [input.Limit, { range: [1, mostRecords] }],
      });
      const now = host.clock.now();
      const { arn, shardId, position } = readIterator(input.ShardIterator!, now);
      const stream = await find(arn, context);
      if (stream.shardId !== shardId) throw expiredIterator();
      if (position < stream.reader.position(shardId, { type: "TRIM_HORIZON" })) throw trimmed();
      const { records, next, ended } = stream.reader.read(shardId, position, {
        records: input.Limit ?? mostRecords,
        bytes: mostBytes,
      });
      return {
        Records: records.map(({ detail }) => detail),
        NextShardIterator: ended ? undefined : makeIterator(stream, next, now),
      };
    },
  };
};

function startingPosition(
  stream: TableStream,
  { ShardIteratorType: type, SequenceNumber: number }: { ShardIteratorType?: string; SequenceNumber?: string },
): number {
  if (type === "TRIM_HORIZON" || type === "LATEST") {
    if (number !== undefined) throw validation(`SequenceNumber cannot be specified with ShardIteratorType ${type}`);
    return stream.reader.position(stream.shardId, { type });
  }
  if (number === undefined) throw validation(`SequenceNumber must be specified with ShardIteratorType ${type}`);
  if (!/^\d+$/.test(number)) throw validation(`Invalid SequenceNumber: ${number}`);
  const position = stream.positionOf(number);
  const found = stream.sequenceNumberAt(position);
  const oldest = stream.reader.position(stream.shardId, { type: "TRIM_HORIZON" });
  if (position === oldest && oldest > 0 && found !== number) throw trimmed();
  return type === "AFTER_SEQUENCE_NUMBER" && found === number ? position + 1 : position;
}
