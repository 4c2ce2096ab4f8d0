import { cpus } from "node:os";
import { performance } from "node:perf_hooks";

/** Milliseconds that a measurement covers at least; systems count their time in steps of 10. */
const span = 100;

/** Below this share of idle time, one more environment only takes time from those that are warm. */
const spare = 0.25;

interface Times {
  readonly idle: number;
  readonly all: number;
}

/** Milliseconds that all cores have spent so far. */
function times(): Times {
  let [idle, all] = [0, 0];
  for (const core of cpus()) {
    idle += core.times.idle;
    for (const time of Object.values(core.times)) all += time;
  }
  return { idle, all };
}

/**
 * Whether this machine has time to spare.
 *
 * On AWS each environment has a CPU share of its own. Here all share the machine's cores, with the emulator and with
 * whoever sends the events: while these are busy, a waiting event is served sooner by an environment that is warm than
 * by one more that has to start and get fast. Functions that wait for something leave the cores idle.
 */
export class Load {
  private before = times();
  private since = performance.now();
  private full = false;

  /** True when the cores have had no time to spare lately. */
  isFull(): boolean {
    const now = performance.now();
    if (now - this.since >= span) {
      const after = times();
      const passed = after.all - this.before.all;
      // A system that does not tell its times counts as idle.
      this.full = passed > 0 && after.idle - this.before.idle < spare * passed;
      this.before = after;
      this.since = now;
    }
    return this.full;
  }
}
