import { check, page, pageRule } from "./checks";
import { invalidRequest, principalNotFound } from "./errors";
import type { PrincipalType, Region } from "./state";
import type { IotOperations, Store } from "./store";
import { findThing } from "./things";

const identityPattern = /^[\w-]+:[0-9a-f-]+$/;
const types = ["EXCLUSIVE_THING", "NON_EXCLUSIVE_THING"];

/** Refuses what cannot be a thing's principal: it is a certificate of this region or a Cognito identity. */
function checkPrincipal(region: Region, principal: string | undefined): string {
  check({ principal: [principal, { required: true, length: [1, 2048] }] });
  if (region.certificateOf(principal!) || identityPattern.test(principal!)) return principal!;
  throw principal!.startsWith("arn:") ? principalNotFound(principal!) : invalidRequest("Invalid principal");
}

/** Which certificates and identities speak for which things. */
export function principalOperations(store: Store): IotOperations {
  const thingsOf = (region: Region, principal: string) =>
    [...region.things.values()].flatMap(({ name, principals }) => {
      const type = principals.get(principal);
      return type === undefined ? [] : [{ thingName: name, thingPrincipalType: type }];
    });
  return {
    AttachThingPrincipal({ thingName, principal, thingPrincipalType }, context) {
      check({ thingPrincipalType: [thingPrincipalType, { oneOf: types }] });
      const region = store.region(context);
      const thing = findThing(region, thingName);
      checkPrincipal(region, principal);
      const type: PrincipalType = thingPrincipalType ?? "NON_EXCLUSIVE_THING";
      const others = thingsOf(region, principal!).filter((other) => other.thingName !== thing.name);
      const isExclusive = others.some((other) => other.thingPrincipalType === "EXCLUSIVE_THING");
      if (isExclusive || (type === "EXCLUSIVE_THING" && others.length > 0))
        throw invalidRequest(
          `The principal ${principal} is attached to another thing, and one of them is to have it exclusively`,
        );
      thing.principals.set(principal!, type);
      region.generation++;
      return {};
    },

    DetachThingPrincipal({ thingName, principal }, context) {
      const region = store.region(context);
      const thing = findThing(region, thingName);
      thing.principals.delete(checkPrincipal(region, principal));
      region.generation++;
      return {};
    },

    ListThingPrincipals({ thingName, nextToken, maxResults }, context) {
      check({ maxResults: [maxResults, pageRule] });
      const all = [...findThing(store.region(context), thingName).principals.keys()];
      const { items, next } = page(all, nextToken, maxResults);
      return { principals: items, ...(next && { nextToken: next }) };
    },

    ListThingPrincipalsV2({ thingName, nextToken, maxResults, thingPrincipalType }, context) {
      check({ maxResults: [maxResults, pageRule], thingPrincipalType: [thingPrincipalType, { oneOf: types }] });
      const all = [...findThing(store.region(context), thingName).principals]
        .map(([principal, type]) => ({ principal, thingPrincipalType: type }))
        .filter((one) => thingPrincipalType === undefined || one.thingPrincipalType === thingPrincipalType);
      const { items, next } = page(all, nextToken, maxResults);
      return { thingPrincipalObjects: items, ...(next && { nextToken: next }) };
    },

    ListPrincipalThings({ principal, nextToken, maxResults }, context) {
      check({ maxResults: [maxResults, pageRule] });
      const region = store.region(context);
      const all = thingsOf(region, checkPrincipal(region, principal)).map(({ thingName }) => thingName);
      const { items, next } = page(all, nextToken, maxResults);
      return { things: items, ...(next && { nextToken: next }) };
    },

    ListPrincipalThingsV2({ principal, nextToken, maxResults, thingPrincipalType }, context) {
      check({ maxResults: [maxResults, pageRule], thingPrincipalType: [thingPrincipalType, { oneOf: types }] });
      const region = store.region(context);
      const all = thingsOf(region, checkPrincipal(region, principal)).filter(
        (one) => thingPrincipalType === undefined || one.thingPrincipalType === thingPrincipalType,
      );
      const { items, next } = page(all, nextToken, maxResults);
      return { principalThingObjects: items, ...(next && { nextToken: next }) };
    },
  };
}
