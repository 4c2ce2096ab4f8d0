import { randomBytes } from "node:crypto";
import { type ActingService, sessionOf } from "../../core/access/authorizer";
import type { Identity } from "../../core/access/identity";
import { parseArn } from "../../core/arn";
import type { Bus } from "../../core/bus";
import { AwsError } from "../../core/errors";
import type { Scope } from "../../core/service";
import type { ServiceCaller } from "../../core/service-caller";
import { invalidRequest } from "./errors";

/** Sessions have names such as `5aUMInJH` (https://docs.aws.amazon.com/iot/latest/developerguide/diagnosing-rules.html). */
const actingAs = (roleArn: string, scope: Scope, sourceArn: string): ActingService => ({
  roleArn,
  service: "iot.amazonaws.com",
  sessionName: randomBytes(6).toString("base64url").replace(/[-_]/g, "x"),
  sourceArn,
  sourceAccount: scope.account,
});

/** AWS IoT itself, for a rule: what the policies of functions see. */
export const serviceOf = ({ arn }: { readonly arn: string }, { account }: Scope): ServiceCaller => ({
  principal: "iot.amazonaws.com",
  sourceArn: arn,
  sourceAccount: account,
});

/** Why AWS IoT cannot act as a role, in its words; undefined where it can. */
function obstacle(bus: Bus, acting: ActingService): string | undefined {
  if (!bus.access.checkTrust(acting)) return undefined;
  const { roleArn } = acting;
  const why = bus.ready("iam")?.trustPolicy(roleArn) ? "its trust policy does not allow it" : "there is no such role";
  return `iot.amazonaws.com is unable to perform: sts:AssumeRole on resource: ${roleArn} (${why})`;
}

/**
 * Refuses a role that AWS IoT cannot act as: it has to be there, in the account, and to trust AWS IoT
 * (https://docs.aws.amazon.com/iot/latest/developerguide/iot-create-role.html). What the role allows is asked when it is used.
 *
 * @param sourceArn what AWS IoT acts for, such as a rule.
 */
export function checkRole(bus: Bus, scope: Scope, sourceArn: string, roleArn: string): void {
  const arn = parseArn(roleArn);
  if (arn?.service !== "iam" || !arn.resource.startsWith("role/")) throw invalidRequest(`Invalid role ARN: ${roleArn}`);
  if (arn.account !== scope.account) throw invalidRequest(`Cross-account pass role is not allowed: ${roleArn}`);
  const why = obstacle(bus, actingAs(roleArn, scope, sourceArn));
  if (why !== undefined) throw invalidRequest(why);
}

/** A role that AWS IoT acts as again and again. */
export class AssumedRole {
  readonly acting: ActingService;

  constructor(
    private readonly bus: Bus,
    scope: Scope,
    sourceArn: string,
    roleArn: string,
  ) {
    this.acting = actingAs(roleArn, scope, sourceArn);
  }

  /** @throws AccessDenied when the role has gone, or trusts AWS IoT no more. */
  assume(): Identity {
    const why = obstacle(this.bus, this.acting);
    if (why !== undefined) throw new AwsError("AccessDenied", why, 403);
    return sessionOf(this.acting);
  }
}
