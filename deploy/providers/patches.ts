import type { PatchOperation } from "@aws-sdk/client-api-gateway";
import { same, toWire } from "../values";

/** The part of a patch path for a name: `/` and `~` are escaped as in JSON pointers. */
export const escapePath = (name: string): string => name.replaceAll("~", "~0").replaceAll("/", "~1");

const text = (value: unknown): string => (value === undefined || value === null ? "" : String(value));

/** Replaces each path whose value differs. */
export const replaceChanged = (pairs: readonly [path: string, before: unknown, now: unknown][]): PatchOperation[] =>
  pairs
    .filter(([, before, now]) => !same(toWire(before), toWire(now)))
    .map(([path, , now]) => ({ op: "replace", path, value: text(now) }));

/** Turns one map into another: `/requestParameters/<name>`. */
export function patchMap(
  path: string,
  before: Readonly<Record<string, unknown>> = {},
  now: Readonly<Record<string, unknown>> = {},
): PatchOperation[] {
  const at = (name: string) => `${path}/${escapePath(name)}`;
  return [
    ...Object.keys(before)
      .filter((name) => !(name in now))
      .map((name) => ({ op: "remove" as const, path: at(name) })),
    ...Object.entries(now)
      .filter(([name, value]) => before[name] !== value)
      .map(([name, value]) => {
        return { op: name in before ? ("replace" as const) : ("add" as const), path: at(name), value: text(value) };
      }),
  ];
}

/** Turns one list into another where the items themselves are part of the path: `/binaryMediaTypes/image~1png`. */
export const patchSet = (
  path: string,
  before: readonly string[] = [],
  now: readonly string[] = [],
): PatchOperation[] => [
  ...before
    .filter((item) => !now.includes(item))
    .map((item) => ({ op: "remove" as const, path: `${path}/${escapePath(item)}` })),
  ...now
    .filter((item) => !before.includes(item))
    .map((item) => ({ op: "add" as const, path: `${path}/${escapePath(item)}` })),
];
