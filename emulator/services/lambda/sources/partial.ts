/**
 * The items of a batch that a function reports as failed, or "all" where the report cannot be trusted: then the whole
 * batch comes again
 * (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting).
 *
 * @param payload the function's answer, JSON.
 * @param known the identifiers in the batch.
 */
export function failedItems(payload: string, known: ReadonlySet<string>): ReadonlySet<string> | "all" {
  if (payload === "null" || payload === "") return new Set();
  const answer = JSON.parse(payload) as { batchItemFailures?: unknown } | string | number | boolean | null;
  if (typeof answer !== "object" || answer === null) return "all";
  const failures = answer.batchItemFailures;
  // An empty answer, an empty list and null say that all went well.
  if (failures === undefined || failures === null) return new Set();
  if (!Array.isArray(failures)) return "all";
  const failed = new Set<string>();
  for (const failure of failures as unknown[]) {
    const id = (failure as { itemIdentifier?: unknown } | null)?.itemIdentifier;
    if (typeof id !== "string" || !known.has(id)) return "all";
    failed.add(id);
  }
  return failed;
}
