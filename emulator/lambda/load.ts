import { availableParallelism } from "node:os";
import { type EventLoopUtilization, performance } from "node:perf_hooks";

/** Something with an event loop of its own. */
export interface Loop {
  utilization(): EventLoopUtilization;
}

/** Milliseconds that a measurement covers at least. */
const span = 20;

/**
 * Above this share of the cores, one more event loop only takes time from the others. It is well below 1: loops that
 * hand work to each other are idle in turn, and who sends the events needs time too. Functions that wait (for a sleep,
 * for another machine) stay far below.
 */
const full = 0.4;
/** The main loop serves every call that functions make; above this share of its time they all wait for it. */
const mainFull = 0.9;

/**
 * How busy the event loops of this process are, all environments and the main one together.
 *
 * On AWS each environment has a CPU share of its own. Here all share the machine's cores: while these are busy, a
 * waiting event is served sooner by an environment that is warm than by one more that has to start and get fast.
 */
export class Load {
  private readonly loops = new Map<Loop, number>();
  private main = performance.eventLoopUtilization().active;
  private since = performance.now();
  private full = false;

  add(loop: Loop): void {
    this.loops.set(loop, loop.utilization().active);
  }

  remove(loop: Loop): void {
    this.loops.delete(loop);
  }

  /** Whether the cores have had no time to spare lately. */
  isFull(): boolean {
    const now = performance.now();
    const passed = now - this.since;
    if (passed >= span) {
      const main = performance.eventLoopUtilization().active;
      let active = main - this.main;
      for (const [loop, before] of this.loops) {
        const after = loop.utilization().active;
        active += after - before;
        this.loops.set(loop, after);
      }
      this.full = active >= full * passed * availableParallelism() || main - this.main >= mainFull * passed;
      this.main = main;
      this.since = now;
    }
    return this.full;
  }
}
