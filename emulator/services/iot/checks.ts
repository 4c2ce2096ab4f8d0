import { type Constraint, checkConstraints } from "../../core/constraint";
import { limits } from "../../core/limits";
import { invalidRequest } from "./errors";

/** Checks members as the API's front end does. */
export const check = (rules: Record<string, readonly [value: unknown, rule: Constraint]>): void =>
  checkConstraints("InvalidRequestException", rules);

const namePattern = /^[a-zA-Z0-9:_-]+$/;

/** Names of things, types and groups. */
const longestName = limits.iot.name.value;

export const nameRule: Constraint = { required: true, length: [1, longestName], pattern: namePattern };
export const optionalName: Constraint = { length: [1, longestName], pattern: namePattern };
export const policyNameRule: Constraint = { required: true, length: [1, longestName], pattern: /^[\w+=,.@-]+$/ };
export const certificateIdRule: Constraint = { required: true, length: [64, 64], pattern: /^(0x)?[a-fA-F0-9]+$/ };
export const pageRule: Constraint = { range: [1, 250] };
export const largePageRule: Constraint = { range: [0, 250] };

/** One page of a list. The token is the place of the next page; it is good for as long as the list lasts. */
export function page<T>(
  all: readonly T[],
  token: string | undefined,
  size: number | undefined,
): { items: T[]; next?: string } {
  const start = token === undefined ? 0 : Number(Buffer.from(token, "base64").toString("utf8"));
  if (!Number.isSafeInteger(start) || start < 0) throw invalidRequest("Invalid pagination token");
  const end = start + (size || 250);
  return {
    items: all.slice(start, end),
    ...(end < all.length && { next: Buffer.from(String(end)).toString("base64") }),
  };
}

/** Sorted by name, as the registry lists. */
export const byName = <T extends { readonly name: string }>(items: Iterable<T>): T[] =>
  [...items].sort((a, b) => (a.name < b.name ? -1 : 1));

/** Newest first, or the other way round. */
export function byAge<T extends { readonly createdAt: number }>(items: Iterable<T>, ascending = false): T[] {
  const oldestFirst = [...items].sort((a, b) => a.createdAt - b.createdAt);
  return ascending ? oldestFirst : oldestFirst.reverse();
}
