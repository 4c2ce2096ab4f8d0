import { randomUUID } from "node:crypto";
import type { AttributePayload } from "@aws-sdk/client-iot";
import { limits } from "../../core/limits";
import type { Context } from "../../core/service";
import { byName, check, largePageRule, nameRule, optionalName, page } from "./checks";
import {
  alreadyExists,
  billingGroupNotFound,
  invalidRequest,
  thingHasPrincipals,
  thingNotFound,
  thingTypeDeprecated,
  thingTypeNotFound,
  versionConflict,
} from "./errors";
import type { Region, Thing } from "./state";
import type { IotOperations, Store } from "./store";

/** A thing without a type has three attributes, one with a type fifty. */
const mostAttributes = (typeName: string | undefined) =>
  (typeName === undefined ? limits.iot.attributes : limits.iot.typedAttributes).value;

/** The thing of a name. */
export function findThing(region: Region, name: string | undefined): Thing {
  check({ thingName: [name, nameRule] });
  const thing = region.things.get(name!);
  if (!thing) throw thingNotFound(name!);
  return thing;
}

/** A thing as DescribeThing shows it. */
export const describeThing = ({ name, id, arn, typeName, attributes, version, billingGroup }: Thing) => ({
  defaultClientId: name,
  thingName: name,
  thingId: id,
  thingArn: arn,
  thingTypeName: typeName,
  attributes,
  version,
  billingGroupName: billingGroup,
});

/** Attributes as they are after a change: an empty value takes one away. */
export function mergeAttributes(
  present: Readonly<Record<string, string>>,
  payload: AttributePayload | undefined,
): Record<string, string> {
  if (!payload) return { ...present };
  // A Map: an attribute may have the name `__proto__`.
  const result = new Map(Object.entries(payload.attributes && !payload.merge ? {} : present));
  for (const [name, value] of Object.entries(payload.attributes ?? {})) {
    check({
      "attributePayload.attributes.key": [
        name,
        { length: [1, limits.iot.attributeName.value], pattern: /^[a-zA-Z0-9_.,@/:#=[\]-]+$/ },
      ],
      "attributePayload.attributes.value": [
        value,
        { length: [0, limits.iot.attributeValue.value], pattern: /^[a-zA-Z0-9_.,@/:#=[\]-]*$/ },
      ],
    });
    if (value === "") result.delete(name);
    else result.set(name, value);
  }
  return Object.fromEntries(result);
}

function checkAttributes(attributes: Record<string, string>, typeName: string | undefined): void {
  const most = mostAttributes(typeName);
  if (Object.keys(attributes).length <= most) return;
  throw invalidRequest(
    `A thing ${typeName === undefined ? "without" : "with"} a thing type can have at most ${most} attributes.`,
  );
}

function checkType(region: Region, typeName: string | undefined): void {
  check({ thingTypeName: [typeName, optionalName] });
  if (typeName === undefined) return;
  const type = region.thingTypes.get(typeName);
  if (!type) throw thingTypeNotFound(typeName);
  if (type.deprecatedAt !== undefined) throw thingTypeDeprecated(typeName);
}

/** Whether attributes are the same, in whatever order. */
export const sameAttributes = (a: Record<string, string>, b: Record<string, string>) =>
  JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort());

/** Refuses a change of something that is not as its caller thinks. */
export function checkVersion(
  kind: string,
  { name, version }: { name: string; version: number },
  expected: number | undefined,
): void {
  if (expected !== undefined && expected !== version) throw versionConflict(kind, name, expected, version);
}

/** The registry: devices with their attributes. */
export function thingOperations(store: Store): IotOperations {
  const find = (name: string | undefined, context: Context) => findThing(store.region(context), name);
  return {
    CreateThing({ thingName, thingTypeName, attributePayload, billingGroupName }, context) {
      check({ thingName: [thingName, nameRule], billingGroupName: [billingGroupName, optionalName] });
      const region = store.region(context);
      const name = thingName!;
      checkType(region, thingTypeName);
      if (billingGroupName !== undefined && !region.billingGroups.has(billingGroupName))
        throw billingGroupNotFound(billingGroupName);
      const attributes = mergeAttributes({}, attributePayload);
      checkAttributes(attributes, thingTypeName);
      const known = region.things.get(name);
      if (known) {
        // Creating the same thing again is not an error (API reference: CreateThing).
        if (known.typeName !== thingTypeName || !sameAttributes(known.attributes, attributes))
          throw alreadyExists(
            `Thing ${name} already exists in account with different attributes.`,
            known.id,
            known.arn,
          );
        return { thingName: name, thingArn: known.arn, thingId: known.id };
      }
      const thing: Thing = {
        name,
        id: randomUUID(),
        arn: region.arn(`thing/${name}`),
        typeName: thingTypeName,
        attributes,
        version: 1,
        billingGroup: billingGroupName,
        principals: new Map(),
      };
      region.things.set(name, thing);
      if (billingGroupName !== undefined) region.billingGroups.get(billingGroupName)!.members.add(name);
      region.generation++;
      return { thingName: name, thingArn: thing.arn, thingId: thing.id };
    },

    DescribeThing({ thingName }, context) {
      return describeThing(find(thingName, context));
    },

    UpdateThing({ thingName, thingTypeName, attributePayload, expectedVersion, removeThingType }, context) {
      const region = store.region(context);
      const thing = findThing(region, thingName);
      checkType(region, thingTypeName);
      if (removeThingType && thingTypeName !== undefined)
        throw invalidRequest("Cannot specify thingTypeName and removeThingType in the same request");
      checkVersion("thing", thing, expectedVersion);
      const typeName = removeThingType ? undefined : (thingTypeName ?? thing.typeName);
      const attributes = mergeAttributes(thing.attributes, attributePayload);
      checkAttributes(attributes, typeName);
      Object.assign(thing, { typeName, attributes, version: thing.version + 1 });
      region.generation++;
      return {};
    },

    DeleteThing({ thingName, expectedVersion }, context) {
      check({ thingName: [thingName, nameRule] });
      const region = store.region(context);
      const thing = region.things.get(thingName!);
      // Deleting what is not there succeeds (API reference: DeleteThing).
      if (!thing) return {};
      checkVersion("thing", thing, expectedVersion);
      if (thing.principals.size > 0) throw thingHasPrincipals(thing.name);
      region.things.delete(thing.name);
      for (const group of [...region.groups.values(), ...region.billingGroups.values()])
        group.members.delete(thing.name);
      region.generation++;
      return {};
    },

    ListThings(input, context) {
      const { attributeName, attributeValue, usePrefixAttributeValue, thingTypeName, nextToken, maxResults } = input;
      check({ maxResults: [maxResults, largePageRule], thingTypeName: [thingTypeName, optionalName] });
      if (attributeValue !== undefined && attributeName === undefined)
        throw invalidRequest("attributeValue needs an attributeName");
      const hasAttribute = ({ attributes }: Thing) => {
        if (attributeName === undefined) return true;
        const value = Object.hasOwn(attributes, attributeName) ? attributes[attributeName] : undefined;
        if (value === undefined || attributeValue === undefined) return value !== undefined;
        return usePrefixAttributeValue ? value.startsWith(attributeValue) : value === attributeValue;
      };
      const matching = byName(store.region(context).things.values()).filter(
        (thing) => (thingTypeName === undefined || thing.typeName === thingTypeName) && hasAttribute(thing),
      );
      const { items, next } = page(matching, nextToken, maxResults);
      return {
        things: items.map(({ name, arn, typeName, attributes, version }) => ({
          thingName: name,
          thingArn: arn,
          thingTypeName: typeName,
          attributes,
          version,
        })),
        ...(next && { nextToken: next }),
      };
    },
  };
}
