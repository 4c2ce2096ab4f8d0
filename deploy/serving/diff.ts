import { changedProperties, differsAt } from "../diff";
import type { AnyResourceType, ProviderContext } from "../providers/types";
import { toPlainObject, type WireObject } from "../values";
import { comparable, generated, holdsUnknown, incomplete } from "./wire";

export interface Compared {
  id: string;
  type: AnyResourceType;
  context: ProviderContext;
  /** The inputs of the last deployment, and the outputs that they led to. */
  before: WireObject;
  outputs: WireObject;
  inputs: WireObject;
  directory: string;
}

export interface Difference {
  /** The top-level inputs that differ. */
  changed: { property: string; kind: "added" | "removed" | "changed"; replaces: boolean }[];
  /** Both cannot exist at once: the same fixed name, or one of a kind. */
  deleteFirst: boolean;
}

/** What differs from the last deployment, and whether it takes a new resource. An unknown value differs from any. */
export async function diff(compared: Compared): Promise<Difference> {
  const { id, type, context, outputs, directory } = compared;
  const before = comparable(compared.before);
  const inputs = comparable(compared.inputs);
  const changed = changedProperties(before, inputs);
  const moved = typeof outputs.region === "string" && outputs.region !== context.region;
  const anew = moved || outputs[incomplete] !== undefined;
  const deleteFirst =
    type.deleteBeforeReplace === true ||
    (type.autoname !== undefined &&
      !generated(compared.inputs).includes(type.autoname.property) &&
      !differsAt(type.autoname.property, before, inputs));
  const entry = (property: string, replaces: boolean): Difference["changed"][number] => ({
    property,
    replaces,
    kind: before[property] === undefined ? "added" : inputs[property] === undefined ? "removed" : "changed",
  });
  if (anew) {
    const reason = moved ? "region" : incomplete;
    return { changed: [...new Set([...changed, reason])].map((property) => entry(property, true)), deleteFirst };
  }
  if (changed.length === 0) return { changed: [], deleteFirst };
  const fixed = (type.replaceOn ?? []).filter((path) => differsAt(path, before, inputs)).map(topOf);
  let whole = !type.update;
  if (!whole && fixed.length === 0 && type.diff && !holdsUnknown(inputs)) {
    const known = { inputs: toPlainObject(before, directory), outputs: toPlainObject(outputs, directory) };
    const asked = await type.diff(id, known, toPlainObject(inputs, directory), context);
    if (asked.same && !asked.replace) return { changed: [], deleteFirst };
    whole = asked.replace === true;
  }
  return { changed: changed.map((property) => entry(property, whole || fixed.includes(property))), deleteFirst };
}

/** `code` of `code.s3Key` and of `code["a.b"]`. */
const topOf = (path: string): string => /^[^.[]+/.exec(path)?.[0] ?? path;
