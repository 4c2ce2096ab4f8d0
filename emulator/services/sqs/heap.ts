/** Something that falls due at `at` (milliseconds since the epoch). */
export interface Due<T> {
  readonly at: number;
  readonly order: number;
  readonly item: T;
}

const before = <T>(a: Due<T>, b: Due<T>) => a.at < b.at || (a.at === b.at && a.order < b.order);

/** A binary heap of what falls due, earliest first; equal times keep the order in which they were added. */
export class DueHeap<T> {
  private entries: Due<T>[] = [];
  private counter = 0;

  get size(): number {
    return this.entries.length;
  }

  peek(): Due<T> | undefined {
    return this.entries[0];
  }

  push(at: number, item: T): void {
    this.entries.push({ at, item, order: this.counter++ });
    this.up(this.entries.length - 1);
  }

  pop(): Due<T> | undefined {
    const first = this.entries[0];
    const last = this.entries.pop();
    if (last && this.entries.length) {
      this.entries[0] = last;
      this.down(0);
    }
    return first;
  }

  /** Throws away every entry that `keep` refuses. */
  retain(keep: (entry: Due<T>) => boolean): void {
    this.entries = this.entries.filter(keep);
    for (let i = (this.entries.length >> 1) - 1; i >= 0; i--) this.down(i);
  }

  clear(): void {
    this.entries = [];
  }

  private up(start: number): void {
    const entries = this.entries;
    const entry = entries[start]!;
    let i = start;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(entry, entries[parent]!)) break;
      entries[i] = entries[parent]!;
      i = parent;
    }
    entries[i] = entry;
  }

  private down(start: number): void {
    const entries = this.entries;
    const entry = entries[start]!;
    let i = start;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= entries.length) break;
      if (child + 1 < entries.length && before(entries[child + 1]!, entries[child]!)) child++;
      if (!before(entries[child]!, entry)) break;
      entries[i] = entries[child]!;
      i = child;
    }
    entries[i] = entry;
  }
}
