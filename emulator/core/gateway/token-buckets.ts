import type { Clock } from "../clock";

/** A rate limit as API Gateway writes it: `burstLimit` requests at once, refilled with `rateLimit` a second. */
export interface Throttle {
  readonly rateLimit?: number;
  readonly burstLimit?: number;
}

/** Token buckets by name, on the emulator's clock. */
export class TokenBuckets {
  private readonly buckets = new Map<string, { tokens: number; at: number }>();

  constructor(private readonly clock: Clock) {}

  /**
   * Takes one token of the bucket, or says that there is none. A limit that is not set, or negative, does not limit;
   * a rate without a burst allows one second's worth at once.
   */
  take(bucket: string, { rateLimit, burstLimit }: Throttle): boolean {
    if ((rateLimit ?? -1) < 0 && (burstLimit ?? -1) < 0) return true;
    const rate = rateLimit === undefined || rateLimit < 0 ? Number.POSITIVE_INFINITY : rateLimit;
    const most = burstLimit === undefined || burstLimit < 0 ? Math.max(1, rate) : burstLimit;
    const now = this.clock.now();
    let state = this.buckets.get(bucket);
    if (!state) {
      state = { tokens: most, at: now };
      this.buckets.set(bucket, state);
    }
    const refill = now > state.at ? ((now - state.at) / 1000) * rate : 0;
    state.tokens = Math.min(most, state.tokens + refill);
    state.at = now;
    if (state.tokens < 1) return false;
    state.tokens--;
    return true;
  }

  clear(): void {
    this.buckets.clear();
  }
}
