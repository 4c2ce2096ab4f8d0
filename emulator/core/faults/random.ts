/**
 * Mulberry32 by Tommy Ettinger (public domain): 32 bits of state, good enough to decide which call fails and the same on
 * every machine. A package would be longer than this.
 */
export class Random {
  constructor(private state: number) {}

  /** The numbers for the nth call that a fault matches: they depend on nothing but the fault's seed and n. */
  static of(seed: number, n: number): Random {
    return new Random(scramble(scramble(seed) + n));
  }

  /** From 0 on, below 1. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    return scramble(this.state) / 2 ** 32;
  }

  /** Some of these, each as likely as any other, in the order in which they stand. */
  choose<T>(from: readonly T[], count: number): T[] {
    let needed = count;
    return from.filter((_, i) => {
      const taken = this.next() * (from.length - i) < needed;
      if (taken) needed--;
      return taken;
    });
  }
}

/** Mulberry32's output function: every bit of the answer depends on every bit of the state. */
function scramble(state: number): number {
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return (mixed ^ (mixed >>> 14)) >>> 0;
}
