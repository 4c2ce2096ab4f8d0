import { limits } from "../../../core/limits";
import { invalidExpression } from "../errors";

export interface Token {
  readonly kind: "name" | "#name" | ":value" | "number" | "symbol" | "end";
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const tokenPattern = /([a-zA-Z_][a-zA-Z0-9_]*)|(#[a-zA-Z0-9_]+)|(:[a-zA-Z0-9_]+)|(\d+)|(<=|>=|<>|[^\s])/g;
const kinds = ["name", "#name", ":value", "number", "symbol"] as const;

/** Longest expression in bytes, and most operators and functions in one (developer guide, "Constraints"). */
const maxLength = limits.dynamodb.expression.value;
const maxOperators = limits.dynamodb.operators.value;
/** DynamoDB tells redundant parentheses; this many in each other can be nothing else, and must not fill the stack. */
const maxNesting = 500;

/** The tokens of an expression, right or wrong. */
export function tokenise(text: string): Token[] {
  const tokens: Token[] = [];
  for (const match of text.matchAll(tokenPattern)) {
    const kind = kinds[match.slice(1).findIndex((group) => group !== undefined)]!;
    tokens.push({ kind, text: match[0], start: match.index, end: match.index + match[0].length });
  }
  return tokens;
}

/** Reads the tokens of one expression and words its mistakes as DynamoDB does. */
export class TokenReader {
  private readonly tokens: readonly Token[];
  private readonly end: Token;
  private position = 0;
  private operators = 0;
  private nesting = 0;
  /** Mistakes other than of syntax, by rank; the lowest rank is the one to tell, once the syntax is known to be good. */
  private readonly mistakes: string[] = [];

  /** @param parameter the request member that holds the expression. */
  constructor(
    private readonly text: string,
    private readonly parameter: string,
  ) {
    if (text.trim() === "") throw this.mistake("The expression can not be empty;");
    const size = Buffer.byteLength(text);
    if (size > maxLength) {
      throw this.mistake(`Expression size has exceeded the maximum allowed size; expression size: ${size}`);
    }
    this.tokens = tokenise(text);
    this.end = { kind: "end", text: "<EOF>", start: text.length, end: text.length };
  }

  /** The next token, or one further on. */
  peek(ahead = 0): Token {
    return this.tokens[this.position + ahead] ?? this.end;
  }

  next(): Token {
    const token = this.peek();
    this.position++;
    return token;
  }

  /** Takes the next token if it is this symbol. */
  take(symbol: string): boolean {
    if (!this.isSymbol(symbol)) return false;
    this.position++;
    return true;
  }

  /** Takes the next token if it is this word, in any mix of capitals. */
  takeWord(word: string): boolean {
    if (!this.isWord(word)) return false;
    this.position++;
    return true;
  }

  isSymbol(symbol: string): boolean {
    const token = this.peek();
    return token.kind === "symbol" && token.text === symbol;
  }

  isWord(word: string): boolean {
    const token = this.peek();
    return token.kind === "name" && token.text.toUpperCase() === word;
  }

  expect(symbol: string): void {
    if (!this.take(symbol)) throw this.unexpected();
  }

  /** Counts an operator or function. */
  operator(): void {
    this.operators++;
  }

  /** Goes into parentheses, or out of them with -1. */
  nest(by: 1 | -1): void {
    this.nesting += by;
    if (this.nesting > maxNesting) throw this.mistake("The expression has redundant parentheses;");
  }

  expectEnd(): void {
    if (this.peek().kind !== "end") throw this.unexpected();
    if (this.operators > maxOperators) {
      throw this.mistake(`The expression contains too many operators; operator count: ${this.operators}`);
    }
    const mistake = this.mistakes.find(Boolean);
    if (mistake) throw this.mistake(mistake);
  }

  /** Notes a mistake that is told only if no other of a lower rank, and none of syntax, turns up. */
  note(rank: number, message: string): void {
    this.mistakes[rank] ??= message;
  }

  /** The next token is not what can stand here. */
  unexpected(): Error {
    const token = this.peek();
    const before = this.tokens[this.position - 1] ?? token;
    const after = this.tokens[this.position + 1] ?? token;
    return this.mistake(`Syntax error; token: "${token.text}", near: "${this.text.slice(before.start, after.end)}"`);
  }

  private mistake(message: string): Error {
    return invalidExpression(this.parameter, message);
  }
}
