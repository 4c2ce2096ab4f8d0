import { isCall, readArguments, readPath } from "./operands";
import type { OperandSyntax, PathStep, SetValueSyntax, UpdateSyntax } from "./syntax";
import { TokenReader } from "./tokens";

/** Which mistake is told where there are several. */
const rank = { reserved: 0, unknownFunction: 1, section: 2 };

const sections = ["SET", "REMOVE", "ADD", "DELETE"] as const;
const functions = new Set(["if_not_exists", "list_append"]);

/** Parses an update expression. */
export function parseUpdate(text: string, parameter: string): UpdateSyntax[] {
  const tokens = new TokenReader(text, parameter);
  const seen = new Set<string>();
  const actions: UpdateSyntax[] = [];
  do {
    const section = sections.find((word) => tokens.takeWord(word));
    if (!section) throw tokens.unexpected();
    if (seen.has(section)) {
      tokens.note(rank.section, `The "${section}" section can only be used once in an update expression;`);
    }
    seen.add(section);
    do actions.push(readAction(tokens, section));
    while (tokens.take(","));
  } while (tokens.peek().kind !== "end");
  tokens.expectEnd();
  return actions;
}

function readAction(tokens: TokenReader, kind: UpdateSyntax["kind"]): UpdateSyntax {
  if (sections.some((word) => tokens.isWord(word))) throw tokens.unexpected();
  const path = readPath(tokens, rank.reserved);
  if (kind === "REMOVE") return { kind, path };
  if (kind === "SET") {
    tokens.expect("=");
    tokens.operator();
    return { kind, path, value: readSetValue(tokens) };
  }
  const { kind: token, text } = tokens.peek();
  if (token !== ":value") throw tokens.unexpected();
  tokens.next();
  return { kind, path, value: text };
}

function readSetValue(tokens: TokenReader): SetValueSyntax {
  // `SET a = (b + c)`: the parentheses may hold the sum or one operand of it.
  if (tokens.take("(")) {
    const inner = readSetValue(tokens);
    tokens.expect(")");
    return "left" in inner ? inner : readSum(tokens, inner);
  }
  return readSum(tokens, readOperand(tokens));
}

function readSum(tokens: TokenReader, left: OperandSyntax): SetValueSyntax {
  const kind = (["+", "-"] as const).find((symbol) => tokens.take(symbol));
  if (!kind) return left;
  tokens.operator();
  return { kind, left, right: readOperand(tokens) };
}

function readOperand(tokens: TokenReader): OperandSyntax {
  if (tokens.take("(")) {
    const inner = readOperand(tokens);
    tokens.expect(")");
    return inner;
  }
  const { kind, text } = tokens.peek();
  if (kind === ":value") {
    tokens.next();
    return { kind: "value", name: text };
  }
  if (sections.some((word) => tokens.isWord(word))) throw tokens.unexpected();
  if (!isCall(tokens)) return { kind: "path", steps: readPath(tokens, rank.reserved) };
  tokens.operator();
  tokens.next();
  const args = readArguments(tokens, () => readOperand(tokens));
  if (!functions.has(text)) tokens.note(rank.unknownFunction, `Invalid function name; function: ${text}`);
  return { kind: "call", name: text, args };
}

/** Parses a projection expression: paths with commas between them. */
export function parseProjection(text: string, parameter: string): PathStep[][] {
  const tokens = new TokenReader(text, parameter);
  const paths: PathStep[][] = [];
  do paths.push(readPath(tokens, rank.reserved));
  while (tokens.take(","));
  tokens.expectEnd();
  return paths;
}
