import type { OnDemandThroughput, ProvisionedThroughput } from "@aws-sdk/client-dynamodb";
import { limits } from "../../core/limits";
import { throttled } from "./errors";

export type Kind = "Read" | "Write";

/** The capacity that somebody set for a table or a global index. */
export interface Capacity {
  readonly provisioned?: ProvisionedThroughput;
  readonly onDemand?: OnDemandThroughput;
}

const perKey: Record<Kind, number> = {
  Read: limits.dynamodb.partitionReads.value,
  Write: limits.dynamodb.partitionWrites.value,
};

/** Units of one kind, in a second that goes by the clock. */
class Use {
  private second = Number.NaN;
  private readonly keys = new Map<string, number>();
  private tokens = Number.POSITIVE_INFINITY;
  private at = 0;

  /** Whether a partition key may be used once more in this second. */
  hasRoom(hash: string, most: number, now: number): boolean {
    this.turn(now);
    return (this.keys.get(hash) ?? 0) < most;
  }

  /** Whether there is anything left of a capacity. What was not used for a while may be used later. */
  hasTokens(rate: number, seconds: number, now: number): boolean {
    const saved = this.tokens + (Math.max(0, now - this.at) / 1000) * rate;
    this.tokens = Math.min(rate * seconds, saved);
    this.at = now;
    return this.tokens > 0;
  }

  add(units: number, hash: string | undefined, now: number): void {
    this.tokens -= units;
    if (hash === undefined) return;
    this.turn(now);
    this.keys.set(hash, (this.keys.get(hash) ?? 0) + units);
  }

  private turn(now: number): void {
    const second = Math.floor(now / 1000);
    if (second === this.second) return;
    this.second = second;
    this.keys.clear();
  }
}

/**
 * What a table or a global index gives in a second: in all, where its capacity is provisioned or limited, and for each
 * partition key. A request is let in as long as anything is left, and may use more than that: what it needs is known
 * afterwards only.
 *
 * Not known: what a new table may use at once. Here it is all that it could have saved up. Not emulated: the quotas of
 * the account, which are 40,000 units a second for a table.
 */
export class Throughput {
  private readonly uses: Record<Kind, Use> = { Read: new Use(), Write: new Use() };

  constructor(
    private readonly resource: "Table" | "Index",
    private readonly arn: string,
    private readonly capacity: () => Capacity,
    private readonly now: () => number,
  ) {}

  /**
   * @param hash the partition key; undefined for what goes across them.
   * @throws AwsError ProvisionedThroughputExceededException or ThrottlingException
   */
  admit(kind: Kind, hash: string | undefined): void {
    const use = this.uses[kind];
    const { provisioned, onDemand } = this.capacity();
    const now = this.now();
    const refuse = (limit: string) =>
      throttled({ reason: `${this.resource}${kind}${limit}`, resource: this.arn }, provisioned !== undefined);
    if (provisioned) {
      const rate = provisioned[`${kind}CapacityUnits`] ?? 0;
      if (!use.hasTokens(rate, limits.dynamodb.burst.value, now)) throw refuse("ProvisionedThroughputExceeded");
    } else {
      const most = onDemand?.[`Max${kind}RequestUnits`] ?? -1;
      if (most > 0 && !use.hasTokens(most, 1, now)) throw refuse("MaxOnDemandThroughputExceeded");
    }
    if (hash !== undefined && !use.hasRoom(hash, perKey[kind], now)) throw refuse("KeyRangeThroughputExceeded");
  }

  use(kind: Kind, units: number, hash: string | undefined): void {
    this.uses[kind].add(units, hash, this.now());
  }
}
