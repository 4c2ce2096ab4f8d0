import type { Method, Resource } from "@aws-sdk/client-api-gateway";
import { badRequest, conflict, notFound } from "../errors";
import { type PatchRule, patched } from "../patch";
import { type Api, newId, page, type StoredResource } from "../state";
import type { Part, Store } from "../store";

/** Resource: the tree of paths. The root comes with the API. */
export function resources(store: Store): Part {
  const find = (context: Parameters<Store["of"]>[0], restApiId: string | undefined, id: string | undefined) => {
    // A wrong API id reads as a wrong resource id here (recorded from AWS).
    const api = store.of(context).apis.get(restApiId ?? "");
    if (!api) throw notFound("Resource");
    return { api, resource: api.resource(id ?? "") };
  };

  return {
    CreateResource({ restApiId, parentId, pathPart }, context) {
      const api = store.of(context).api(restApiId);
      const parent = api.resource(parentId ?? "");
      checkPart(api, parent, pathPart ?? "");
      const resource = {
        id: newId(6),
        parentId: parent.id,
        pathPart: pathPart!,
        path: join(parent.path, pathPart!),
        resourceMethods: {},
      };
      api.definition.resources.push(resource);
      return show(resource, false);
    },
    GetResource: ({ restApiId, resourceId, embed }, context) =>
      show(find(context, restApiId, resourceId).resource, embed?.includes("methods") ?? false),
    GetResources({ restApiId, embed, ...paging }, context) {
      const sorted = [...store.of(context).api(restApiId).definition.resources].sort((a, b) =>
        a.path < b.path ? -1 : 1,
      );
      const { items, position } = page(sorted, paging);
      const methods = embed?.includes("methods") ?? false;
      return { items: items.map((resource) => show(resource, methods)), position };
    },
    UpdateResource({ restApiId, resourceId, patchOperations }, context) {
      const { api, resource } = find(context, restApiId, resourceId);
      const updated = patched(resource, patchOperations, rules(api, resource), {
        input: "updateResourceInput",
        listsPaths: true,
      });
      api.definition.resources[api.definition.resources.indexOf(resource)] = updated;
      repath(api, updated);
      return show(updated, false);
    },
    DeleteResource({ restApiId, resourceId }, context) {
      const { api, resource } = find(context, restApiId, resourceId);
      if (!resource.parentId) throw badRequest("Root resource cannot be deleted");
      const gone = new Set([resource.id]);
      for (let grew = true; grew; ) {
        grew = false;
        for (const { id, parentId } of api.definition.resources) {
          if (!gone.has(id) && parentId && gone.has(parentId)) {
            gone.add(id);
            grew = true;
          }
        }
      }
      api.definition.resources = api.definition.resources.filter(({ id }) => !gone.has(id));
      return {};
    },
  };
}

const join = (parent: string, part: string) => (parent === "/" ? `/${part}` : `${parent}/${part}`);

/** A resource as the API shows it; methods in full only with `embed=methods`. */
function show({ resourceMethods, ...resource }: StoredResource, withMethods: boolean): Resource {
  const verbs = Object.keys(resourceMethods);
  if (!verbs.length) return resource;
  const bare = Object.fromEntries(verbs.map((verb) => [verb, {} as Method]));
  return { ...resource, resourceMethods: withMethods ? resourceMethods : bare };
}

function checkPart(api: Api, parent: StoredResource, part: string, self?: StoredResource): void {
  if (!/^(\{[\w.:-]+\+?\}|[\w.:$~@!*'(),;=&+%-]+)$/.test(part))
    throw badRequest(
      "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the beginning and the end.",
    );
  if (parent.pathPart?.endsWith("+}"))
    throw badRequest(`Cannot create a child of a resource with a greedy path variable: ${parent.pathPart}`);
  const siblings = api.definition.resources.filter((other) => other.parentId === parent.id && other.id !== self?.id);
  if (siblings.some((other) => other.pathPart === part))
    throw conflict(`Another resource with the same parent already has this name: ${part}`);
  const variable = part.startsWith("{") && siblings.find((other) => other.pathPart?.startsWith("{"));
  if (variable)
    throw badRequest(
      `A sibling (${variable.pathPart}) of this resource already has a variable path part -- only one is allowed`,
    );
}

function rules(api: Api, self: StoredResource): PatchRule<StoredResource>[] {
  const parentOf = (id: string | undefined) => api.definition.resources.find((other) => other.id === id);
  return [
    {
      path: "/parentId",
      apply: (resource, { value }) => {
        const parent = parentOf(value);
        if (!parent) throw notFound("Resource");
        for (let above: StoredResource | undefined = parent; above; above = parentOf(above.parentId))
          if (above.id === self.id) throw badRequest("Resources cannot be cyclical.");
        checkPart(api, parent, resource.pathPart ?? "", self);
        resource.parentId = parent.id;
        resource.path = join(parent.path, resource.pathPart ?? "");
      },
    },
    {
      path: "/pathPart",
      apply: (resource, { value }) => {
        const parent = parentOf(resource.parentId);
        if (!parent) throw badRequest("Root resource cannot update its path part.");
        checkPart(api, parent, value, self);
        resource.pathPart = value;
        resource.path = join(parent.path, value);
      },
    },
  ];
}

/** Gives the resources below a moved one their new paths. */
function repath(api: Api, parent: StoredResource): void {
  for (const child of api.definition.resources) {
    if (child.parentId !== parent.id) continue;
    child.path = join(parent.path, child.pathPart ?? "");
    repath(api, child);
  }
}
