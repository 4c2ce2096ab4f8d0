import { parseArn } from "../../core/arn";
import type { Bus } from "../../core/bus";
import { AwsError } from "../../core/errors";
import { evaluate } from "../../core/policy-evaluation";
import { readTrustPolicy } from "../../core/policy-kinds";
import type { Scope } from "../../core/service";
import { invalidRequest } from "./errors";

const isTrusted = (trustPolicy: string, scope: Scope, sourceArn: string): boolean =>
  evaluate(readTrustPolicy(trustPolicy), {
    action: "sts:AssumeRole",
    principal: { kind: "Service", name: "iot.amazonaws.com" },
    context: { "aws:SourceArn": [sourceArn], "aws:SourceAccount": [scope.account] },
  }) === "Allow";

/** Why AWS IoT cannot act as a role for one of its resources; undefined where it can. */
async function obstacle(bus: Bus, scope: Scope, sourceArn: string, roleArn: string): Promise<string | undefined> {
  const role = await (await bus.to("iam")).role(roleArn);
  if (!role) return "there is no such role";
  return isTrusted(role.trustPolicy, scope, sourceArn) ? undefined : "its trust policy does not allow it";
}

const words = (roleArn: string, why: string) =>
  `iot.amazonaws.com is unable to perform: sts:AssumeRole on resource: ${roleArn} (${why})`;

/**
 * Refuses a role that AWS IoT cannot act as: it has to be there, in the account, and to trust AWS IoT
 * (https://docs.aws.amazon.com/iot/latest/developerguide/iot-create-role.html). What the role allows is not looked at, as everywhere in the emulator.
 *
 * @param sourceArn what AWS IoT acts for, such as a rule.
 */
export async function checkRole(bus: Bus, scope: Scope, sourceArn: string, roleArn: string): Promise<void> {
  const arn = parseArn(roleArn);
  if (arn?.service !== "iam" || !arn.resource.startsWith("role/")) throw invalidRequest(`Invalid role ARN: ${roleArn}`);
  if (arn.account !== scope.account) throw invalidRequest(`Cross-account pass role is not allowed: ${roleArn}`);
  const why = await obstacle(bus, scope, sourceArn, roleArn);
  if (why !== undefined) throw invalidRequest(words(roleArn, why));
}

/** Acts as a role again and again: looks at its trust policy only when that has changed. */
export class AssumedRole {
  private trusted?: string;

  constructor(
    private readonly bus: Bus,
    private readonly scope: Scope,
    private readonly sourceArn: string,
    private readonly arn: string,
  ) {}

  /** @throws AccessDenied when the role has gone, or trusts AWS IoT no more. */
  async assume(): Promise<void> {
    const iam = this.bus.ready("iam") ?? (await this.bus.to("iam"));
    const trustPolicy = (await iam.role(this.arn))?.trustPolicy;
    if (trustPolicy !== undefined && trustPolicy === this.trusted) return;
    const why = await obstacle(this.bus, this.scope, this.sourceArn, this.arn);
    if (why !== undefined) throw new AwsError("AccessDenied", words(this.arn, why), 403);
    this.trusted = trustPolicy;
  }
}
