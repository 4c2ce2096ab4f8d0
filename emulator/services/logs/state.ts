import type {
  LogGroupClass,
  ResourcePolicy,
  MetricFilter as SdkMetricFilter,
  SubscriptionFilter as SdkSubscriptionFilter,
} from "@aws-sdk/client-cloudwatch-logs";
import { formatArn, parseArn } from "../../core/arn";
import type { Clock } from "../../core/clock";
import type { Scope } from "../../core/service";
import { groupNotFound, invalidParameter, streamNotFound, validation } from "./errors";
import type { Matcher } from "./pattern";
import { LogStream } from "./stream";

const day = 86_400_000;

/** A filter with its pattern compiled. */
export interface SubscriptionFilter extends SdkSubscriptionFilter {
  readonly matches: Matcher;
}

/** A log group and everything that hangs on it. */
export class LogGroup {
  readonly createdAt: number;
  readonly streams = new Map<string, LogStream>();
  readonly metricFilters = new Map<string, SdkMetricFilter>();
  readonly subscriptions = new Map<string, SubscriptionFilter>();
  tags: Record<string, string> = {};
  retentionInDays?: number;
  kmsKeyId?: string;
  deletionProtected = false;

  constructor(
    readonly name: string,
    readonly arn: string,
    readonly groupClass: LogGroupClass,
    private readonly clock: Clock,
    private readonly nextNumber: () => number,
  ) {
    this.createdAt = clock.now();
  }

  get retentionMs(): number | undefined {
    return this.retentionInDays === undefined ? undefined : this.retentionInDays * day;
  }

  addStream(name: string): LogStream {
    const stream = new LogStream(
      name,
      this.clock.now(),
      () => this.clock.now(),
      this.nextNumber,
      () => this.retentionMs,
    );
    this.streams.set(name, stream);
    return stream;
  }

  stream(name: string): LogStream {
    const stream = this.streams.get(name);
    if (!stream) throw streamNotFound();
    return stream;
  }
}

/** How an operation names a log group: by name, or by name or ARN in `logGroupIdentifier`. */
export interface GroupReference {
  readonly logGroupName?: string;
  readonly logGroupIdentifier?: string;
}

/** The log groups and resource policies of one account and region. */
export class LogsState {
  readonly groups = new Map<string, LogGroup>();
  readonly policies = new Map<string, ResourcePolicy>();
  private written = 0;

  constructor(
    private readonly scope: Scope,
    private readonly clock: Clock,
  ) {}

  addGroup(name: string, groupClass: LogGroupClass = "STANDARD"): LogGroup {
    const arn = formatArn("logs", this.scope.region, this.scope.account, `log-group:${name}`);
    const group = new LogGroup(name, arn, groupClass, this.clock, () => this.written++);
    this.groups.set(name, group);
    return group;
  }

  group(name: string | undefined): LogGroup {
    const group = this.groups.get(name ?? "");
    if (!group) throw groupNotFound();
    return group;
  }

  find({ logGroupName, logGroupIdentifier }: GroupReference): LogGroup {
    if (logGroupName !== undefined && logGroupIdentifier !== undefined)
      throw validation("LogGroup name and LogGroup ARN are mutually exclusive parameters.");
    const reference = logGroupName ?? logGroupIdentifier;
    if (reference === undefined)
      throw invalidParameter(
        "1 validation error detected: Value null at 'logGroupName' failed to satisfy constraint: Member must not be null",
      );
    return this.group(groupNameOf(reference));
  }
}

/** The group's name out of a name or an ARN, with or without `:*`. */
export function groupNameOf(reference: string): string {
  const arn = parseArn(reference);
  if (arn?.service !== "logs") return reference;
  return arn.resource.replace(/^log-group:/, "").replace(/:.*$/, "");
}
