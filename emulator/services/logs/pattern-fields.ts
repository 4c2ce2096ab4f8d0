import type { Matcher } from "./pattern";
import { type Condition, Reader, readComparison, readConditions } from "./pattern-values";

/** A field of the pattern: its condition, or any number of fields for `...`. */
type Field = Condition<string> | "rest";

function readField(reader: Reader): Field {
  if (reader.take("...")) return "rest";
  const one = (): Condition<string> => {
    if (!reader.match(/[A-Za-z_$][\w$.-]*|\d+/y)) throw reader.error("expected a field's name");
    return readComparison(reader) ?? (() => true);
  };
  return readConditions(reader, one);
}

/** Fields are parted by spaces; what stands in brackets or quotes is one field (user guide: space-delimited events). */
const split = (message: string): string[] =>
  [...message.matchAll(/\[([^\]]*)\]|"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(
    ([, bracketed, quoted, plain]) => bracketed ?? quoted ?? plain ?? "",
  );

/** `[ip, user, ..., status = 4*, bytes > 1000]`: as many fields as the pattern has, unless it has an ellipsis. */
export function compileFields(text: string): Matcher {
  const reader = new Reader(text);
  reader.expect("[");
  const fields: Field[] = [];
  if (!reader.take("]")) {
    do fields.push(readField(reader));
    while (reader.take(","));
    reader.expect("]");
  }
  if (!reader.atEnd) throw reader.error("unexpected text");
  const rest = fields.indexOf("rest");
  if (rest !== fields.lastIndexOf("rest")) throw reader.error("more than one '...'");
  if (!fields.length) return () => true;
  const conditions = fields.filter((field) => field !== "rest");
  return (message) => {
    const parts = split(message);
    if (rest < 0 ? parts.length !== conditions.length : parts.length < conditions.length) return false;
    const skipped = parts.length - conditions.length;
    return conditions.every((condition, i) => condition(parts[rest >= 0 && i >= rest ? i + skipped : i]!));
  };
}
