import { limits } from "../../core/limits";
import { badArn, functionNotFound, invalidParameter, noSuchResource } from "./errors";
import { check, parseFunctionArn } from "./names";
import type { LambdaOperations, Parts } from "./parts";
import type { LambdaState } from "./state";

/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-tags.html */
const tagLimit = limits.lambda.tags.value;

/** Tags of functions and event source mappings. */
export const tagOperations = ({ states }: Parts): LambdaOperations => ({
  ListTags: (input, context) => ({ Tags: { ...taggable(states.of(context), input.Resource).tags } }),

  TagResource(input, context) {
    check({ tags: [input.Tags, { required: true }] });
    const target = taggable(states.of(context), input.Resource);
    const tags = { ...target.tags, ...input.Tags };
    checkTags(tags);
    target.tags = tags;
    return {};
  },

  UntagResource(input, context) {
    check({ tagKeys: [input.TagKeys, { required: true }] });
    const target = taggable(states.of(context), input.Resource);
    const gone = new Set(input.TagKeys);
    target.tags = Object.fromEntries(Object.entries(target.tags).filter(([key]) => !gone.has(key)));
    return {};
  },
});

export function checkTags(tags: Record<string, string> | undefined): void {
  for (const [key, value] of Object.entries(tags ?? {})) {
    check({ "tags.key": [key, { length: [1, 128] }], "tags.value": [value, { length: [0, 256] }] });
    if (/^aws:/i.test(key)) throw invalidParameter(`Tag keys that begin with aws: are reserved: ${key}`);
  }
  if (Object.keys(tags ?? {}).length > tagLimit) {
    throw invalidParameter(`Number of tags exceeds resource tag limit of ${tagLimit}.`);
  }
}

function taggable(state: LambdaState, arn: string | undefined): { tags: Record<string, string> } {
  check({ resource: [arn, { required: true, length: [1, 256] }] });
  const mapping = /:event-source-mapping:([^:]+)$/.exec(arn!);
  if (mapping) {
    const found = state.mappings.get(mapping[1]!);
    if (!found) throw noSuchResource();
    return found;
  }
  const reference = parseFunctionArn(arn!);
  if (!reference) throw badArn(arn!);
  if (reference.qualifier) {
    throw invalidParameter("Tags on function aliases and versions are not supported. Please specify a function ARN.");
  }
  const fn = state.functions.get(reference.name);
  if (!fn) throw functionNotFound(arn!);
  return fn;
}
