import { type Position, sqlParseException } from "./errors";

/** `name` covers keywords too: AWS IoT SQL reserves words only by their place. */
export type TokenKind = "name" | "quoted-name" | "string" | "number" | "variable" | "symbol" | "end";

export interface Token {
  readonly kind: TokenKind;
  /** A string's content, a variable's name without `@`, otherwise the text as written. */
  readonly text: string;
  /** Offset of the first character. */
  readonly start: number;
  readonly end: number;
}

const nameStart = /[\p{L}_]/u;
const name = /[\p{L}_$][\p{L}\p{N}_$]*/uy;
const number = /0[xX][0-9a-fA-F]+|(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const variable = /@[\p{L}\p{N}_]+/uy;
const space = /\s+/y;
const symbols = ["<>", "!=", "<=", ">=", ..."()[]{},.:*+-/%=<>#"];
const escapes: Record<string, string> = { n: "\n", t: "\t", r: "\r", b: "\b", f: "\f" };

/** The line and column of an offset, for messages. */
export function positionOf(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  const line = before.split("\n").length;
  return { line, column: offset - before.lastIndexOf("\n") };
}

function take(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

/** Reads a quoted text that begins at `at`: a doubled quote or a backslash keeps a quote inside it. */
function quoted(text: string, at: number): { content: string; end: number } {
  const quote = text[at]!;
  let content = "";
  for (let i = at + 1; i < text.length; i++) {
    const c = text[i]!;
    if (c === quote) {
      if (text[i + 1] !== quote) return { content, end: i + 1 };
      content += quote;
      i++;
    } else if (c === "\\" && i + 1 < text.length) {
      i++;
      const next = text[i]!;
      const code = next === "u" ? /^[0-9a-fA-F]{4}/.exec(text.slice(i + 1, i + 5))?.[0] : undefined;
      if (code) {
        content += String.fromCharCode(Number.parseInt(code, 16));
        i += 4;
      } else if (next in escapes) content += escapes[next];
      else if (next === "\\" || next === quote || next === "/") content += next;
      // A backslash before anything else stays: regular expressions are written as "\d+".
      else content += `\\${next}`;
    } else content += c;
  }
  throw sqlParseException(`Expected a closing ${quote}, found: end of statement`, positionOf(text, at));
}

/**
 * Splits a statement into tokens, the last of kind `end`.
 *
 * @throws SqlParseException for a character or a comment that AWS IoT SQL has not.
 */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const push = (kind: TokenKind, length: number, content = text.slice(at, at + length)) => {
    tokens.push({ kind, text: content, start: at, end: at + length });
    at += length;
  };
  while (at < text.length) {
    const blank = take(space, text, at);
    if (blank) {
      at += blank.length;
      continue;
    }
    const c = text[at]!;
    const pair = text.slice(at, at + 2);
    if (pair === "--" || pair === "/*" || pair === "//") {
      // "Comments are not currently supported in AWS IoT SQL syntax" (AWS IoT SQL reference).
      throw sqlParseException(
        `Expected an expression, found: a comment (${pair}). Comments are not supported`,
        positionOf(text, at),
      );
    }
    const digits = take(number, text, at);
    if (c === "'" || c === '"' || c === "`") {
      const { content, end } = quoted(text, at);
      push(c === "`" ? "quoted-name" : "string", end - at, content);
    } else if (digits && (c !== "." || tokens.at(-1)?.end !== at)) {
      const after = text[at + digits.length];
      if (after && nameStart.test(after)) {
        throw sqlParseException(`Expected a number, found: ${digits}${after}`, positionOf(text, at));
      }
      push("number", digits.length);
    } else if (c === "@") {
      const found = take(variable, text, at);
      if (!found) throw sqlParseException("Expected a variable's name after @", positionOf(text, at));
      if (found.length > 65) {
        throw sqlParseException("Expected a variable's name of at most 64 characters", positionOf(text, at));
      }
      push("variable", found.length, found.slice(1));
    } else {
      const word = take(name, text, at);
      const symbol = word ? undefined : symbols.find((each) => text.startsWith(each, at));
      if (word) push("name", word.length);
      else if (symbol) push("symbol", symbol.length);
      else
        throw sqlParseException(
          `Expected an expression, found: ${String.fromCodePoint(text.codePointAt(at)!)}`,
          positionOf(text, at),
        );
    }
  }
  push("end", 0, "end of statement");
  return tokens;
}
