import { invalidParameter } from "./errors";
import type { User } from "./state";

const searchable: Record<string, (user: User) => string | undefined> = {
  username: (user) => user.username,
  sub: (user) => user.sub,
  "cognito:user_status": (user) => user.status,
  status: (user) => (user.enabled ? "Enabled" : "Disabled"),
};
const attributes = ["email", "phone_number", "name", "given_name", "family_name", "preferred_username"];

/** Reads the filter of ListUsers: `email = "a@b.fi"` or `name ^= "An"` (begins with), without regard to case. */
export function matchesFilter(filter: string | undefined): (user: User) => boolean {
  if (!filter?.trim()) return () => true;
  const match = /^\s*"?([\w:]+)"?\s*(\^?=)\s*"((?:[^"\\]|\\.)*)"\s*$/.exec(filter);
  if (!match) throw invalidParameter("Error while parsing filter.");
  const [, name, operator, text] = match as unknown as [string, string, string, string];
  const read = searchable[name] ?? (attributes.includes(name) ? (user: User) => user.attributes.get(name) : undefined);
  if (!read) throw invalidParameter(`Invalid search attribute: ${name}`);
  const wanted = text.replace(/\\(.)/g, "$1").toLowerCase();
  return (user) => {
    const value = read(user)?.toLowerCase();
    return operator === "=" ? value === wanted : !!value?.startsWith(wanted);
  };
}
