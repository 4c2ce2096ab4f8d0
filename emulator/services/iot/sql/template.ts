import { AwsError } from "../../../core/errors";
import type { Expression, SqlVersion, Variables } from "./ast";
import { sqlParseException } from "./errors";
import { compile } from "./evaluate";
import { positionOf } from "./lexer";
import { checkVersion, parseExpression } from "./parser";
import { execute, type SqlContext } from "./scope";
import { toText } from "./values";

/** A text with `${expression}` parts. https://docs.aws.amazon.com/iot/latest/developerguide/iot-substitution-templates.html */
export interface Template {
  readonly text: string;
  /** Without `${...}`: renders to itself, whatever the message. */
  readonly literal: boolean;
  /**
   * Fills in the expressions; what is Undefined or Null leaves nothing. Names refer to the payload, never to aliases of
   * the SELECT list. With the context that the statement was evaluated with, SET variables keep their values.
   *
   * @returns a promise only when a function waits for another service.
   */
  render(context: SqlContext): string | Promise<string>;
}

/** Where the expression that begins at `start` ends: the brace that closes it, outside of quotes and other braces. */
function closingBrace(text: string, start: number): number {
  let depth = 0;
  let quote: string | undefined;
  for (let i = start; i < text.length; i++) {
    const c = text[i]!;
    if (quote) {
      if (c === "\\") i++;
      else if (c === quote) quote = undefined;
    } else if (c === "'" || c === '"' || c === "`") quote = c;
    else if (c === "{") depth++;
    else if (c === "}" && depth-- === 0) return i;
  }
  throw sqlParseException("Expected } after ${", positionOf(text, start));
}

/** Parses the expression of a template; mistakes are told by their place in the template. */
function parsePart(text: string, start: number, end: number, version: SqlVersion, variables: Variables): Expression {
  const part = text.slice(start, end);
  try {
    return parseExpression(part, version, variables);
  } catch (error) {
    if (!(error instanceof AwsError) || error.code !== "SqlParseException") throw error;
    return parseExpression(text.slice(0, start).replaceAll(/[^\n]/g, " ") + part, version, variables);
  }
}

/**
 * Parses a substitution template.
 *
 * @param version of the rule's SQL. @default "2015-10-08"
 * @param variables of the rule's statement, for `${@name}`. @default none
 * @throws SqlParseException when an expression is no AWS IoT SQL.
 */
export function parseTemplate(text: string, version = "2015-10-08", variables: Variables = new Map()): Template {
  const checked = checkVersion(version);
  const parts: (string | Expression)[] = [];
  let at = 0;
  for (;;) {
    const start = text.indexOf("${", at);
    if (start < 0) break;
    const end = closingBrace(text, start + 2);
    parts.push(text.slice(at, start), parsePart(text, start + 2, end, checked, variables));
    at = end + 1;
  }
  if (!parts.length) return { text, literal: true, render: () => text };
  parts.push(text.slice(at));
  const ready = parts.map((part) => (typeof part === "string" ? part : compile(part)));
  return {
    text,
    literal: false,
    render: (context) =>
      execute(context, checked, variables, (scope) =>
        ready.map((part) => (typeof part === "string" ? part : (toText(part(scope)) ?? ""))).join(""),
      ),
  };
}
