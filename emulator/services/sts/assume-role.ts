import type { AssumeRoleCommandInput, AssumeRoleCommandOutput } from "@aws-sdk/client-sts";
import { parseArn } from "../../core/arn";
import { checkConstraints } from "../../core/constraint";
import { PolicySyntaxError, policySize } from "../../core/policy";
import { evaluate } from "../../core/policy-evaluation";
import { readIdentityPolicy, readTrustPolicy } from "../../core/policy-kinds";
import type { Context, Host } from "../../core/service";
import { accessDenied, malformedPolicy, packedPolicyTooLarge, validationError } from "./errors";
import type { Identity, Sessions } from "./sessions";

const names = /^[\w+=,.@-]*$/;

function check(input: AssumeRoleCommandInput): void {
  checkConstraints("ValidationError", {
    roleArn: [input.RoleArn, { required: true, length: [20, 2048] }],
    roleSessionName: [input.RoleSessionName, { required: true, length: [2, 64], pattern: names }],
    durationSeconds: [input.DurationSeconds, { range: [900, 43_200] }],
    externalId: [input.ExternalId, { length: [2, 1224], pattern: /^[\w+=,.@:/-]*$/ }],
    sourceIdentity: [input.SourceIdentity, { length: [2, 64], pattern: names }],
    policy: [input.Policy, { length: [1, 2048] }],
    tags: [input.Tags, { length: [0, 50] }],
    policyArns: [input.PolicyArns, { length: [0, 10] }],
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

/** What the role's trust policy is asked: may this caller assume it, with tags and a source identity where given? */
function trusts(trustPolicy: string, caller: Identity, input: AssumeRoleCommandInput, sourceIp: string): boolean {
  const policy = readTrustPolicy(trustPolicy);
  const context: Record<string, string[]> = {
    "aws:PrincipalArn": [caller.roleArn ?? caller.arn],
    "aws:PrincipalAccount": [caller.account],
    "aws:SourceIp": [sourceIp],
    "sts:RoleSessionName": [input.RoleSessionName!],
    "aws:TagKeys": (input.Tags ?? []).map(({ Key }) => Key!),
  };
  if (input.ExternalId !== undefined) context["sts:ExternalId"] = [input.ExternalId];
  if (input.SourceIdentity !== undefined) context["sts:SourceIdentity"] = [input.SourceIdentity];
  for (const { Key, Value } of input.Tags ?? []) context[`aws:RequestTag/${Key}`] = [Value!];
  const actions = [
    "sts:AssumeRole",
    ...(input.Tags?.length ? ["sts:TagSession"] : []),
    ...(input.SourceIdentity ? ["sts:SetSourceIdentity"] : []),
  ];
  const principal = { kind: "AWS", name: caller.arn, account: caller.account, roleArn: caller.roleArn } as const;
  return actions.every((action) => evaluate(policy, { action, principal, context }) === "Allow");
}

/**
 * AssumeRole: checks the role's trust policy with its conditions.
 * Not emulated: MFA, and the caller's own policies, as for all services.
 */
export async function assumeRole(
  host: Host,
  sessions: Sessions,
  input: AssumeRoleCommandInput,
  context: Context,
): Promise<Omit<AssumeRoleCommandOutput, "$metadata">> {
  check(input);
  const caller = await sessions.identify(context.caller);
  const role = await (await host.bus.to("iam")).role(input.RoleArn!);
  // AWS does not tell a role that is not there from one that the caller may not assume.
  if (!role || !trusts(role.trustPolicy, caller, input, context.http.sourceIp)) {
    throw accessDenied(caller.arn, "sts:AssumeRole", input.RoleArn!);
  }
  const seconds = input.DurationSeconds ?? 3600;
  if (caller.roleArn && seconds > 3600) {
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
      policy: input.Policy,
      policyArns: input.PolicyArns?.map(({ arn }) => arn!),
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

/** Who a session of a role is. */
export function roleSession(role: { arn: string; id: string; name: string }, sessionName: string) {
  const { account } = parseArn(role.arn)!;
  return {
    account,
    arn: `arn:aws:sts::${account}:assumed-role/${role.name}/${sessionName}`,
    userId: `${role.id}:${sessionName}`,
    roleArn: role.arn,
  };
}
