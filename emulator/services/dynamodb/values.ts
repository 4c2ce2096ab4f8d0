import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { limits } from "../../core/limits";
import { validation } from "./errors";
import { compareNumbers, numberSize, sortableNumber } from "./number";

/** An item or a map inside one. Values keep the shape they have on the wire, with numbers normalised. */
export type Item = Record<string, AttributeValue>;

export type AttributeType = "S" | "N" | "B" | "SS" | "NS" | "BS" | "M" | "L" | "NULL" | "BOOL";
export type KeyType = "S" | "N" | "B";

/** The type tag of a value. */
export function typeOf(value: AttributeValue): AttributeType {
  for (const type in value) return type as AttributeType;
  return "NULL";
}

/** A member by its name; names come from users, so `constructor` must not find what every object has. */
export const member = (map: Item, name: string): AttributeValue | undefined =>
  Object.hasOwn(map, name) ? map[name] : undefined;

/** Sets a member by a name that comes from a user. */
export function setMember(map: Item, name: string, value: AttributeValue): void {
  if (name === "__proto__")
    Object.defineProperty(map, name, { value, enumerable: true, configurable: true, writable: true });
  else map[name] = value;
}

/** A copy of the named members that exist. */
export function pick(item: Item, names: Iterable<string>): Item {
  const picked: Item = {};
  for (const name of names) {
    const value = member(item, name);
    if (value) setMember(picked, name, value);
  }
  return picked;
}

/** UTF-16 units from here on are out of the order of UTF-8 bytes. */
const outOfOrder = /[\ud800-\uffff]/;
const outOfOrderUnits = /[\ud800-\uffff]/g;

/** A text whose order by UTF-16 units is the order of the UTF-8 bytes of `text`, which is how DynamoDB sorts. */
export const sortableText = (text: string): string =>
  outOfOrder.test(text)
    ? text.replace(outOfOrderUnits, (unit) => {
        const code = unit.charCodeAt(0);
        // Surrogates stand for code points above all others: they move behind U+E000-U+FFFF.
        return String.fromCharCode(code >= 0xe000 ? code - 0x800 : code + 0x2000);
      })
    : text;

/** One character for each byte: comparable, and good as a map key. */
export const binaryText = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");

/** A text whose order is that of the key values of one type. */
export function sortable(value: AttributeValue): string {
  if (value.S !== undefined) return sortableText(value.S);
  if (value.N !== undefined) return sortableNumber(value.N);
  return binaryText(value.B!);
}

/** A text that is the same for equal key values of one type. */
export function identity(value: AttributeValue): string {
  return value.S ?? value.N ?? binaryText(value.B!);
}

/** Order of two scalars of the same type; NaN where they have none. */
export function compareValues(a: AttributeValue, b: AttributeValue): number {
  if (a.N !== undefined && b.N !== undefined) return compareNumbers(a.N, b.N);
  if (a.S !== undefined && b.S !== undefined) {
    const x = sortableText(a.S);
    const y = sortableText(b.S);
    return x < y ? -1 : x > y ? 1 : 0;
  }
  if (a.B !== undefined && b.B !== undefined) return Buffer.compare(a.B, b.B);
  return Number.NaN;
}

/** Deep equality; sets are equal whatever the order of their elements. */
export function equalValues(a: AttributeValue, b: AttributeValue): boolean {
  const type = typeOf(a);
  if (type !== typeOf(b)) return false;
  switch (type) {
    case "S":
    case "N":
    case "BOOL":
    case "NULL":
      return a[type] === b[type];
    case "B":
      return Buffer.compare(a.B!, b.B!) === 0;
    case "L":
      return a.L!.length === b.L!.length && a.L!.every((element, index) => equalValues(element, b.L![index]!));
    case "M":
      return equalItems(a.M!, b.M!);
    default: {
      const other = new Set(elements(b));
      const own = elements(a);
      return own.length === other.size && own.every((element) => other.has(element));
    }
  }
}

/** Whether two items have the same attributes with equal values. */
export function equalItems(a: Item, b: Item): boolean {
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => {
    const other = member(b, name);
    return other !== undefined && equalValues(member(a, name)!, other);
  });
}

/** The elements of a set as texts that are equal when the elements are. */
export function elements(set: AttributeValue): string[] {
  return set.SS ?? set.NS ?? set.BS!.map(binaryText);
}

/** Deepest nesting of maps and lists (developer guide, "Constraints"). */
const maxDepth = limits.dynamodb.nesting.value;

/** Refuses a map or list that is nested too deep. */
export function checkDepth(depth: number): void {
  if (depth > maxDepth) {
    throw validation(
      "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit",
    );
  }
}

/**
 * Bytes that a value counts for (developer guide, "DynamoDB item sizes and formats"): UTF-8 bytes of texts, bytes of
 * binaries, about one for two digits of a number, and an overhead of 3 for each map and list and 1 for each element.
 */
export function valueSize(value: AttributeValue, depth = 1): number {
  switch (typeOf(value)) {
    case "S":
      return Buffer.byteLength(value.S!);
    case "N":
      return numberSize(value.N!);
    case "B":
      return value.B!.byteLength;
    case "SS":
      return value.SS!.reduce((sum, element) => sum + Buffer.byteLength(element), 0);
    case "NS":
      return value.NS!.reduce((sum, element) => sum + numberSize(element), 0);
    case "BS":
      return value.BS!.reduce((sum, element) => sum + element.byteLength, 0);
    case "L":
      checkDepth(depth);
      return value.L!.reduce((sum, element) => sum + 1 + valueSize(element, depth + 1), 3);
    case "M":
      checkDepth(depth);
      return 3 + Object.keys(value.M!).length + itemSize(value.M!, depth + 1);
    default:
      return 1;
  }
}

/** Bytes of an item: names and values. */
export function itemSize(item: Item, depth = 1): number {
  let size = 0;
  for (const name of Object.keys(item)) size += Buffer.byteLength(name) + valueSize(item[name]!, depth);
  return size;
}
