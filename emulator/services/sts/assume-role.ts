import type { AssumeRoleCommandInput, AssumeRoleCommandOutput } from "@aws-sdk/client-sts";
import type { Identity } from "../../core/access/identity";
import { parseArn } from "../../core/arn";
import type { Ports } from "../../core/bus";
import { checkConstraints } from "../../core/constraint";
import { endsOf, limits } from "../../core/limits";
import { type PolicyDocument, PolicySyntaxError, policySize } from "../../core/policy";
import { readIdentityPolicy } from "../../core/policy-kinds";
import type { Context, Host } from "../../core/service";
import { accessDenied, malformedPolicy, packedPolicyTooLarge, validationError } from "./errors";
import type { Sessions } from "./sessions";

const names = /^[\w+=,.@-]*$/;

function check(input: AssumeRoleCommandInput): void {
  checkConstraints("ValidationError", {
    roleArn: [input.RoleArn, { required: true, length: [20, 2048] }],
    roleSessionName: [input.RoleSessionName, { required: true, length: [2, 64], pattern: names }],
    durationSeconds: [input.DurationSeconds, { range: endsOf(limits.sts.roleSession) }],
    externalId: [input.ExternalId, { length: [2, 1224], pattern: /^[\w+=,.@:/-]*$/ }],
    sourceIdentity: [input.SourceIdentity, { length: [2, 64], pattern: names }],
    policy: [input.Policy, { length: [1, limits.sts.policy.value] }],
    tags: [input.Tags, { length: [0, 50] }],
    policyArns: [input.PolicyArns, { length: [0, limits.sts.policies.value] }],
  });
  const arn = parseArn(input.RoleArn!);
  if (arn?.service !== "iam" || !/^role\/./.test(arn.resource)) throw validationError(`${input.RoleArn} is invalid`);
  if (input.Policy === undefined) return;
  try {
    readIdentityPolicy(input.Policy);
  } catch (error) {
    throw error instanceof PolicySyntaxError ? malformedPolicy(error.message) : error;
  }
}

/**
 * How much of a session's room policies and tags take, in percent; undefined when there are none.
 * AWS packs them in a binary format of its own, so its number differs.
 */
function packedSize({ Policy: policy, PolicyArns: arns = [], Tags: tags = [] }: AssumeRoleCommandInput) {
  if (!policy && !arns.length && !tags.length) return undefined;
  const texts = [...arns.map(({ arn }) => arn ?? ""), ...tags.map(({ Key, Value }) => `${Key}${Value}`)];
  const percent = Math.ceil((policySize(policy ?? "") + texts.join("").length) / 40.96);
  if (percent > 100) throw packedPolicyTooLarge(percent);
  return percent;
}

/** AssumeRole. What the role's trust policy and the caller's own say has been asked before (access.ts). Not emulated: MFA. */
export async function assumeRole(
  host: Host,
  sessions: Sessions,
  input: AssumeRoleCommandInput,
  context: Context,
): Promise<Omit<AssumeRoleCommandOutput, "$metadata">> {
  check(input);
  const { identity } = context;
  const iam = await host.bus.to("iam");
  const role = await iam.role(input.RoleArn!);
  // AWS does not tell a role that is not there from one that the caller may not assume.
  if (!role) throw accessDenied(identity.arn, "sts:AssumeRole", input.RoleArn!);
  const seconds = input.DurationSeconds ?? 3600;
  if (identity.roleArn && seconds > limits.sts.chainedSession.value) {
    throw validationError(
      "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
    );
  }
  if (seconds > role.maxSessionSeconds) {
    throw validationError("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
  }
  const packed = packedSize(input);
  const session = sessions.make(
    {
      ...roleSession(role, input.RoleSessionName!),
      sessionPolicies: [
        ...(input.Policy ? [readIdentityPolicy(input.Policy)] : []),
        ...(input.PolicyArns ?? []).map(({ arn = "" }) => managed(iam, arn, role.arn)),
      ],
      tags: input.Tags && Object.fromEntries(input.Tags.map(({ Key, Value }) => [Key!, Value!])),
      sourceIdentity: input.SourceIdentity,
    },
    seconds,
  );
  return {
    Credentials: {
      AccessKeyId: session.accessKeyId,
      SecretAccessKey: session.secretAccessKey,
      SessionToken: session.sessionToken,
      Expiration: new Date(session.expiration),
    },
    AssumedRoleUser: { AssumedRoleId: session.userId, Arn: session.arn },
    PackedPolicySize: packed,
    SourceIdentity: input.SourceIdentity,
  };
}

/** A managed policy that narrows a session: AWS's own, or one of the role's account. */
function managed(iam: Ports["iam"], arn: string, roleArn: string): PolicyDocument {
  const owner = parseArn(arn)?.account;
  const found = owner === "aws" || owner === parseArn(roleArn)?.account ? iam.managedPolicy(arn) : undefined;
  if (!found) throw malformedPolicy(`Policy ${arn} does not exist or is not attachable.`);
  return found;
}

/** Who a session of a role is. */
export function roleSession(role: { arn: string; id: string; name: string }, sessionName: string): Identity {
  const { account } = parseArn(role.arn)!;
  return {
    type: "AssumedRole",
    account,
    arn: `arn:aws:sts::${account}:assumed-role/${role.name}/${sessionName}`,
    userId: `${role.id}:${sessionName}`,
    roleArn: role.arn,
  };
}
