import { elementTexts, needsExactParse, parseExactly } from "../exact-json";

/** One element of a request's body, before anything is known about it. */
export interface Element {
  /** Its place in the array; 0 for a body that is one object. */
  readonly index: number;
  readonly value: unknown;
  /** Its JSON as it was sent. */
  readonly text: () => string;
}

/** The part of API Gateway's proxy event that carries the body. */
export interface BodyEvent {
  readonly body?: string | null;
  readonly isBase64Encoded?: boolean;
}

/** The elements of a body, or why it has none. */
export type Body = { readonly elements: Element[] } | { readonly problem: string };

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
  let cut: string[] | undefined;
  const texts = () => {
    cut ??= array ? elementTexts(text) : [text.trim()];
    return cut;
  };
  const exact = needsExactParse(text);
  return {
    elements: values.map((value, index) => {
      const source = () => texts()[index] ?? "null";
      return { index, value: exact ? exactValue(source(), value) : value, text: source };
    }),
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
