/**
 * Compares two keys by their UTF-8 bytes, the order in which S3 lists them
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/ListingKeysUsingAPIs.html).
 *
 * JavaScript compares UTF-16 units, which differs only where a surrogate meets a unit from U+E000 on.
 */
export function compareKeys(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    // A surrogate stands for a code point above U+FFFF.
    const surrogate = isSurrogate(x);
    return surrogate === isSurrogate(y) ? x - y : surrogate ? 1 : -1;
  }
  return a.length - b.length;
}

const isSurrogate = (unit: number) => unit >= 0xd800 && unit <= 0xdfff;

const largestChunk = 512;

/**
 * A sorted list of distinct keys with their values. Kept in chunks, so that an insert moves at most one chunk, and a
 * page of a listing costs O(log n + page).
 */
export class SortedKeys<Value> {
  private readonly values = new Map<string, Value>();
  private chunks: string[][] = [];
  /** Whether some key has a unit from U+D800 on; until then JavaScript's own comparison, which is faster, is right. */
  private wide = false;

  get size(): number {
    return this.values.size;
  }

  get(key: string): Value | undefined {
    return this.values.get(key);
  }

  set(key: string, value: Value): void {
    const known = this.values.has(key);
    this.values.set(key, value);
    if (!known) this.insert(key);
  }

  delete(key: string): void {
    if (!this.values.delete(key)) return;
    const at = this.chunkFor(key);
    const chunk = this.chunks[at]!;
    chunk.splice(
      firstIn(chunk, (other) => this.compare(other, key) >= 0),
      1,
    );
    if (chunk.length === 0) this.chunks.splice(at, 1);
  }

  /**
   * The keys from the first one that `reached` accepts, in order. `reached` must be false up to some key and true from
   * there on. The list must not change while it is read.
   */
  *from(reached: (key: string) => boolean): Generator<[key: string, value: Value], undefined> {
    let at = firstIn(this.chunks, (chunk) => reached(chunk[chunk.length - 1]!));
    let start = at < this.chunks.length ? firstIn(this.chunks[at]!, reached) : 0;
    for (; at < this.chunks.length; at++) {
      const chunk = this.chunks[at]!;
      for (let i = start; i < chunk.length; i++) yield [chunk[i]!, this.values.get(chunk[i]!)!];
      start = 0;
    }
    return undefined;
  }

  entries(): Generator<[key: string, value: Value], undefined> {
    return this.from(() => true);
  }

  private compare(a: string, b: string): number {
    if (this.wide) return compareKeys(a, b);
    return a < b ? -1 : a > b ? 1 : 0;
  }

  private insert(key: string): void {
    this.wide ||= /[\ud800-\uffff]/.test(key);
    if (this.chunks.length === 0) {
      this.chunks.push([key]);
      return;
    }
    const at = this.chunkFor(key);
    const chunk = this.chunks[at]!;
    // Keys often arrive in order (timestamps, counters): then this is a push.
    if (this.compare(chunk[chunk.length - 1]!, key) < 0) chunk.push(key);
    else
      chunk.splice(
        firstIn(chunk, (other) => this.compare(other, key) > 0),
        0,
        key,
      );
    if (chunk.length > largestChunk) this.chunks.splice(at + 1, 0, chunk.splice(chunk.length >> 1));
  }

  /** The chunk that holds the key or would take it. */
  private chunkFor(key: string): number {
    const at = firstIn(this.chunks, (chunk) => this.compare(chunk[chunk.length - 1]!, key) >= 0);
    return Math.min(at, this.chunks.length - 1);
  }
}

/** The index of the first element that passes, given that all after it pass too; the length when none does. */
export function firstIn<T>(list: readonly T[], passes: (element: T) => boolean): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (passes(list[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}
