import {
  type AttributeValue,
  BatchWriteItemCommand,
  type DynamoDBClient,
  type WriteRequest,
} from "@aws-sdk/client-dynamodb";
import { groupBySize } from "./batching";
import { type Backoff, describe, fullJitter, isTransient, mapConcurrent, sleep } from "./retry";

/** An item to be written. */
export interface Writable {
  /** Two items with the same identity are one in the table. */
  readonly identity: string;
  readonly item: Record<string, AttributeValue>;
  /** Its size as DynamoDB counts it, in bytes. */
  readonly size: number;
}

/** Why an item could not be written. */
export interface WriteFailure {
  readonly reason: string;
  /** DynamoDB refuses this very item, and would refuse it again. */
  readonly refused: boolean;
}

/** Where items go, and until when it may be tried. */
export interface Store {
  readonly dynamodb: DynamoDBClient;
  readonly table: string;
  /** The identity of an item that DynamoDB left unprocessed. */
  readonly identityOf: (item: Record<string, AttributeValue>) => string;
  /** Milliseconds since 1970: no attempt begins after this. */
  readonly deadline: number;
}

/** BatchWriteItem's limit on requests (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html). */
const BATCH = 25;
/** Keeps a call under 16 MB on the wire, where small values take up to seven times what they take when stored. */
const BATCH_BYTES = 2 * 1024 * 1024;
/** Calls under way at a time for one request. */
const PARALLEL = 8;
/** About 3 seconds in the mean, 6 at most; then the dead-letter queue keeps the message and the sender has its answer. */
const BACKOFF: Backoff = { baseMs: 50, capMs: 2_000, attempts: 9 };

/** Writes items that differ in identity. Gives, by identity, the failures. */
export async function writeItems(items: readonly Writable[], store: Store): Promise<Record<string, WriteFailure>> {
  const failures: Record<string, WriteFailure> = {};
  const batches = groupBySize(items, ({ size }) => size, BATCH, BATCH_BYTES);
  await mapConcurrent(batches, PARALLEL, (batch) => writeBatch(batch, store, failures));
  return failures;
}

async function writeBatch(
  batch: readonly Writable[],
  store: Store,
  failures: Record<string, WriteFailure>,
): Promise<void> {
  let rest = batch;
  for (let attempt = 0; ; attempt++) {
    let reason = "DynamoDB did not process it";
    try {
      const unprocessed = await writeOnce(rest, store);
      if (unprocessed.length === 0) return;
      const left = unprocessed.map(({ PutRequest }) => store.identityOf(PutRequest?.Item ?? {}));
      rest = rest.filter(({ identity }) => left.includes(identity));
    } catch (error) {
      reason = describe(error);
      if (!isTransient(error)) {
        // One item that DynamoDB refuses makes it refuse the batch: look for it, so that the others are stored.
        const refused = (error as Error).name === "ValidationException";
        if (rest.length === 1 || !refused) return fail(rest, { reason, refused }, failures);
        const half = Math.ceil(rest.length / 2);
        await writeBatch(rest.slice(0, half), store, failures);
        return writeBatch(rest.slice(half), store, failures);
      }
    }
    const wait = fullJitter(BACKOFF, attempt);
    if (attempt + 1 >= BACKOFF.attempts || Date.now() + wait > store.deadline)
      return fail(rest, { reason, refused: false }, failures);
    await sleep(wait);
  }
}

async function writeOnce(items: readonly Writable[], { dynamodb, table }: Store): Promise<WriteRequest[]> {
  const { UnprocessedItems } = await dynamodb.send(
    new BatchWriteItemCommand({ RequestItems: { [table]: items.map(({ item }) => ({ PutRequest: { Item: item } })) } }),
  );
  // The table may be given as an ARN and answered by its name; there is only one.
  return Object.values(UnprocessedItems ?? {}).flat();
}

function fail(items: readonly Writable[], failure: WriteFailure, failures: Record<string, WriteFailure>): void {
  for (const { identity } of items) failures[identity] = failure;
}
