/** A JSON object of a shadow's state. */
export type State = { [name: string]: unknown };

/** When each leaf of a state was last set, in seconds since the epoch. */
export type Metadata = { [name: string]: unknown };

export const isObject = (value: unknown): value is State =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Names such as `__proto__` must be data, not the object's own machinery. */
const put = (target: State, name: string, value: unknown) =>
  Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });

const own = (target: State | undefined, name: string): unknown =>
  target && Object.hasOwn(target, name) ? target[name] : undefined;

/** A change laid over a state: null takes a member away, arrays and scalars replace, objects are merged. */
export function merge(state: State, change: State): State {
  const result: State = {};
  for (const [name, value] of Object.entries(state)) put(result, name, value);
  for (const [name, value] of Object.entries(change)) {
    if (value === null) {
      delete result[name];
      continue;
    }
    const before = own(result, name);
    const merged = isObject(value) ? merge(isObject(before) ? before : {}, value) : value;
    // An object that holds nothing any more goes (https://docs.aws.amazon.com/iot/latest/developerguide/device-shadow-document.html#device-shadow-empty-fields).
    if (isObject(merged) && Object.keys(merged).length === 0) delete result[name];
    else put(result, name, merged);
  }
  return result;
}

/** Time stamps for what a change has set, in the shape of the change; arrays have one for each item. */
export function stamp(value: unknown, timestamp: number): unknown {
  if (Array.isArray(value)) return value.map((item) => stamp(item, timestamp));
  if (!isObject(value)) return { timestamp };
  const result: Metadata = {};
  for (const [name, item] of Object.entries(value)) if (item !== null) put(result, name, stamp(item, timestamp));
  return result;
}

/** The metadata of a state after a change. */
export function mergeMetadata(metadata: Metadata, change: State, state: State, timestamp: number): Metadata {
  const result: Metadata = {};
  for (const [name, value] of Object.entries(state)) {
    const before = own(metadata, name);
    const changed = own(change, name);
    if (changed === undefined) put(result, name, before);
    else if (isObject(value) && isObject(changed))
      put(result, name, mergeMetadata(isObject(before) ? before : {}, changed, value, timestamp));
    else put(result, name, stamp(value, timestamp));
  }
  return result;
}

/** Whether two JSON values are the same, whatever the order of their members. */
function same(a: unknown, b: unknown): boolean {
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => same(item, b[index]));
  if (!isObject(a) || !isObject(b)) return a === b;
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && same(a[name], b[name]))
  );
}

/** What is desired and not reported so: the members of `desired` that differ, with their metadata. */
export function difference(desired: State, reported: State, metadata: Metadata): [State, Metadata] | undefined {
  const state: State = {};
  const stamps: Metadata = {};
  for (const [name, value] of Object.entries(desired)) {
    const known = own(reported, name);
    const stamped = own(metadata, name);
    if (isObject(value) && isObject(known)) {
      const below = difference(value, known, isObject(stamped) ? stamped : {});
      if (!below) continue;
      put(state, name, below[0]);
      put(stamps, name, below[1]);
    } else if (!same(value, known)) {
      put(state, name, value);
      put(stamps, name, stamped);
    }
  }
  return Object.keys(state).length > 0 ? [state, stamps] : undefined;
}

/** Whether objects and arrays are nested deeper than so many levels. It goes no deeper to find out. */
export function isDeeper(value: unknown, levels: number): boolean {
  const items = Array.isArray(value) ? value : isObject(value) ? Object.values(value) : undefined;
  if (items === undefined) return false;
  return levels === 0 || items.some((item) => isDeeper(item, levels - 1));
}
