import type { SqlVersion } from "./ast";
import { sqlParseException } from "./errors";
import { positionOf, type Token, tokenize } from "./lexer";

/** AWS's limit for a rule's SQL statement, in characters. */
const longestSql = 65_535;
/** Deepest nesting of parentheses, calls, literals and queries. Not an AWS number: it keeps the stack safe. */
export const deepest = 100;

/** Reads tokens one by one, and says what was expected instead. */
export class TokenReader {
  protected readonly tokens: Token[];
  protected at = 0;
  private depth = 0;

  constructor(
    protected readonly text: string,
    protected readonly version: SqlVersion,
  ) {
    if (text.length > longestSql) {
      throw sqlParseException(`Expected at most ${longestSql} characters, found: ${text.length}`, {
        line: 1,
        column: 1,
      });
    }
    this.tokens = tokenize(text);
  }

  protected get token(): Token {
    return this.tokens[this.at]!;
  }

  protected fail(expected: string, token = this.token): never {
    const found = token.kind === "end" ? token.text : this.text.slice(token.start, token.end);
    throw sqlParseException(`Expected ${expected}, found: ${found}`, positionOf(this.text, token.start));
  }

  protected refuse(problem: string, token: Token): never {
    throw sqlParseException(problem, positionOf(this.text, token.start));
  }

  protected isWord(word: string, token = this.token): boolean {
    return token.kind === "name" && token.text.toLowerCase() === word;
  }

  protected isSymbol(symbol: string, token = this.token): boolean {
    return token.kind === "symbol" && token.text === symbol;
  }

  protected word(word: string): boolean {
    if (!this.isWord(word)) return false;
    this.at++;
    return true;
  }

  protected symbol(symbol: string): boolean {
    if (!this.isSymbol(symbol)) return false;
    this.at++;
    return true;
  }

  protected need(symbol: string): void {
    if (!this.symbol(symbol)) this.fail(symbol);
  }

  protected needWord(word: string): void {
    if (!this.word(word)) this.fail(word.toUpperCase());
  }

  protected newer(what: string, token: Token): void {
    if (this.version === "2015-10-08") this.refuse(`${what} need SQL version 2016-03-23 or later`, token);
  }

  protected nested<T>(parse: () => T): T {
    if (++this.depth > deepest) this.refuse(`The statement is nested deeper than ${deepest} levels`, this.token);
    const result = parse();
    this.depth--;
    return result;
  }
}
