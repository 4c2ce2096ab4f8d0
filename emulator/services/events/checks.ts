import type { Tag } from "@aws-sdk/client-eventbridge";
import { type Constraint, checkConstraints } from "../../core/constraint";
import { limits } from "../../core/limits";
import { invalid } from "./errors";

/** Checks members as the API's front end does. */
export const check = (rules: Record<string, readonly [value: unknown, rule: Constraint]>): void =>
  checkConstraints("ValidationException", rules);

export const ruleName: Constraint = {
  required: true,
  length: [1, limits.events.ruleName.value],
  pattern: /^[.\-_A-Za-z0-9]+$/,
};
export const busName: Constraint = { length: [1, limits.events.busName.value], pattern: /^[/.\-_A-Za-z0-9]+$/ };
/** A name or an ARN. */
export const busReference: Constraint = {
  length: [1, 1600],
  pattern: /^(arn:aws[\w-]*:events:[a-z]+-[a-z]+-[\w-]+:[0-9]{12}:event-bus\/)?[/.\-_A-Za-z0-9]+$/,
};
export const roleArn: Constraint = { length: [1, 1600] };

const mostTags = limits.events.tags.value;

/** Adds tags that a resource can have to those that it has. */
export function addTags(present: Map<string, string>, tags: readonly Tag[] = []): void {
  tags.forEach(({ Key, Value }, index) => {
    check({
      [`tags.${index + 1}.member.key`]: [Key, { required: true, length: [1, 128] }],
      [`tags.${index + 1}.member.value`]: [Value, { required: true, length: [0, 256] }],
    });
  });
  const keys = tags.map(({ Key = "" }) => Key);
  if (new Set(keys).size < keys.length) throw invalid("Invalid parameter: Duplicated keys are not allowed.");
  if (new Set([...present.keys(), ...keys]).size > mostTags) {
    throw invalid(`Invalid parameter: a resource cannot have more than ${mostTags} tags.`);
  }
  for (const { Key = "", Value = "" } of tags) present.set(Key, Value);
}

const byName = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** One page of a list in the order of its names. The token holds the last name, so that changes in between do no harm. */
export function page<T>(
  all: Iterable<T>,
  nameOf: (item: T) => string,
  { NextToken, Limit = 100 }: { NextToken?: string | undefined; Limit?: number | undefined },
): { items: T[]; NextToken?: string } {
  check({ limit: [Limit, { range: [1, 100] }], nextToken: [NextToken, { length: [1, 2048] }] });
  const last = NextToken === undefined ? undefined : Buffer.from(NextToken, "base64url").toString();
  if (last !== undefined && !last.startsWith("after:")) throw invalid("Invalid parameter: NextToken is not valid.");
  const sorted = [...all].sort((a, b) => byName(nameOf(a), nameOf(b)));
  const rest = last === undefined ? sorted : sorted.filter((item) => nameOf(item) > last.slice("after:".length));
  const items = rest.slice(0, Limit);
  return {
    items,
    NextToken: rest.length > Limit ? Buffer.from(`after:${nameOf(items.at(-1)!)}`).toString("base64url") : undefined,
  };
}
