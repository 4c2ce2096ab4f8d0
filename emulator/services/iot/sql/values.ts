import type { SqlVersion } from "./ast";
import { Decimal } from "./decimal";

/** A number: a JavaScript number where that is exact, else a {@link Decimal}. */
export type Numeric = number | Decimal;

/** A value of AWS IoT SQL; `undefined` is its Undefined. */
export type Value = undefined | null | boolean | string | Numeric | readonly Value[] | ValueObject;
export interface ValueObject {
  readonly [key: string]: Value;
}

export const isNumeric = (value: Value): value is Numeric => typeof value === "number" || value instanceof Decimal;
export const isArray = (value: Value): value is readonly Value[] => Array.isArray(value);
export const isObject = (value: Value): value is ValueObject =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Decimal);

/** An own member; names such as `__proto__` and `toString` are ordinary keys. */
export const member = (object: Value, key: string): Value =>
  isObject(object) && Object.hasOwn(object, key) ? object[key] : undefined;

/** Sets a member whatever its name, without reaching the object's prototype. */
export function setMember(object: Record<string, Value>, key: string, value: Value): void {
  if (key === "__proto__") {
    Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
  } else object[key] = value;
}

export const asDecimal = (value: Numeric): Decimal => (typeof value === "number" ? Decimal.of(value) : value);
export const toDouble = (value: Numeric): number => (typeof value === "number" ? value : Number(value.toString()));
/** An Int rather than a Decimal: in 2015-10-08 a whole number that was written with a point stays a Decimal. */
export const isInt = (value: Numeric): boolean =>
  typeof value === "number" ? Number.isInteger(value) : value.exponent >= 0;

/** The value of a computation: a JavaScript number where that holds it exactly. */
export function numeric(value: Decimal | undefined, version: SqlVersion): Numeric | undefined {
  if (!value) return undefined;
  // 2016-03-23 treats 10.0 as the Int 10; 2015-10-08 keeps it a Decimal (AWS IoT SQL data types).
  if (version === "2015-10-08" && value.exponent < 0 && value.isWhole) return value;
  const { coefficient, exponent } = value.stripped();
  const size = coefficient < 0n ? -coefficient : coefficient;
  if (size < 1_000_000_000_000_000n && Math.abs(exponent) < 280) return Number(`${coefficient}e${exponent}`);
  // An Int keeps exponent 0, so that its kind and its text show all of its digits.
  if (exponent > 0 && exponent <= 34) return new Decimal(coefficient * 10n ** BigInt(exponent), 0);
  return new Decimal(coefficient, exponent);
}

/** A double-precision result; Undefined for what is no real number. In 2015-10-08 a whole one stays a Decimal (2.0). */
export function fromDouble(value: number, version: SqlVersion): Numeric | undefined {
  if (!Number.isFinite(value)) return undefined;
  if (version !== "2015-10-08" || !Number.isInteger(value)) return value;
  return Decimal.parse(`${value}`.includes("e") ? `${value}` : `${value}.0`);
}

const convertible = /^-?\d+(\.\d+)?(E-?\d+)?$/i;

/** "To Decimal" of the conversion table; null stays null for its callers to refuse, so it is Undefined here. */
export function toNumeric(value: Value, version: SqlVersion): Numeric | undefined {
  if (isNumeric(value)) return value;
  return typeof value === "string" && convertible.test(value) ? numeric(Decimal.parse(value), version) : undefined;
}

/** "To Int": decimal places are cut off. */
export function toInt(value: Value, version: SqlVersion): Numeric | undefined {
  const number = toNumeric(value, version);
  if (number === undefined) return undefined;
  return typeof number === "number" ? Math.trunc(number) + 0 : numeric(number.truncated(), "2016-03-23");
}

/** "To Int" for lengths and indexes, where only the direction of a huge number counts. */
export function toSmallInt(value: Value, version: SqlVersion): number | undefined {
  const number = toInt(value, version);
  return number === undefined ? undefined : toDouble(number);
}

/** "To Boolean": booleans and the words true and false. */
export function toBoolean(value: Value): boolean | undefined {
  if (typeof value === "boolean") return value;
  if (typeof value !== "string") return undefined;
  const word = value.toLowerCase();
  return word === "true" ? true : word === "false" ? false : undefined;
}

/** "To String": Undefined for Null and Undefined, JSON for arrays and objects. */
export function toText(value: Value): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value;
  if (typeof value === "number") {
    const text = String(value);
    return text.includes("e") ? Decimal.of(value).toString() : text;
  }
  return value instanceof Decimal || typeof value === "boolean" ? String(value) : JSON.stringify(value);
}

/** Deepest nesting of a payload that is read as JSON; what is deeper counts as not JSON. */
const deepestJson = 512;
const tooDeep = Symbol("too deep");

function checkDepth(text: string): void {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (inString) {
      if (c === 92) i++;
      else if (c === 34) inString = false;
    } else if (c === 34) inString = true;
    else if (c === 91 || c === 123) {
      if (++depth > deepestJson) throw tooDeep;
    } else if (c === 93 || c === 125) depth--;
  }
}

/** A number as written that a JavaScript number holds with all of its digits; 10.0 is no such number in 2015-10-08. */
const isPlain = (source: string, version: SqlVersion): boolean =>
  source.length <= 15 && (version === "2015-10-08" ? /^-?\d+$/ : /^-?[\d.]+(?:[eE][+-]?\d{1,2})?$/).test(source);

const exactly = (version: SqlVersion) => (_key: string, value: unknown, context?: { source?: string }) =>
  typeof value === "number" && context?.source && !isPlain(context.source, version)
    ? numeric(Decimal.parse(context.source), version)
    : value;

/** JSON with every digit of its numbers; undefined when the text is not JSON. */
export function parseJson(text: string, version: SqlVersion): Value {
  try {
    if (text.length > deepestJson) checkDepth(text);
    // Only numbers that may lose digits in a JavaScript number need the slow way.
    const plain = version !== "2015-10-08" && !/[\d.]{16}|\d[eE]/.test(text);
    return plain ? JSON.parse(text) : JSON.parse(text, exactly(version));
  } catch {
    return undefined;
  }
}
