import type { ThrottleSettings } from "@aws-sdk/client-api-gateway";
import type { Clock } from "../../../core/clock";
import { TokenBuckets } from "../../../core/gateway/token-buckets";
import type { StoredUsagePlan } from "../state";

/** What one key used of one plan. */
interface Usage {
  /** Requests by day, `2026-11-20`. */
  readonly days: Map<string, number>;
  /** The quota period that {@link used} counts, by its first moment. */
  period: number;
  used: number;
}

const dayMs = 86_400_000;
const dayOf = (time: number) => new Date(time).toISOString().slice(0, 10);

/** Counts requests: token buckets for throttling, and quotas of usage plans. All on the emulator's clock. */
export class Meter {
  private readonly buckets: TokenBuckets;
  private readonly usages = new Map<string, Usage>();

  constructor(private readonly clock: Clock) {
    this.buckets = new TokenBuckets(clock);
  }

  /** Takes one token of the bucket, or says that there is none. */
  take(bucket: string, limit: ThrottleSettings): boolean {
    return this.buckets.take(bucket, limit);
  }

  /** Counts one request of a key against the plan's quota, or says that the quota is spent. */
  spend(plan: StoredUsagePlan, keyId: string): boolean {
    const usage = this.current(plan, keyId);
    if (plan.quota?.limit !== undefined && usage.used >= plan.quota.limit) return false;
    usage.used++;
    const day = this.today();
    usage.days.set(day, (usage.days.get(day) ?? 0) + 1);
    return true;
  }

  /** Sets what a key has left in the running period. */
  grant(plan: StoredUsagePlan, keyId: string, remaining: number): void {
    this.current(plan, keyId).used = (plan.quota?.limit ?? 0) - remaining;
  }

  /** `[used, remaining]` for each day, as GetUsage lists them; remaining is of the running period. */
  usage(plan: StoredUsagePlan, keyId: string, startDate: string, endDate: string): number[][] {
    const { days, used } = this.current(plan, keyId);
    const left = plan.quota?.limit === undefined ? -1 : plan.quota.limit - used;
    const list: number[][] = [];
    for (let time = Date.parse(startDate); time <= Date.parse(endDate) && list.length < 1000; time += dayMs)
      list.push([days.get(dayOf(time)) ?? 0, left]);
    return list;
  }

  today(): string {
    return dayOf(this.clock.now());
  }

  clear(): void {
    this.buckets.clear();
    this.usages.clear();
  }

  private current(plan: StoredUsagePlan, keyId: string): Usage {
    const id = `${plan.id}/${keyId}`;
    const period = periodStart(this.clock.now(), plan.quota?.period, plan.quota?.offset ?? 0);
    let usage = this.usages.get(id);
    if (!usage) {
      usage = { days: new Map(), period, used: 0 };
      this.usages.set(id, usage);
    }
    if (usage.period !== period) {
      usage.period = period;
      usage.used = 0;
    }
    return usage;
  }
}

/** The first moment (UTC) of the quota period that `now` is in. Weeks start on Sunday; `offset` shifts by days. */
export function periodStart(now: number, period: string | undefined, offset: number): number {
  const date = new Date(now);
  const midnight = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate());
  if (period === "WEEK") {
    const since = (date.getUTCDay() - offset + 7) % 7;
    return midnight - since * dayMs;
  }
  if (period === "MONTH") {
    const start = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1 + offset);
    return start <= now ? start : Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - 1, 1 + offset);
  }
  return midnight;
}
