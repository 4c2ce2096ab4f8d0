import { limits } from "../../../core/limits";
import { isReserved } from "./reserved-words";
import type { OperandSyntax, PathStep } from "./syntax";
import type { TokenReader } from "./tokens";

/** Deepest document path (developer guide, "Constraints"). */
const maxPathDepth = limits.dynamodb.nesting.value;

/** Reads `a.b[3].#c`. */
export function readPath(tokens: TokenReader, reservedRank: number): PathStep[] {
  const steps: PathStep[] = [readName(tokens, reservedRank)];
  while (steps.length <= maxPathDepth) {
    if (tokens.take(".")) {
      steps.push(readName(tokens, reservedRank));
    } else if (tokens.take("[")) {
      if (tokens.peek().kind !== "number") throw tokens.unexpected();
      steps.push(Number(tokens.next().text));
      tokens.expect("]");
    } else {
      return steps;
    }
  }
  throw tokens.unexpected();
}

function readName(tokens: TokenReader, reservedRank: number): string {
  const { kind, text } = tokens.peek();
  if (kind !== "name" && kind !== "#name") throw tokens.unexpected();
  tokens.next();
  if (kind === "name" && isReserved(text)) {
    tokens.note(reservedRank, `Attribute name is a reserved keyword; reserved keyword: ${text}`);
  }
  return text;
}

/** Reads what stands after a function's name, with its parentheses. */
export function readArguments(tokens: TokenReader, readOperand: () => OperandSyntax): OperandSyntax[] {
  tokens.expect("(");
  const args = [readOperand()];
  while (tokens.take(",")) args.push(readOperand());
  tokens.expect(")");
  return args;
}

/** Whether a function call comes next. */
export function isCall(tokens: TokenReader): boolean {
  const after = tokens.peek(1);
  return tokens.peek().kind === "name" && after.kind === "symbol" && after.text === "(";
}
