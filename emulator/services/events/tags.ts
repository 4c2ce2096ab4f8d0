import { parseArn } from "../../core/arn";
import { addTags, check } from "./checks";
import { invalidParameter, noSuchResource } from "./errors";
import type { EventsOperations, Store } from "./store";

/** Tags of rules and event buses. */
export const tagOperations = (store: Store): EventsOperations => {
  const tagsOf = (text: string | undefined): Map<string, string> => {
    check({ resourceARN: [text, { required: true, length: [1, 1600] }] });
    const arn = parseArn(text!);
    if (arn?.service !== "events") throw invalidParameter("ResourceARN", "Provided Arn is not in correct format.");
    const [, bus, busName = "default", rule] =
      /^(?:event-bus\/(.+)|rule\/(?:([^/]+)\/)?([^/]+))$/.exec(arn.resource) ?? [];
    const buses = store.of(arn);
    const found = bus === undefined ? buses.get(busName)?.rules.get(rule ?? "") : buses.get(bus);
    if (!found) throw noSuchResource(text!);
    return found.tags;
  };
  return {
    TagResource(input) {
      const tags = tagsOf(input.ResourceARN);
      check({ tags: [input.Tags, { required: true }] });
      addTags(tags, input.Tags);
      return {};
    },
    UntagResource(input) {
      const tags = tagsOf(input.ResourceARN);
      check({ tagKeys: [input.TagKeys, { required: true }] });
      for (const key of input.TagKeys!) tags.delete(key);
      return {};
    },
    ListTagsForResource: (input) => ({
      Tags: [...tagsOf(input.ResourceARN)].map(([Key, Value]) => ({ Key, Value })),
    }),
  };
};
