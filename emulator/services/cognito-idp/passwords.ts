import { createHash, randomBytes, randomInt, timingSafeEqual } from "node:crypto";
import type { PasswordPolicyType } from "@aws-sdk/client-cognito-identity-provider";
import { limits } from "../../core/limits";
import { invalidPassword } from "./errors";
import type { Pool } from "./state";

export interface PasswordHash {
  readonly salt: Buffer;
  readonly hash: Buffer;
}

const digest = (salt: Buffer, password: string) => createHash("sha256").update(salt).update(password).digest();

/** Quick on purpose: the users are made up, and tests sign in often. */
export function hashPassword(password: string): PasswordHash {
  const salt = randomBytes(16);
  return { salt, hash: digest(salt, password) };
}

export const isPassword = (kept: PasswordHash | undefined, password: string): boolean =>
  !!kept && timingSafeEqual(kept.hash, digest(kept.salt, password));

/** Symbols that Cognito counts (developer guide: password requirements); a space counts between other characters. */
const symbols = /[\^$*.[\]{}()?"!@#%&/\\,><':;|_~`=+-]|(?<=\S) (?=\S)/;

const rules: readonly (readonly [keyof PasswordPolicyType, RegExp, string])[] = [
  ["RequireLowercase", /[a-z]/, "Password must have lowercase characters"],
  ["RequireUppercase", /[A-Z]/, "Password must have uppercase characters"],
  ["RequireNumbers", /\d/, "Password must have numeric characters"],
  ["RequireSymbols", symbols, "Password must have symbol characters"],
];

/** @param intro how the operation begins its message: Cognito words it differently for each. */
export function checkPassword(pool: Pool, password: string, intro: string): void {
  const policy = pool.settings.Policies?.PasswordPolicy ?? {};
  const fail = (why: string) => {
    throw invalidPassword(`${intro}: ${why}`);
  };
  if (password.length < (policy.MinimumLength ?? 8)) fail("Password not long enough");
  if (password.length > limits.cognito.password.value) fail("Password too long");
  for (const [rule, pattern, why] of rules) if (policy[rule] && !pattern.test(password)) fail(why);
}

/** A password that every policy accepts, for users that were created without one. */
export function makePassword(pool: Pool): string {
  const length = Math.max(12, pool.settings.Policies?.PasswordPolicy?.MinimumLength ?? 8);
  const letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789";
  return `aA1!${Array.from({ length: length - 4 }, () => letters[randomInt(letters.length)]).join("")}`;
}
