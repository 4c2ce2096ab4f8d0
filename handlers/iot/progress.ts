import { BatchWriteItemCommand, type DynamoDBClient, QueryCommand } from "@aws-sdk/client-dynamodb";

/**
 * How far the sinks of a shard are. It is written only when some sinks took more of a batch than others: the records
 * come again, and a sink that has them already is left alone.
 */
export type Progress = Record<string, bigint>;

/** Rows are of no use when the records that they are about have expired; a stream keeps them 365 days at most. */
const KEEP_SECONDS = 366 * 24 * 60 * 60;

/** The sequence number through which each sink has everything; sinks without one are as far as the shard itself. */
export async function readProgress(dynamodb: DynamoDBClient, table: string, shardId: string): Promise<Progress> {
  const { Items = [] } = await dynamodb.send(
    new QueryCommand({
      TableName: table,
      KeyConditionExpression: "shardId = :shardId",
      ExpressionAttributeValues: { ":shardId": { S: shardId } },
      ConsistentRead: true,
    }),
  );
  return Object.fromEntries(Items.map(({ sink, through }) => [sink?.S ?? "", BigInt(through?.S ?? "0")]));
}

export async function writeProgress(
  dynamodb: DynamoDBClient,
  table: string,
  shardId: string,
  progress: Progress,
): Promise<void> {
  const expiresAt = { N: String(Math.floor(Date.now() / 1000) + KEEP_SECONDS) };
  const rows = Object.entries(progress).map(([sink, through]) => ({
    PutRequest: { Item: { shardId: { S: shardId }, sink: { S: sink }, through: { S: String(through) }, expiresAt } },
  }));
  if (rows.length === 0) return;
  const { UnprocessedItems } = await dynamodb.send(new BatchWriteItemCommand({ RequestItems: { [table]: rows } }));
  if (Object.keys(UnprocessedItems ?? {}).length > 0) throw new Error("DynamoDB did not process it");
}
