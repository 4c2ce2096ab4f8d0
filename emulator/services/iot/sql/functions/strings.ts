import { isArray, toSmallInt, toText, type Value } from "../values";
import type { SqlFunction, SqlFunctions } from "./definition";

/** Of arguments that are all converted to strings; Undefined when one cannot be. */
export const ofTexts = (count: number, compute: (...texts: string[]) => Value): SqlFunction => ({
  arity: [count],
  call: (args) => {
    const texts = args.map(toText);
    return texts.every((text) => text !== undefined) ? compute(...texts) : undefined;
  },
});

const pad = (place: (text: string, spaces: string) => string): SqlFunction => ({
  arity: [2],
  call: ([value, count], { run }) => {
    const text = toText(value);
    const spaces = toSmallInt(count, run.version);
    if (text === undefined || spaces === undefined) return undefined;
    return place(text, " ".repeat(Math.min(1000, Math.max(0, spaces))));
  },
});

function concatenate(args: readonly Value[]): Value {
  if (args.some(isArray)) return args.filter((arg) => arg !== undefined).flat(1) as Value[];
  // The table has a single argument "returned unmodified", against the example `concat(1)` = "1" beside it and the
  // sentence that the function "returns a String or an Array": the example counts.
  if (args.length === 1) return toText(args[0]);
  const texts = args.map(toText);
  return args.some((arg) => typeof arg === "string") && texts.every((text) => text !== undefined)
    ? texts.join("")
    : undefined;
}

export const strings: SqlFunctions = {
  chr: {
    arity: [1],
    call: ([value], { run }) => {
      const code = toSmallInt(value, run.version);
      return code === undefined || code < 0 || code > 127 ? undefined : String.fromCharCode(code);
    },
  },
  concat: { arity: [0, Number.POSITIVE_INFINITY], call: concatenate },
  endswith: ofTexts(2, (text, end) => text.endsWith(end)),
  indexof: { ...ofTexts(2, (text, part) => text.indexOf(part)), newer: true },
  length: { ...ofTexts(1, (text) => text.length), newer: true },
  lower: ofTexts(1, (text) => text.toLowerCase()),
  lpad: pad((text, spaces) => spaces + text),
  ltrim: ofTexts(1, (text) => text.trimStart()),
  numbytes: { ...ofTexts(1, (text) => Buffer.byteLength(text, "utf8")), newer: true },
  replace: ofTexts(3, (text, from, to) => text.replaceAll(from, () => to)),
  rpad: pad((text, spaces) => text + spaces),
  rtrim: ofTexts(1, (text) => text.trimEnd()),
  startswith: ofTexts(2, (text, start) => text.startsWith(start)),
  substring: {
    arity: [2, 3],
    call: ([value, from, to], { run }, written) => {
      const text = toText(value);
      const start = toSmallInt(from, run.version);
      const end = written.length === 3 ? toSmallInt(to, run.version) : text?.length;
      if (text === undefined || start === undefined || end === undefined) return undefined;
      return text.slice(Math.max(0, start), Math.max(0, end));
    },
  },
  trim: ofTexts(1, (text) => text.trim()),
  upper: ofTexts(1, (text) => text.toUpperCase()),
};
