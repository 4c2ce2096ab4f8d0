import type { Tag } from "@aws-sdk/client-timestream-write";
import { limits } from "../../core/limits";
import { check } from "./checks";
import { tooMany } from "./errors";
import type { Store, WriteOperations } from "./store";

const mostTags = limits.timestream.tags.value;

/** Adds tags to those of a resource, or none when one of them is not allowed. */
export function setTags(tags: Map<string, string>, added: readonly Tag[]): void {
  for (const { Key, Value } of added) {
    check({
      "tags.key": [Key, { required: true, length: [1, 128] }],
      "tags.value": [Value, { required: true, length: [0, 256] }],
    });
  }
  if (new Set([...tags.keys(), ...added.map(({ Key }) => Key!)]).size > mostTags) {
    throw tooMany(`A resource can have at most ${mostTags} tags.`);
  }
  for (const { Key, Value } of added) tags.set(Key!, Value!);
}

const arnRule = { required: true, length: [1, 1011] } as const;

export const tagOperations = (store: Store): WriteOperations => ({
  TagResource({ ResourceARN: arn, Tags }, context) {
    check({ resourceARN: [arn, arnRule], tags: [Tags, { required: true, length: [0, mostTags] }] });
    setTags(store.tagged(context, arn!).tags, Tags!);
    return {};
  },

  UntagResource({ ResourceARN: arn, TagKeys }, context) {
    check({ resourceARN: [arn, arnRule], tagKeys: [TagKeys, { required: true, length: [0, mostTags] }] });
    const { tags } = store.tagged(context, arn!);
    for (const key of TagKeys!) tags.delete(key);
    return {};
  },

  ListTagsForResource({ ResourceARN: arn }, context) {
    check({ resourceARN: [arn, arnRule] });
    return { Tags: [...store.tagged(context, arn!).tags].map(([Key, Value]) => ({ Key, Value })) };
  },
});
