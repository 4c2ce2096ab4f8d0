import { createRequire } from "node:module";
import { join } from "node:path";
import { InvalidInput } from "../errors";
import type { AnyResourceType } from "./types";

type Values = Record<string, unknown>;

/** A program's own provider, `pulumi.dynamic.ResourceProvider`, as far as it is used here. */
interface DynamicProvider {
  check?(olds: Values, news: Values): Promise<{ inputs?: Values; failures?: { property: string; reason: string }[] }>;
  diff?(id: string, olds: Values, news: Values): Promise<{ changes?: boolean; replaces?: string[] }>;
  create(inputs: Values): Promise<{ id: string; outs?: Values }>;
  read?(id: string, props?: Values): Promise<{ id?: string; props?: Values }>;
  update?(id: string, olds: Values, news: Values): Promise<{ outs?: Values }>;
  delete?(id: string, props: Values): Promise<void>;
}

/** The provider that Pulumi has serialized into the resource's inputs, with the program's modules to require. */
function load(inputs: Values, directory: string): DynamicProvider {
  const module = { exports: {} as { handler?: () => DynamicProvider } };
  const run = new Function("exports", "require", "module", String(inputs.__provider));
  run(module.exports, createRequire(join(directory, "provider.js")), module);
  if (!module.exports.handler) throw new InvalidInput("its dynamic provider cannot be loaded");
  return module.exports.handler();
}

async function checked(provider: DynamicProvider, olds: Values, news: Values): Promise<Values> {
  if (!provider.check) return news;
  const { inputs = news, failures = [] } = await provider.check(olds, news);
  if (failures.length > 0) {
    throw new InvalidInput(failures.map(({ property, reason }) => `${property}: ${reason}`).join("; "));
  }
  return inputs;
}

/**
 * Resources whose provider is part of the program (`pulumi.dynamic.Resource`); its functions run in this process. Secret
 * outputs that the provider makes are marked only where the program says so (`additionalSecretOutputs`).
 */
export const dynamicResource: AnyResourceType = {
  async create(inputs, { directory }) {
    const provider = load(inputs, directory);
    const { id, outs = {} } = await provider.create(await checked(provider, {}, inputs));
    return { id: String(id), outputs: outs };
  },
  async read(id, { directory }, known) {
    if (!known) return undefined;
    const provider = load(known.inputs, directory);
    if (!provider.read) return known.outputs;
    const { id: found, props } = await provider.read(id, known.outputs);
    return found === undefined ? undefined : (props ?? known.outputs);
  },
  async diff(id, old, inputs, { directory }) {
    const provider = load(inputs, directory);
    if (!provider.diff) return provider.update ? {} : { replace: true };
    const { changes, replaces = [] } = await provider.diff(id, old.outputs, inputs);
    return { replace: replaces.length > 0, same: changes === false };
  },
  async update(id, inputs, old, { directory }) {
    const provider = load(inputs, directory);
    const news = await checked(provider, old.outputs, inputs);
    return (await provider.update?.(id, old.outputs, news))?.outs ?? news;
  },
  async delete(id, { inputs, outputs }, { directory }) {
    await load(inputs, directory).delete?.(id, outputs);
  },
};
