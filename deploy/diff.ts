import { randomBytes } from "node:crypto";
import type { AnyResourceType } from "./providers/types";
import { isObject, same, type Wire, type WireObject } from "./values";

/** `tags.owner`, `rules[0].id`, `rules[*].id`, `["a.b"].c` as a list of keys. */
const parsePath = (path: string): string[] =>
  [...path.matchAll(/\["([^"]+)"\]|\[([^\]]+)\]|([^.[\]]+)/g)].map(
    ([, quoted, index, name]) => quoted ?? index ?? name ?? "",
  );

/** All values that a path with wildcards leads to. */
function valuesAt(value: Wire | undefined, [key, ...rest]: string[]): (Wire | undefined)[] {
  if (key === undefined) return [value];
  if (key === "*") return isContainer(value) ? Object.values(value).flatMap((member) => valuesAt(member, rest)) : [];
  return valuesAt(isContainer(value) ? member(value, key) : undefined, rest);
}

const isContainer = (value: Wire | undefined): value is Wire[] | WireObject =>
  Array.isArray(value) || (value !== undefined && isObject(value));

const member = (container: Wire[] | WireObject, key: string): Wire | undefined => (container as WireObject)[key];

/** Whether the inputs differ at a path. */
export const differsAt = (path: string, before: WireObject, after: WireObject): boolean => {
  const old = valuesAt(before, parsePath(path));
  const now = valuesAt(after, parsePath(path));
  return old.length !== now.length || old.some((value, index) => !same(value, now[index]));
};

/** The top-level inputs that differ. */
export const changedProperties = (before: WireObject, after: WireObject): string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((key) => !same(before[key], after[key])).sort();

/** The new inputs with the old values at the paths of `ignoreChanges`. */
export function ignoreChanges(paths: readonly string[], before: WireObject, after: WireObject): WireObject {
  if (paths.length === 0) return after;
  const result = structuredClone(after);
  for (const path of paths) copyAt(parsePath(path), before, result);
  return result;
}

function copyAt([key, ...rest]: string[], from: Wire | undefined, to: Wire[] | WireObject): void {
  if (key === undefined) return;
  const source = isContainer(from) ? from : {};
  const keys = key === "*" ? [...new Set([...Object.keys(source), ...Object.keys(to)])] : [key];
  for (const name of keys) {
    const old = member(source, name);
    if (rest.length > 0) {
      const target = member(to, name);
      if (isContainer(target)) copyAt(rest, old, target);
    } else if (old === undefined) {
      delete (to as WireObject)[name];
    } else {
      (to as WireObject)[name] = structuredClone(old);
    }
  }
}

/** A physical name as Pulumi makes it: the resource's name, a dash and seven hex digits, cut to what AWS takes. */
export function generateName(
  { max, lowerCase, underscores, suffix }: NonNullable<AnyResourceType["autoname"]>,
  name: string,
  inputs: Record<string, unknown>,
  prefix?: string,
  random = randomBytes(4).toString("hex"),
): string {
  const end = `${random.slice(0, 7)}${suffix?.(inputs as never) ?? ""}`;
  const start = (prefix ?? `${name}-`).slice(0, max - end.length);
  const made = (lowerCase ? start.toLowerCase() : start) + end;
  return underscores ? made.replaceAll("-", "_") : made;
}
