import { randomUUID } from "node:crypto";
import type { AttributePayload } from "@aws-sdk/client-iot";
import { limits } from "../../core/limits";
import type { Context } from "../../core/service";
import { byName, check, largePageRule, nameRule, optionalName, page } from "./checks";
import { alreadyExists, groupHasChildren, groupNotFound, invalidRequest, limitExceeded } from "./errors";
import type { Group, Region, Thing } from "./state";
import type { IotOperations, Store } from "./store";
import { checkTags, setTags } from "./tags";
import { checkVersion, findThing, mergeAttributes, sameAttributes } from "./things";

/** Levels of groups below each other, and groups that a thing can be in. */
const mostLevels = limits.iot.groupLevels.value;
const mostGroupsOfThing = limits.iot.groupsOfThing.value;

const named = ({ name, arn }: Group) => ({ groupName: name, groupArn: arn });

/** The groups that a thing was put into, by name. */
export function groupsWith(region: Region, thingName: string | undefined) {
  const { name } = findThing(region, thingName);
  return byName(region.groups.values())
    .filter(({ members }) => members.has(name))
    .map(named);
}

interface Properties {
  readonly thingGroupDescription?: string;
  readonly attributePayload?: AttributePayload;
}

function above(region: Region, group: Group): Group[] {
  const found: Group[] = [];
  for (let at = group.parent; at !== undefined; ) {
    const parent = region.groups.get(at);
    if (!parent) break;
    found.unshift(parent);
    at = parent.parent;
  }
  return found;
}

const groupsOf = (region: Region, { name }: Thing): Group[] =>
  [...region.groups.values()].filter(({ members }) => members.has(name));

/** Refuses groups that a thing cannot be in together. */
function checkGroups(region: Region, thing: Thing, wanted: readonly Group[]): void {
  const groups = new Set(wanted);
  if (groups.size > mostGroupsOfThing)
    throw limitExceeded(`A thing can be in at most ${mostGroupsOfThing} thing groups.`);
  const hierarchies = new Set<string>();
  for (const group of groups) {
    // Not in two groups of one hierarchy (API reference: AddThingToThingGroup).
    const root = above(region, group)[0]?.name ?? group.name;
    if (hierarchies.has(root))
      throw invalidRequest(`Thing ${thing.name} is already in another group of the hierarchy of ${group.name}`);
    hierarchies.add(root);
  }
}

/** Static thing groups and their hierarchy. */
export function groupOperations(store: Store): IotOperations {
  const find = (name: string | undefined, context: Context): { region: Region; group: Group } => {
    check({ thingGroupName: [name, nameRule] });
    const region = store.region(context);
    const group = region.groups.get(name!);
    if (!group) throw groupNotFound(name!);
    return { region, group };
  };
  /** A group that the request names, or its ARN; and a thing, likewise. */
  const pair = (
    input: { thingGroupName?: string; thingGroupArn?: string; thingName?: string; thingArn?: string },
    context: Context,
  ) => {
    const nameIn = (arn: string | undefined) => arn?.split("/").slice(1).join("/");
    const { region, group } = find(input.thingGroupName ?? nameIn(input.thingGroupArn), context);
    return { region, group, thing: findThing(region, input.thingName ?? nameIn(input.thingArn)) };
  };
  const checkProperties = ({ thingGroupDescription }: Properties) =>
    check({ thingGroupDescription: [thingGroupDescription, { length: [0, 2028] }] });
  return {
    CreateThingGroup({ thingGroupName, parentGroupName, thingGroupProperties = {}, tags }, context) {
      check({ thingGroupName: [thingGroupName, nameRule], parentGroupName: [parentGroupName, optionalName] });
      checkProperties(thingGroupProperties);
      checkTags(tags);
      const region = store.region(context);
      const name = thingGroupName!;
      const parent = parentGroupName === undefined ? undefined : find(parentGroupName, context).group;
      if (parent && above(region, parent).length + 2 > mostLevels)
        throw limitExceeded(`Thing groups cannot be nested more than ${mostLevels} levels deep.`);
      const attributes = mergeAttributes({}, thingGroupProperties.attributePayload);
      const description = thingGroupProperties.thingGroupDescription;
      const known = region.groups.get(name);
      if (known) {
        const isSame =
          known.parent === parentGroupName &&
          known.description === description &&
          sameAttributes(known.attributes, attributes);
        if (!isSame)
          throw alreadyExists(`Thing Group ${name} already exists with different properties.`, known.id, known.arn);
        return { thingGroupName: name, thingGroupArn: known.arn, thingGroupId: known.id };
      }
      const group: Group = {
        name,
        id: randomUUID(),
        arn: region.arn(`thinggroup/${name}`),
        description,
        attributes,
        version: 1,
        createdAt: store.clock.now(),
        parent: parentGroupName,
        members: new Set(),
      };
      region.groups.set(name, group);
      setTags(region, group.arn, tags);
      return { thingGroupName: name, thingGroupArn: group.arn, thingGroupId: group.id };
    },

    DescribeThingGroup({ thingGroupName }, context) {
      const { region, group } = find(thingGroupName, context);
      const parents = above(region, group);
      return {
        thingGroupName: group.name,
        thingGroupId: group.id,
        thingGroupArn: group.arn,
        version: group.version,
        thingGroupProperties: {
          thingGroupDescription: group.description,
          attributePayload: { attributes: group.attributes },
        },
        thingGroupMetadata: {
          parentGroupName: group.parent,
          rootToParentThingGroups: parents.map(named),
          creationDate: new Date(group.createdAt),
        },
      };
    },

    UpdateThingGroup({ thingGroupName, thingGroupProperties = {}, expectedVersion }, context) {
      const { region, group } = find(thingGroupName, context);
      checkProperties(thingGroupProperties);
      checkVersion("thing group", group, expectedVersion);
      group.attributes = mergeAttributes(group.attributes, thingGroupProperties.attributePayload);
      group.description = thingGroupProperties.thingGroupDescription ?? group.description;
      group.version++;
      region.generation++;
      return { version: group.version };
    },

    DeleteThingGroup({ thingGroupName, expectedVersion }, context) {
      check({ thingGroupName: [thingGroupName, nameRule] });
      const region = store.region(context);
      const group = region.groups.get(thingGroupName!);
      // Deleting what is not there succeeds (API reference: DeleteThingGroup).
      if (!group) return {};
      checkVersion("thing group", group, expectedVersion);
      if ([...region.groups.values()].some(({ parent }) => parent === group.name)) throw groupHasChildren(group.name);
      for (const policy of region.policiesOf(group.arn)) policy.targets.delete(group.arn);
      region.groups.delete(group.name);
      region.tags.delete(group.arn);
      region.generation++;
      return {};
    },

    ListThingGroups({ parentGroup, namePrefixFilter = "", recursive, nextToken, maxResults }, context) {
      check({ maxResults: [maxResults, largePageRule], parentGroup: [parentGroup, optionalName] });
      const region = store.region(context);
      if (parentGroup !== undefined) find(parentGroup, context);
      const isBelow = (group: Group) => {
        if (recursive === false || parentGroup === undefined)
          return recursive !== false || group.parent === parentGroup;
        return above(region, group).some(({ name }) => name === parentGroup);
      };
      const all = byName(region.groups.values()).filter(
        (group) => group.name.startsWith(namePrefixFilter) && isBelow(group),
      );
      const { items, next } = page(all, nextToken, maxResults);
      return { thingGroups: items.map(named), ...(next && { nextToken: next }) };
    },

    AddThingToThingGroup(input, context) {
      const { region, group, thing } = pair(input, context);
      checkGroups(region, thing, [...groupsOf(region, thing), group]);
      group.members.add(thing.name);
      region.generation++;
      return {};
    },

    RemoveThingFromThingGroup(input, context) {
      const { region, group, thing } = pair(input, context);
      group.members.delete(thing.name);
      region.generation++;
      return {};
    },

    UpdateThingGroupsForThing({ thingName, thingGroupsToAdd = [], thingGroupsToRemove = [] }, context) {
      const region = store.region(context);
      const thing = findThing(region, thingName);
      const added = thingGroupsToAdd.map((name) => find(name, context).group);
      const removed = thingGroupsToRemove.map((name) => find(name, context).group);
      const remaining = groupsOf(region, thing).filter((group) => !removed.includes(group));
      checkGroups(region, thing, [...remaining, ...added]);
      for (const group of removed) group.members.delete(thing.name);
      for (const group of added) group.members.add(thing.name);
      region.generation++;
      return {};
    },

    ListThingGroupsForThing({ thingName, nextToken, maxResults }, context) {
      check({ maxResults: [maxResults, largePageRule] });
      const { items, next } = page(groupsWith(store.region(context), thingName), nextToken, maxResults);
      return { thingGroups: items, ...(next && { nextToken: next }) };
    },

    ListThingsInThingGroup({ thingGroupName, recursive, nextToken, maxResults }, context) {
      check({ maxResults: [maxResults, largePageRule] });
      const { region, group } = find(thingGroupName, context);
      const isIn = (one: Group) => one === group || (recursive === true && above(region, one).includes(group));
      const all = new Set([...region.groups.values()].filter(isIn).flatMap(({ members }) => [...members]));
      const { items, next } = page([...all].sort(), nextToken, maxResults);
      return { things: items, ...(next && { nextToken: next }) };
    },
  };
}
