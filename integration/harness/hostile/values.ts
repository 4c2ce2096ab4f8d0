import { gzipSync } from "node:zlib";
import fc from "fast-check";

/** Names that objects have of their own, and others that have broken programs. */
export const names = fc.constantFrom(
  ...["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "valueOf", "length", "then", "toJSON"],
  ...[
    "",
    " ",
    ".",
    "..",
    "*",
    "#",
    "+",
    "$",
    "null",
    "undefined",
    "NaN",
    "0",
    "-1",
    "a/b",
    "a\u0000b",
    "%00",
    "é",
    "😀",
  ],
);

export const texts = fc.oneof(
  names,
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ maxLength: 40 }),
  fc.constantFrom("x".repeat(300), "\ud800", "a\udc00b", "\u0000", "\u2028", "\ufeff{}", "../../etc/passwd", "{{7*7}}"),
);

/** Numbers as they stand in JSON, where more is allowed than a number can hold. */
const numbers = fc.constantFrom(
  ...["0", "-0", "1", "-1", "1e400", "-1e400", "1e-400", "0.1e-999", "9007199254740993", "1e21", "0.30000000000000004"],
  ...["9".repeat(400), `0.${"0".repeat(400)}1`, "1.7976931348623157e308", "253402300800", "-62135596801"],
);

/** JSON text of any value, with what only a text can say: lone surrogates, numbers without end, repeated keys. */
export const json: fc.Arbitrary<string> = fc.letrec<{ value: string; array: string; object: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.oneof(
      numbers,
      texts.map((text) => JSON.stringify(text)),
      fc.constantFrom("null", "true", "false", '"\\ud800"', '"\\udfff\\u0000"', '""', "[]", "{}"),
    ),
    tie("array"),
    tie("object"),
  ),
  array: fc.array(tie("value"), { maxLength: 4 }).map((parts) => `[${parts.join(",")}]`),
  object: fc
    .array(fc.tuple(texts, tie("value")), { maxLength: 4 })
    .map((members) => `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(",")}}`),
})).value;

/** Text that is nested until something gives up. */
const nested = fc
  .tuple(fc.constantFrom("[", '{"a":', '[{"a":'), fc.constantFrom(30, 300, 3_000, 30_000), fc.boolean())
  .map(([open, depth, isClosed]) => {
    const close = [...open.replace(/"a":/g, "")].reverse().join("").replaceAll("[", "]").replaceAll("{", "}");
    return `${open.repeat(depth)}1${isClosed ? close.repeat(depth) : ""}`;
  });

/** What is nearly JSON. */
const notJson = fc.oneof(
  json.chain((text) => fc.nat({ max: Math.max(0, text.length - 1) }).map((end) => text.slice(0, end))),
  json.map((text) => `${text},`),
  json.map((text) => `\ufeff${text}`),
  fc.constantFrom(
    "",
    " ",
    "NaN",
    "Infinity",
    "{'a':1}",
    "{a:1}",
    "[1,]",
    "01",
    "// x",
    "<xml/>",
    "a=1&b[]=2",
    "\u0000",
  ),
);

/** What claims to be UTF-8, or to be compressed, and random bytes. */
export const bytes: fc.Arbitrary<Buffer> = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((random) => Buffer.from(random)),
  fc.constantFrom(
    Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]),
    Buffer.from([0x22, 0xc0, 0xaf, 0xff, 0xfe, 0x22]),
    Buffer.from("\ufeff[]", "utf16le"),
    gzipSync("[]"),
    // A small body that would be ten million bytes if anybody unpacked it.
    gzipSync(Buffer.alloc(10_000_000)),
  ),
);

/** A body of any kind; the sizes stay small. */
export const bodies: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 4, arbitrary: json.map((text) => Buffer.from(text)) },
  { weight: 2, arbitrary: notJson.map((text) => Buffer.from(text)) },
  { weight: 1, arbitrary: nested.map((text) => Buffer.from(text)) },
  { weight: 2, arbitrary: bytes },
);

/** JSON text like that of a sample, with one or two of its values replaced by any others. */
export function near(sample: unknown): fc.Arbitrary<string> {
  const places = countOf(sample);
  return fc
    .array(fc.tuple(fc.nat(places - 1), json), { minLength: 1, maxLength: 2 })
    .map((changes) => write(sample, new Map(changes), { place: 0 }));
}

const isParent = (value: unknown): value is object => typeof value === "object" && value !== null;

const countOf = (value: unknown): number =>
  isParent(value) ? Object.values(value).reduce<number>((sum, member) => sum + countOf(member), 1) : 1;

function write(value: unknown, changes: ReadonlyMap<number, string>, at: { place: number }): string {
  const change = changes.get(at.place++);
  if (change !== undefined) {
    at.place += countOf(value) - 1;
    return change;
  }
  if (!isParent(value)) return JSON.stringify(value);
  const members = Object.entries(value).map(([name, member]) => [name, write(member, changes, at)] as const);
  return Array.isArray(value)
    ? `[${members.map(([, text]) => text).join(",")}]`
    : `{${members.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(",")}}`;
}
