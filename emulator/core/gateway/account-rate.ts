import type { Clock } from "../clock";
import type { Quotas, Scope } from "../service";
import { type Throttle, TokenBuckets } from "./token-buckets";

/**
 * The requests that API Gateway serves for an account in a region. REST APIs, WebSocket APIs and `@connections` share them
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html).
 */
export class AccountRate {
  readonly throttle: Throttle;
  private readonly buckets: TokenBuckets;

  constructor(clock: Clock, { requestsPerSecond, requestBurst }: Quotas) {
    this.throttle = { rateLimit: requestsPerSecond, burstLimit: requestBurst };
    this.buckets = new TokenBuckets(clock);
  }

  /** Takes one request, or says that there is none left. */
  admit({ account, region }: Scope): boolean {
    return this.buckets.take(`${account}/${region}`, this.throttle);
  }

  clear(): void {
    this.buckets.clear();
  }
}
