import { differsAt } from "../diff";
import { isGone, PartlyCreated } from "../errors";
import { completeOutputs, type OutputSource } from "../outputs";
import type { AnyResourceType, ProviderContext } from "../providers/types";
import { keepSecrets, same, toPlainObject, unknownValue, type WireObject } from "../values";
import { comparable, holdsUnknown, incomplete, ownInputs } from "./wire";

/** What every operation on one resource is told. */
export interface Served {
  /** `aws:sqs/queue:Queue`. */
  typeName: string;
  type: AnyResourceType;
  context: ProviderContext;
  directory: string;
}

/** A resource as the CLI's state knows it. */
export interface Stated {
  id: string;
  inputs: WireObject;
  outputs: WireObject;
}

/** Thrown for a resource that was made only in part: the CLI keeps it under its id, and the next update replaces it. */
export class Incomplete extends Error {
  constructor(
    readonly partly: PartlyCreated,
    readonly outputs: WireObject,
  ) {
    super(partly.message);
  }
}

const source = (served: Served, inputs: WireObject): OutputSource => ({
  ...served,
  inputs,
  plain: toPlainObject(inputs, served.directory),
});

/** A resource as its type sees it. The type is never asked for the content of old assets: only their hashes are kept. */
const knownOf = ({ inputs, outputs }: Omit<Stated, "id">, directory: string) => ({
  inputs: toPlainObject(ownInputs(inputs), directory),
  outputs: toPlainObject(outputs, directory) as Record<string, unknown>,
});

/** The outputs that a deployment of these inputs will have for certain; what is left out is unknown to the program. */
export function planCreate(served: Served, checked: WireObject): WireObject {
  const inputs = ownInputs(checked);
  const outputs = completeOutputs(source(served, inputs), {});
  return holdsUnknown(inputs.tags) ? { ...outputs, tagsAll: unknownValue } : outputs;
}

export async function create(served: Served, checked: WireObject): Promise<{ id: string; outputs: WireObject }> {
  const { type, context } = served;
  const inputs = ownInputs(checked);
  const made = source(served, inputs);
  try {
    const answer = await type.create({ ...made.plain }, context);
    const { id, outputs = await type.read?.(id, context, { inputs: { ...made.plain }, outputs: {} }) } = answer;
    return { id, outputs: completeOutputs(made, outputs ?? {}) };
  } catch (error) {
    if (!(error instanceof PartlyCreated)) throw error;
    throw new Incomplete(error, { ...completeOutputs(made, {}), [incomplete]: error.message });
  }
}

/** Outputs that another version of the same resource has anew (of functions, objects, stages). */
const renewed = /^(version|versionId|etag|lastModified|qualified\w+|\w*[cC]ode(Sha256|Hash)|\w+UpdateDate)$/;

/** The outputs after an update, as far as they are certain: computed ones stay, but for those that tell versions apart. */
export function planUpdate(served: Served, before: Stated, checked: WireObject): WireObject {
  const computed = Object.entries(before.outputs).filter(([key]) => !(key in before.inputs));
  const kept = computed.map(([key, value]) => [key, renewed.test(key) ? unknownValue : value] as const);
  return { ...Object.fromEntries(kept), ...planCreate(served, checked) };
}

export async function update(served: Served, before: Stated, checked: WireObject): Promise<WireObject> {
  const { type, context, directory } = served;
  const inputs = ownInputs(checked);
  const made = source(served, inputs);
  const [old, now] = [comparable(before.inputs), comparable(inputs)];
  const known = {
    ...knownOf(before, directory),
    changed: (...properties: string[]) => properties.some((name) => differsAt(name, old, now)),
  };
  // The CLI asks for an update only of what the comparison did not find to need a new resource.
  const answer = await type.update?.(before.id, { ...made.plain }, known, context);
  const outputs =
    answer ?? (await type.read?.(before.id, context, { inputs: { ...made.plain }, outputs: known.outputs })) ?? {};
  const computed = Object.fromEntries(Object.entries(before.outputs).filter(([key]) => !(key in before.inputs)));
  return { ...computed, ...completeOutputs(made, outputs) };
}

/** The resource as it is at the endpoint, or undefined when it is gone. Inputs change only where something else changed them. */
export async function read(served: Served, before: Stated): Promise<Omit<Stated, "id"> | undefined> {
  const { type, context, directory } = served;
  if (!type.read) return before;
  const isNew = Object.keys(before.inputs).length === 0 && Object.keys(before.outputs).length === 0;
  let found: Record<string, unknown> | undefined;
  try {
    found = await type.read(before.id, context, isNew ? undefined : knownOf(before, directory));
  } catch (error) {
    if (!isGone(error)) throw error;
  }
  if (!found) return undefined;
  const made = completeOutputs(source(served, ownInputs(before.inputs)), found);
  const outputs = keepSecrets(before.outputs, { ...before.outputs, ...made });
  const inputs = { ...before.inputs };
  for (const key of Object.keys(ownInputs(inputs))) {
    const drifted = before.outputs[key] !== undefined && !same(before.outputs[key], outputs[key]);
    if (drifted && outputs[key] !== undefined) inputs[key] = outputs[key];
  }
  return { inputs, outputs };
}

export async function remove(served: Served, before: Stated): Promise<void> {
  try {
    await served.type.delete?.(before.id, knownOf(before, served.directory), served.context);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}
