/** Chunks split at this many entries: small enough to splice, large enough that there are few of them. */
const chunkLimit = 512;

/**
 * Entries in order, in chunks of a few hundred: an insertion costs two binary searches and a short splice, however many
 * entries there are.
 */
export class SortedList<Entry> {
  private chunks: Entry[][] = [];
  private count = 0;

  constructor(private readonly compare: (a: Entry, b: Entry) => number) {}

  get size(): number {
    return this.count;
  }

  /** Puts an entry in its place; it takes the place of an entry that compares equal, which is returned. */
  insert(entry: Entry): Entry | undefined {
    const last = this.chunks.at(-1);
    if (!last) {
      // A literal takes no more room than it needs; most tables have many lists of one entry.
      this.chunks = [[entry]];
      this.count = 1;
      return undefined;
    }
    // Keys that only grow (timestamps) go to the end without a search.
    if (this.compare(last[last.length - 1]!, entry) < 0) {
      this.count++;
      if (last.length < chunkLimit) last.push(entry);
      else this.chunks.push([entry]);
      return undefined;
    }
    const index = this.chunkFrom((other) => this.compare(other, entry) < 0);
    const chunk = this.chunks[index]!;
    const offset = partitionPoint(chunk, (other) => this.compare(other, entry) < 0);
    const found = chunk[offset]!;
    if (this.compare(found, entry) === 0) {
      chunk[offset] = entry;
      return found;
    }
    this.count++;
    chunk.splice(offset, 0, entry);
    if (chunk.length > chunkLimit) this.chunks.splice(index + 1, 0, chunk.splice(chunkLimit / 2));
    return undefined;
  }

  /** The entry that compares equal. */
  find(probe: Entry): Entry | undefined {
    const chunk = this.chunks[this.chunkFrom((other) => this.compare(other, probe) < 0)];
    const found = chunk?.[partitionPoint(chunk, (other) => this.compare(other, probe) < 0)];
    return found !== undefined && this.compare(found, probe) === 0 ? found : undefined;
  }

  /** Takes out the entry that compares equal. */
  remove(probe: Entry): Entry | undefined {
    const index = this.chunkFrom((other) => this.compare(other, probe) < 0);
    const chunk = this.chunks[index];
    if (!chunk) return undefined;
    const offset = partitionPoint(chunk, (other) => this.compare(other, probe) < 0);
    const found = chunk[offset]!;
    if (this.compare(found, probe) !== 0) return undefined;
    chunk.splice(offset, 1);
    if (chunk.length === 0) this.chunks.splice(index, 1);
    this.count--;
    return found;
  }

  /**
   * Visits entries in order, from the first one for which `before` is false, until `visit` answers false.
   * Answers false when `visit` did. The list must not change meanwhile.
   */
  forward(before: (entry: Entry) => boolean, visit: (entry: Entry) => boolean): boolean {
    const start = this.chunkFrom(before);
    for (let index = start; index < this.chunks.length; index++) {
      const chunk = this.chunks[index]!;
      for (let offset = index === start ? partitionPoint(chunk, before) : 0; offset < chunk.length; offset++) {
        if (!visit(chunk[offset]!)) return false;
      }
    }
    return true;
  }

  /** As {@link forward}, but backwards, from the last entry for which `before` is true. */
  backward(before: (entry: Entry) => boolean, visit: (entry: Entry) => boolean): boolean {
    const start = Math.min(this.chunkFrom(before), this.chunks.length - 1);
    for (let index = start; index >= 0; index--) {
      const chunk = this.chunks[index]!;
      for (let offset = (index === start ? partitionPoint(chunk, before) : chunk.length) - 1; offset >= 0; offset--) {
        if (!visit(chunk[offset]!)) return false;
      }
    }
    return true;
  }

  /** The first chunk whose last entry is not before the place that is looked for. */
  private chunkFrom(before: (entry: Entry) => boolean): number {
    return partitionPoint(this.chunks, (chunk) => before(chunk[chunk.length - 1]!));
  }
}

/** How many entries at the front satisfy `before`, which holds for a front part of the array only. */
function partitionPoint<Entry>(entries: readonly Entry[], before: (entry: Entry) => boolean): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (before(entries[middle]!)) low = middle + 1;
    else high = middle;
  }
  return low;
}
