import type { Tag } from "@aws-sdk/client-dynamodb";
import { limits } from "../../../core/limits";
import { invalidParameter } from "../errors";
import type { DynamoOperations } from "../requests";
import type { Database } from "../state";
import type { Table } from "../table";
import { type Constraint, constrain, length, required } from "../validation";

const maxTags = limits.dynamodb.tags.value;

/** Tags of tables. */
export const tagOperations = (database: Database): DynamoOperations => ({
  TagResource: (input) => {
    constrain(["resourceArn", input.ResourceArn, required], ["tags", input.Tags, required]);
    addTags(database.resource(input.ResourceArn!), input.Tags!);
    return {};
  },

  UntagResource: (input) => {
    constrain(["resourceArn", input.ResourceArn, required], ["tagKeys", input.TagKeys, required]);
    const { tags } = database.resource(input.ResourceArn!);
    for (const key of input.TagKeys!) tags.delete(key);
    return {};
  },

  ListTagsOfResource: (input) => {
    constrain(["resourceArn", input.ResourceArn, required]);
    const { tags } = database.resource(input.ResourceArn!);
    return { Tags: [...tags].map(([Key, Value]) => ({ Key, Value })) };
  },
});

/** Adds tags or gives them new values. */
export function addTags(table: Table, tags: readonly Tag[]): void {
  constrain(
    ...tags.flatMap(({ Key, Value }, index): Constraint[] => [
      [`tags.${index + 1}.member.key`, Key, required, length(1, 128)],
      [`tags.${index + 1}.member.value`, Value, required, length(0, 256)],
    ]),
  );
  if (tags.some(({ Key }) => Key!.startsWith("aws:"))) {
    throw invalidParameter("Tag keys that start with aws: are reserved");
  }
  const merged = new Map([...table.tags, ...tags.map(({ Key, Value }) => [Key!, Value!] as const)]);
  if (merged.size > maxTags)
    throw invalidParameter("Too many Tags: one or more of the resources has more than 50 tags");
  for (const [key, value] of merged) table.tags.set(key, value);
}
