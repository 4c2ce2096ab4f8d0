import type { TableItem } from "../../../core/bus";

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

/** A key of DynamoDB, of text and numbers. */
export const toKey = (key: Record<string, unknown>): TableItem =>
  Object.fromEntries(
    Object.entries(key).map(([name, value]) => [
      name,
      typeof value === "string" ? { S: value } : { N: JSON.stringify(value) },
    ]),
  );

/** An attribute as JSON. Bytes are base64, sets are arrays. */
export function fromAttribute({ S, N, BOOL, NULL, L, M, SS, NS, B, BS }: Attribute): unknown {
  if (M) return fromItem(M);
  if (L) return L.map(fromAttribute);
  if (NS) return NS.map(Number);
  if (BS) return BS.map((bytes) => Buffer.from(bytes).toString("base64"));
  if (B) return Buffer.from(B).toString("base64");
  if (NULL) return null;
  return S ?? SS ?? BOOL ?? Number(N);
}

/** An item as a JSON object. */
export const fromItem = (item: TableItem): Record<string, unknown> =>
  Object.fromEntries(Object.entries(item).map(([name, value]) => [name, fromAttribute(value)]));
