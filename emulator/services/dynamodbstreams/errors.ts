import { AwsError } from "../../core/errors";

export const validation = (message: string) => new AwsError("ValidationException", message);

export const streamNotFound = (stream: string) =>
  new AwsError("ResourceNotFoundException", `Requested resource not found: Stream: ${stream} not found`);

export const shardNotFound = (shard: string, stream: string) =>
  new AwsError(
    "ResourceNotFoundException",
    `Requested resource not found: Shard does not exist: ${shard} in stream ${stream}`,
  );

export const invalidIterator = () => validation("Invalid ShardIterator");

export const expiredIterator = () =>
  new AwsError("ExpiredIteratorException", "The shard iterator has expired and can no longer be used.");

export const trimmed = () =>
  new AwsError(
    "TrimmedDataAccessException",
    "The operation attempted to read past the oldest stream record in a shard.",
  );
