const RealDate = Date;
const realNow = RealDate.now.bind(RealDate);

/** How far the emulator's clock is ahead of this machine's, in milliseconds. */
let ahead = 0;

/** Milliseconds since the epoch on this machine. */
export const machineNow = realNow;

const now = () => realNow() + ahead;

/**
 * Sets this thread's `Date` to the emulator's clock, so that what a function computes with it (when an item expires, how
 * old an object is) agrees with what other services say. Timers wait in real time, as they wait for real I/O.
 *
 * As long as nobody has moved the clock, `Date` is Node's own.
 */
export function setAhead(milliseconds: number): void {
  if (milliseconds !== 0 && Date === RealDate) {
    globalThis.Date = new Proxy(RealDate, {
      construct: (target, args, subclass) => Reflect.construct(target, args.length > 0 ? args : [now()], subclass),
      apply: () => new RealDate(now()).toString(),
      get: (target, name) => (name === "now" ? now : Reflect.get(target, name)),
    });
    RealDate.prototype.constructor = Date;
  }
  ahead = milliseconds;
}
