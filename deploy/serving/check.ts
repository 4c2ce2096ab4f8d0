import { createHash } from "node:crypto";
import { generateName } from "../diff";
import type { AnyResourceType } from "../providers/types";
import { toPlainObject, type WireObject } from "../values";
import { generated, holdsUnknown, ownInputs, withGenerated } from "./wire";

/** What the CLI wants physical names to be, by `pulumi:autonaming` of the stack's config. */
export interface Autonaming {
  mode: "propose" | "enforce" | "disable";
  proposed: string;
}

export interface Checked {
  type: AnyResourceType;
  /** The name in the program. */
  name: string;
  /** The inputs of the last deployment as checked then; empty for a new resource, and for one that is replaced. */
  before: WireObject;
  inputs: WireObject;
  /** The same for the preview and the deployment that follows it. */
  seed: Uint8Array;
  autonaming?: Autonaming;
  directory: string;
}

/**
 * The inputs with the physical name, where the program gives none. A resource keeps its generated name; a new one's comes
 * out of the seed, so that a preview and the update after it agree.
 */
export function check({ type, name, before, inputs, seed, autonaming, directory }: Checked): WireObject {
  const property = type.autoname?.property;
  const own = ownInputs(inputs);
  if (!type.autoname || !property || (own[property] !== undefined && own[property] !== null)) return own;
  if (autonaming?.mode === "disable") return own;
  const kept = generated(before).includes(property) ? before[property] : undefined;
  if (kept !== undefined && !holdsUnknown(kept)) return withGenerated({ ...own, [property]: kept }, [property]);
  if (autonaming) return withGenerated({ ...own, [property]: autonaming.proposed }, [property]);
  const plain = toPlainObject(own, directory);
  const prefix = plain[`${property}Prefix`];
  const random = seed.length > 0 ? createHash("sha256").update(seed).update(name).digest("hex") : undefined;
  const made = generateName(type.autoname, name, plain, typeof prefix === "string" ? prefix : undefined, random);
  return withGenerated({ ...own, [property]: made }, [property]);
}
