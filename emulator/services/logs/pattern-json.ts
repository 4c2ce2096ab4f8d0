import type { Matcher } from "./pattern";
import { type Condition, Reader, readComparison, readConditions } from "./pattern-values";

type Json = null | boolean | number | string | Json[] | { [member: string]: Json };

/** One step of a selector: a member's name, an index, or every member or element. */
type Step = string | number | "*";

const isPrimitive = (value: Json): value is string | number | boolean => value !== null && typeof value !== "object";

function readSelector(reader: Reader): Step[] {
  if (!reader.take("$")) throw reader.error("expected a selector such as $.level");
  const steps: Step[] = [];
  for (;;) {
    const step = reader.match(/\.(\*|[\w-]+)|\.?\["((?:[^"\\]|\\.)*)"\]|\.?\['([^']*)'\]|\[(\d+|\*)\]/y);
    if (!step) break;
    const [, plain, double, single, index] = step;
    if (index !== undefined) steps.push(index === "*" ? "*" : Number(index));
    else steps.push(plain ?? double?.replace(/\\(.)/g, "$1") ?? single ?? "");
  }
  if (!steps.length) throw reader.error("expected a selector such as $.level");
  return steps;
}

/** The values that a selector finds; several where it has a `*`. */
function select(value: Json, steps: readonly Step[]): Json[] {
  let found: Json[] = [value];
  for (const step of steps) {
    found = found.flatMap((current): Json[] => {
      if (current === null || typeof current !== "object") return [];
      if (step === "*") return Object.values(current);
      if (Array.isArray(current)) return typeof step === "number" && step < current.length ? [current[step]!] : [];
      return typeof step === "string" && Object.hasOwn(current, step) ? [current[step]!] : [];
    });
  }
  return found;
}

function readOne(reader: Reader): Condition<Json> {
  const steps = readSelector(reader);
  const comparison = readComparison(reader);
  if (comparison) return (event) => select(event, steps).some((value) => isPrimitive(value) && comparison(value));
  const word = reader.match(/IS\s+(NULL|TRUE|FALSE)|NOT\s+EXISTS|EXISTS/iy);
  if (!word) throw reader.error("expected a comparison, IS NULL, IS TRUE, IS FALSE, EXISTS or NOT EXISTS");
  if (!word[1]) {
    const absent = /^NOT/i.test(word[0]);
    return (event) => (select(event, steps).length === 0) === absent;
  }
  const wanted: Json = JSON.parse(word[1].toLowerCase());
  return (event) => select(event, steps).includes(wanted);
}

/** `{ $.level = "error" && ($.n > 3 || $.user.id NOT EXISTS) }`: matches only events that are JSON. */
export function compileJson(text: string): Matcher {
  const reader = new Reader(text);
  reader.expect("{");
  const condition = readConditions(reader, () => readOne(reader));
  reader.expect("}");
  if (!reader.atEnd) throw reader.error("unexpected text");
  return (message) => {
    let event: Json;
    try {
      event = JSON.parse(message);
    } catch {
      return false;
    }
    return typeof event === "object" && event !== null && condition(event);
  };
}
