import { type Constraint, checkConstraints } from "../../core/constraint";
import { limits } from "../../core/limits";
import { constraintCode, expiredToken, invalidArgument, invalidToken } from "./errors";

/** Checks members as the API's front end does. */
export const check = (rules: Record<string, readonly [value: unknown, rule: Constraint]>): void =>
  checkConstraints(constraintCode, rules);

export const streamNamePattern = /^[a-zA-Z0-9_.-]+$/;
export const shardIdConstraint: Constraint = { required: true, length: [1, 128], pattern: streamNamePattern };
export const hashKeyPattern = /^(0|([1-9]\d{0,38}))$/;
export const sequenceNumberPattern = /^(0|([1-9]\d{0,128}))$/;

const mostTags = limits.kinesis.tags.value;
const tagCharacters = /^[\p{L}\p{Z}\p{N}_.:/=+\-@%]*$/u;

/** Refuses tags that a stream or consumer cannot have, together with those that it has. */
export function checkTags(tags: Record<string, string> | undefined, present: ReadonlyMap<string, string>): void {
  const entries = Object.entries(tags ?? {});
  for (const [key, value] of entries) {
    check({ "tags.key": [key, { length: [1, 128] }], "tags.value": [value, { length: [0, 256] }] });
    if (tagCharacters.test(key) && tagCharacters.test(value)) continue;
    throw invalidArgument(
      "Some tags contain invalid characters. Valid characters: Unicode letters, digits, white space, _ . / = + - % @ :.",
    );
  }
  if (new Set([...present.keys(), ...entries.map(([key]) => key)]).size > mostTags) {
    throw invalidArgument(`A resource cannot have more than ${mostTags} tags associated with it.`);
  }
}

/** A token is good for five minutes (API reference, ListShards). */
const tokenLife = 300_000;

/** A token for the next page: what the list is of, and the last thing on the page before. */
export const makeToken = (parts: readonly string[], now: number): string =>
  Buffer.from(JSON.stringify(["page", now, ...parts])).toString("base64");

/** @throws AwsError for a token that was not made by {@link makeToken}, or too long ago. */
export function readToken(token: string, now: number): string[] {
  check({ nextToken: [token, { length: [1, 1_048_576] }] });
  const [kind, made, ...parts] = parseList(token) ?? [];
  if (kind !== "page" || typeof made !== "number" || !parts.every((part) => typeof part === "string"))
    throw invalidToken();
  if (now - made > tokenLife) throw expiredToken();
  return parts as string[];
}

/** The list behind base64 text; undefined where there is none. */
export function parseList(base64: string): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(base64, "base64").toString("utf8"));
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
