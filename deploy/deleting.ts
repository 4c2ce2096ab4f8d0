import type { ResourceState } from "./state";
import { splitProvider } from "./urn";

/** Resources that must still be there while this one is deleted. */
const needs = (resource: ResourceState): string[] => [
  ...resource.dependencies,
  ...Object.values(resource.propertyDependencies).flat(),
  ...(resource.parent ? [resource.parent] : []),
  ...(resource.provider ? [splitProvider(resource.provider).urn] : []),
];

/**
 * Deletes resources, each after all that depend on it, independent ones at the same time. A failure stops only what
 * the failed resource still needs. `remove` tells whether it succeeded.
 */
export async function deleteInOrder(
  resources: readonly ResourceState[],
  remove: (resource: ResourceState) => Promise<boolean>,
): Promise<void> {
  const byUrn = new Map<string, ResourceState[]>();
  for (const resource of resources) byUrn.set(resource.urn, [...(byUrn.get(resource.urn) ?? []), resource]);
  const dependents = new Map<ResourceState, ResourceState[]>();
  for (const resource of resources) {
    for (const needed of new Set(needs(resource).flatMap((urn) => byUrn.get(urn) ?? []))) {
      if (needed !== resource) dependents.set(needed, [...(dependents.get(needed) ?? []), resource]);
    }
  }
  const tasks = new Map<ResourceState, Promise<boolean>>();
  const task = (resource: ResourceState, path: readonly ResourceState[]): Promise<boolean> => {
    let running = tasks.get(resource);
    if (!running) {
      // A circle can only come from an edited state; it is cut where it closes instead of waiting for itself.
      const first = (dependents.get(resource) ?? []).filter((dependent) => !path.includes(dependent));
      running = Promise.all(first.map((dependent) => task(dependent, [...path, resource]))).then((done) =>
        done.every(Boolean) ? remove(resource) : false,
      );
      tasks.set(resource, running);
    }
    return running;
  };
  await Promise.all(resources.map((resource) => task(resource, [resource])));
}
