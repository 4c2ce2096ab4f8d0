import { notEmulated } from "../../../../core/errors";
import type { Expression } from "../ast";
import { isArray, isObject, member, parseJson, setMember, toSmallInt, toText, type Value } from "../values";
import { literalText, type SqlFunction, type SqlFunctions } from "./definition";

/** "The array returned by this function is limited to 128 KiB." */
const largestTransform = 128 * 1024;
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;

/** Only a literal 'base64' is documented; Protobuf is, too, but needs descriptors that the emulator does not read. */
const checkScheme =
  (name: string) =>
  ([, scheme]: readonly Expression[]): string | undefined => {
    const text = literalText(scheme);
    if (text === "base64") return undefined;
    if (text === "proto") throw notEmulated("iot", "SQL function", `${name}(..., 'proto', ...)`);
    return `Function ${name} expects 'base64' as its second argument`;
  };

function decode(value: Value, scheme: Parameters<typeof parseJson>[1]): Value {
  const text = toText(value)?.trim();
  if (text === undefined) return undefined;
  if (!base64.test(text)) return null;
  const decoded = Buffer.from(text, "base64").toString("utf8");
  const document = parseJson(decoded, scheme);
  return isObject(document) || isArray(document) ? document : decoded;
}

function enrich(attributes: Value, elements: Value): Value {
  if (!isObject(attributes) || !isArray(elements) || !elements.every(isObject)) return undefined;
  const enriched = elements.map((element) => {
    const out: Record<string, Value> = {};
    for (const source of [element, attributes]) {
      for (const key of Object.keys(source)) setMember(out, key, source[key]);
    }
    return out;
  });
  return Buffer.byteLength(JSON.stringify(enriched)) > largestTransform ? undefined : enriched;
}

const test = (holds: (value: Value) => boolean): Pick<SqlFunction, "arity" | "call"> => ({
  arity: [1],
  call: ([value]) => holds(value),
});

/** Values within values, and their encodings. */
export const documents: SqlFunctions = {
  decode: {
    arity: [2, 6],
    newer: true,
    check: checkScheme("decode"),
    call: ([value], { run }) => decode(value, run.version),
  },
  encode: {
    arity: [2],
    newer: true,
    check: checkScheme("encode"),
    call: ([value], scope, [written]) => {
      // The payload as it came, JSON or not.
      if (written?.kind === "star" && !scope.nested) return scope.run.context.payload.toString("base64");
      const text = toText(value);
      return text === undefined ? undefined : Buffer.from(text, "utf8").toString("base64");
    },
  },
  get: {
    arity: [2],
    call: ([from, key], { run }) => {
      if (isObject(from)) return typeof key === "string" ? member(from, key) : undefined;
      // AWS's table counts the characters of a string from 0, too, and its example `get("abc", 1)` = "a" from 1: the table
      // says so twice, with the bounds, and the example of the array beside it agrees.
      const index = toSmallInt(key, run.version);
      if (index === undefined || (typeof from !== "string" && !isArray(from))) return undefined;
      return from[index];
    },
  },
  get_or_default: {
    arity: [2],
    newer: true,
    call: ([value, otherwise]) => (value === undefined || value === null ? otherwise : value),
  },
  isnull: test((value) => value === null),
  isundefined: { ...test((value) => value === undefined), newer: true },
  transform: {
    arity: [3],
    newer: true,
    call: ([mode, attributes, elements]) => (mode === "enrichArray" ? enrich(attributes, elements) : undefined),
  },
};
