import { randomUUID } from "node:crypto";
import type { Context } from "../../core/service";
import { byName, check, largePageRule, nameRule, page } from "./checks";
import { alreadyExists, invalidRequest, thingTypeInUse, thingTypeNotDeprecated, thingTypeNotFound } from "./errors";
import type { Region, ThingType } from "./state";
import type { IotOperations, Store } from "./store";
import { checkTags, setTags } from "./tags";

const metadata = ({ createdAt, deprecatedAt }: ThingType) => ({
  deprecated: deprecatedAt !== undefined,
  ...(deprecatedAt !== undefined && { deprecationDate: new Date(deprecatedAt) }),
  creationDate: new Date(createdAt),
});

const properties = ({ description, searchableAttributes }: ThingType) => ({
  thingTypeDescription: description,
  searchableAttributes: [...searchableAttributes],
});

/** Kinds of things. */
export function thingTypeOperations(store: Store): IotOperations {
  const find = (name: string | undefined, context: Context): { region: Region; type: ThingType } => {
    check({ thingTypeName: [name, nameRule] });
    const region = store.region(context);
    const type = region.thingTypes.get(name!);
    if (!type) throw thingTypeNotFound(name!);
    return { region, type };
  };
  const checkProperties = (description: string | undefined, searchable: readonly string[] | undefined) => {
    check({
      thingTypeDescription: [description, { length: [0, 2028], pattern: /^\P{Cc}*$/u }],
    });
    if ((searchable?.length ?? 0) > 3) throw invalidRequest("A thing type can have at most 3 searchable attributes.");
  };
  return {
    CreateThingType({ thingTypeName, thingTypeProperties, tags }, context) {
      check({ thingTypeName: [thingTypeName, nameRule] });
      const { thingTypeDescription: description, searchableAttributes = [] } = thingTypeProperties ?? {};
      checkProperties(description, searchableAttributes);
      checkTags(tags);
      const region = store.region(context);
      const name = thingTypeName!;
      const known = region.thingTypes.get(name);
      if (known) {
        const isSame =
          known.description === description && known.searchableAttributes.join() === searchableAttributes.join();
        if (!isSame)
          throw alreadyExists(`ThingType ${name} already exists with different properties.`, known.id, known.arn);
        return { thingTypeName: name, thingTypeArn: known.arn, thingTypeId: known.id };
      }
      const type: ThingType = {
        name,
        id: randomUUID(),
        arn: region.arn(`thingtype/${name}`),
        description,
        searchableAttributes,
        createdAt: store.clock.now(),
      };
      region.thingTypes.set(name, type);
      setTags(region, type.arn, tags);
      return { thingTypeName: name, thingTypeArn: type.arn, thingTypeId: type.id };
    },

    DescribeThingType({ thingTypeName }, context) {
      const { type } = find(thingTypeName, context);
      return {
        thingTypeName: type.name,
        thingTypeId: type.id,
        thingTypeArn: type.arn,
        thingTypeProperties: properties(type),
        thingTypeMetadata: metadata(type),
      };
    },

    UpdateThingType({ thingTypeName, thingTypeProperties }, context) {
      const { type } = find(thingTypeName, context);
      const { thingTypeDescription, searchableAttributes } = thingTypeProperties ?? {};
      checkProperties(thingTypeDescription, searchableAttributes);
      type.description = thingTypeDescription ?? type.description;
      type.searchableAttributes = searchableAttributes ?? type.searchableAttributes;
      return {};
    },

    ListThingTypes({ thingTypeName, nextToken, maxResults }, context) {
      check({ maxResults: [maxResults, largePageRule] });
      const all = byName(store.region(context).thingTypes.values()).filter(
        ({ name }) => thingTypeName === undefined || name === thingTypeName,
      );
      const { items, next } = page(all, nextToken, maxResults);
      return {
        thingTypes: items.map((type) => ({
          thingTypeName: type.name,
          thingTypeArn: type.arn,
          thingTypeProperties: properties(type),
          thingTypeMetadata: metadata(type),
        })),
        ...(next && { nextToken: next }),
      };
    },

    DeprecateThingType({ thingTypeName, undoDeprecate }, context) {
      const { type } = find(thingTypeName, context);
      if (undoDeprecate) type.deprecatedAt = undefined;
      else type.deprecatedAt ??= store.clock.now();
      return {};
    },

    DeleteThingType({ thingTypeName }, context) {
      const { region, type } = find(thingTypeName, context);
      const { name, arn, deprecatedAt } = type;
      // Not emulated: AWS wants five minutes in between, which would make each take-down of a stack wait for them.
      if (deprecatedAt === undefined) throw thingTypeNotDeprecated(name);
      if ([...region.things.values()].some(({ typeName }) => typeName === name)) throw thingTypeInUse(name);
      region.thingTypes.delete(name);
      region.tags.delete(arn);
      return {};
    },
  };
}
