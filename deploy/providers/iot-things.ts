import type {
  BillingGroup,
  BillingGroupArgs,
  Thing,
  ThingArgs,
  ThingGroup,
  ThingGroupArgs,
  ThingGroupMembership,
  ThingGroupMembershipArgs,
  ThingType,
  ThingTypeArgs,
} from "@pulumi/aws/iot";
import { tagChanges, tagList } from "./tags";
import { type PlainArgs, type ProviderContext, resourceType } from "./types";
import { unlessGone, waitFor } from "./wait";

/** AWS deletes a thing type five minutes after it was deprecated. */
const deprecationTimeout = 360_000;

async function retag(
  resourceArn: string | undefined,
  before: Record<string, string> | undefined,
  now: Record<string, string> | undefined,
  context: ProviderContext,
): Promise<void> {
  const { set, remove } = tagChanges(context.tags(before), context.tags(now));
  if (Object.keys(set).length > 0) await context.clients.iot.tagResource({ resourceArn, tags: tagList(set) });
  if (remove.length > 0) await context.clients.iot.untagResource({ resourceArn, tagKeys: remove });
}

async function thingOutputs(thingName: string, { clients }: ProviderContext) {
  const found = await clients.iot.describeThing({ thingName });
  return {
    name: thingName,
    arn: found.thingArn,
    defaultClientId: found.defaultClientId,
    attributes: found.attributes ?? {},
    thingTypeName: found.thingTypeName,
    version: found.version,
  };
}

const thing = resourceType<ThingArgs, Thing>({
  autoname: { property: "name", max: 128 },
  replaceOn: ["name"],
  async create({ name, attributes, thingTypeName }, context) {
    const thingName = String(name);
    await context.clients.iot.createThing({ thingName, thingTypeName, attributePayload: { attributes } });
    return { id: thingName, outputs: await thingOutputs(thingName, context) };
  },
  read: (id, context) => unlessGone(thingOutputs(id, context)),
  async update(thingName, { attributes = {}, thingTypeName }, _old, context) {
    const attributePayload = { attributes, merge: false };
    const removeThingType = thingTypeName === undefined ? true : undefined;
    await context.clients.iot.updateThing({ thingName, thingTypeName, removeThingType, attributePayload });
    return thingOutputs(thingName, context);
  },
  async delete(thingName, _known, { clients }) {
    await clients.iot.deleteThing({ thingName });
  },
});

async function typeOutputs(thingTypeName: string, { clients }: ProviderContext) {
  const found = await clients.iot.describeThingType({ thingTypeName });
  return {
    name: thingTypeName,
    arn: found.thingTypeArn,
    deprecated: found.thingTypeMetadata?.deprecated ?? false,
  };
}

const typeProperties = ({ properties }: PlainArgs<ThingTypeArgs>) => ({
  thingTypeDescription: properties?.description,
  searchableAttributes: properties?.searchableAttributes,
});

const thingType = resourceType<ThingTypeArgs, ThingType>({
  autoname: { property: "name", max: 128 },
  replaceOn: ["name", "properties"],
  async create(args, context) {
    const thingTypeName = String(args.name);
    const { iot } = context.clients;
    const tags = tagList(context.tags(args.tags));
    await iot.createThingType({ thingTypeName, thingTypeProperties: typeProperties(args), tags });
    if (args.deprecated) await iot.deprecateThingType({ thingTypeName });
    return { id: thingTypeName, outputs: await typeOutputs(thingTypeName, context) };
  },
  read: (id, context) => unlessGone(typeOutputs(id, context)),
  async update(thingTypeName, args, old, context) {
    const { iot } = context.clients;
    if (old.changed("deprecated")) await iot.deprecateThingType({ thingTypeName, undoDeprecate: !args.deprecated });
    const found = await typeOutputs(thingTypeName, context);
    await retag(found.arn, old.inputs.tags, args.tags, context);
    return found;
  },
  async delete(thingTypeName, _known, { clients, timeout }) {
    await clients.iot.deprecateThingType({ thingTypeName });
    await waitFor(
      `the deletion of the thing type ${thingTypeName}`,
      Math.max(timeout, deprecationTimeout),
      async () => {
        try {
          await clients.iot.deleteThingType({ thingTypeName });
          return true;
        } catch (error) {
          // Too early; whatever else is wrong would not change by waiting.
          if (/deprecat/i.test((error as Error).message)) return false;
          throw error;
        }
      },
    );
  },
});

async function groupOutputs(thingGroupName: string, { clients }: ProviderContext) {
  const found = await clients.iot.describeThingGroup({ thingGroupName });
  const { creationDate, parentGroupName, rootToParentThingGroups = [] } = found.thingGroupMetadata ?? {};
  return {
    name: thingGroupName,
    arn: found.thingGroupArn,
    version: found.version,
    parentGroupName,
    metadatas: [
      {
        creationDate: creationDate?.toISOString() ?? "",
        parentGroupName: parentGroupName ?? "",
        rootToParentGroups: rootToParentThingGroups.map(({ groupArn = "", groupName = "" }) => ({
          groupArn,
          groupName,
        })),
      },
    ],
  };
}

const groupProperties = ({ properties }: PlainArgs<ThingGroupArgs>) => ({
  thingGroupDescription: properties?.description ?? "",
  attributePayload: { attributes: properties?.attributePayload?.attributes ?? {}, merge: false },
});

const thingGroup = resourceType<ThingGroupArgs, ThingGroup>({
  autoname: { property: "name", max: 128 },
  replaceOn: ["name", "parentGroupName"],
  async create(args, context) {
    const thingGroupName = String(args.name);
    await context.clients.iot.createThingGroup({
      thingGroupName,
      parentGroupName: args.parentGroupName,
      thingGroupProperties: groupProperties(args),
      tags: tagList(context.tags(args.tags)),
    });
    return { id: thingGroupName, outputs: await groupOutputs(thingGroupName, context) };
  },
  read: (id, context) => unlessGone(groupOutputs(id, context)),
  async update(thingGroupName, args, old, context) {
    if (old.changed("properties"))
      await context.clients.iot.updateThingGroup({ thingGroupName, thingGroupProperties: groupProperties(args) });
    const found = await groupOutputs(thingGroupName, context);
    await retag(found.arn, old.inputs.tags, args.tags, context);
    return found;
  },
  async delete(thingGroupName, _known, { clients }) {
    await clients.iot.deleteThingGroup({ thingGroupName });
  },
});

const thingGroupMembership = resourceType<ThingGroupMembershipArgs, ThingGroupMembership>({
  replaceOn: ["thingGroupName", "thingName"],
  async create({ thingGroupName, thingName, overrideDynamicGroup }, { clients }) {
    const overrideDynamicGroups = overrideDynamicGroup;
    await clients.iot.addThingToThingGroup({ thingGroupName, thingName, overrideDynamicGroups });
    return { id: `${thingGroupName}/${thingName}`, outputs: { thingGroupName, thingName } };
  },
  async read(id, { clients }) {
    const [thingGroupName = "", thingName = ""] = id.split("/");
    const found = await unlessGone(clients.iot.listThingGroupsForThing({ thingName }));
    const isMember = found?.thingGroups?.some(({ groupName }) => groupName === thingGroupName);
    return isMember ? { thingGroupName, thingName } : undefined;
  },
  async delete(id, _known, { clients }) {
    const [thingGroupName = "", thingName = ""] = id.split("/");
    await clients.iot.removeThingFromThingGroup({ thingGroupName, thingName });
  },
});

async function billingOutputs(billingGroupName: string, { clients }: ProviderContext) {
  const found = await clients.iot.describeBillingGroup({ billingGroupName });
  const creationDate = found.billingGroupMetadata?.creationDate?.toISOString() ?? "";
  return {
    name: billingGroupName,
    arn: found.billingGroupArn,
    version: found.version,
    metadatas: [{ creationDate }],
  };
}

const billingProperties = ({ properties }: PlainArgs<BillingGroupArgs>) => ({
  billingGroupDescription: properties?.description ?? "",
});

const billingGroup = resourceType<BillingGroupArgs, BillingGroup>({
  autoname: { property: "name", max: 128 },
  replaceOn: ["name"],
  async create(args, context) {
    const billingGroupName = String(args.name);
    await context.clients.iot.createBillingGroup({
      billingGroupName,
      billingGroupProperties: billingProperties(args),
      tags: tagList(context.tags(args.tags)),
    });
    return { id: billingGroupName, outputs: await billingOutputs(billingGroupName, context) };
  },
  read: (id, context) => unlessGone(billingOutputs(id, context)),
  async update(billingGroupName, args, old, context) {
    const { iot } = context.clients;
    if (old.changed("properties"))
      await iot.updateBillingGroup({ billingGroupName, billingGroupProperties: billingProperties(args) });
    const found = await billingOutputs(billingGroupName, context);
    await retag(found.arn, old.inputs.tags, args.tags, context);
    return found;
  },
  async delete(billingGroupName, _known, { clients }) {
    await clients.iot.deleteBillingGroup({ billingGroupName });
  },
});

export const types = {
  "aws:iot/thing:Thing": thing,
  "aws:iot/thingType:ThingType": thingType,
  "aws:iot/thingGroup:ThingGroup": thingGroup,
  "aws:iot/thingGroupMembership:ThingGroupMembership": thingGroupMembership,
  "aws:iot/billingGroup:BillingGroup": billingGroup,
};
