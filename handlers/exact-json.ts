/**
 * A number kept as its digits because a JavaScript number cannot hold it, such as 9007199254740993. `JSON.stringify`
 * prints it as it came (https://developer.mozilla.org/docs/Web/JavaScript/Reference/Global_Objects/JSON/rawJSON).
 */
export interface RawNumber {
  readonly rawJSON: string;
}

/** What Node 24 has and TypeScript's library does not describe yet. */
interface ExactJson {
  parse(text: string, revive: (key: string, value: unknown, context: { source?: string }) => unknown): unknown;
  rawJSON(text: string): RawNumber;
  isRawJSON(value: unknown): boolean;
}

const exact = () => JSON as unknown as ExactJson;

export function isRawNumber(value: unknown): value is RawNumber {
  return exact().isRawJSON(value);
}

/** A decimal number taken apart: `0.digits` times ten to the power of `exponent`, with no zeros at either end. */
export interface Decimal {
  readonly negative: boolean;
  readonly digits: string;
  readonly exponent: number;
}

/** Takes a JSON number literal apart; the digits of zero are empty. */
export function decimal(literal: string): Decimal {
  const [, sign, whole = "", fraction = "", power = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(literal) ?? [];
  const all = whole + fraction;
  const digits = all.replace(/^0+/, "");
  const leadingZeros = all.length - digits.length;
  const exponent = whole.length - leadingZeros + Number(power);
  const significant = trimZeros(digits);
  return { negative: sign === "-" && significant !== "", digits: significant, exponent: significant ? exponent : 0 };
}

/** Written as a loop: a pattern such as /0+$/ takes quadratic time on long runs of zeros with a digit at the end. */
function trimZeros(digits: string): string {
  let end = digits.length;
  while (end > 0 && digits.charCodeAt(end - 1) === 48) end--;
  return digits.slice(0, end);
}

const sameDecimal = (a: Decimal, b: Decimal) =>
  a.negative === b.negative && a.digits === b.digits && a.exponent === b.exponent;

/** Matches wherever a text may hold a number of more than 15 digits or with an exponent; all others are exact anyway. */
const mayBeInexact = /[:,[\s]-?[\d.]*(?:[\d.]{16}|[eE][+-]?\d)/;

/** True when {@link parseExactly} may give another result than `JSON.parse`. */
export function needsExactParse(text: string): boolean {
  return mayBeInexact.test(` ${text}`);
}

/** Parses JSON, keeping each number that JavaScript would change as a {@link RawNumber}. Throws as `JSON.parse` does. */
export function parseExactly(text: string): unknown {
  return exact().parse(text, (_key, value, { source }) => {
    if (typeof value !== "number" || source === undefined) return value;
    const kept = Number.isFinite(value) && sameDecimal(decimal(source), decimal(String(value)));
    return kept ? value : exact().rawJSON(source);
  });
}

/** True when objects and arrays stand inside each other in more than `levels` levels. Never goes deeper than that. */
export function isNestedDeeper(value: unknown, levels: number): boolean {
  if (value === null || typeof value !== "object") return false;
  if (levels === 0) return true;
  return Object.values(value).some((inner) => isNestedDeeper(inner, levels - 1));
}

/** JSON with the fields of every object in one order, so that equal content gives equal text. */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value !== "object" || isRawNumber(value)) return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const fields = value as Record<string, unknown>;
  const parts = Object.keys(fields)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonicalJson(fields[name])}`);
  return `{${parts.join(",")}}`;
}

/**
 * The texts of an array's elements, as they stand in `json`, which must be valid JSON of an array; of those elements
 * only that are wanted.
 */
export function elementTexts(json: string, isWanted: (index: number) => boolean = () => true): string[] {
  const texts: string[] = [];
  let depth = 0;
  let start = 0;
  let index = 0;
  const cut = (end: number) => {
    if (isWanted(index)) texts.push(json.slice(start, end).trim());
    index++;
    start = end + 1;
  };
  for (let i = 0; i < json.length; i++) {
    const c = json.charCodeAt(i);
    if (c === 34 /* " */) {
      for (i++; json.charCodeAt(i) !== 34; i++) if (json.charCodeAt(i) === 92 /* \ */) i++;
    } else if (c === 91 /* [ */ || c === 123 /* { */) {
      if (++depth === 1) start = i + 1;
    } else if (c === 93 /* ] */ || c === 125 /* } */) {
      if (--depth === 0) cut(i);
    } else if (c === 44 /* , */ && depth === 1) {
      cut(i);
    }
  }
  return texts.length === 1 && texts[0] === "" ? [] : texts;
}
