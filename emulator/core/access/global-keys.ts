import { parseArn } from "../arn";
import type { Context } from "../service";
import type { Access } from "./access";
import type { IdentityPolicies } from "./decide";
import { type Identity, ownerArn } from "./identity";

/** What is known of the request that something is done by. */
export interface RequestFacts {
  readonly region?: string;
  readonly sourceIp?: string;
  readonly userAgent?: string;
  readonly referer?: string;
  /** The resource that a service acts for. */
  readonly sourceArn?: string;
}

/** What a call tells of itself. */
export const factsOf = ({ region, http }: Pick<Context, "region" | "http">): RequestFacts => ({
  region,
  sourceIp: http.sourceIp,
  userAgent: http.headers["user-agent"],
  referer: http.headers.referer,
});

type Keys = Record<string, readonly string[]>;

/**
 * The condition keys that every service has
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html), with those of the access.
 * There is no TLS here: requests count as if they came by it. Not emulated: organizations and VPCs, whose keys are
 * missing, and MFA, which nobody has.
 */
export function globalKeys(
  identity: Identity,
  own: IdentityPolicies | undefined,
  access: Access,
  facts: RequestFacts,
  now: number,
): Keys {
  const keys: Keys = {
    "aws:PrincipalArn": [ownerArn(identity)],
    "aws:PrincipalAccount": [identity.account],
    "aws:PrincipalType": [identity.type],
    "aws:PrincipalIsAWSService": ["false"],
    "aws:ViaAWSService": ["false"],
    "aws:userid": [identity.userId],
    "aws:SecureTransport": ["true"],
    "aws:CurrentTime": [new Date(now).toISOString()],
    "aws:EpochTime": [String(Math.floor(now / 1000))],
  };
  if (identity.userName !== undefined) keys["aws:username"] = [identity.userName];
  if (identity.sourceIdentity !== undefined) keys["aws:SourceIdentity"] = [identity.sourceIdentity];
  if (identity.issuedAt !== undefined) {
    keys["aws:TokenIssueTime"] = [new Date(identity.issuedAt).toISOString()];
    // Known of temporary credentials only.
    keys["aws:MultiFactorAuthPresent"] = ["false"];
  }
  for (const [key, value] of own?.tags ?? []) keys[`aws:PrincipalTag/${key}`] = [value];
  for (const [key, value] of Object.entries(identity.tags ?? {})) keys[`aws:PrincipalTag/${key}`] = [value];
  const owner = access.resource === "*" ? identity.account : (access.owner ?? parseArn(access.resource)?.account);
  if (owner) keys["aws:ResourceAccount"] = [owner];
  if (facts.region !== undefined) keys["aws:RequestedRegion"] = [isGlobal(access) ? "us-east-1" : facts.region];
  if (facts.sourceIp !== undefined) keys["aws:SourceIp"] = [facts.sourceIp.replace(/^::ffff:/, "")];
  if (facts.userAgent !== undefined) keys["aws:UserAgent"] = [facts.userAgent];
  if (facts.referer !== undefined) keys["aws:Referer"] = [facts.referer];
  if (facts.sourceArn !== undefined) keys["aws:SourceArn"] = [facts.sourceArn];
  for (const [key, values] of Object.entries(access.conditions ?? {})) if (values !== undefined) keys[key] = values;
  return keys;
}

/** Whether a call goes to IAM, which is in one region only; roles are handed on in calls to others. */
const isGlobal = ({ action }: Access) => action.startsWith("iam:") && action !== "iam:PassRole";
