import { limits } from "../../core/limits";

/** How much one shard takes or gives in a second. */
export interface Rate {
  readonly calls: number;
  readonly bytes: number;
}

const { writesPerShard, bytesIntoShard, readsPerShard, bytesOutOfShard } = limits.kinesis;

export const writeRate: Rate = { calls: writesPerShard.value, bytes: bytesIntoShard.value };
export const readRate: Rate = { calls: readsPerShard.value, bytes: bytesOutOfShard.value };

const second = 1_000;

/**
 * Counts what a shard takes or gives, in windows of one second that begin with the first use. Whatever goes beyond the
 * bytes of a window (a record of 10 MiB, a read of 10 MiB) makes it as many times longer.
 */
export class Meter {
  private begun = Number.NEGATIVE_INFINITY;
  private calls = 0;
  private bytes = 0;

  constructor(private readonly rate: Rate) {}

  /** Whether the window has room for one more call. */
  hasRoom(now: number): boolean {
    this.roll(now);
    return this.calls < this.rate.calls && this.bytes < this.rate.bytes;
  }

  /** Whether this many bytes fit into the window. A new window takes them however many they are. */
  fits(bytes: number, now: number): boolean {
    return this.hasRoom(now) && (this.bytes === 0 || this.bytes + bytes <= this.rate.bytes);
  }

  use(bytes: number, now: number): void {
    if (this.calls === 0) this.begun = now;
    this.calls++;
    this.bytes += bytes;
  }

  private roll(now: number): void {
    const length = Math.max(1, Math.ceil(this.bytes / this.rate.bytes)) * second;
    if (now - this.begun < length) return;
    this.calls = 0;
    this.bytes = 0;
  }
}
