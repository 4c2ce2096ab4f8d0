import {
  type CloudWatchLogsClient,
  DeleteLogStreamCommand,
  paginateDescribeLogGroups,
  paginateDescribeLogStreams,
} from "@aws-sdk/client-cloudwatch-logs";
import { BatchWriteItemCommand, type DynamoDBClient, paginateScan } from "@aws-sdk/client-dynamodb";
import { DeleteObjectsCommand, paginateListObjectsV2, type S3Client } from "@aws-sdk/client-s3";

/** Takes away what a stack has stored by order, so that what is left in memory is left over. Each gives how much it took. */

const inParts = <T>(all: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size));

/** All items of a table with these keys. */
export async function takeItems(client: DynamoDBClient, TableName: string, keys: readonly string[]): Promise<number> {
  const names = Object.fromEntries(keys.map((key, i) => [`#k${i}`, key]));
  const input = { TableName, ProjectionExpression: Object.keys(names).join(), ExpressionAttributeNames: names };
  let taken = 0;
  for await (const { Items = [] } of paginateScan({ client }, input)) {
    for (const some of inParts(Items, 25)) {
      const RequestItems = { [TableName]: some.map((Key) => ({ DeleteRequest: { Key } })) };
      await client.send(new BatchWriteItemCommand({ RequestItems }));
    }
    taken += Items.length;
  }
  return taken;
}

/** All objects of a bucket, or those whose keys begin so. */
export async function takeObjects(client: S3Client, Bucket: string, Prefix?: string): Promise<number> {
  let taken = 0;
  for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket, Prefix })) {
    if (Contents.length === 0) continue;
    const Objects = Contents.map(({ Key }) => ({ Key }));
    await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }));
    taken += Contents.length;
  }
  return taken;
}

/** The names of all log groups. */
export async function logGroupNames(client: CloudWatchLogsClient): Promise<string[]> {
  const names: string[] = [];
  for await (const { logGroups = [] } of paginateDescribeLogGroups({ client }, {}))
    names.push(...logGroups.map(({ logGroupName }) => logGroupName!));
  return names;
}

/** All log streams. */
export async function takeLogs(client: CloudWatchLogsClient): Promise<number> {
  let taken = 0;
  for (const logGroupName of await logGroupNames(client)) {
    for await (const { logStreams = [] } of paginateDescribeLogStreams({ client }, { logGroupName })) {
      for (const { logStreamName } of logStreams)
        await client.send(new DeleteLogStreamCommand({ logGroupName, logStreamName }));
      taken += logStreams.length;
    }
  }
  return taken;
}
