import { randomInt } from "node:crypto";
import { type Constraint, checkConstraints } from "../../core/constraint";
import { invalidParameter } from "./errors";

const alphanumeric = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** Random letters and digits; only small letters where `smallOnly`. */
export const randomText = (length: number, smallOnly = false): string =>
  Array.from({ length }, () => alphanumeric[randomInt(smallOnly ? 36 : 62)]).join("");

export const check = (rules: Record<string, readonly [unknown, Constraint]>): void =>
  checkConstraints("InvalidParameterException", rules);

/** Cuts a list into pages of at most 60; the token is the place where the next begins. */
export function page<Item>(all: readonly Item[], limit = 60, token?: string): { items: Item[]; next?: string } {
  let start = 0;
  if (token !== undefined) {
    const match = /^from:(\d+)$/.exec(Buffer.from(token, "base64url").toString());
    if (!match) throw invalidParameter("Invalid pagination token");
    start = Number(match[1]);
  }
  const end = start + limit;
  return {
    items: all.slice(start, end),
    next: end < all.length ? Buffer.from(`from:${end}`).toString("base64url") : undefined,
  };
}
