import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import { SQSClient } from "@aws-sdk/client-sqs";
import { once } from "./retry";

/** A call that hangs must not use up the function's time: give up on it and try again. */
export const LIMITS = { connectionTimeout: 2_000, requestTimeout: 5_000, throwOnRequestTimeout: true };

/** The SQS client of one container. To be called inside a handler factory: a client made outside could not be serialized. */
export const makeSqs = () => once(() => new SQSClient({ maxAttempts: 4, requestHandler: LIMITS }));

/** The S3 client of one container. */
export const makeS3 = () => once(() => new S3Client({ maxAttempts: 4, requestHandler: LIMITS }));

/** Connections that stay open, at most so many. */
export const agents = (maxSockets: number) => ({
  httpAgent: { keepAlive: true, maxSockets },
  httpsAgent: { keepAlive: true, maxSockets },
});

/** The DynamoDB client of one container, with the SDK's retries. */
export const makeDynamo = () =>
  once(() => new DynamoDBClient({ maxAttempts: 4, requestHandler: { ...LIMITS, ...agents(64) } }));

/** The AWS clients of one container: each is made when it is first needed, and keeps its connections open. */
export interface Clients {
  /** Without retries of its own: the store decides what to send again. */
  readonly dynamodb: () => DynamoDBClient;
  readonly sqs: () => SQSClient;
  readonly s3: () => S3Client;
}

export function makeClients(): Clients {
  const dynamodb = once(() => new DynamoDBClient({ maxAttempts: 1, requestHandler: LIMITS }));
  return { dynamodb, sqs: makeSqs(), s3: makeS3() };
}
