import { parseArn } from "../../core/arn";
import type { Scope } from "../../core/service";
import { addTags, check } from "./checks";
import { accessDenied, invalidParameter, noSuchResource } from "./errors";
import type { EventsOperations, Store } from "./store";

/** Tags of rules and event buses. */
export const tagOperations = (store: Store): EventsOperations => {
  const tagsOf = (text: string | undefined, { account }: Scope): Map<string, string> => {
    check({ resourceARN: [text, { required: true, length: [1, 1600] }] });
    const arn = parseArn(text!);
    if (arn?.service !== "events") throw invalidParameter("ResourceARN", "Provided Arn is not in correct format.");
    if (arn.account !== account) throw accessDenied(text!);
    const [, bus, busName = "default", rule] =
      /^(?:event-bus\/(.+)|rule\/(?:([^/]+)\/)?([^/]+))$/.exec(arn.resource) ?? [];
    const buses = store.of(arn);
    const found = bus === undefined ? buses.get(busName)?.rules.get(rule ?? "") : buses.get(bus);
    if (!found) throw noSuchResource(text!);
    return found.tags;
  };
  return {
    TagResource(input, context) {
      const tags = tagsOf(input.ResourceARN, context);
      check({ tags: [input.Tags, { required: true }] });
      addTags(tags, input.Tags);
      return {};
    },
    UntagResource(input, context) {
      const tags = tagsOf(input.ResourceARN, context);
      check({ tagKeys: [input.TagKeys, { required: true }] });
      for (const key of input.TagKeys!) tags.delete(key);
      return {};
    },
    ListTagsForResource: (input, context) => ({
      Tags: [...tagsOf(input.ResourceARN, context)].map(([Key, Value]) => ({ Key, Value })),
    }),
  };
};
