import type { Comparison, Expression, Item, Order, Select } from "./ast";
import { aggregates } from "./ast";
import { statementError, unsupported } from "./errors";
import { type Token, tokensOf } from "./lexer";
import { intervalOf, timestampOf } from "./literals";

/** Deeper expressions are refused before they fill the stack. */
const deepest = 100;

const functions = new Map([
  ["ago", [1, 1]],
  ["now", [0, 0]],
  ["bin", [2, 2]],
  ...[...aggregates].map((name) => [name, [1, 1]] as const),
] as const);

/** What begins parts of statements that AWS has and the emulator has not. */
const others = new Set(
  "HAVING JOIN CROSS INNER LEFT RIGHT FULL UNION INTERSECT EXCEPT WITH OVER DISTINCT CASE CAST EXISTS OFFSET UNLOAD EXTRACT TRY_CAST ROW ARRAY INTERVAL DATE VALUES FETCH WINDOW UNNEST SHOW DESCRIBE EXPLAIN FILTER".split(
    " ",
  ),
);
const clauses = new Set(
  "FROM WHERE GROUP ORDER LIMIT AND OR NOT AS ASC DESC NULLS IN LIKE BETWEEN IS BY SELECT".split(" "),
);

/** Reads the part of SQL that is emulated: one SELECT from one table. */
class Parser {
  private readonly tokens: Token[];
  private place = 0;
  private depth = 0;

  constructor(private readonly text: string) {
    this.tokens = tokensOf(text);
  }

  select(): Select {
    this.expect("SELECT");
    const items = this.list(() => this.item());
    this.expect("FROM");
    const database = this.name("a database");
    this.expect(".");
    const table = this.name("a table");
    this.alias();
    const where = this.take("WHERE") ? this.expression() : undefined;
    const groupBy = this.take("GROUP") && this.expect("BY") ? this.list(() => this.expression()) : [];
    const orderBy = this.take("ORDER") && this.expect("BY") ? this.list(() => this.order()) : [];
    const limit = this.take("LIMIT") ? this.limit() : undefined;
    this.take(";");
    if (this.next.kind !== "end") throw this.unexpected("the end of the statement");
    return { text: this.text, items, database, table, where, groupBy, orderBy, limit };
  }

  private get next(): Token {
    return this.tokens[this.place]!;
  }

  private is(symbol: string): boolean {
    const { kind, upper } = this.next;
    return (kind === "word" || kind === "symbol") && upper === symbol;
  }

  private take(symbol: string): boolean {
    const found = this.is(symbol);
    if (found) this.place++;
    return found;
  }

  private expect(symbol: string): true {
    if (!this.take(symbol)) throw this.unexpected(`'${symbol}'`);
    return true;
  }

  private unexpected(expected: string) {
    const { kind, upper, text, at } = this.next;
    if (kind === "word" && others.has(upper)) return unsupported(upper);
    return statementError(this.text, at, `mismatched input '${text}'. Expecting: ${expected}`);
  }

  private list<T>(read: () => T): T[] {
    const items = [read()];
    while (this.take(",")) items.push(read());
    return items;
  }

  /** A table's alias would have to be known in the names of columns. */
  private alias(): void {
    const { kind, upper } = this.next;
    if (kind === "quoted" || upper === "AS" || (kind === "word" && !clauses.has(upper) && !others.has(upper)))
      throw unsupported("an alias of the table");
    if (this.is(",")) throw unsupported("more than one table");
  }

  private name(expected: string): string {
    const { kind, upper, text } = this.next;
    if (this.is("(")) throw unsupported("a subquery");
    if (kind !== "quoted" && (kind !== "word" || clauses.has(upper) || others.has(upper)))
      throw this.unexpected(expected);
    this.place++;
    return text;
  }

  private item(): Item | "*" {
    if (this.take("*")) return "*";
    const expression = this.expression();
    const named = this.take("AS");
    const { kind, upper } = this.next;
    const bare = kind === "quoted" || (kind === "word" && !clauses.has(upper) && !others.has(upper));
    return named || bare ? { expression, alias: this.name("an alias") } : { expression };
  }

  private order(): Order {
    const expression = this.expression();
    const descending = this.take("DESC");
    if (!descending) this.take("ASC");
    if (!this.take("NULLS")) return { expression, descending, nullsFirst: false };
    const nullsFirst = this.take("FIRST");
    if (!nullsFirst) this.expect("LAST");
    return { expression, descending, nullsFirst };
  }

  private limit(): number | undefined {
    if (this.take("ALL")) return undefined;
    const { kind, text } = this.next;
    if (kind !== "integer" || !Number.isSafeInteger(Number(text))) throw this.unexpected("a number of rows");
    this.place++;
    return Number(text);
  }

  private expression(): Expression {
    if (++this.depth > deepest) throw statementError(this.text, this.next.at, "the expression is nested too deep");
    const parsed = this.joined("or", "OR", () => this.joined("and", "AND", () => this.negation()));
    this.depth--;
    return parsed;
  }

  private joined(kind: "and" | "or", word: string, read: () => Expression): Expression {
    const first = read();
    if (!this.is(word)) return first;
    const operands = [first];
    while (this.take(word)) operands.push(read());
    return { kind, operands, at: first.at };
  }

  private negation(): Expression {
    const { at } = this.next;
    let times = 0;
    while (this.take("NOT")) times++;
    const operand = this.condition();
    // Twice is not at all, of truth values that may be unknown, too; once more keeps that the operand must be one.
    if (times === 0) return operand;
    const negated: Expression = { kind: "not", operands: [operand], at };
    return times % 2 === 1 ? negated : { kind: "not", operands: [negated], at };
  }

  private condition(): Expression {
    const left = this.sum();
    const { at } = this.next;
    const comparison = this.comparison();
    if (comparison) return { kind: "compare", operator: comparison, operands: [left, this.sum()], at };
    if (this.take("IS")) {
      const not = this.take("NOT");
      this.expect("NULL");
      const isNull: Expression = { kind: "isNull", operands: [left], at };
      return not ? { kind: "not", operands: [isNull], at } : isNull;
    }
    const not = this.take("NOT");
    const found = this.predicate(left, at);
    if (!found) {
      if (not) throw this.unexpected("'IN', 'LIKE' or 'BETWEEN'");
      return left;
    }
    return not ? { kind: "not", operands: [found], at } : found;
  }

  private comparison(): Comparison | undefined {
    const { kind, text } = this.next;
    const operator = text === "!=" ? "<>" : text;
    if (kind !== "symbol" || !["=", "<>", "<", "<=", ">", ">="].includes(operator)) return undefined;
    this.place++;
    return operator as Comparison;
  }

  private predicate(left: Expression, at: number): Expression | undefined {
    const compare = (operator: Comparison, right: Expression): Expression => ({
      ...{ kind: "compare", operator, at },
      operands: [left, right],
    });
    if (this.take("IN")) {
      this.expect("(");
      if (this.is("SELECT")) throw unsupported("a subquery");
      const list = this.list(() => this.expression());
      this.expect(")");
      return { kind: "or", operands: list.map((one) => compare("=", one)), at };
    }
    if (this.take("BETWEEN")) {
      const low = this.sum();
      this.expect("AND");
      return { kind: "and", operands: [compare(">=", low), compare("<=", this.sum())], at };
    }
    if (!this.take("LIKE")) return undefined;
    const like: Expression = { kind: "like", operands: [left, this.sum()], at };
    if (this.is("ESCAPE")) throw unsupported("LIKE with ESCAPE");
    return like;
  }

  private sum(): Expression {
    let left = this.primary();
    for (;;) {
      const { at, text, kind } = this.next;
      if (kind === "symbol" && ["*", "/", "%", "||", "[", "::"].includes(text))
        throw unsupported(`the operator ${text}`);
      const operator = this.take("+") ? "+" : this.take("-") ? "-" : undefined;
      if (!operator) return left;
      left = { kind: "shift", operator, operands: [left, this.primary()], at };
      if (++this.depth > deepest) throw statementError(this.text, at, "the expression is too long");
    }
  }

  private primary(): Expression {
    const { kind, text, upper, at } = this.next;
    if (this.take("(")) {
      if (this.is("SELECT")) throw unsupported("a subquery");
      const inner = this.expression();
      this.expect(")");
      return inner;
    }
    if (this.take("-")) return this.negative(at);
    if (kind === "word" && upper === "TIMESTAMP" && this.tokens[this.place + 1]!.kind === "text")
      return this.timestamp();
    const literal = this.literal(this.next);
    if (literal) {
      this.place++;
      return literal;
    }
    const name = this.name("an expression");
    if (kind === "word" && this.take("(")) return this.call(name.toLowerCase(), at);
    if (this.is(".")) throw unsupported("a column with the name of its table");
    if (kind === "word" && upper === "MEASURE_VALUE" && this.take("::")) {
      return { kind: "column", name: `measure_value::${this.name("a type").toLowerCase()}`, at };
    }
    return { kind: "column", name: text, at };
  }

  private literal({ kind, text, upper, at }: Token): Expression | undefined {
    if (kind === "text") return { kind: "literal", type: "VARCHAR", value: text, at };
    if (kind === "decimal") return { kind: "literal", type: "DOUBLE", value: Number(text), at };
    if (kind === "interval") return { kind: "literal", type: "INTERVAL_DAY_TO_SECOND", value: intervalOf(text), at };
    if (kind === "integer") {
      const value = BigInt(text);
      if (value >= 2n ** 63n) throw statementError(this.text, at, `Invalid numeric literal: ${text}`);
      return { kind: "literal", type: value < 2n ** 31n ? "INTEGER" : "BIGINT", value, at };
    }
    if (kind !== "word") return undefined;
    if (upper === "NULL") return { kind: "literal", type: "UNKNOWN", value: null, at };
    if (upper === "TRUE" || upper === "FALSE") return { kind: "literal", type: "BOOLEAN", value: upper === "TRUE", at };
    return undefined;
  }

  private negative(at: number): Expression {
    const literal = this.literal(this.next);
    if (literal?.kind !== "literal" || (typeof literal.value !== "number" && typeof literal.value !== "bigint")) {
      throw unsupported("a minus before what is no number");
    }
    this.place++;
    return { ...literal, value: -literal.value, at };
  }

  private timestamp(): Expression {
    const { at } = this.next;
    this.place++;
    const { text } = this.next;
    const value = timestampOf(text);
    if (value === undefined) throw statementError(this.text, at, `'${text}' is not a valid timestamp literal`);
    this.place++;
    return { kind: "literal", type: "TIMESTAMP", value, at };
  }

  private call(name: string, at: number): Expression {
    const counts = functions.get(name as "bin");
    if (!counts) throw unsupported(`the function ${name}`);
    let operands: Expression[] = [];
    const star = name === "count" && this.take("*");
    if (!star && !this.is(")")) operands = this.list(() => this.expression());
    this.expect(")");
    if (this.is("OVER") || this.is("FILTER")) throw unsupported(this.next.upper);
    if (!star && (operands.length < counts[0] || operands.length > counts[1])) {
      throw statementError(this.text, at, `Unexpected parameters for function ${name}`);
    }
    return { kind: "call", name, operands, at };
  }
}

/**
 * Reads a statement.
 *
 * @throws ValidationException for what is no SQL, and NotImplemented with the name of what the emulator does not know.
 */
export const parse = (text: string): Select => new Parser(text).select();
