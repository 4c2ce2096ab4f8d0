import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { TimestreamWriteClient } from "@aws-sdk/client-timestream-write";
import { type Clients, LIMITS, makeClients, makeDynamo } from "../clients";
import { once } from "../retry";
import type { Placed } from "./record";

/** Why a sink did not take a record. */
export interface SinkFailure {
  readonly reason: string;
  /** It would refuse this very record again, however often it comes. */
  readonly refused: boolean;
}

/** Failures by the places of their records in the list. */
export type SinkFailures = Record<number, SinkFailure>;

/** What is known about records that come together. */
export interface Batch {
  /** The shard that they came from. */
  readonly shardId: string;
  /** Milliseconds since 1970: nothing begins after this. */
  readonly deadline: number;
}

/** Somewhere that records go. */
export interface Sink {
  readonly name: string;
  write(records: readonly Placed[], batch: Batch): Promise<SinkFailures>;
}

/** The AWS clients that the sinks use. */
export interface SinkClients extends Clients {
  /** Without retries of its own, as `dynamodb`. */
  readonly timestream: () => TimestreamWriteClient;
  /** DynamoDB with the SDK's retries, for what is no sink. */
  readonly progress: () => DynamoDBClient;
}

/** To be called inside a handler factory: a client made outside could not be serialized. */
export const makeSinkClients = (): SinkClients => ({
  ...makeClients(),
  timestream: once(() => new TimestreamWriteClient({ maxAttempts: 1, requestHandler: LIMITS })),
  progress: makeDynamo(),
});

/** The failure of all records from a place on: what comes after a failure has to wait, for the order's sake. */
export function failFrom(place: number, records: readonly unknown[], reason: string): SinkFailures {
  const failures: SinkFailures = {};
  for (let i = place; i < records.length; i++) failures[i] = { reason, refused: false };
  return failures;
}
