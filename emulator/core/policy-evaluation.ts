import { parseArn } from "./arn";
import type { Condition, PolicyDocument, Principals, Statement } from "./policy";

/** Who asks, as policies see them. */
export interface Principal {
  readonly kind: "AWS" | "Service" | "Federated";
  /** An ARN, or a service name such as `lambda.amazonaws.com`. */
  readonly name: string;
  /** The account of an AWS principal. */
  readonly account?: string;
  /** The role behind an assumed-role session: statements that name the role speak of its sessions too. */
  readonly roleArn?: string;
}

/** One question to a policy. */
export interface PolicyRequest {
  /** For example `sts:AssumeRole`. */
  readonly action: string;
  /** Left out for trust policies, which belong to one role. */
  readonly resource?: string;
  /** Left out for identity policies, which belong to their principal. */
  readonly principal?: Principal;
  /** Condition keys with their values, for example `{ "sts:ExternalId": ["4711"] }`. */
  readonly context?: Readonly<Record<string, readonly string[]>>;
  /** What policy variables stand for, where that is less than the context. */
  readonly variables?: Readonly<Record<string, readonly string[]>>;
}

const literal = (text: string) => text.replace(/[.+^${}()|[\]\\]/g, "\\$&");

/** Whether `text` matches a pattern with `*` and `?`. */
export function matches(pattern: string, text: string, ignoreCase = false): boolean {
  if (pattern === "*") return true;
  const source = literal(pattern).replace(/\*/g, "[\\s\\S]*").replace(/\?/g, "[\\s\\S]");
  return new RegExp(`^${source}$`, ignoreCase ? "i" : "").test(text);
}

/** ARNs match part by part: a `*` does not reach over a colon, except in the resource. */
function arnMatches(pattern: string, text: string): boolean {
  const [wanted, given] = [parseArn(pattern), parseArn(text)];
  if (!wanted || !given) return matches(pattern, text);
  return (["partition", "service", "region", "account", "resource"] as const).every((part) =>
    matches(wanted[part], given[part]),
  );
}

function bits(address: string): { value: bigint; width: number } | undefined {
  if (/^\d+(\.\d+){3}$/.test(address)) {
    return { value: address.split(".").reduce((sum, part) => sum * 256n + BigInt(part), 0n), width: 32 };
  }
  if (!/^[0-9a-f:]+$/i.test(address) || !address.includes(":")) return undefined;
  const [head = "", tail] = address.split("::");
  const groups = (part: string) => (part ? part.split(":") : []);
  const [front, back] = [groups(head), groups(tail ?? "")];
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - front.length - back.length)).fill("0");
  const all = [...front, ...zeros, ...back];
  return { value: all.reduce((sum, part) => sum * 65536n + BigInt(`0x${part || "0"}`), 0n), width: 128 };
}

function inRange(range: string, address: string): boolean {
  const [base = "", size] = range.split("/");
  const [wanted, given] = [bits(base), bits(address)];
  if (!wanted || !given || wanted.width !== given.width) return false;
  const shift = BigInt(Math.max(0, wanted.width - Number(size ?? wanted.width)));
  return wanted.value >> shift === given.value >> shift;
}

const date = (text: string) => (/^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text));

/** Each operator without its negation: does the request's value satisfy the policy's? */
const tests: Record<string, (wanted: string, given: string) => boolean> = {
  StringEquals: (wanted, given) => wanted === given,
  StringEqualsIgnoreCase: (wanted, given) => wanted.toLowerCase() === given.toLowerCase(),
  StringLike: (wanted, given) => matches(wanted, given),
  NumericEquals: (wanted, given) => Number(given) === Number(wanted),
  NumericLessThan: (wanted, given) => Number(given) < Number(wanted),
  NumericLessThanEquals: (wanted, given) => Number(given) <= Number(wanted),
  NumericGreaterThan: (wanted, given) => Number(given) > Number(wanted),
  NumericGreaterThanEquals: (wanted, given) => Number(given) >= Number(wanted),
  DateEquals: (wanted, given) => date(given) === date(wanted),
  DateLessThan: (wanted, given) => date(given) < date(wanted),
  DateLessThanEquals: (wanted, given) => date(given) <= date(wanted),
  DateGreaterThan: (wanted, given) => date(given) > date(wanted),
  DateGreaterThanEquals: (wanted, given) => date(given) >= date(wanted),
  Bool: (wanted, given) => wanted.toLowerCase() === given.toLowerCase(),
  BinaryEquals: (wanted, given) => wanted === given,
  IpAddress: inRange,
  // ArnEquals and ArnLike behave the same (IAM user guide: condition operators).
  ArnEquals: arnMatches,
  ArnLike: arnMatches,
};

type Values = (key: string) => readonly string[] | undefined;

function lookup(context: PolicyRequest["context"] = {}): Values {
  const known = new Map(Object.entries(context).map(([key, values]) => [key.toLowerCase(), values]));
  return (key) => known.get(key.toLowerCase());
}

/** Replaces policy variables such as `${aws:username}`; an unknown one leaves text that matches nothing real. */
const fill = (text: string, values: Values) =>
  text.replace(/\$\{([^}]+)\}/g, (whole, key: string) => (/^[*?$]$/.test(key) ? key : (values(key)?.[0] ?? whole)));

function holds(
  { operator, qualifier, ifExists, key, values: written }: Condition,
  values: Values,
  variables: Values,
): boolean {
  const given = values(key);
  const wanted = written.map((text) => fill(text, variables));
  if (operator === "Null") return wanted.some((text) => (text.toLowerCase() === "true") === !given?.length);
  const negated = /^(String|Numeric|Date|Arn)Not|^NotIp/.test(operator);
  if (!given?.length) return ifExists || negated || qualifier === "ForAllValues";
  const test = tests[operator.replace("Not", "")];
  if (!test) return false;
  const one = (value: string) => wanted.some((text) => test(text, value)) !== negated;
  return qualifier === "ForAllValues" ? given.every(one) : given.some(one);
}

function names(principals: Principals, principal: Principal): boolean {
  const listed = principals[principal.kind] ?? [];
  if (principal.kind !== "AWS") return listed.includes(principal.name) || !!principals.AWS?.includes("*");
  return listed.some(
    (name) =>
      name === "*" ||
      name === principal.name ||
      name === principal.roleArn ||
      name === principal.account ||
      name === `arn:aws:iam::${principal.account}:root`,
  );
}

function applies(statement: Statement, request: PolicyRequest, values: Values, variables: Values): boolean {
  const action = (pattern: string) => matches(pattern, request.action, true);
  const resource = (pattern: string) => arnMatches(fill(pattern, variables), request.resource ?? "");
  if (request.principal) {
    if (statement.principals && !names(statement.principals, request.principal)) return false;
    if (statement.notPrincipals && names(statement.notPrincipals, request.principal)) return false;
  }
  if (statement.actions && !statement.actions.some(action)) return false;
  if (statement.notActions?.some(action)) return false;
  if (request.resource !== undefined) {
    if (statement.resources && !statement.resources.some(resource)) return false;
    if (statement.notResources?.some(resource)) return false;
  }
  return statement.conditions.every((condition) => holds(condition, values, variables));
}

/**
 * What one policy says to a request: a matching Deny wins over a matching Allow; undefined when no statement matches.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
export function evaluate(policy: PolicyDocument, request: PolicyRequest): "Allow" | "Deny" | undefined {
  const values = lookup(request.context);
  const variables = request.variables ? lookup(request.variables) : values;
  let answer: "Allow" | undefined;
  for (const statement of policy.statements) {
    if (statement.effect === "Allow" && answer) continue;
    if (!applies(statement, request, values, variables)) continue;
    if (statement.effect === "Deny") return "Deny";
    answer = "Allow";
  }
  return answer;
}
