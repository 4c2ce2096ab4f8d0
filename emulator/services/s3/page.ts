import { compareKeys, type SortedKeys } from "./sorted-keys";

/** What a listing request asks for. */
export interface ListRequest {
  readonly prefix?: string;
  readonly delimiter?: string;
  /** Only what comes after this key, or after all keys of this common prefix. */
  readonly after?: string;
  /** Also gives the key that equals `after`, for listings that go on within a key (versions, uploads). */
  readonly inclusive?: boolean;
  /**
   * Whether an `after` inside a common prefix stands for all of it. So it is with the markers of a listing; StartAfter
   * only leaves out the keys up to it, and what remains of the prefix is still rolled up.
   * @default true
   */
  readonly passesPrefix?: boolean;
}

/** One line of a listing: a key, or a common prefix that stands for all keys below it. */
export type Line<Value> =
  | { readonly name: string; readonly value: Value; readonly common: false }
  | { readonly name: string; readonly common: true };

/** True from the first key on that is neither before `rolledUp` nor begins with it. */
const beyond = (rolledUp: string) => (key: string) => !key.startsWith(rolledUp) && compareKeys(key, rolledUp) > 0;

/**
 * The lines of a listing in order: keys that begin with the prefix; those that have the delimiter behind it are rolled
 * up into common prefixes (https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html).
 *
 * @param shows leaves out keys that a listing does not show, for example those whose newest version is a delete marker.
 */
export function* lines<Value>(
  keys: SortedKeys<Value>,
  { prefix = "", delimiter = "", after = "", inclusive = false, passesPrefix = true }: ListRequest,
  shows: (value: Value) => boolean = () => true,
): Generator<Line<Value>, undefined> {
  const rollUp = (key: string): string | undefined => {
    const end = delimiter ? key.indexOf(delimiter, prefix.length) : -1;
    return end < 0 ? undefined : key.slice(0, end + delimiter.length);
  };
  const passed = passesPrefix && after.startsWith(prefix) ? rollUp(after) : undefined;
  const isBehindMarker = (key: string): boolean => {
    if (passed !== undefined) return beyond(passed)(key);
    const order = compareKeys(key, after);
    return after === "" || order > 0 || (inclusive && order === 0);
  };
  // What begins with the prefix lies together.
  let walk = keys.from((key) => (key.startsWith(prefix) || compareKeys(key, prefix) > 0) && isBehindMarker(key));
  for (let next = walk.next(); !next.done; next = walk.next()) {
    const [key, value] = next.value;
    if (!key.startsWith(prefix)) return;
    if (!shows(value)) continue;
    const common = rollUp(key);
    if (common === undefined) yield { name: key, value, common: false };
    else {
      yield { name: common, common: true };
      walk = keys.from(beyond(common));
    }
  }
}

/** One page of a listing. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly prefixes: readonly string[];
  readonly truncated: boolean;
  /** Name of the last line, and its last item where a line has several. */
  readonly last?: { readonly name: string; readonly item?: Item };
}

/**
 * Takes up to `max` entries from the lines of a listing; common prefixes count like entries.
 *
 * @param itemsOf the entries of a line: one for an object, all versions for a key.
 */
export function takePage<Value, Item>(
  listing: Iterable<Line<Value>>,
  max: number,
  itemsOf: (name: string, value: Value) => Iterable<Item>,
): Page<Item> {
  const items: Item[] = [];
  const prefixes: string[] = [];
  let last: Page<Item>["last"];
  if (max === 0) return { items, prefixes, truncated: false };
  for (const line of listing) {
    if (line.common) {
      if (items.length + prefixes.length >= max) return { items, prefixes, truncated: true, last };
      prefixes.push(line.name);
      last = { name: line.name };
      continue;
    }
    for (const item of itemsOf(line.name, line.value)) {
      if (items.length + prefixes.length >= max) return { items, prefixes, truncated: true, last };
      items.push(item);
      last = { name: line.name, item };
    }
  }
  return { items, prefixes, truncated: false, last };
}
