type Tags = Record<string, string>;

/** Tags as most services take them. Undefined without any: several services refuse an empty list. */
export const tagList = (tags: Tags): { Key: string; Value: string }[] | undefined => {
  const entries = Object.entries(tags);
  return entries.length > 0 ? entries.map(([Key, Value]) => ({ Key, Value })) : undefined;
};

/** Tags as a map, or undefined without any. */
export const tagMap = (tags: Tags): Tags | undefined => (Object.keys(tags).length > 0 ? tags : undefined);

/** What has to be set and removed to get from the old tags to the new ones. */
export function tagChanges(before: Tags = {}, now: Tags = {}): { set: Tags; remove: string[] } {
  return {
    set: Object.fromEntries(Object.entries(now).filter(([key, value]) => before[key] !== value)),
    remove: Object.keys(before).filter((key) => !(key in now)),
  };
}
