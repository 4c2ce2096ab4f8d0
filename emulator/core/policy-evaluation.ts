import type { PolicyDocument, Principals, Statement } from "./policy";
import { holds } from "./policy-conditions";
import { fill, matches, resourceMatches, type Values } from "./policy-patterns";

/** Who asks, as policies see them. */
export interface Principal {
  readonly kind: "AWS" | "Service" | "Federated";
  /** An ARN, or a service name such as `lambda.amazonaws.com`. */
  readonly name: string;
  /** The account of an AWS principal. */
  readonly account?: string;
  /** The role behind an assumed-role session: statements that name the role speak of its sessions too. */
  readonly roleArn?: string;
  /** Whether the role or user has a permissions boundary. */
  readonly isBounded?: boolean;
  /** Where a service acts: `logs.eu-west-1.amazonaws.com` in a policy means `logs.amazonaws.com` there. */
  readonly region?: string;
}

/** One question to a policy. */
export interface PolicyRequest {
  /** For example `sts:AssumeRole`. */
  readonly action: string;
  /** Left out for trust policies, which belong to one role. */
  readonly resource?: string;
  /** Left out for identity policies, which belong to their principal. */
  readonly principal?: Principal;
  /** Condition keys with their values, for example `{ "sts:ExternalId": ["4711"] }`; or what makes them when they are asked for. */
  readonly context?: ContextKeys | (() => ContextKeys);
  /** What policy variables stand for, where that is less than the context. */
  readonly variables?: ContextKeys;
}

/** Condition keys with their values. */
export type ContextKeys = Readonly<Record<string, readonly string[]>>;

/** Finds values without regard to case. Most statements ask for none, so the keys are not looked through before one does. */
function lookup(context: PolicyRequest["context"] = {}): Values {
  let known: Map<string, readonly string[]> | undefined;
  return (key) => {
    known ??= new Map(
      Object.entries(typeof context === "function" ? context() : context).map(([name, values]) => [
        name.toLowerCase(),
        values,
      ]),
    );
    return known.get(key.toLowerCase());
  };
}

/** The names that a statement may use for a principal: of its account, of its role, and its own. */
function namesOf({ account, roleArn, name }: Principal): (readonly string[])[] {
  return [
    ...(account === undefined ? [] : [[account, `arn:aws:iam::${account}:root`]]),
    ...(roleArn === undefined ? [] : [[roleArn]]),
    [name],
  ];
}

function isNamed(listed: Principals, principal: Principal): boolean {
  const names = listed[principal.kind] ?? [];
  if (listed.AWS?.includes("*")) return true;
  if (principal.kind !== "AWS") {
    const { name, region } = principal;
    return names.includes(name) || (!!region && names.includes(name.replace(/\.amazonaws\.com$/, `.${region}$&`)));
  }
  return names.length > 0 && namesOf(principal).some((forms) => forms.some((form) => names.includes(form)));
}

/**
 * Whether NotPrincipal leaves somebody out of a Deny: account, role and session have to be listed, each. Whoever has a
 * permissions boundary is never left out
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html).
 */
function isSpared(listed: Principals, principal: Principal): boolean {
  if (principal.isBounded) return false;
  if (principal.kind !== "AWS" || listed.AWS?.includes("*")) return isNamed(listed, principal);
  return namesOf(principal).every((forms) => forms.some((form) => listed.AWS?.includes(form)));
}

function speaksOf({ effect, principals, notPrincipals }: Statement, principal: Principal): boolean {
  if (principals) return isNamed(principals, principal);
  // A policy of a resource that names nobody speaks of nobody.
  if (!notPrincipals) return false;
  return effect === "Deny" ? !isSpared(notPrincipals, principal) : !isNamed(notPrincipals, principal);
}

function applies(statement: Statement, request: PolicyRequest, values: Values, variables: Values | undefined): boolean {
  const { principal, action, resource } = request;
  if (principal && !speaksOf(statement, principal)) return false;
  const isAction = (pattern: string) => matches(pattern, action, true);
  if (statement.actions && !statement.actions.some(isAction)) return false;
  if (statement.notActions?.some(isAction)) return false;
  if (resource !== undefined) {
    const isResource = (written: string) => {
      const pattern = variables ? fill(written, variables, true) : written;
      return pattern !== undefined && resourceMatches(pattern, resource);
    };
    if (statement.resources && !statement.resources.some(isResource)) return false;
    if (statement.notResources?.some(isResource)) return false;
  }
  return statement.conditions.every((condition) => holds(condition, values, variables));
}

/**
 * What one policy says to a request: a matching Deny wins over a matching Allow; undefined when no statement matches.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
export function evaluate(policy: PolicyDocument, request: PolicyRequest): "Allow" | "Deny" | undefined {
  const values = lookup(request.context);
  // The first version of the language has no variables: `${aws:username}` stands for itself there.
  const own = policy.version === "2012-10-17";
  const variables = own ? (request.variables ? lookup(request.variables) : values) : undefined;
  let answer: "Allow" | undefined;
  for (const statement of policy.statements) {
    if (statement.effect === "Allow" && answer) continue;
    if (!applies(statement, request, values, variables)) continue;
    if (statement.effect === "Deny") return "Deny";
    answer = "Allow";
  }
  return answer;
}
