import type { Clock, Timer } from "../../core/clock";
import { limits } from "../../core/limits";
import type { Key, Row } from "./item-index";
import { SortedList } from "./sorted-list";
import { member } from "./values";

interface Expiry extends Key {
  /** Milliseconds since the epoch. */
  readonly due: number;
}

/** Items that expired longer ago are left alone. */
const longestPast = limits.dynamodb.expiryPast.value * 1000;

const compareExpiries = (a: Expiry, b: Expiry): number =>
  a.due - b.due || (a.hash < b.hash ? -1 : a.hash > b.hash ? 1 : a.sort < b.sort ? -1 : a.sort > b.sort ? 1 : 0);

/**
 * Time to live of a table. An item goes as soon as its time has passed on the emulator's clock;
 * AWS takes up to a few days, so readers still have to filter.
 */
export class TimeToLive {
  private readonly expiries = new SortedList<Expiry>(compareExpiries);
  private timer?: Timer;
  private armedFor = Number.POSITIVE_INFINITY;

  /** @param expire deletes an item. */
  constructor(
    readonly attribute: string,
    private readonly clock: Clock,
    private readonly expire: (key: Key) => void,
  ) {}

  /** Notes that a row took the place of another. */
  follow(old: Row | undefined, current: Row | undefined): void {
    const before = old && this.expiryOf(old);
    const after = current && this.expiryOf(current);
    if (before) this.expiries.remove(before);
    if (!after) return;
    this.expiries.insert(after);
    if (after.due < this.armedFor) this.arm(after.due);
  }

  stop(): void {
    this.timer?.cancel();
  }

  private expiryOf({ item, hash, sort }: Row): Expiry | undefined {
    const due = Number(member(item, this.attribute)?.N ?? Number.NaN) * 1_000;
    return Number.isFinite(due) && due > this.clock.now() - longestPast ? { due, hash, sort } : undefined;
  }

  private arm(due: number): void {
    this.timer?.cancel();
    this.armedFor = due;
    this.timer = this.clock.after(due - this.clock.now(), () => this.sweep());
  }

  private sweep(): void {
    const expired: Expiry[] = [];
    let next = Number.POSITIVE_INFINITY;
    this.expiries.forward(
      () => false,
      (expiry) => {
        if (expiry.due > this.clock.now()) {
          next = expiry.due;
          return false;
        }
        expired.push(expiry);
        return true;
      },
    );
    this.armedFor = Number.POSITIVE_INFINITY;
    for (const expiry of expired) {
      this.expiries.remove(expiry);
      this.expire(expiry);
    }
    if (next < this.armedFor) this.arm(next);
  }
}
