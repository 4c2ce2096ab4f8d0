import type { Clock, Timer } from "../../core/clock";
import type { Demand, Received } from "./queue";

interface Seat {
  readonly demand: Demand;
  readonly settle: (received: Received[]) => void;
  readonly fail: (error: Error) => void;
}

/** The consumers that a long poll keeps waiting, first come first served. */
export class Waiters {
  private readonly seats = new Set<Seat>();

  constructor(private readonly clock: Clock) {}

  get size(): number {
    return this.seats.size;
  }

  /** What the one who waits longest wants; only when there is one. */
  get first(): Demand {
    return this.seats.values().next().value!.demand;
  }

  /** Resolves with messages, or with none when `waitMs` passed or `signal` fired. */
  join(demand: Demand, waitMs: number, signal?: AbortSignal): Promise<Received[]> {
    return new Promise((resolve, reject) => {
      let timer: Timer | undefined;
      const leave = () => {
        this.seats.delete(seat);
        timer?.cancel();
        signal?.removeEventListener("abort", giveUp);
      };
      const giveUp = () => seat.settle([]);
      const seat: Seat = {
        demand,
        settle: (received) => {
          leave();
          resolve(received);
        },
        fail: (error) => {
          leave();
          reject(error);
        },
      };
      this.seats.add(seat);
      timer = this.clock.after(waitMs, giveUp);
      signal?.addEventListener("abort", giveUp, { once: true });
    });
  }

  /** Answers the one who waits longest. */
  answer(received: Received[]): void {
    this.seats.values().next().value?.settle(received);
  }

  fail(error: Error): void {
    for (const seat of this.seats) seat.fail(error);
  }
}
