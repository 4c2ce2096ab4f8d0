import { checkConstraints } from "../../core/constraint";
import { limits } from "../../core/limits";
import { constraintCode, invalidParameter, invalidToken } from "./errors";

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html */
export const retentionDays = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

const longestName = limits.logs.name.value;

const checkLength = (name: string | undefined) => {
  if (name !== undefined && name.length > longestName)
    throw invalidParameter(
      `Invalid LogGroup or LogStream, both must have length less than or equal to ${longestName}.`,
    );
};

export function checkGroupName(name: string | undefined): string {
  checkLength(name);
  checkConstraints(constraintCode, {
    logGroupName: [name, { required: true, length: [1, longestName], pattern: /^[.\-_/#A-Za-z0-9]+$/ }],
  });
  return name!;
}

export function checkStreamName(name: string | undefined): string {
  checkLength(name);
  checkConstraints(constraintCode, {
    logStreamName: [name, { required: true, length: [1, longestName], pattern: /^[^:*]*$/ }],
  });
  return name!;
}

export const checkLimit = (limit: number | undefined, most: number) =>
  checkConstraints(constraintCode, { limit: [limit, { range: [1, most] }] });

export function checkTags(tags: Record<string, string> | undefined): void {
  for (const [key, value] of Object.entries(tags ?? {}))
    checkConstraints(constraintCode, {
      tagKey: [key, { length: [1, 128] }],
      tagValue: [value, { length: [0, 256] }],
    });
  if (Object.keys(tags ?? {}).length > limits.logs.tags.value)
    throw invalidParameter(`The maximum number of tags that a resource can have is ${limits.logs.tags.value}.`);
}

/** One page of a list that is sorted by name; the token holds the last name, so that changes in between do no harm. */
export function pageByName<T>(
  items: readonly T[],
  nameOf: (item: T) => string,
  { nextToken, limit = 50 }: { nextToken?: string; limit?: number },
): { items: T[]; nextToken?: string } {
  let rest = items;
  if (nextToken !== undefined) {
    const last = readToken(nextToken);
    const at = items.findIndex((item) => nameOf(item) === last);
    rest = at >= 0 ? items.slice(at + 1) : items.filter((item) => nameOf(item) > last);
  }
  const page = rest.slice(0, limit);
  return {
    items: page,
    nextToken: rest.length > limit ? makeToken(nameOf(page[page.length - 1]!)) : undefined,
  };
}

export const makeToken = (position: string): string => Buffer.from(`at:${position}`).toString("base64url");

export function readToken(token: string): string {
  const text = Buffer.from(token, "base64url").toString();
  if (!text.startsWith("at:")) throw invalidToken();
  return text.slice(3);
}

export const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
