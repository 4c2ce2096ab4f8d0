import { inTime } from "../deadline";
import { needsExactParse, parseExactly } from "../exact-json";
import type { IoTRecord, Placed } from "./record";
import type { SinkFailures } from "./sink";

/** Records that a callback refuses: why, by their `id`. */
export type RefusedRecords = Record<string, string>;

/**
 * Takes the records of one shard, in the order in which each device sent them; a batch can come twice, with the same
 * `id`s. What it throws brings all of them again. Return `{ [id]: reason }` for records that must not come again: they
 * go to the dead-letter queue.
 */
export type OnRecords = (records: IoTRecord[]) => RefusedRecords | undefined | Promise<RefusedRecords | undefined>;

/** Runs a callback. */
export async function runCallback(
  records: readonly Placed[],
  callback: OnRecords,
  deadline: number,
): Promise<SinkFailures> {
  // Copies: what a callback changes in them, other sinks and its own next attempt must not see.
  const text = JSON.stringify(records.map(({ record }) => record));
  const copies = (needsExactParse(text) ? parseExactly(text) : JSON.parse(text)) as IoTRecord[];
  const refused = await inTime(callback(copies), deadline, "onRecords");
  const failures: SinkFailures = {};
  if (!refused) return failures;
  const places = Object.fromEntries(records.map(({ record }, i) => [record.id, i]));
  for (const [id, reason] of Object.entries(refused)) {
    const place = places[id];
    if (place === undefined) throw new Error("onRecords refused an id that none of its records has");
    failures[place] = { reason: String(reason), refused: true };
  }
  return failures;
}
