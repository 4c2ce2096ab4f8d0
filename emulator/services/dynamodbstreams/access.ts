import type { Accesses, AccessTable } from "../../core/access/access";
import { streamOf } from "./iterator";

const on = (action: string, stream: string | undefined): Accesses => ({
  action: `dynamodb:${action}`,
  resource: stream || "*",
});

/** What DynamoDB Streams wants allowed; its actions are those of DynamoDB. Not emulated: policies of streams. */
export const access: AccessTable<typeof import("@aws-sdk/client-dynamodb-streams")> = {
  ListStreams: () => on("ListStreams", undefined),
  DescribeStream: ({ StreamArn }) => on("DescribeStream", StreamArn),
  GetShardIterator: ({ StreamArn }) => on("GetShardIterator", StreamArn),
  GetRecords: ({ ShardIterator }) => on("GetRecords", streamOf(ShardIterator)),
};
