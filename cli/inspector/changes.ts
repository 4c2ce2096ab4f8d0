import type { Emulator } from "../../emulator";
import type { Stream } from "../page-server";

/** Milliseconds between two signs of change: a page asks anew at each. */
const pace = 300;
/** Whoever waits for longer than this hears that the server is still there. */
const heartbeat = 15_000;

/** Tells pages that something has changed, not what: they ask for what they show. */
export function changesOf(emulator: Pick<Emulator, "journal" | "watchDenials" | "faults">): Stream {
  return (write) => {
    let waiting: NodeJS.Timeout | undefined;
    let last = 0;
    const tell = () => {
      waiting = undefined;
      last = performance.now();
      write("event: change\ndata: {}\n\n");
    };
    const changed = () => {
      waiting ??= setTimeout(tell, Math.max(0, last + pace - performance.now()));
    };
    const stops = [emulator.journal.watch(changed), emulator.watchDenials(changed), emulator.faults.watch(changed)];
    const alive = setInterval(() => write(": still here\n\n"), heartbeat);
    tell();
    return () => {
      for (const stop of stops) stop();
      clearTimeout(waiting);
      clearInterval(alive);
    };
  };
}
