import type { PatchOperation } from "@aws-sdk/client-api-gateway";
import { badRequest, outsideEnum, validationErrors } from "./errors";

/** One patch operation with its path read: `names` are the values of the rule's `{}` places, unescaped. */
export interface Patch {
  readonly op: "add" | "remove" | "replace" | "copy";
  readonly path: string;
  /** "" when none was given. */
  readonly value: string;
  readonly from?: string;
  readonly names: readonly string[];
}

/** What may be done at a path. `{}` stands for one segment of it. */
export interface PatchRule<T> {
  readonly path: string;
  /** @default ["replace"] */
  readonly ops?: readonly Patch["op"][];
  readonly apply: (target: T, patch: Patch) => void;
}

const operations = ["add", "remove", "move", "test", "replace", "copy"];

/** JSON Pointer: `~1` is a slash, `~0` a tilde (RFC 6901, section 3). */
export const unescapePointer = (segment: string) => segment.replaceAll("~1", "/").replaceAll("~0", "~");

/** Checks `op` of every patch operation against the model, all mistakes at once as AWS reports them. */
export function checkOperations(list: readonly PatchOperation[], input: string): void {
  const problems = list.flatMap(({ op }, index) =>
    op === undefined || operations.includes(op)
      ? []
      : [outsideEnum(op, `${input}.patchOperations.${index + 1}.member.op`, operations)],
  );
  if (problems.length) throw validationErrors(problems);
}

/**
 * Applies patch operations to a copy of `target` and returns the copy, so that a refused request changes nothing.
 *
 * @param listsPaths some resources name the paths they take in the error, others only repeat the wrong one.
 */
export function patched<T>(
  target: T,
  list: readonly PatchOperation[] | undefined,
  rules: readonly PatchRule<T>[],
  { input, listsPaths = false }: { input: string; listsPaths?: boolean },
): T {
  checkOperations(list ?? [], input);
  const copy = structuredClone(target);
  for (const { op, path, value, from } of list ?? []) {
    const match = find(rules, path ?? "");
    const supported = match?.rule.ops ?? ["replace"];
    const allowed = op !== undefined && (supported as readonly string[]).includes(op);
    if (listsPaths && op !== "replace" && !allowed)
      throw badRequest(`Invalid patch path  '${path}' specified for op '${op}'. Please choose supported operations`);
    if (!match && listsPaths)
      throw badRequest(
        `Invalid patch path  '${path}' specified for op '${op}'. Must be one of: [${rules.map((rule) => rule.path).join(", ")}]`,
      );
    if (!match) throw badRequest(`Invalid patch path ${path ?? "null"}`);
    if (!allowed) throw badRequest(`Invalid patch operation specified. Must be one of: [${supported.join(", ")}]`);
    match.rule.apply(copy, { op: op as Patch["op"], path: path ?? "", value: value ?? "", from, names: match.names });
  }
  return copy;
}

function find<T>(rules: readonly PatchRule<T>[], path: string): { rule: PatchRule<T>; names: string[] } | undefined {
  const segments = path.split("/");
  for (const rule of rules) {
    const pattern = rule.path.split("/");
    if (pattern.length !== segments.length) continue;
    const names: string[] = [];
    const fits = pattern.every((part, index) => {
      if (part !== "{}") return part === segments[index];
      names.push(unescapePointer(segments[index]!));
      return segments[index] !== "";
    });
    if (fits) return { rule, names };
  }
  return undefined;
}

/** The text "true" in any case is true, all else false: AWS takes wrong booleans as false. */
export const toBoolean = (value: string) => value.toLowerCase() === "true";

/** A rule that sets a text member. */
export const text = <T>(path: string, member: keyof T & string): PatchRule<T> => ({
  path,
  apply: (target, { value }) => {
    (target as Record<string, unknown>)[member] = value;
  },
});

/** A rule that sets a boolean member. */
export const flag = <T>(path: string, member: keyof T & string): PatchRule<T> => ({
  path,
  apply: (target, { value }) => {
    (target as Record<string, unknown>)[member] = toBoolean(value);
  },
});

/** A rule for the entries of a map member, `/variables/{}`: add, replace and remove. An empty map is dropped. */
export const entries = <T>(
  member: keyof T & string,
  convert: (value: string) => unknown = (value) => value,
): PatchRule<T> => ({
  path: `/${member}/{}`,
  ops: ["add", "replace", "remove"],
  apply: (target, { op, names, value }) => {
    const holder = target as Record<string, Record<string, unknown> | undefined>;
    const map = { ...holder[member] };
    if (op === "remove") delete map[names[0]!];
    else map[names[0]!] = convert(value);
    holder[member] = Object.keys(map).length ? map : undefined;
  },
});
