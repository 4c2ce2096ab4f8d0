import { isObject, signatureKey, unknownValue, type Wire, type WireObject } from "../values";

/**
 * Inputs whose values `Check` made are listed under this name, as Pulumi's own AWS provider does: by that the next one
 * knows a generated name from a given one.
 */
const defaults = "__defaults";

/** Output of a resource that was made only in part: why. The next update makes it anew. */
export const incomplete = "__incomplete";

export const generated = (inputs: WireObject): readonly string[] =>
  Array.isArray(inputs[defaults]) ? inputs[defaults].map(String) : [];

export const withGenerated = (inputs: WireObject, properties: readonly string[]): WireObject => ({
  ...inputs,
  [defaults]: [...properties],
});

/** Assets as their hashes: the CLI sends some with their content and others without. */
function hashed(value: Wire): Wire {
  if (Array.isArray(value)) return value.map(hashed);
  if (!isObject(value)) return value;
  const signature = value[signatureKey];
  if (signature !== undefined && typeof value.hash === "string") {
    return { [signatureKey]: signature, hash: value.hash };
  }
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, hashed(member)]));
}

/** Inputs as they are compared: without the list of generated ones, assets by their content. */
export function comparable(inputs: WireObject): WireObject {
  const { [defaults]: _, ...own } = inputs;
  return hashed(own) as WireObject;
}

/** Inputs as a resource type gets them. */
export function ownInputs(inputs: WireObject): WireObject {
  const { [defaults]: _, ...own } = inputs;
  return own;
}

/** Whether a value that only a deployment will tell is anywhere inside. */
export const holdsUnknown = (value: Wire | undefined): boolean =>
  value === unknownValue ||
  (Array.isArray(value) ? value : isObject(value ?? null) ? Object.values(value as WireObject) : []).some(holdsUnknown);
