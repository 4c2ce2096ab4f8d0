import {
  type AttributeValue,
  BatchWriteItemCommand,
  type DynamoDBClient,
  paginateQuery,
  QueryCommand,
  type WriteRequest,
} from "@aws-sdk/client-dynamodb";
import { type Backoff, fullJitter, mapConcurrent, sleep } from "../retry";

/**
 * The table of connections, with `pk` and `sk`:
 *
 * | pk | sk | holds |
 * | --- | --- | --- |
 * | `connection#<id>` | `connection` | who it is |
 * | `connection#<id>` | `device#<device>` | one subscription of it, for finding them all |
 * | `device#<shard>#<device>` | `<id>` | the same, for finding who gets a record |
 * | `devices#<shard>` | `<device>` | that somebody subscribed to it in the last two hours |
 * | `everyone#<shard>` | `<id>` | who gets what is for everyone |
 *
 * A connection's rows are all in the same shard: a partition takes 1,000 writes a second
 * (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html), and shards can be read
 * and posted to in parallel.
 */
export interface Table {
  readonly dynamodb: DynamoDBClient;
  readonly name: string;
}

/** A connection as its row tells it. */
export interface Connection {
  readonly id: string;
  readonly shard: number;
  /** Seconds since 1970. */
  readonly expiresAt: number;
  readonly principal: string;
  /** The devices that it may subscribe to; undefined for all of them. */
  readonly allowed?: readonly string[];
}

type Row = Record<string, AttributeValue>;
type Key = { readonly pk: string; readonly sk: string };

/** Everything, as a device. */
export const ALL = "*";
/** A WebSocket lasts 2 hours at most (https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html): in seconds. */
export const LONGEST = 2 * 60 * 60;
/** A device's name is part of a sort key, which takes 1,024 bytes. */
const MAX_DEVICE_BYTES = 1000;
/** What can be subscribed to. DynamoDB takes no half of a surrogate pair, which JSON can spell. */
export const isDeviceName = (value: unknown): value is string =>
  typeof value === "string" && value !== "" && value.isWellFormed() && Buffer.byteLength(value) <= MAX_DEVICE_BYTES;

const connectionKey = (id: string) => `connection#${id}`;
const PREFIX = "device#";
export const deviceKey = (device: string, shard: number) => `${PREFIX}${shard}#${device}`;
const devicesKey = (shard: number) => `devices#${shard}`;
export const everyoneKey = (shard: number) => `everyone#${shard}`;

const keyOf = ({ pk, sk }: Key): Row => ({ pk: { S: pk }, sk: { S: sk } });

/** The shard of a connection: the same for the same id, and all shards alike. */
export function shardOf(id: string, shards: number): number {
  let hash = 2166136261;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 16777619);
  return (hash >>> 0) % shards;
}

/** The row of a connection, and the one by which it gets what is for everyone unless it is limited to devices. */
export function connectionRows(connection: Connection, openingAt: number): WriteRequest[] {
  const { id, shard, expiresAt, principal, allowed } = connection;
  const expires = { expiresAt: { N: String(expiresAt) } };
  const own = {
    ...keyOf({ pk: connectionKey(id), sk: "connection" }),
    ...expires,
    shard: { N: String(shard) },
    principal: { S: principal },
    ...(allowed && { allowed: { S: JSON.stringify(allowed) } }),
  };
  const everyone = { ...keyOf({ pk: everyoneKey(shard), sk: id }), ...expires, openingAt: { N: String(openingAt) } };
  return (allowed ? [own] : [own, everyone]).map((Item) => ({ PutRequest: { Item } }));
}

/**
 * The rows of subscriptions. `openingAt` (milliseconds since 1970) marks those that are written before the socket opens:
 * until it does, API Gateway answers 410 as if it were gone.
 */
export function subscriptionRows(
  { id, shard, expiresAt }: Pick<Connection, "id" | "shard" | "expiresAt">,
  devices: readonly string[],
  openingAt?: number,
): WriteRequest[] {
  const more: Row = {
    expiresAt: { N: String(expiresAt) },
    ...(openingAt !== undefined && { openingAt: { N: String(openingAt) } }),
  };
  // Not the connection's own end: the row is for all of them, and outlives each that is connected now.
  const latest = { expiresAt: { N: String(Math.floor(Date.now() / 1000) + LONGEST) } };
  const items = [
    ...subscriptionKeys(id, shard, devices).map((key) => ({ ...keyOf(key), ...more })),
    ...devices.filter((device) => device !== ALL).map((sk) => ({ ...keyOf({ pk: devicesKey(shard), sk }), ...latest })),
  ];
  return items.map((Item) => ({ PutRequest: { Item } }));
}

/** What {@link subscriptionRows} wrote for this connection, to be deleted. */
export const withoutSubscriptions = (
  { id, shard }: Pick<Connection, "id" | "shard">,
  devices: readonly string[],
): WriteRequest[] => subscriptionKeys(id, shard, devices).map(deletion);

const subscriptionKeys = (id: string, shard: number, devices: readonly string[]): Key[] =>
  devices.flatMap((device) => [
    { pk: connectionKey(id), sk: PREFIX + device },
    { pk: deviceKey(device, shard), sk: id },
  ]);

const deletion = (key: Key): WriteRequest => ({ DeleteRequest: { Key: keyOf(key) } });

const notEnded = (pk: string) => ({
  // A client that was told that it is subscribed gets what comes after that.
  ConsistentRead: true,
  KeyConditionExpression: "pk = :pk",
  FilterExpression: "expiresAt > :now",
  ExpressionAttributeValues: { ":pk": { S: pk }, ":now": { N: String(Math.floor(Date.now() / 1000)) } },
});

/** All rows of a partition that are not past their time; DynamoDB deletes such rows late. Page by page. */
export async function* readPartition({ dynamodb, name }: Table, pk: string): AsyncGenerator<Row[]> {
  const pages = paginateQuery({ client: dynamodb }, { TableName: name, ...notEnded(pk) });
  for await (const { Items = [] } of pages) yield Items;
}

/** The devices that somebody of the shard may be subscribed to; undefined when they are more than `limit`. */
export async function readSubscribed(
  { dynamodb, name }: Table,
  shard: number,
  limit: number,
): Promise<Set<string> | undefined> {
  const query = new QueryCommand({ TableName: name, Limit: limit, ...notEnded(devicesKey(shard)) });
  const { Items = [], LastEvaluatedKey } = await dynamodb.send(query);
  return LastEvaluatedKey ? undefined : new Set(Items.map(({ sk }) => sk?.S ?? ""));
}

/** A connection and the devices that it is subscribed to; undefined when it is not there. */
export async function readConnection(
  table: Table,
  id: string,
): Promise<(Connection & { devices: string[] }) | undefined> {
  const devices: string[] = [];
  let own: Row | undefined;
  for await (const rows of readPartition(table, connectionKey(id))) {
    for (const row of rows) {
      const sk = row.sk?.S ?? "";
      if (sk.startsWith(PREFIX)) devices.push(sk.slice(PREFIX.length));
      else own = row;
    }
  }
  if (!own) return undefined;
  const allowed = own.allowed?.S;
  return {
    id,
    devices,
    shard: Number(own.shard?.N),
    expiresAt: Number(own.expiresAt?.N),
    principal: own.principal?.S ?? "",
    ...(allowed !== undefined && { allowed: JSON.parse(allowed) as string[] }),
  };
}

/**
 * Deletes all that is known of a connection, and its rows in the partitions `foundIn`, which may be all that a
 * subscription left behind that came after the end. Doing it twice does no harm.
 */
export async function forgetConnection(table: Table, id: string, foundIn: readonly string[] = []): Promise<void> {
  const connection = await readConnection(table, id);
  const known = connection
    ? [...subscriptionKeys(id, connection.shard, connection.devices), { pk: everyoneKey(connection.shard), sk: id }]
    : [];
  // A key may stand in a call only once.
  const found = foundIn.filter((pk) => !known.some((key) => key.pk === pk)).map((pk) => ({ pk, sk: id }));
  await writeRows(table, [...known, ...found].map(deletion));
  // Last: it leads to the others, if this has to be done again.
  if (connection) await writeRows(table, [deletion({ pk: connectionKey(id), sk: "connection" })]);
}

/** BatchWriteItem's limit on requests (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html). */
const BATCH = 25;
const PARALLEL = 8;
const BACKOFF: Backoff = { baseMs: 25, capMs: 1_000, attempts: 8 };

/** Writes and deletes rows with different keys. Throws when one of them could not be done. */
export async function writeRows({ dynamodb, name }: Table, requests: readonly WriteRequest[]): Promise<void> {
  const batches = Array.from({ length: Math.ceil(requests.length / BATCH) }, (_, i) =>
    requests.slice(i * BATCH, (i + 1) * BATCH),
  );
  await mapConcurrent(batches, PARALLEL, async (batch) => {
    let rest: WriteRequest[] = batch;
    for (let attempt = 0; ; attempt++) {
      const { UnprocessedItems } = await dynamodb.send(new BatchWriteItemCommand({ RequestItems: { [name]: rest } }));
      rest = Object.values(UnprocessedItems ?? {}).flat();
      if (rest.length === 0) return;
      if (attempt + 1 >= BACKOFF.attempts) throw new Error(`DynamoDB did not process ${rest.length} rows`);
      await sleep(fullJitter(BACKOFF, attempt));
    }
  });
}
