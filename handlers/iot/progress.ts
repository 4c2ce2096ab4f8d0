import { BatchWriteItemCommand, type DynamoDBClient, QueryCommand } from "@aws-sdk/client-dynamodb";

/** Sequence numbers from one to another, both included, without some of those between. */
export interface Range {
  readonly from: bigint;
  readonly through: bigint;
  readonly without: ReadonlySet<bigint>;
}

/**
 * What the sinks of a shard have though it comes again, by their names. It is written only when some sinks took more of
 * a batch than others. Being a range, it says nothing about other records, even of a stream that is made anew.
 */
export type Progress = Record<string, Range>;

export const has = (range: Range | undefined, number: bigint): boolean =>
  range !== undefined && number >= range.from && number <= range.through && !range.without.has(number);

/** The most gaps that a batch leaves in a row: at 57 bytes each, even those of two fit an item of DynamoDB. */
export const MAX_GAPS = 2_000;

/** Rows are of no use when the records that they are about have expired; a stream keeps them 365 days at most. */
const KEEP_SECONDS = 366 * 24 * 60 * 60;

export async function readProgress(dynamodb: DynamoDBClient, table: string, shardId: string): Promise<Progress> {
  const { Items = [] } = await dynamodb.send(
    new QueryCommand({
      TableName: table,
      KeyConditionExpression: "shardId = :shardId",
      ExpressionAttributeValues: { ":shardId": { S: shardId } },
      ConsistentRead: true,
    }),
  );
  return Object.fromEntries(
    Items.map(({ sink, from, through, without }) => {
      const gaps = without?.L?.map(({ S = "0" }) => BigInt(S));
      return [
        sink?.S ?? "",
        { from: BigInt(from?.S ?? "0"), through: BigInt(through?.S ?? "0"), without: new Set(gaps) },
      ];
    }),
  );
}

export async function writeProgress(
  dynamodb: DynamoDBClient,
  table: string,
  shardId: string,
  progress: Progress,
): Promise<void> {
  const expiresAt = { N: String(Math.floor(Date.now() / 1000) + KEEP_SECONDS) };
  const rows = Object.entries(progress).map(([sink, { from, through, without }]) => {
    const gaps = [...without].map((number) => ({ S: String(number) }));
    const range = { from: { S: String(from) }, through: { S: String(through) }, without: { L: gaps } };
    return { PutRequest: { Item: { shardId: { S: shardId }, sink: { S: sink }, ...range, expiresAt } } };
  });
  if (rows.length === 0) return;
  const { UnprocessedItems } = await dynamodb.send(new BatchWriteItemCommand({ RequestItems: { [table]: rows } }));
  if (Object.keys(UnprocessedItems ?? {}).length > 0) throw new Error("DynamoDB did not process it");
}
