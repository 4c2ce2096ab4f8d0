import { mapConcurrent } from "../retry";
import type { LiveRecord } from "./record";
import { ALL, deviceKey, everyoneKey, isDeviceName, readPartition, readSubscribed, type Table } from "./rows";

/** A connection that gets records. */
export interface Receiver {
  readonly id: string;
  /** The records that it gets, by their places in the list, in their order. */
  readonly places: readonly number[];
  /** The partitions that name it. */
  readonly foundIn: readonly string[];
  /** Milliseconds since 1970 at which it began to connect, when it is not known to have finished that. */
  readonly openingAt?: number;
}

/** Partitions read at a time. */
const PARALLEL = 48;
/**
 * Devices of a batch above which it is asked first which of them somebody subscribed to: most clients take all, and this
 * is one query for each shard where the devices would be one each.
 */
const FEW_DEVICES = 2;
/** Devices that this is asked of at most: about 10 read units. */
const MANY_SUBSCRIBED = 500;

interface Found {
  readonly keys: string[];
  openingAt?: number;
}

/**
 * Who gets which of these records, in these shards: a record's own subscribers, and those who get everything. Gives
 * `undefined` as soon as there are more than `limit`.
 */
export async function findReceivers(
  table: Table,
  records: readonly LiveRecord[],
  shards: readonly number[],
  limit: number,
): Promise<Receiver[] | undefined> {
  const wanted = partitionsOf(records, await subscribedIn(table, records, shards));
  const found = new Map<string, Found>();
  await mapConcurrent([...wanted.keys()], PARALLEL, async (key) => {
    if (found.size > limit) return;
    for await (const rows of readPartition(table, key)) {
      for (const { sk, openingAt } of rows) {
        const id = sk?.S ?? "";
        const entry: Found = found.get(id) ?? { keys: [], openingAt: openingAt && Number(openingAt.N) };
        entry.keys.push(key);
        // One row from after the opening is enough to know that it is open.
        if (!openingAt) entry.openingAt = undefined;
        found.set(id, entry);
      }
      if (found.size > limit) return;
    }
  });
  if (found.size > limit) return undefined;
  const receivers = [...found].map(([id, { keys, openingAt }]): Receiver => {
    const lists = keys.map((key) => wanted.get(key) ?? []);
    const all = lists.length === 1 ? (lists[0] ?? []) : [...new Set(lists.flat())].sort((a, b) => a - b);
    const places = all.filter((place) => records[place]?.everyone?.except !== id);
    return { id, places, foundIn: keys, openingAt };
  });
  return receivers.filter(({ places }) => places.length > 0);
}

/** For each shard, whether somebody of it may have subscribed to a device. */
async function subscribedIn(
  table: Table,
  records: readonly LiveRecord[],
  shards: readonly number[],
): Promise<Map<number, (device: string) => boolean>> {
  const few = new Set(records.map(({ device }) => device)).size <= FEW_DEVICES;
  const answers = await mapConcurrent(shards, PARALLEL, async (shard) => {
    const devices = few ? undefined : await readSubscribed(table, shard, MANY_SUBSCRIBED);
    return [shard, (device: string) => devices?.has(device) ?? true] as const;
  });
  return new Map(answers);
}

/** The partitions with the receivers of some records, and for each the records that it is about. */
function partitionsOf(
  records: readonly LiveRecord[],
  shards: ReadonlyMap<number, (device: string) => boolean>,
): Map<string, number[]> {
  const wanted = new Map<string, number[]>();
  const add = (key: string, place: number) => {
    const places = wanted.get(key);
    if (places) places.push(place);
    else wanted.set(key, [place]);
  };
  records.forEach(({ device, everyone }, place) => {
    // Nobody can have subscribed to any other name.
    const named = isDeviceName(device) && device !== ALL;
    for (const [shard, isSubscribed] of shards) {
      if (everyone) add(everyoneKey(shard), place);
      else {
        add(deviceKey(ALL, shard), place);
        if (named && isSubscribed(device)) add(deviceKey(device, shard), place);
      }
    }
  });
  return wanted;
}
