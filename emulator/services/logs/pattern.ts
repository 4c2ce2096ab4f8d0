import { invalidParameter } from "./errors";
import { compileFields } from "./pattern-fields";
import { compileJson } from "./pattern-json";
import { toRegExp } from "./pattern-values";

/** Says whether a log event's text matches. */
export type Matcher = (message: string) => boolean;

const everything: Matcher = () => true;

/**
 * Compiles a filter pattern: `{ … }` looks into JSON, `[ … ]` into space-delimited fields, all else searches for terms.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
 *
 * @throws AwsError InvalidParameterException when it is none.
 */
export function compilePattern(pattern = ""): Matcher {
  const text = pattern.trim();
  if (!text) return everything;
  if (text.startsWith("{")) return compileJson(text);
  if (text.startsWith("[")) return compileFields(text);
  return compileTerms(text);
}

const termPattern = /([?-]?)(?:"((?:[^"\\]|\\.)*)"|%([^%]+)%|([^\s"%]+))(?=\s|$)|\S+/g;

/** Terms that must be there, `-terms` that must not, or `?terms` of which one must. */
function compileTerms(text: string): Matcher {
  const required: Matcher[] = [];
  const excluded: Matcher[] = [];
  const optional: Matcher[] = [];
  for (const [whole, sign, quoted, expression, bare] of text.matchAll(termPattern)) {
    if (quoted === undefined && expression === undefined && bare === undefined)
      throw invalidParameter(`Invalid filter pattern: unbalanced quotes in '${whole}'`);
    if (bare !== undefined && !/^\w+$/.test(bare)) throw invalidParameter(`Invalid character(s) in term '${bare}'`);
    const term = quoted === undefined ? (bare ?? "") : quoted.replace(/\\(.)/g, "$1");
    const regExp = expression === undefined ? undefined : toRegExp(expression);
    const matches: Matcher = regExp ? (message) => regExp.test(message) : (message) => message.includes(term);
    (sign === "-" ? excluded : sign === "?" ? optional : required).push(matches);
  }
  // Beside other terms, `?terms` are ignored (user guide: "Match terms using OR").
  const any = required.length || excluded.length ? [] : optional;
  return (message) =>
    required.every((matches) => matches(message)) &&
    !excluded.some((matches) => matches(message)) &&
    (!any.length || any.some((matches) => matches(message)));
}
