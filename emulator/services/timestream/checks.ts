import { type Constraint, checkConstraints } from "../../core/constraint";
import { endsOf, limits } from "../../core/limits";
import { constraintCode, validation } from "./errors";

/** Checks members as the API's front end does. */
export const check = (rules: Record<string, readonly [value: unknown, rule: Constraint]>): void =>
  checkConstraints(constraintCode, rules);

/** Names of databases and tables (API reference, CreateTable). */
export const resourceName: Constraint = {
  required: true,
  length: endsOf(limits.timestream.name),
  pattern: /^[a-zA-Z0-9_.-]+$/,
};

/** One page of a list. The token is the name behind which the next page begins. */
export function page<T>(
  all: readonly T[],
  nameOf: (item: T) => string,
  { NextToken, MaxResults }: { NextToken?: string; MaxResults?: number },
): { items: readonly T[]; NextToken?: string } {
  check({ maxResults: [MaxResults, { range: [1, 20] }] });
  const after = NextToken === undefined ? "" : Buffer.from(NextToken, "base64url").toString("utf8");
  if (NextToken !== undefined && (after === "" || Buffer.from(after).toString("base64url") !== NextToken)) {
    throw validation("The NextToken is not one that this list has given.");
  }
  const rest = all.filter((item) => nameOf(item) > after).sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  const items = rest.slice(0, MaxResults ?? 20);
  const last = items.at(-1);
  return {
    items,
    ...(last && items.length < rest.length && { NextToken: Buffer.from(nameOf(last)).toString("base64url") }),
  };
}
