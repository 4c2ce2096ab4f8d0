import { randomBytes } from "node:crypto";
import type { Tag } from "@aws-sdk/client-iam";
import { checkConstraints } from "../../core/constraint";
import { limits } from "../../core/limits";
import { type PolicyDocument, PolicySyntaxError } from "../../core/policy";
import { invalidInput, malformedPolicy, quotaExceeded, validationError } from "./errors";
import type { Document } from "./state";

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** A unique id such as `AROA` and 17 letters. */
export const makeId = (prefix: string): string =>
  prefix + [...randomBytes(17)].map((byte) => letters[byte % 32]).join("");

/** IAM hands documents out percent-encoded as RFC 3986 says, `*` and the like included. */
export const encodeDocument = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

/** Reads a document with `read` and turns its complaint into IAM's error. */
export function readDocument(text: string, read: (text: string) => PolicyDocument): Document {
  try {
    return { text, parsed: read(text) };
  } catch (error) {
    throw error instanceof PolicySyntaxError ? malformedPolicy(error.message) : error;
  }
}

/** The name of a role, user, group, policy or profile. */
export function checkName(member: string, value: string | undefined, longest: number): asserts value is string {
  checkConstraints("ValidationError", { [member]: [value, { required: true, length: [1, longest] }] });
  if (!/^[\w+=,.@-]+$/.test(value!)) {
    throw validationError(
      `The specified value for ${member} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-`,
    );
  }
}

export function checkPath(path = "/"): string {
  checkConstraints("ValidationError", { path: [path, { length: [1, 512] }] });
  if (!/^(\/|\/[!-~]+\/)$/.test(path)) {
    throw validationError(
      "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.",
    );
  }
  return path;
}

/** Adds tags to those there are: at most 50, keys unique without regard to case. */
export function addTags(tags: Map<string, string>, added: readonly Tag[] = []): void {
  const next = new Map([...tags.keys()].map((key) => [key.toLowerCase(), key]));
  const seen = new Set<string>();
  added.forEach(({ Key: key, Value: value }, index) => {
    checkConstraints("ValidationError", {
      [`tags.${index + 1}.member.key`]: [key, { required: true, length: [1, 128] }],
      [`tags.${index + 1}.member.value`]: [value, { required: true, length: [0, 256] }],
    });
    const lower = key!.toLowerCase();
    if (seen.has(lower)) {
      throw invalidInput("Duplicate tag keys found. Please note that Tag keys are case insensitive.");
    }
    seen.add(lower);
    next.set(lower, next.get(lower) ?? key!);
  });
  const { value: most } = limits.iam.tags;
  if (next.size > most) throw quotaExceeded("TagsPerResource", most);
  for (const { Key: key, Value: value } of added) tags.set(next.get(key!.toLowerCase())!, value!);
}

export function removeTags(tags: Map<string, string>, keys: readonly string[] = []): void {
  const gone = new Set(keys.map((key) => key.toLowerCase()));
  for (const key of [...tags.keys()]) if (gone.has(key.toLowerCase())) tags.delete(key);
}

export const listTags = (tags: ReadonlyMap<string, string>): Tag[] => [...tags].map(([Key, Value]) => ({ Key, Value }));

/** One page of a list, with the marker of the next. */
export interface Page<Item> {
  readonly items: Item[];
  readonly IsTruncated: boolean;
  readonly Marker?: string;
}

/** Cuts a list as `Marker` and `MaxItems` say: 100 a page unless told, at most 1,000. */
export function page<Item>(
  all: readonly Item[],
  { Marker: marker, MaxItems: maxItems = 100 }: { Marker?: string; MaxItems?: number },
): Page<Item> {
  checkConstraints("ValidationError", { maxItems: [maxItems, { range: [1, 1000] }] });
  let start = 0;
  if (marker !== undefined) {
    const match = /^after:(\d+)$/.exec(Buffer.from(marker, "base64url").toString());
    if (!match) throw validationError("Invalid Marker.");
    start = Number(match[1]);
  }
  const end = start + maxItems;
  const truncated = end < all.length;
  return {
    items: all.slice(start, end),
    IsTruncated: truncated,
    Marker: truncated ? Buffer.from(`after:${end}`).toString("base64url") : undefined,
  };
}

/** In the order in which IAM lists: by name. */
export const byName = <Item extends { readonly name: string }>(items: Iterable<Item>): Item[] =>
  [...items].sort((a, b) => (a.name < b.name ? -1 : 1));
