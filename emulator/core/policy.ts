/** Who a statement speaks of, by kind; `"*"` in the document becomes `{ AWS: ["*"] }`. */
export type Principals = Readonly<
  Partial<Record<"AWS" | "Service" | "Federated" | "CanonicalUser", readonly string[]>>
>;

/** One test of a statement: `operator` on `key` against `values`. */
export interface Condition {
  /** Without qualifier and `IfExists`, for example `StringLike`. */
  readonly operator: string;
  readonly qualifier?: "ForAnyValue" | "ForAllValues";
  readonly ifExists: boolean;
  /** As written; keys are compared without regard to case. */
  readonly key: string;
  readonly values: readonly string[];
}

export interface Statement {
  readonly sid?: string;
  readonly effect: "Allow" | "Deny";
  readonly principals?: Principals;
  readonly notPrincipals?: Principals;
  readonly actions?: readonly string[];
  readonly notActions?: readonly string[];
  readonly resources?: readonly string[];
  readonly notResources?: readonly string[];
  readonly conditions: readonly Condition[];
}

/** A policy document with everything that JSON allows to write in two ways brought to one. */
export interface PolicyDocument {
  readonly version: "2012-10-17" | "2008-10-17";
  readonly id?: string;
  readonly statements: readonly Statement[];
}

/** The document is no policy; the message is IAM's. Services turn it into their own MalformedPolicy error. */
export class PolicySyntaxError extends Error {}

/** What one kind of policy wants said where the shared grammar is broken. */
export interface GrammarMessages {
  readonly json: string;
  readonly syntax: string;
  readonly version: string;
  readonly noStatement: string;
  readonly noEffect: string;
  readonly effect: (effect: string) => string;
  readonly duplicateSid: string;
}

const operators =
  /^(?:String(?:Not)?(?:Equals(?:IgnoreCase)?|Like)|Numeric(?:(?:Not)?Equals|(?:Less|Greater)Than(?:Equals)?)|Date(?:(?:Not)?Equals|(?:Less|Greater)Than(?:Equals)?)|Bool|BinaryEquals|(?:Not)?IpAddress|Arn(?:Not)?(?:Equals|Like)|Null)$/;
const statementMembers = new Set([
  "Sid",
  "Effect",
  "Principal",
  "NotPrincipal",
  "Action",
  "NotAction",
  "Resource",
  "NotResource",
  "Condition",
]);

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function texts(value: unknown, fail: string, scalar = false): string[] {
  return (Array.isArray(value) ? value : [value]).map((item) => {
    if (typeof item === "string") return item;
    if (scalar && (typeof item === "boolean" || typeof item === "number")) return String(item);
    throw new PolicySyntaxError(fail);
  });
}

function readConditions(value: unknown, fail: string): Condition[] {
  if (value === undefined) return [];
  if (!isObject(value)) throw new PolicySyntaxError(fail);
  return Object.entries(value).flatMap(([name, tests]) => {
    if (!isObject(tests)) throw new PolicySyntaxError(fail);
    const [, qualifier, base, suffix] = /^(?:(ForAnyValue|ForAllValues):)?(.*?)(IfExists)?$/.exec(name)!;
    if (!operators.test(base!) && Object.keys(tests).length) throw new PolicySyntaxError(fail);
    return Object.entries(tests).map(([key, values]) => ({
      operator: base!,
      qualifier: qualifier as Condition["qualifier"],
      ifExists: !!suffix,
      key,
      values: texts(values, fail, true),
    }));
  });
}

function readPrincipals(value: unknown, fail: string): Principals | undefined {
  if (value === undefined) return undefined;
  if (value === "*") return { AWS: ["*"] };
  if (!isObject(value)) throw new PolicySyntaxError(fail);
  return Object.fromEntries(Object.entries(value).map(([kind, names]) => [kind, texts(names, fail)]));
}

function readStatement(value: unknown, messages: GrammarMessages): Statement {
  if (!isObject(value)) throw new PolicySyntaxError(messages.syntax);
  if (Object.keys(value).some((name) => !statementMembers.has(name))) throw new PolicySyntaxError(messages.syntax);
  for (const name of ["Action", "Resource", "Principal"]) {
    if (name in value && `Not${name}` in value) throw new PolicySyntaxError(messages.syntax);
  }
  const { Sid: sid, Effect: effect } = value;
  if (sid !== undefined && typeof sid !== "string") throw new PolicySyntaxError(messages.syntax);
  if (effect === undefined) throw new PolicySyntaxError(messages.noEffect);
  if (effect !== "Allow" && effect !== "Deny") throw new PolicySyntaxError(messages.effect(String(effect)));
  const list = (name: string) => (name in value ? texts(value[name], messages.syntax) : undefined);
  return {
    sid: sid || undefined,
    effect,
    principals: readPrincipals(value.Principal, messages.syntax),
    notPrincipals: readPrincipals(value.NotPrincipal, messages.syntax),
    actions: list("Action"),
    notActions: list("NotAction"),
    resources: list("Resource"),
    notResources: list("NotResource"),
    conditions: readConditions(value.Condition, messages.syntax),
  };
}

/**
 * Reads the grammar that all policies share
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html). What only one kind of policy wants
 * (no principal, no resource ...) is checked in `policy-kinds.ts`.
 *
 * @throws PolicySyntaxError
 */
export function readPolicy(text: string, messages: GrammarMessages): PolicyDocument {
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch {
    throw new PolicySyntaxError(messages.json);
  }
  if (!isObject(root)) throw new PolicySyntaxError(messages.json);
  if (Object.keys(root).some((name) => !["Version", "Id", "Statement"].includes(name))) {
    throw new PolicySyntaxError(messages.syntax);
  }
  const { Version: version = "2008-10-17", Id: id, Statement: statement } = root;
  if (version !== "2012-10-17" && version !== "2008-10-17") throw new PolicySyntaxError(messages.version);
  if (id !== undefined && typeof id !== "string") throw new PolicySyntaxError(messages.syntax);
  const list = Array.isArray(statement) ? statement : statement === undefined ? [] : [statement];
  if (!list.length) throw new PolicySyntaxError(messages.noStatement);
  const statements = list.map((one) => readStatement(one, messages));
  const sids = statements.flatMap(({ sid }) => sid ?? []);
  if (new Set(sids).size < sids.length) throw new PolicySyntaxError(messages.duplicateSid);
  return { version, id, statements };
}

/** A document's size as IAM counts it against its quotas: without white space. */
export const policySize = (text: string): number => text.replace(/\s/g, "").length;
