import type { Tag } from "@aws-sdk/client-iot";
import { parseArn } from "../../core/arn";
import { limits } from "../../core/limits";
import type { Context } from "../../core/service";
import { check } from "./checks";
import { invalidRequest, limitExceeded, notFound } from "./errors";
import type { Region } from "./state";
import type { IotOperations, Store } from "./store";

const mostTags = limits.iot.tags.value;
const characters = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/** Refuses tags that a resource cannot have, together with those that it has. */
export function checkTags(tags: readonly Tag[] | undefined, present: ReadonlyMap<string, string> = new Map()): void {
  for (const { Key, Value } of tags ?? []) {
    check({
      "tags.key": [Key, { required: true, length: [1, 128], pattern: characters }],
      "tags.value": [Value, { length: [0, 256], pattern: characters }],
    });
    if (/^aws:/i.test(Key!)) throw invalidRequest(`The tag key ${Key} must not begin with aws:`);
  }
  const keys = (tags ?? []).map(({ Key }) => Key!);
  if (new Set(keys).size < keys.length) throw invalidRequest("Duplicate tag keys are not allowed");
  if (new Set([...present.keys(), ...keys]).size > mostTags) {
    throw limitExceeded(`A resource cannot have more than ${mostTags} tags`);
  }
}

/** Gives a resource its tags, in addition to those that it has. */
export function setTags(region: Region, arn: string, tags: readonly Tag[] | undefined): void {
  if (!tags?.length) return;
  const present = region.tags.get(arn) ?? new Map<string, string>();
  for (const { Key, Value } of tags) present.set(Key!, Value ?? "");
  region.tags.set(arn, present);
}

/** Whether a resource of this region that can have tags has this ARN. */
function isTaggable(region: Region, arn: string): boolean {
  const [, kind, name = ""] = /^(\w+)\/(.+)$/.exec(parseArn(arn)?.resource ?? "") ?? [];
  const kinds: Record<string, ReadonlyMap<string, { readonly arn: string }>> = {
    policy: region.policies,
    cacert: region.caCertificates,
    thingtype: region.thingTypes,
    thinggroup: region.groups,
    billinggroup: region.billingGroups,
    ...region.taggable,
  };
  return kind !== undefined && Object.hasOwn(kinds, kind) && kinds[kind]!.get(name)?.arn === arn;
}

/** Tags of policies, thing types, groups, and of what else registers itself in `region.taggable`. */
export function tagOperations(store: Store): IotOperations {
  const find = (arn: string | undefined, context: Context): { region: Region; arn: string } => {
    check({ resourceArn: [arn, { required: true, length: [1, 2048] }] });
    const region = store.region(context);
    if (!isTaggable(region, arn!)) throw notFound(`The resource ${arn} cannot be found.`);
    return { region, arn: arn! };
  };
  return {
    TagResource({ resourceArn, tags }, context) {
      const { region, arn } = find(resourceArn, context);
      check({ tags: [tags, { required: true }] });
      checkTags(tags, region.tags.get(arn));
      setTags(region, arn, tags);
      return {};
    },

    UntagResource({ resourceArn, tagKeys }, context) {
      const { region, arn } = find(resourceArn, context);
      check({ tagKeys: [tagKeys, { required: true }] });
      for (const key of tagKeys!) region.tags.get(arn)?.delete(key);
      return {};
    },

    ListTagsForResource({ resourceArn }, context) {
      const { region, arn } = find(resourceArn, context);
      return { tags: [...(region.tags.get(arn) ?? [])].map(([Key, Value]) => ({ Key, Value })) };
    },
  };
}
