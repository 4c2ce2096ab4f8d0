import type { TableItem } from "../../../../core/bus";

type Attribute = TableItem[string];

function attributeOf(value: unknown, source: string | undefined): Attribute {
  if (typeof value === "string") return { S: value };
  // As written: DynamoDB's numbers have 38 digits.
  if (typeof value === "number") return { N: source ?? String(value) };
  if (typeof value === "boolean") return { BOOL: value };
  if (value === null) return { NULL: true };
  if (Array.isArray(value)) return { L: value as Attribute[] };
  return { M: value as TableItem };
}

/** A JSON text as DynamoDB keeps it. */
export const toAttribute = (json: string): Attribute =>
  JSON.parse(json, (_key, value: unknown, context?: { source?: string }) => attributeOf(value, context?.source));
