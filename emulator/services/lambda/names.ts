import { parseArn } from "../../core/arn";
import type { Constraint } from "../../core/constraint";
import { checkConstraints } from "../../core/constraint";
import { aliasNotFound, functionNotFound, invalidParameter, notFound } from "./errors";
import type { FunctionRecord, LambdaState, VersionRecord } from "./state";

/** Checks members as the API's front end does. */
export const check = (rules: Record<string, readonly [value: unknown, rule: Constraint]>) =>
  checkConstraints("ValidationException", rules);

/** The forms of FunctionName: a name, a partial ARN or a full one, each with a qualifier or without. */
const reference =
  /^(?:arn:(?:aws[a-zA-Z-]*)?:lambda:)?(?:([a-z]{2}(?:-[a-z]+)+-\d):)?(?:(\d{12}):)?(?:function:)?([a-zA-Z0-9-_]+)(?::(\$LATEST|[a-zA-Z0-9-_]+))?$/;

export interface FunctionReference {
  readonly account: string;
  readonly region: string;
  readonly name: string;
  /** From the ARN or from the Qualifier parameter. */
  readonly qualifier?: string;
}

/** Reads a FunctionName (and Qualifier) parameter. */
export function parseReference(
  state: LambdaState,
  functionName?: string,
  qualifier?: string | null,
): FunctionReference {
  check({
    qualifier: [qualifier || undefined, { length: [1, 128], pattern: /^\$LATEST(\.PUBLISHED)?$|^[a-zA-Z0-9-_]+$/ }],
    functionName: [functionName, { required: true, length: [1, 170], pattern: reference }],
  });
  const [, region = state.scope.region, account = state.scope.account, name, inArn] = reference.exec(functionName!)!;
  if (region !== state.scope.region) {
    throw notFound(`Functions from '${region}' are not reachable in this region ('${state.scope.region}')`);
  }
  if (inArn && qualifier && inArn !== qualifier) {
    throw invalidParameter("The derived qualifier from the function name does not match the specified qualifier.");
  }
  return { account, region, name: name!, qualifier: qualifier || inArn };
}

/** The function that a FunctionName parameter means; its qualifier is for the caller to use. */
export function findFunction(
  state: LambdaState,
  functionName?: string,
  qualifier?: string | null,
): { fn: FunctionRecord; qualifier?: string } {
  const reference = parseReference(state, functionName, qualifier);
  const fn = reference.account === state.scope.account ? state.functions.get(reference.name) : undefined;
  if (!fn) {
    const arn = `arn:aws:lambda:${reference.region}:${reference.account}:function:${reference.name}`;
    throw functionNotFound(reference.qualifier ? `${arn}:${reference.qualifier}` : arn);
  }
  return { fn, qualifier: reference.qualifier };
}

/** For operations that work on $LATEST only. */
export function findUnqualified(state: LambdaState, functionName?: string): FunctionRecord {
  const { fn, qualifier } = findFunction(state, functionName);
  if (qualifier && qualifier !== "$LATEST") {
    throw invalidParameter(
      "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.",
    );
  }
  return fn;
}

/** The version that a qualifier leads to; an alias with routing weights leads to one of its two versions by chance. */
export function versionOf(fn: FunctionRecord, qualifier = "$LATEST"): VersionRecord {
  if (qualifier === "$LATEST") return fn.latest;
  const alias = fn.aliases.get(qualifier);
  const number = alias ? routed(alias) : qualifier;
  const version = number === "$LATEST" ? fn.latest : fn.versions.get(number);
  if (!version) throw functionNotFound(`${fn.arn}:${qualifier}`);
  return version;
}

function routed(alias: NonNullable<ReturnType<FunctionRecord["aliases"]["get"]>>): string {
  let dice = Math.random();
  for (const [version, weight] of Object.entries(alias.RoutingConfig?.AdditionalVersionWeights ?? {})) {
    dice -= weight;
    if (dice < 0) return version;
  }
  return alias.FunctionVersion!;
}

/** Throws where a qualifier is neither a version nor an alias of the function. */
export function checkQualifier(fn: FunctionRecord, qualifier: string): void {
  if (qualifier === "$LATEST" || fn.versions.has(qualifier) || fn.aliases.has(qualifier)) return;
  const arn = `${fn.arn}:${qualifier}`;
  throw /^\d+$/.test(qualifier) ? functionNotFound(arn) : aliasNotFound(arn);
}

/** Splits a function ARN into scope, name and qualifier; undefined where it is none. */
export function parseFunctionArn(text: string): FunctionReference | undefined {
  const arn = parseArn(text);
  const match = /^function:([a-zA-Z0-9-_]+)(?::(\$LATEST|[a-zA-Z0-9-_]+))?$/.exec(arn?.resource ?? "");
  if (arn?.service !== "lambda" || !match) return undefined;
  return { account: arn.account, region: arn.region, name: match[1]!, qualifier: match[2] };
}

/** One page of a list, and the marker for the next. */
export function page<T>(
  items: readonly T[],
  input: { Marker?: string | undefined; MaxItems?: number | undefined },
  most = 50,
): { items: T[]; next?: string } {
  check({ maxItems: [input.MaxItems, { range: [1, 10_000] }] });
  const start = input.Marker ? Number(Buffer.from(input.Marker, "base64url").toString()) : 0;
  if (!Number.isInteger(start) || start < 0) throw invalidParameter("Invalid Marker");
  const end = start + Math.min(input.MaxItems ?? most, most);
  return {
    items: items.slice(start, end),
    next: end < items.length ? Buffer.from(String(end)).toString("base64url") : undefined,
  };
}
