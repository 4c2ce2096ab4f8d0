import { AwsError } from "../../../core/errors";
import { filterProblem } from "../topics";
import type { Expression, SqlVersion, Statement, Variables } from "./ast";
import { ExpressionParser } from "./expressions";
import type { Token } from "./lexer";

const versions: readonly SqlVersion[] = ["2015-10-08", "2016-03-23", "beta"];

/** @throws SqlParseException for a version that AWS IoT has not. */
export function checkVersion(version: string): SqlVersion {
  const found = versions.find((each) => each === version);
  if (found) return found;
  throw new AwsError(
    "SqlParseException",
    `Unsupported SQL version: ${version}. Supported are ${versions.join(", ")}`,
    400,
  );
}

class Parser extends ExpressionParser {
  statement(): Statement {
    if (this.word("set")) this.setClause();
    this.needWord("select");
    const select = this.selectList();
    const topicFilter = this.word("from") ? this.topicFilter() : undefined;
    const where = this.word("where") ? this.expression() : undefined;
    this.end();
    return { sql: this.text, version: this.version, topicFilter, variables: this.variables, select, where };
  }

  /** A lone expression, as in `${...}`. */
  lone(): Expression {
    const expression = this.isSymbol("*") ? this.star() : this.expression();
    this.end();
    return expression;
  }

  private end(): void {
    if (this.token.kind !== "end") this.fail("end of statement");
  }

  private setClause(): void {
    const variables = new Map<string, Expression>();
    this.variables = variables;
    do {
      const token = this.token;
      if (token.kind !== "variable") this.fail("a variable such as @name");
      if (variables.has(token.text)) this.refuse(`Variable @${token.text} is assigned twice`, token);
      this.at++;
      this.need("=");
      // A variable is known only after its own expression: no cycles.
      variables.set(token.text, this.expression());
    } while (this.symbol(","));
    if (this.isWord("set"))
      this.refuse("SET can be used once per statement: separate the variables by commas", this.token);
  }

  private topicFilter(): string {
    const token = this.token;
    const filter = this.filterText(token);
    const problem = filterProblem(filter);
    if (problem) this.refuse(`Expected a topic filter, found: ${filter.slice(0, 40)} (${problem})`, token);
    return filter;
  }

  private filterText(token: Token): string {
    if (token.kind === "string") {
      this.at++;
      return token.text;
    }
    // AWS's own examples also write a topic filter without quotes: FROM topic/#
    const bare = /^[^\s'"`]+/.exec(this.text.slice(token.start))?.[0];
    if (token.kind === "end" || !bare || this.isWord("where")) this.fail("a topic filter in single quotes");
    while (this.token.kind !== "end" && this.token.start < token.start + bare.length) this.at++;
    return bare;
  }
}

/**
 * Parses a rule's statement.
 *
 * @param version of AWS IoT SQL. @default "2015-10-08", as CreateTopicRule has it
 * @throws SqlParseException with line and column; NotImplemented for what AWS has and the emulator has not.
 */
export function parseSql(sql: string, version = "2015-10-08"): Statement {
  return new Parser(sql, checkVersion(version), new Map()).statement();
}

/** Parses a lone expression that may use the variables of a statement's SET clause. */
export const parseExpression = (text: string, version: SqlVersion, variables: Variables): Expression =>
  new Parser(text, version, variables).lone();
