import type { AnyResourceType, ProviderContext } from "./providers/types";
import { holdsAsset, holdsSecret, type PlainObject, secret, toPlain, toWire, type WireObject } from "./values";

/** A resource whose outputs are put together. */
export interface OutputSource {
  /** `aws:sqs/queue:Queue`. */
  typeName: string;
  type: AnyResourceType;
  /** The inputs on the wire and as the resource type sees them. */
  inputs: WireObject;
  plain: PlainObject | Record<string, unknown>;
  context: ProviderContext;
  directory: string;
}

/**
 * All outputs of a resource: its inputs, what the type computed, and what every AWS resource has. Outputs named like a
 * secret input are secret; assets are left out, the program has them.
 */
export function completeOutputs(
  { typeName, type, inputs, plain, context, directory }: OutputSource,
  computed: Record<string, unknown>,
  secretOutputs: readonly string[] = [],
): WireObject {
  const result: WireObject = {};
  for (const [key, value] of Object.entries(inputs)) if (!holdsAsset(value)) result[key] = value;
  if (typeName.startsWith("aws:")) {
    result.region = context.region;
    const tagsAll = context.tags(plain.tags as Record<string, string> | undefined);
    result.tagsAll = holdsSecret(inputs.tags ?? null) ? secret(tagsAll) : tagsAll;
  }
  for (const [key, value] of Object.entries(computed)) {
    if (value === undefined) continue;
    const given = inputs[key];
    // A program that gave the same value keeps its own form, with the secrets marked where they are.
    const unchanged = given !== undefined && JSON.stringify(toPlain(given, directory)) === JSON.stringify(value);
    result[key] = unchanged ? given : given !== undefined && holdsSecret(given) ? secret(toWire(value)) : toWire(value);
  }
  for (const key of [...secretOutputs, ...(type.secretOutputs ?? [])]) {
    if (result[key] !== undefined) result[key] = secret(result[key]);
  }
  return result;
}
