import { randomUUID } from "node:crypto";
import type { Context } from "../../core/service";
import { byName, check, largePageRule, nameRule, page } from "./checks";
import { alreadyExists, billingGroupNotFound, invalidRequest } from "./errors";
import type { Group, Region } from "./state";
import type { IotOperations, Store } from "./store";
import { checkTags, setTags } from "./tags";
import { checkVersion, findThing } from "./things";

/** Billing groups: each thing is in one at most. */
export function billingGroupOperations(store: Store): IotOperations {
  const find = (name: string | undefined, context: Context): { region: Region; group: Group } => {
    check({ billingGroupName: [name, nameRule] });
    const region = store.region(context);
    const group = region.billingGroups.get(name!);
    if (!group) throw billingGroupNotFound(name!);
    return { region, group };
  };
  const pair = (
    input: { billingGroupName?: string; billingGroupArn?: string; thingName?: string; thingArn?: string },
    context: Context,
  ) => {
    const nameIn = (arn: string | undefined) => arn?.split("/").slice(1).join("/");
    const { region, group } = find(input.billingGroupName ?? nameIn(input.billingGroupArn), context);
    return { group, thing: findThing(region, input.thingName ?? nameIn(input.thingArn)) };
  };
  return {
    CreateBillingGroup({ billingGroupName, billingGroupProperties = {}, tags }, context) {
      const description = billingGroupProperties.billingGroupDescription;
      check({
        billingGroupName: [billingGroupName, nameRule],
        billingGroupDescription: [description, { length: [0, 2028] }],
      });
      checkTags(tags);
      const region = store.region(context);
      const name = billingGroupName!;
      const known = region.billingGroups.get(name);
      if (known && known.description !== description)
        throw alreadyExists(`Billing Group ${name} already exists with different properties.`, known.id, known.arn);
      const group: Group = known ?? {
        name,
        id: randomUUID(),
        arn: region.arn(`billinggroup/${name}`),
        description,
        attributes: {},
        version: 1,
        createdAt: store.clock.now(),
        members: new Set(),
      };
      region.billingGroups.set(name, group);
      setTags(region, group.arn, tags);
      return { billingGroupName: name, billingGroupArn: group.arn, billingGroupId: group.id };
    },

    DescribeBillingGroup({ billingGroupName }, context) {
      const { name, id, arn, version, description, createdAt } = find(billingGroupName, context).group;
      return {
        billingGroupName: name,
        billingGroupId: id,
        billingGroupArn: arn,
        version,
        billingGroupProperties: { billingGroupDescription: description },
        billingGroupMetadata: { creationDate: new Date(createdAt) },
      };
    },

    UpdateBillingGroup({ billingGroupName, billingGroupProperties = {}, expectedVersion }, context) {
      const { group } = find(billingGroupName, context);
      checkVersion("billing group", group, expectedVersion);
      group.description = billingGroupProperties.billingGroupDescription ?? group.description;
      group.version++;
      return { version: group.version };
    },

    DeleteBillingGroup({ billingGroupName, expectedVersion }, context) {
      check({ billingGroupName: [billingGroupName, nameRule] });
      const region = store.region(context);
      const group = region.billingGroups.get(billingGroupName!);
      if (!group) return {};
      checkVersion("billing group", group, expectedVersion);
      for (const name of group.members) {
        const thing = region.things.get(name);
        if (thing) thing.billingGroup = undefined;
      }
      region.billingGroups.delete(group.name);
      region.tags.delete(group.arn);
      return {};
    },

    ListBillingGroups({ namePrefixFilter = "", nextToken, maxResults }, context) {
      check({ maxResults: [maxResults, largePageRule] });
      const all = byName(store.region(context).billingGroups.values()).filter(({ name }) =>
        name.startsWith(namePrefixFilter),
      );
      const { items, next } = page(all, nextToken, maxResults);
      return {
        billingGroups: items.map(({ name, arn }) => ({ groupName: name, groupArn: arn })),
        ...(next && { nextToken: next }),
      };
    },

    AddThingToBillingGroup(input, context) {
      const { group, thing } = pair(input, context);
      if (thing.billingGroup !== undefined && thing.billingGroup !== group.name)
        throw invalidRequest(`Thing ${thing.name} is already in the billing group ${thing.billingGroup}`);
      thing.billingGroup = group.name;
      group.members.add(thing.name);
      return {};
    },

    RemoveThingFromBillingGroup(input, context) {
      const { group, thing } = pair(input, context);
      if (group.members.delete(thing.name)) thing.billingGroup = undefined;
      return {};
    },

    ListThingsInBillingGroup({ billingGroupName, nextToken, maxResults }, context) {
      check({ maxResults: [maxResults, largePageRule] });
      const { items, next } = page([...find(billingGroupName, context).group.members].sort(), nextToken, maxResults);
      return { things: items, ...(next && { nextToken: next }) };
    },
  };
}
