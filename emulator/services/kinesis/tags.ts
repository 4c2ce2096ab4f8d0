import { check, checkTags } from "./checks";
import type { KinesisOperations, Store } from "./store";

const shown = (tags: readonly (readonly [string, string])[]) => tags.map(([Key, Value]) => ({ Key, Value }));

/** Tags of streams, and of consumers by ARN. */
export const tagOperations = (store: Store): KinesisOperations => {
  const resourceTags = (arn: string | undefined): Map<string, string> => {
    check({ resourceARN: [arn, { required: true, length: [1, 2048] }] });
    const { stream, consumer } = store.resource(arn!);
    return (consumer ?? stream).tags;
  };
  const add = (tags: Map<string, string>, added: Record<string, string> | undefined) => {
    check({ tags: [added, { required: true }] });
    checkTags(added, tags);
    for (const [key, value] of Object.entries(added!)) tags.set(key, value);
    return {};
  };
  const remove = (tags: Map<string, string>, keys: string[] | undefined) => {
    check({ tagKeys: [keys, { required: true, length: [1, 50] }] });
    for (const key of keys!) tags.delete(key);
    return {};
  };
  return {
    AddTagsToStream: (input, context) => add(store.find(input, context).tags, input.Tags),
    RemoveTagsFromStream: (input, context) => remove(store.find(input, context).tags, input.TagKeys),
    TagResource: (input) => add(resourceTags(input.ResourceARN), input.Tags),
    UntagResource: (input) => remove(resourceTags(input.ResourceARN), input.TagKeys),

    ListTagsForResource: (input) => ({ Tags: shown([...resourceTags(input.ResourceARN)]) }),

    ListTagsForStream(input, context) {
      check({ limit: [input.Limit, { range: [1, 50] }] });
      const { ExclusiveStartTagKey: start = "" } = input;
      const tags = [...store.find(input, context).tags]
        .filter(([key]) => key > start)
        .sort(([a], [b]) => (a < b ? -1 : 1));
      const page = tags.slice(0, input.Limit ?? 50);
      return { Tags: shown(page), HasMoreTags: tags.length > page.length };
    },
  };
};
