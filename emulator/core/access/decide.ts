import { parseArn } from "../arn";
import type { PolicyDocument } from "../policy";
import { evaluate, type PolicyRequest, type Principal } from "../policy-evaluation";
import type { ServiceCaller } from "../service-caller";
import type { Access } from "./access";
import type { Identity } from "./identity";

/** The policies that hang on an identity. */
export interface IdentityPolicies {
  /** Inline, attached, and those of its groups. */
  readonly policies: readonly PolicyDocument[];
  readonly boundary?: PolicyDocument;
  readonly tags: Iterable<readonly [key: string, value: string]>;
}

/** A kind of policy, as denials name it. */
export type PolicyKind = "identity-based policy" | "resource-based policy" | "permissions boundary" | "session policy";

/** Why something is not allowed. */
export interface Refusal {
  /** Whether a Deny statement says so; else nothing allows it. */
  readonly explicit: boolean;
  readonly by: PolicyKind;
}

type Facts = PolicyRequest["context"];

/** What a set of policies of one kind says: a Deny of one wins over an Allow of another. */
function ask(policies: readonly PolicyDocument[], request: PolicyRequest) {
  let answer: "Allow" | undefined;
  for (const policy of policies) {
    const said = evaluate(policy, request);
    if (said === "Deny") return said;
    answer ??= said;
  }
  return answer;
}

/** What the policy of a resource says of a caller, and how closely it names it. */
function askResource(
  policy: PolicyDocument,
  identity: Identity,
  isBounded: boolean,
  request: Omit<PolicyRequest, "principal">,
) {
  const { arn: name, account, roleArn } = identity;
  const said = evaluate(policy, { ...request, principal: { kind: "AWS", name, account, roleArn, isBounded } });
  if (said !== "Allow") return { said };
  // An account in a policy hands the decision to its administrators; a role, its session or a user is let in itself.
  const allows = { ...policy, statements: policy.statements.filter(({ effect }) => effect === "Allow") };
  const byRole = evaluate(allows, { ...request, principal: { kind: "AWS", name, roleArn } }) === "Allow";
  const itself = byRole && evaluate(allows, { ...request, principal: { kind: "AWS", name } }) === "Allow";
  return { said, byRole, itself };
}

/**
 * Whether an identity may do something; undefined when it may.
 *
 * Within an account a policy of the caller or one of the resource is enough, across accounts both have to allow it, a
 * Deny anywhere wins, and boundaries and session policies only take away
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html).
 *
 * @param own undefined for the root user of an account, who needs no policy.
 */
export function decide(
  identity: Identity,
  own: IdentityPolicies | undefined,
  access: Access,
  resourcePolicy: PolicyDocument | undefined,
  context: Facts,
): Refusal | undefined {
  const request = { action: access.action, resource: access.resource, context };
  const refuse = (by: PolicyKind, explicit = false): Refusal => ({ explicit, by });
  const isBounded = own?.boundary !== undefined;
  const resource = resourcePolicy ? askResource(resourcePolicy, identity, isBounded, request) : { said: undefined };
  if (resource.said === "Deny") return refuse("resource-based policy", true);
  if (identity.type === "Anonymous") return resource.said === "Allow" ? undefined : refuse("resource-based policy");
  const identitySaid = own ? ask(own.policies, request) : identity.type === "Account" ? "Allow" : undefined;
  if (identitySaid === "Deny") return refuse("identity-based policy", true);
  const boundarySaid = own?.boundary ? evaluate(own.boundary, request) : "Allow";
  if (boundarySaid === "Deny") return refuse("permissions boundary", true);
  const sessionSaid = identity.sessionPolicies?.length ? ask(identity.sessionPolicies, request) : "Allow";
  if (sessionSaid === "Deny") return refuse("session policy", true);

  const owner = access.owner ?? parseArn(access.resource)?.account;
  const isForeign = !!owner && /^\d{12}$/.test(owner) && owner !== identity.account;
  const isPassed = isForeign && access.action === "iam:PassRole";
  if (isPassed || ((isForeign || access.policyRequired) && resource.said !== "Allow"))
    return refuse("resource-based policy", isPassed);
  // A user or session that the resource's policy names itself is limited by nothing but Deny statements, a role that it
  // names still by the boundary and the policies of the session.
  if (!isForeign && resource.itself) return undefined;
  if (identitySaid !== "Allow" && (isForeign || !resource.byRole)) return refuse("identity-based policy");
  if (boundarySaid !== "Allow") return refuse("permissions boundary");
  if (sessionSaid !== "Allow") return refuse("session policy");
  return undefined;
}

/** A service principal has no policies of its own: the resource's policy alone decides. */
export function decideForService(
  { principal: name, sourceArn }: Pick<ServiceCaller, "principal" | "sourceArn">,
  access: Access,
  resourcePolicy: PolicyDocument | undefined,
  context: Facts,
): Refusal | undefined {
  const by: Principal = { kind: "Service", name, region: parseArn(sourceArn)?.region };
  const said =
    resourcePolicy &&
    evaluate(resourcePolicy, { action: access.action, resource: access.resource, principal: by, context });
  return said === "Allow" ? undefined : { explicit: said === "Deny", by: "resource-based policy" };
}
