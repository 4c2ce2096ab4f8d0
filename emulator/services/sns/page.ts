import { invalidFor } from "./errors";

/** One page of a list, and the token for the next. */
export function page<T>(all: readonly T[], token: string | undefined, size: number): { items: T[]; next?: string } {
  const start = token ? Number(Buffer.from(token, "base64url").toString("utf8")) : 0;
  if (!Number.isInteger(start) || start < 0) throw invalidFor("NextToken", "the token is not valid");
  const end = start + size;
  const next = end < all.length ? Buffer.from(String(end)).toString("base64url") : undefined;
  return { items: all.slice(start, end), next };
}
