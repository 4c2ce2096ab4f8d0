import { changedProperties, differsAt, generateName, ignoreChanges } from "./diff";
import { baseState, protectedMessage, type Registered, type Registration } from "./engine";
import { InvalidInput, isGone, PartlyCreated } from "./errors";
import { completeOutputs } from "./outputs";
import type { ProviderHost } from "./providers/host";
import type { AnyResourceType, ProviderContext } from "./providers/types";
import type { PendingOperation, ResourceState } from "./state";
import type { Action, DeployEvent } from "./types";
import { toPlainObject, toStateObject, type WireObject } from "./values";

/** What a step needs of the engine. */
export interface StepHost {
  readonly settings: { directory: string; emit: (event: DeployEvent) => void; verify: boolean };
  hostFor(type: string, provider: string | undefined): ProviderHost;
  during<T>(operation: PendingOperation["operation"], urn: string, run: () => Promise<T>): Promise<T>;
  commit(state: ResourceState, action: Action, old?: ResourceState): Promise<void>;
  retire(old: ResourceState): void;
  count(action: Action): void;
  /** Resources that were deleted and made again in this run; what lived inside them went with them. */
  readonly recreated: Set<string>;
}

/** One custom resource on its way from what it was to what the program wants. */
interface Step {
  host: StepHost;
  urn: string;
  request: Registration;
  old: ResourceState | undefined;
  type: AnyResourceType;
  context: ProviderContext;
  recorded: boolean;
  /** The inputs as the state keeps them, and as the resource type sees them; both with the physical name. */
  inputs: WireObject;
  plain: Record<string, unknown>;
  autonamed?: string;
}

const timeoutOf = (text: string | undefined): number => {
  const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  const parts = [...(text ?? "").matchAll(/([\d.]+)(ms|s|m|h)/g)];
  if (parts.length === 0) return 120_000;
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * units[unit as keyof typeof units], 0);
};

/** Creates, updates, replaces, imports or keeps a resource, whatever the difference to the last deployment asks for. */
export async function applyCustom(
  host: StepHost,
  urn: string,
  request: Registration,
  found: ResourceState | undefined,
  deciding: (action: Exclude<Action, "same">) => void,
): Promise<Registered> {
  const provider = host.hostFor(request.type, request.provider);
  const { type, recorded } = provider.resourceType(request.type);
  const region = request.inputs.region;
  const timeout = timeoutOf(found ? request.timeouts?.update : request.timeouts?.create);
  const context = provider.context(typeof region === "string" ? region : undefined, timeout);
  const old = found && (await stillThere(host, found, type, context));
  const wire = old ? ignoreChanges(request.ignoreChanges, old.inputs, request.inputs) : request.inputs;
  const inputs = await toStateObject(wire, host.settings.directory);
  const step: Step = {
    ...{ host, urn, request, old, type, context, recorded, inputs },
    plain: toPlainObject(wire, host.settings.directory),
  };
  step.autonamed = nameIt(step, old);
  const started = performance.now();
  const changed = old ? changedProperties(old.inputs, inputs) : [];
  const action = await decide(step, changed);
  if (action !== "same") {
    deciding(action);
    host.settings.emit({ kind: "started", urn, type: request.type, name: request.name, action });
  }
  const state = await perform(step, action);
  await host.commit(state, action, old ?? found);
  host.settings.emit({
    ...{ kind: "done", urn, type: request.type, name: request.name, action, recorded },
    milliseconds: performance.now() - started,
    ...(changed.length > 0 && { changed }),
  });
  return { urn, id: state.id, outputs: state.outputs };
}

/** A state file may speak of things that an emulator has forgotten since; they are made again. */
async function stillThere(
  host: StepHost,
  old: ResourceState,
  type: AnyResourceType,
  context: ProviderContext,
): Promise<ResourceState | undefined> {
  if (!host.settings.verify || !type.read || !old.id) return old;
  const known = knownOf(old, host.settings.directory);
  let outputs: unknown;
  try {
    outputs = await type.read(old.id, context, known);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
  if (outputs !== undefined) return old;
  context.warn(`${old.type} "${old.name}" is in the state but no longer at the endpoint: it is created again`);
  return undefined;
}

/** Gives the generated name to the inputs where the program gave none; a resource keeps its generated name. */
function nameIt({ type, plain, inputs, request }: Step, keep: ResourceState | undefined): string | undefined {
  if (!type.autoname) return undefined;
  const { property } = type.autoname;
  if (plain[property] !== undefined) return undefined;
  const prefix = plain[`${property}Prefix`];
  const kept = keep?.autonamed === property ? keep.inputs[property] : undefined;
  const name =
    typeof kept === "string"
      ? kept
      : generateName(type.autoname, request.name, plain, typeof prefix === "string" ? prefix : undefined);
  inputs[property] = name;
  plain[property] = name;
  return property;
}

async function decide(step: Step, changed: string[]): Promise<Action> {
  const { old, request, type, inputs, context, plain, host } = step;
  if (!old) return request.importId ? "import" : "create";
  if (old.incomplete || wentAlong(step)) return "replace";
  const moved = typeof old.outputs.region === "string" && old.outputs.region !== context.region;
  const replaces = [...(type.replaceOn ?? []), ...request.replaceOnChanges];
  if (moved || (changed.length > 0 && !type.update)) return "replace";
  if (changed.length > 0 && replaces.some((path) => differsAt(path, old.inputs, inputs))) return "replace";
  if (changed.length === 0) return "same";
  const { replace: asked = false, same = false } =
    (await type.diff?.(old.id!, knownOf(old, host.settings.directory), plain, context)) ?? {};
  return asked ? "replace" : same ? "same" : "update";
}

/** A resource of the state as resource types see it. */
const knownOf = ({ inputs, outputs }: ResourceState, directory: string) => ({
  inputs: toPlainObject(inputs, directory),
  outputs: toPlainObject(outputs, directory) as Record<string, unknown>,
});

/** Whether it was part of something that was deleted and made again under the same name, such as a function's permission. */
const wentAlong = ({ host, request, type }: Step): boolean =>
  Object.entries(request.propertyDependencies).some(
    ([property, urns]) =>
      (!type.update || type.replaceOn?.includes(property)) && urns.some((urn) => host.recreated.has(urn)),
  );

async function perform(step: Step, action: Action): Promise<ResourceState> {
  const { old, request, urn, inputs } = step;
  if (action === "import") return importExisting(step);
  if (!old) return create(step);
  if (action === "replace") return replace(step, old);
  if (action === "update") return update(step, old);
  const { id, outputs, autonamed } = old;
  return { ...baseState(urn, request), id, inputs, outputs, ...markers(step), ...(autonamed && { autonamed }) };
}

const markers = ({ autonamed, recorded }: Step) => ({
  ...(autonamed && { autonamed }),
  ...(recorded && { recorded: true as const }),
});

async function create(step: Step): Promise<ResourceState> {
  const { host, urn, request, type, plain, context, inputs } = step;
  const base = { ...baseState(urn, request), inputs, ...markers(step) };
  return host.during("create", urn, async () => {
    try {
      const { id, outputs = await type.read?.(id, context, { inputs: plain, outputs: {} }) } = await type.create(
        plain,
        context,
      );
      return { ...base, id, outputs: complete(step, outputs ?? {}) };
    } catch (error) {
      if (error instanceof PartlyCreated) {
        await host.commit({ ...base, id: error.id, outputs: complete(step, {}), incomplete: error.message }, "create");
      }
      throw error;
    }
  });
}

async function update(step: Step, old: ResourceState): Promise<ResourceState> {
  const { host, urn, request, type, plain, context, inputs } = step;
  const id = old.id!;
  const known = {
    ...knownOf(old, host.settings.directory),
    changed: (...properties: string[]) => properties.some((name) => differsAt(name, old.inputs, inputs)),
  };
  const outputs = await host.during("update", urn, async () => {
    const answer = await type.update!(id, plain, known, context);
    return answer ?? (await type.read?.(id, context, { inputs: plain, outputs: known.outputs })) ?? {};
  });
  const computed = Object.fromEntries(Object.entries(old.outputs).filter(([key]) => !(key in old.inputs)));
  const all = { ...computed, ...complete(step, outputs) };
  return { ...baseState(urn, request), id, inputs, outputs: all, ...markers(step) };
}

/** Makes the new one before the old one goes, unless both cannot exist at once: the same fixed name, or told so. */
async function replace(step: Step, old: ResourceState): Promise<ResourceState> {
  const { host, request, type, inputs, plain } = step;
  if (old.protect) throw new InvalidInput(`it must be replaced, but ${protectedMessage}`);
  if (step.autonamed) {
    // Both exist for a while, so the new one needs a name of its own.
    delete inputs[step.autonamed];
    delete plain[step.autonamed];
    nameIt(step, undefined);
  }
  const fixedName = type.autoname && !step.autonamed && !differsAt(type.autoname.property, old.inputs, inputs);
  const useless = old.incomplete !== undefined || wentAlong(step);
  if (useless || (request.deleteBeforeReplace ?? (type.deleteBeforeReplace || fixedName))) {
    await deleteResource(host, old, { goesAlong: false, quiet: true });
    host.recreated.add(step.urn);
    return create(step);
  }
  const state = await create(step);
  host.retire(old);
  return state;
}

async function importExisting(step: Step): Promise<ResourceState> {
  const { urn, request, type, plain, context, inputs } = step;
  const id = request.importId!;
  if (!type.read) throw new InvalidInput(`resources of type ${request.type} cannot be imported`);
  const outputs = await type.read(id, context, { inputs: plain, outputs: {} });
  if (!outputs) throw new InvalidInput(`there is none with the id "${id}" to import`);
  return { ...baseState(urn, request), id, inputs, outputs: complete(step, outputs), ...markers(step) };
}

/** Reads something that another stack owns: `Type.get(name, id)`. */
export async function readExternal(
  host: StepHost,
  urn: string,
  request: Registration & { id: string },
): Promise<Registered> {
  const provider = host.hostFor(request.type, request.provider);
  const { type, recorded } = provider.resourceType(request.type);
  const region = request.inputs.region;
  const context = provider.context(typeof region === "string" ? region : undefined, timeoutOf(undefined));
  if (!type.read) throw new InvalidInput(`resources of type ${request.type} cannot be read`);
  const inputs = await toStateObject(request.inputs, host.settings.directory);
  const plain = toPlainObject(request.inputs, host.settings.directory);
  const outputs = await type.read(request.id, context, { inputs: plain, outputs: {} });
  if (!outputs) throw new InvalidInput(`there is none with the id "${request.id}"`);
  const step: Step = { host, urn, request, old: undefined, type, context, recorded, inputs, plain };
  const all = complete(step, outputs);
  const state = { ...baseState(urn, request), id: request.id, inputs, outputs: all, external: true as const };
  await host.commit(state, "read");
  host.settings.emit({
    ...{ kind: "done", urn, type: request.type, name: request.name, action: "read", recorded },
    milliseconds: 0,
  });
  return { urn, id: request.id, outputs: all };
}

/** Deletes a resource at the endpoint. `goesAlong`: something else that is deleted takes it with it. */
export async function deleteResource(
  host: StepHost,
  state: ResourceState,
  { goesAlong, quiet = false }: { goesAlong: boolean; quiet?: boolean },
): Promise<void> {
  const { urn, type: typeName, name, custom, external, retainOnDelete, recorded = false } = state;
  if (external || typeName === "pulumi:pulumi:Stack") return;
  const started = performance.now();
  if (custom && !goesAlong && !retainOnDelete && !typeName.startsWith("pulumi:providers:")) {
    const provider = host.hostFor(typeName, state.provider);
    const { type } = provider.resourceType(typeName);
    const region = state.outputs.region;
    const context = provider.context(
      typeof region === "string" ? region : undefined,
      timeoutOf(state.timeouts?.delete),
    );
    const known = knownOf(state, host.settings.directory);
    if (!quiet) host.settings.emit({ kind: "started", urn, type: typeName, name, action: "delete" });
    await host.during("delete", urn, async () => {
      try {
        await type.delete?.(state.id!, known, context);
      } catch (error) {
        if (!isGone(error)) throw error;
      }
    });
  }
  if (quiet) return;
  host.count("delete");
  const milliseconds = performance.now() - started;
  host.settings.emit({ kind: "done", urn, type: typeName, name, action: "delete", milliseconds, recorded });
}

/** All outputs of a resource, from what its type computed. */
const complete = ({ inputs, type, request, context, plain, host }: Step, computed: Record<string, unknown>) =>
  completeOutputs(
    { typeName: request.type, type, inputs, plain, context, directory: host.settings.directory },
    computed,
    request.additionalSecretOutputs,
  );
