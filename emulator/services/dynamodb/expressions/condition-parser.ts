import { limits } from "../../../core/limits";
import { isCall, readArguments, readPath } from "./operands";
import type { Comparator, ConditionSyntax, OperandSyntax } from "./syntax";
import { TokenReader } from "./tokens";

/** Which mistake is told where there are several. */
const rank = { parentheses: 0, unknownFunction: 1, misusedFunction: 2, reserved: 3, options: 4 };

/** Most values behind IN (developer guide, "Constraints"). */
const maxOptions = limits.dynamodb.inOperands.value;

const comparators = new Set(["=", "<>", "<", "<=", ">", ">="]);
const keywords = new Set(["AND", "OR", "NOT", "BETWEEN", "IN"]);
const functions = new Set([
  "attribute_exists",
  "attribute_not_exists",
  "attribute_type",
  "begins_with",
  "contains",
  "size",
]);

type Node = OperandSyntax | ConditionSyntax;

/** Parses condition, filter and key condition expressions; NOT binds tighter than AND, AND tighter than OR. */
export function parseCondition(text: string, parameter: string): ConditionSyntax {
  const parser = new ConditionParser(new TokenReader(text, parameter));
  return parser.parse();
}

class ConditionParser {
  /** Nodes that stood in parentheses of their own: another pair around one is redundant. */
  private readonly parenthesised = new Set<Node>();

  constructor(private readonly tokens: TokenReader) {}

  parse(): ConditionSyntax {
    const condition = this.condition(this.or());
    this.tokens.expectEnd();
    return condition;
  }

  private or(): Node {
    let left = this.and();
    while (this.tokens.isWord("OR")) {
      this.condition(left);
      this.operator();
      left = { kind: "or", left: this.condition(left), right: this.condition(this.and()) };
    }
    return left;
  }

  private and(): Node {
    let left = this.not();
    while (this.tokens.isWord("AND")) {
      this.condition(left);
      this.operator();
      left = { kind: "and", left: this.condition(left), right: this.condition(this.not()) };
    }
    return left;
  }

  private not(): Node {
    if (!this.tokens.isWord("NOT")) return this.comparison();
    this.operator();
    return { kind: "not", operand: this.condition(this.not()) };
  }

  private comparison(): Node {
    const left = this.primary();
    const { kind, text } = this.tokens.peek();
    if (kind === "symbol" && comparators.has(text)) {
      const operand = this.operand(left);
      this.operator();
      return { kind: "compare", operator: text as Comparator, left: operand, right: this.operand(this.primary()) };
    }
    if (this.tokens.isWord("BETWEEN")) {
      const operand = this.operand(left);
      this.operator();
      const low = this.operand(this.primary());
      if (!this.tokens.takeWord("AND")) throw this.tokens.unexpected();
      return { kind: "between", operand, low, high: this.operand(this.primary()) };
    }
    if (this.tokens.isWord("IN")) {
      const operand = this.operand(left);
      this.operator();
      const options = readArguments(this.tokens, () => this.operand(this.primary()));
      if (options.length > maxOptions) {
        this.tokens.note(
          rank.options,
          `The IN operator is provided with too many operands; number of operands: ${options.length}`,
        );
      }
      return { kind: "in", operand, options };
    }
    return left;
  }

  private primary(): Node {
    if (this.tokens.take("(")) {
      this.tokens.nest(1);
      const inner = this.or();
      this.tokens.nest(-1);
      this.tokens.expect(")");
      if (this.parenthesised.has(inner)) {
        this.tokens.note(rank.parentheses, "The expression has redundant parentheses;");
      }
      this.parenthesised.add(inner);
      return inner;
    }
    const { kind, text } = this.tokens.peek();
    if (kind === ":value") {
      this.tokens.next();
      return { kind: "value", name: text };
    }
    if (kind === "name" && keywords.has(text.toUpperCase())) throw this.tokens.unexpected();
    if (!isCall(this.tokens)) return { kind: "path", steps: readPath(this.tokens, rank.reserved) };
    this.operator();
    const args = readArguments(this.tokens, () => this.operand(this.primary()));
    if (!functions.has(text)) this.tokens.note(rank.unknownFunction, `Invalid function name; function: ${text}`);
    return { kind: "call", name: text, args };
  }

  /** Takes the token of an operator or function. */
  private operator(): void {
    this.tokens.operator();
    this.tokens.next();
  }

  /** The node as something that is true or false. */
  private condition(node: Node): ConditionSyntax {
    if (node.kind === "path" || node.kind === "value") throw this.tokens.unexpected();
    if (node.kind === "call" && node.name === "size") this.misused(node.name);
    return node;
  }

  /** The node as something that has a value. */
  private operand(node: Node): OperandSyntax {
    if (node.kind !== "path" && node.kind !== "value" && node.kind !== "call") throw this.tokens.unexpected();
    if (node.kind === "call" && node.name !== "size") this.misused(node.name);
    return node;
  }

  private misused(name: string): void {
    this.tokens.note(
      rank.misusedFunction,
      `The function is not allowed to be used this way in an expression; function: ${name}`,
    );
  }
}
