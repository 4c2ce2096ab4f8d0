import { parseArn } from "../../../core/arn";
import type { Bus } from "../../../core/bus";
import { evaluate } from "../../../core/policy-evaluation";
import { readTrustPolicy } from "../../../core/policy-kinds";
import type { Scope } from "../../../core/service";
import { invalidRequest } from "../errors";

/**
 * Refuses a role that a rule cannot act as: it has to be there, in the rule's account, and to trust AWS IoT
 * (https://docs.aws.amazon.com/iot/latest/developerguide/iot-create-role.html). What the role allows is not looked at, as everywhere in the emulator.
 */
export async function checkRole(bus: Bus, scope: Scope, ruleArn: string, roleArn: string): Promise<void> {
  const arn = parseArn(roleArn);
  if (arn?.service !== "iam" || !arn.resource.startsWith("role/")) throw invalidRequest(`Invalid role ARN: ${roleArn}`);
  if (arn.account !== scope.account) throw invalidRequest(`Cross-account pass role is not allowed: ${roleArn}`);
  const role = await (await bus.to("iam")).role(roleArn);
  const answer =
    role &&
    evaluate(readTrustPolicy(role.trustPolicy), {
      action: "sts:AssumeRole",
      principal: { kind: "Service", name: "iot.amazonaws.com" },
      context: { "aws:SourceArn": [ruleArn], "aws:SourceAccount": [scope.account] },
    });
  if (answer !== "Allow")
    throw invalidRequest(
      `iot.amazonaws.com is unable to perform: sts:AssumeRole on resource: ${roleArn} (${
        role ? "its trust policy does not allow it" : "there is no such role"
      })`,
    );
}
