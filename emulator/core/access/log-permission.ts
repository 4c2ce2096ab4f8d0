import { formatArn } from "../arn";
import type { Bus } from "../bus";
import type { Scope } from "../service";
import type { Access } from "./access";
import { type ActingService, sessionOf } from "./authorizer";
import type { Denial } from "./denial";

/** What it takes to write to a log stream: to make its group where that is missing, to make it, and to put events. */
export function logWriting({ region, account }: Scope, group: string, stream: string, hasGroup: boolean): Access[] {
  const arn = (name: string) => formatArn("logs", region, account, `log-group:${group}:log-stream:${name}`);
  return [
    // That of a group has the name of no stream at its end, so that `log-group:name:*` allows it, too.
    ...(hasGroup ? [] : [{ action: "logs:CreateLogGroup", resource: arn("") }]),
    { action: "logs:CreateLogStream", resource: arn(stream) },
    { action: "logs:PutLogEvents", resource: arn(stream) },
  ];
}

/**
 * Whether a service may write to a log stream as a role. IAM is asked anew only after it has changed, and a refusal is
 * listed once, not for each line.
 */
export class LogPermission {
  private decided?: string;
  private denial?: Denial;

  constructor(
    private readonly bus: Bus,
    private readonly acting: ActingService,
    private readonly scope: Scope,
    private readonly group: string,
    private readonly stream: string,
  ) {}

  get granted(): boolean {
    const { bus, scope, group } = this;
    if (!bus.access.enforced) return true;
    const hasGroup = bus.ready("logs")?.hasGroup(scope, group) ?? false;
    const facts = `${bus.ready("iam")?.changes()} ${hasGroup}`;
    if (facts !== this.decided) {
      this.decided = facts;
      this.denial = this.ask(hasGroup);
    }
    return !this.denial;
  }

  private ask(hasGroup: boolean): Denial | undefined {
    const { acting, scope, group, stream, denial: before } = this;
    const { access } = this.bus;
    const denial = access.checkTrust(acting, before);
    if (denial) return denial;
    const session = sessionOf(acting);
    for (const needed of logWriting(scope, group, stream, hasGroup)) {
      const denial = access.checkCaller(session, needed, before);
      if (denial) return denial;
    }
    return undefined;
  }
}
