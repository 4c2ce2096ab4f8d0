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

/** Stands for the shard where records of any come together. */
export const REPLAY = "replay";

/** What is known about records that come together. */
export interface Batch {
  /** The shard that they came from; {@link REPLAY} for letters. */
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

/** The failure of the records at some places, which may go well another time. */
export const failAt = (places: readonly number[], reason: string): SinkFailures =>
  Object.fromEntries(places.map((place) => [place, { reason, refused: false }]));
