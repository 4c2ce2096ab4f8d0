/**
 * Remembers ids in a bounded memory: at least the last `size` of them, at most twice as many.
 *
 * Two generations in place of one queue: forgetting costs nothing per id.
 */
export class Seen {
  private young = new Set<string>();
  private old = new Set<string>();

  constructor(private readonly size: number) {}

  /** Whether the id is new; from now on it is not. */
  add(id: string): boolean {
    if (this.young.has(id) || this.old.has(id)) return false;
    if (this.young.size >= this.size) {
      this.old = this.young;
      this.young = new Set();
    }
    this.young.add(id);
    return true;
  }
}
