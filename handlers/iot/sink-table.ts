import { type Writable, writeItems } from "../batch-write";
import { identityOf, toItem } from "./item";
import type { Placed } from "./record";
import type { SinkClients, SinkFailures } from "./sink";

/** Stores records in DynamoDB. Written again, a record is the same item. */
export async function store(
  records: readonly Placed[],
  { table, ttlDays }: { table: string; ttlDays: number },
  clients: SinkClients,
  deadline: number,
): Promise<SinkFailures> {
  const items = records.map((record) => toItem(record, ttlDays));
  const toWrite: Record<string, Writable> = {};
  for (const item of items) if ("item" in item) toWrite[item.identity] = item;
  const notWritten = await writeItems(Object.values(toWrite), {
    ...{ dynamodb: clients.dynamodb(), table, identityOf, deadline },
  });
  const failures: SinkFailures = {};
  items.forEach((item, i) => {
    if ("problem" in item) failures[i] = { reason: item.problem, refused: true };
    else if (notWritten[item.identity]) failures[i] = notWritten[item.identity]!;
  });
  return failures;
}
