import type { CastType, Comparison, Expression, Query, Select, SelectItem, SqlVersion, Variables } from "./ast";
import { Decimal } from "./decimal";
import { findFunction, takes } from "./functions";
import type { Token } from "./lexer";
import { deepest, TokenReader } from "./tokens";
import { numeric } from "./values";

const comparisons: Record<string, Comparison> = {
  "=": "=",
  "<>": "<>",
  "!=": "<>",
  "<": "<",
  "<=": "<=",
  ">": ">",
  ">=": ">=",
};
// Words that end an expression, and therefore are no field names unless quoted with backticks.
const reserved = new Set([
  "select",
  "from",
  "where",
  "as",
  "and",
  "or",
  "not",
  "in",
  "case",
  "when",
  "then",
  "else",
  "end",
  "set",
]);
const castTypes: Record<string, CastType> = {
  string: "String",
  nvarchar: "String",
  text: "String",
  ntext: "String",
  varchar: "String",
  int: "Int",
  integer: "Int",
  double: "Double",
  decimal: "Decimal",
  bool: "Boolean",
  boolean: "Boolean",
};

/** The grammar of expressions, SELECT lists and nested queries. */
export class ExpressionParser extends TokenReader {
  constructor(
    text: string,
    version: SqlVersion,
    protected variables: Variables,
  ) {
    super(text, version);
  }

  expression(): Expression {
    return this.nested(() => this.listOf("or", () => this.listOf("and", () => this.negation())));
  }

  private listOf(kind: "and" | "or", parse: () => Expression): Expression {
    const terms = [parse()];
    while (this.word(kind)) terms.push(parse());
    return terms.length === 1 ? terms[0]! : { kind, terms };
  }

  private negation(): Expression {
    if (!this.word("not")) return this.comparison();
    return { kind: "not", value: this.nested(() => this.negation()) };
  }

  private comparison(): Expression {
    const left = this.sum();
    const negated = this.isWord("not") && this.isWord("in", this.tokens[this.at + 1]);
    if (negated) this.at++;
    if (this.word("in")) return { kind: "in", value: left, among: this.among(), negated };
    if (this.isWord("is") || this.isWord("like") || this.isWord("between")) {
      this.fail("a comparison operation (=, <>, <, <=, >, >=, IN); use isNull(), isUndefined() or regexp_matches()");
    }
    const operator = this.token.kind === "symbol" ? comparisons[this.token.text] : undefined;
    if (!operator) return left;
    this.at++;
    const right = this.sum();
    if (this.token.kind === "symbol" && comparisons[this.token.text]) this.fail("AND, OR or the end of the comparison");
    return { kind: "compare", operator, left, right };
  }

  private among(): Expression {
    if (!this.isSymbol("(") || this.isWord("select", this.tokens[this.at + 1])) return this.sum();
    this.at++;
    const items = this.list(")");
    return { kind: "array", items };
  }

  private list(close: string): Expression[] {
    const items: Expression[] = [];
    if (this.symbol(close)) return items;
    do items.push(this.isSymbol("*") ? this.star() : this.expression());
    while (this.symbol(","));
    this.need(close);
    return items;
  }

  private sum(): Expression {
    return this.chain(["+", "-"], () => this.chain(["*", "/", "%"], () => this.unary()));
  }

  private chain(operators: readonly ("+" | "-" | "*" | "/" | "%")[], parse: () => Expression): Expression {
    const first = parse();
    const rest: [(typeof operators)[number], Expression][] = [];
    for (;;) {
      const operator = operators.find((each) => this.isSymbol(each));
      if (!operator) break;
      this.at++;
      rest.push([operator, parse()]);
    }
    return rest.length ? { kind: "arithmetic", first, rest } : first;
  }

  private unary(): Expression {
    if (this.symbol("+")) return this.nested(() => this.unary());
    if (!this.symbol("-")) return this.postfix();
    const value = this.nested(() => this.unary());
    return { kind: "negate", value };
  }

  private postfix(): Expression {
    const base = this.primary();
    const segments: (string | Expression)[] = [];
    for (;;) {
      if (this.symbol(".")) {
        const { kind, text } = this.token;
        if (kind !== "name" && kind !== "quoted-name") this.fail("a field's name");
        this.at++;
        segments.push(text);
      } else if (this.symbol("[")) {
        segments.push(this.expression());
        this.need("]");
      } else break;
    }
    if (!segments.length) return base;
    return base.kind === "path" && !base.base
      ? { kind: "path", base: undefined, segments: [...base.segments, ...segments] }
      : { kind: "path", base, segments };
  }

  private primary(): Expression {
    const token = this.token;
    switch (token.kind) {
      case "string":
        this.at++;
        return { kind: "literal", value: token.text };
      case "number":
        this.at++;
        return { kind: "literal", value: this.numberOf(token) };
      case "quoted-name":
        this.at++;
        return { kind: "path", base: undefined, segments: [token.text] };
      case "variable":
        if (!this.variables.has(token.text)) this.refuse(`Variable @${token.text} is not set before it is used`, token);
        this.at++;
        return { kind: "variable", name: token.text };
      case "symbol":
        return this.bracketed(token);
      case "name":
        return this.named(token);
      default:
        return this.fail("an expression");
    }
  }

  private numberOf(token: Token) {
    const value = /^0x/i.test(token.text) ? new Decimal(BigInt(token.text), 0).rounded() : Decimal.parse(token.text);
    return numeric(value, this.version) ?? this.refuse(`The number ${token.text.slice(0, 40)} is out of range`, token);
  }

  private bracketed(token: Token): Expression {
    if (this.symbol("(")) {
      const inner = this.isWord("select") ? ({ kind: "query", query: this.query() } as const) : this.expression();
      this.need(")");
      return inner;
    }
    if (this.symbol("[")) {
      this.newer("Array literals", token);
      return { kind: "array", items: this.list("]") };
    }
    if (this.symbol("{")) {
      this.newer("Object literals", token);
      return { kind: "object", entries: this.entries() };
    }
    return this.fail("an expression");
  }

  private entries(): [string, Expression][] {
    const entries: [string, Expression][] = [];
    if (this.symbol("}")) return entries;
    do {
      const { kind, text } = this.token;
      if (kind !== "string") this.fail("a key in quotes");
      this.at++;
      this.need(":");
      entries.push([text, this.isSymbol("*") ? this.star() : this.expression()]);
    } while (this.symbol(","));
    this.need("}");
    return entries;
  }

  private query(): Query {
    this.newer("Nested object queries", this.token);
    this.needWord("select");
    return this.nested(() => {
      const select = this.selectList();
      this.needWord("from");
      const from = this.isSymbol("*") ? this.star() : this.postfix();
      return { select, from, where: this.word("where") ? this.expression() : undefined };
    });
  }

  private named(token: Token): Expression {
    const next = this.tokens[this.at + 1];
    const name = token.text.toLowerCase();
    const called = next && this.isSymbol("(", next);
    if (name === "case") return this.caseExpression();
    if (name === "exists" && called && this.isWord("select", this.tokens[this.at + 2])) {
      this.at += 2;
      const query = this.query();
      this.need(")");
      return { kind: "exists", query };
    }
    if (reserved.has(name)) this.fail("an expression");
    this.at++;
    if (called) return name === "cast" ? this.cast() : this.call(token, name);
    if (name === "true" || name === "false") return { kind: "literal", value: name === "true" };
    if (name === "null") return { kind: "literal", value: null };
    if (name === "undefined") return { kind: "literal", value: undefined };
    return { kind: "path", base: undefined, segments: [token.text] };
  }

  private caseExpression(): Expression {
    this.at++;
    const subject = this.isWord("when") ? undefined : this.expression();
    const branches: [Expression, Expression][] = [];
    while (this.word("when")) {
      const when = this.expression();
      this.needWord("then");
      branches.push([when, this.expression()]);
    }
    if (!branches.length) this.fail("WHEN");
    const otherwise = this.word("else") ? this.expression() : undefined;
    this.needWord("end");
    return { kind: "case", subject, branches, otherwise };
  }

  private cast(): Expression {
    this.need("(");
    const value = this.expression();
    this.needWord("as");
    const token = this.token;
    const type = token.kind === "name" ? castTypes[token.text.toLowerCase()] : undefined;
    if (!type) this.fail("a type (String, Int, Double, Decimal, Boolean)");
    if (type === "Decimal" || type === "Boolean") this.newer(`Casts to ${type}`, token);
    this.at++;
    this.need(")");
    return { kind: "cast", value, type };
  }

  private call(token: Token, name: string): Expression {
    this.need("(");
    const args = this.list(")");
    const definition = findFunction(name);
    if (!definition) this.refuse(`Unknown function: ${token.text}`, token);
    if (definition.newer) this.newer(`Calls of ${token.text}`, token);
    const problem = takes(definition, args) ? definition.check?.(args) : undefined;
    if (problem) this.refuse(problem, token);
    return { kind: "call", name, written: token.text, args };
  }

  protected star(): Expression {
    this.at++;
    return { kind: "star" };
  }

  protected selectList(): Select {
    const value = this.isWord("value") && !this.endsItem(this.tokens[this.at + 1]!);
    if (value) this.at++;
    const items: SelectItem[] = [];
    do {
      items.push(this.selectItem(value));
    } while (this.symbol(","));
    if (value && items.length > 1) this.fail("one expression after SELECT VALUE");
    return { value, items };
  }

  private endsItem(token: Token): boolean {
    return (
      token.kind === "end" ||
      ["from", "as", "where"].some((word) => this.isWord(word, token)) ||
      (token.kind === "symbol" && "),./%=<>!=".includes(token.text))
    );
  }

  private selectItem(value: boolean): SelectItem {
    const start = this.token;
    const expression = this.isSymbol("*") ? this.star() : this.expression();
    if (this.word("as")) return { expression, key: this.alias() };
    if (value || expression.kind === "star") return { expression, key: undefined };
    const key = this.defaultKey(expression);
    if (key === undefined)
      this.refuse("Expected AS and a name after an expression that is neither a field nor a function", start);
    return { expression, key: [key] };
  }

  /** Unnamed items get their last path segment or their function's name. */
  private defaultKey(expression: Expression): string | undefined {
    if (expression.kind === "call") return expression.written;
    if (expression.kind === "cast") return "cast";
    if (expression.kind === "variable") return expression.name;
    if (expression.kind !== "path") return undefined;
    return expression.segments.findLast((segment) => typeof segment === "string");
  }

  private alias(): string[] {
    const path: string[] = [];
    do {
      const { kind, text } = this.token;
      if (kind !== "name" && kind !== "quoted-name" && kind !== "string") this.fail("a name");
      this.at++;
      if (path.push(text) > deepest) this.refuse(`An alias has at most ${deepest} levels`, this.token);
    } while (this.symbol("."));
    return path;
  }
}
