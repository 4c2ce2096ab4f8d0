import { ownValue } from "./named-values";

/**
 * A value for `{name}` in the path of an integration's URI, made safe to stand there: it stays in its place, whatever
 * it holds. What begins a query or a fragment is encoded, and the slashes around `..` are, or the URL parser would
 * climb to another bucket or path. Path parameters come percent-encoded and stay so.
 *
 * @returns undefined for `.` and `..` alone, which no URL can hold.
 */
export function pathValue(value: string): string | undefined {
  if (/^(\.|%2e){1,2}$/i.test(value)) return undefined;
  const encoded = value.replace(/[?#\\\s]/g, encodeURIComponent);
  return dotSegment.test(encoded) ? encoded.replaceAll("/", "%2F") : encoded;
}

const dotSegment = /(^|\/)(\.|%2e){1,2}(\/|$)/i;

/** The URI with the values for `{name}` and `{name+}` in it, or undefined when one of them cannot stand there. */
export function fillPath(uri: string, values: Readonly<Record<string, string>>): string | undefined {
  let possible = true;
  const filled = uri.replace(/\{(\w+)\+?\}/g, (whole, name: string) => {
    const given = ownValue(values, name);
    if (given === undefined) return whole;
    const value = pathValue(given);
    possible &&= value !== undefined;
    return value ?? "";
  });
  return possible ? filled : undefined;
}
