import { FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { ListBucketsCommand } from "@aws-sdk/client-s3";
import { PurgeQueueCommand } from "@aws-sdk/client-sqs";
import { logGroupNames, takeItems, takeLogs, takeObjects } from "../../../bench/stored";
import type { Stack } from "./stack";

/** What Lambda writes of a function that did not come to its end. */
const brokenOff = '?"Invoke Error" ?"Task timed out" ?"Runtime exited" ?"Uncaught Exception" ?"Unhandled Promise"';

/** The log lines of functions that failed. */
export async function failuresOfFunctions({ clients: { logs } }: Stack): Promise<string[]> {
  const failures: string[] = [];
  for (const logGroupName of await logGroupNames(logs)) {
    if (!logGroupName.startsWith("/aws/lambda/")) continue;
    const found = await logs.send(new FilterLogEventsCommand({ logGroupName, filterPattern: brokenOff }));
    failures.push(...(found.events ?? []).map(({ message }) => `${logGroupName}: ${message}`));
  }
  return failures;
}

/** Takes everything away that the stack has kept by order, so that what is left in memory is left over. */
export async function empty({ clients: { dynamodb, s3, sqs, logs }, queues, text }: Stack): Promise<void> {
  await takeItems(dynamodb, text("tableName"), ["tuid", "sortKey"]);
  await takeItems(dynamodb, text("iotTableName"), ["ident", "sortKey"]);
  const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
  for (const { Name } of Buckets) await takeObjects(s3, Name!);
  for (const QueueUrl of queues) await sqs.send(new PurgeQueueCommand({ QueueUrl }));
  await takeLogs(logs);
}
