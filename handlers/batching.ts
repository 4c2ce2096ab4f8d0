/** A message's and a batch's most bytes (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html). */
export const MAX_MESSAGE_BYTES = 1024 * 1024;

/**
 * JSON as SQS takes it: the few characters that it refuses can only stand inside JSON strings, where an escape means
 * the same (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html).
 */
export function toSqsText(json: string): string {
  if (!/[\ufffe\uffff\ud800-\udfff]/.test(json)) return json;
  return json.replace(
    /[\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Splits texts, in their order, into groups of at most `count` and of at most `bytes` together. */
export function groupBySize<T>(
  entries: readonly T[],
  sizeOf: (entry: T) => number,
  count: number,
  bytes: number,
): T[][] {
  const groups: T[][] = [];
  let size = 0;
  for (const entry of entries) {
    const last = groups.at(-1);
    const next = sizeOf(entry);
    if (last && last.length < count && size + next <= bytes) {
      last.push(entry);
      size += next;
    } else {
      groups.push([entry]);
      size = next;
    }
  }
  return groups;
}
