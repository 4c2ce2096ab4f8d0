import { elementTexts, needsExactParse, parseExactly } from "../exact-json";

/** One element of a request's body, before anything is known about it. */
export interface Element {
  /** Its place in the array; 0 for a body that is one object. */
  readonly index: number;
  readonly value: unknown;
}

/** What a request's body holds. A body may have millions of elements: they are made in parts. */
export interface Elements {
  readonly count: number;
  /** Elements from one place up to, but without, another. */
  part(from: number, to: number): Element[];
  /** The JSON of elements as it was sent, in the order of the body. */
  texts(isWanted?: (index: number) => boolean): string[];
}

/** The part of API Gateway's proxy event that carries the body. */
export interface BodyEvent {
  readonly body?: string | null;
  readonly isBase64Encoded?: boolean;
}

/** The elements of a body, or why it has none. */
export type Body = Elements | { readonly problem: string };

/** The body's text. A byte order mark at its start is dropped, as RFC 8259 allows. */
export function bodyText({ body, isBase64Encoded }: BodyEvent): string {
  const text = isBase64Encoded ? Buffer.from(body ?? "", "base64").toString("utf8") : (body ?? "");
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

/** Reads a body: an array of messages, or one message alone. */
export function parseBody(text: string): Body {
  if (text.trim() === "") return { problem: "the body is empty; send a JSON array of Thingsee messages" };
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return { problem: "the body is not JSON; send a JSON array of Thingsee messages" };
  }
  const array = Array.isArray(parsed);
  const values: unknown[] = array ? (parsed as unknown[]) : [parsed];
  const texts: Elements["texts"] = (isWanted) => (array ? elementTexts(text, isWanted) : [text.trim()]);
  const exact = needsExactParse(text) ? texts() : undefined;
  return {
    count: values.length,
    texts,
    part: (from, to) =>
      values.slice(from, to).map((value, i) => ({
        index: from + i,
        value: exact ? exactValue(exact[from + i] ?? "null", value) : value,
      })),
  };
}

/** The element with its numbers exact. One too deep for the recursive parse is refused later for its depth. */
export function exactValue(text: string, parsed: unknown): unknown {
  if (!needsExactParse(text)) return parsed;
  try {
    return parseExactly(text);
  } catch {
    return parsed;
  }
}
