import type { Value } from "./values";

/** The versions of AWS IoT SQL. https://docs.aws.amazon.com/iot/latest/developerguide/iot-rule-sql-version.html */
export type SqlVersion = "2015-10-08" | "2016-03-23" | "beta";

export type BinaryOperator = "+" | "-" | "*" | "/" | "%";
export type Comparison = "=" | "<>" | "<" | "<=" | ">" | ">=";
export type CastType = "String" | "Int" | "Double" | "Decimal" | "Boolean";

export type Expression =
  | { readonly kind: "literal"; readonly value: Value }
  /** `*`: the whole payload, or the whole element of a nested query. */
  | { readonly kind: "star" }
  | { readonly kind: "variable"; readonly name: string }
  /** A name, then `.key` or `[index]` for each further segment. */
  | {
      readonly kind: "path";
      readonly base: Expression | undefined;
      readonly segments: readonly (string | Expression)[];
    }
  | { readonly kind: "array"; readonly items: readonly Expression[] }
  | { readonly kind: "object"; readonly entries: readonly (readonly [key: string, value: Expression])[] }
  | { readonly kind: "call"; readonly name: string; readonly written: string; readonly args: readonly Expression[] }
  | { readonly kind: "cast"; readonly value: Expression; readonly type: CastType }
  | { readonly kind: "not"; readonly value: Expression }
  | { readonly kind: "negate"; readonly value: Expression }
  | { readonly kind: "and" | "or"; readonly terms: readonly Expression[] }
  | { readonly kind: "compare"; readonly operator: Comparison; readonly left: Expression; readonly right: Expression }
  | { readonly kind: "in"; readonly value: Expression; readonly among: Expression; readonly negated: boolean }
  | { readonly kind: "exists"; readonly query: Query }
  /** A chain of operators of one precedence, flat so that a long one cannot overflow the stack. */
  | {
      readonly kind: "arithmetic";
      readonly first: Expression;
      readonly rest: readonly (readonly [BinaryOperator, Expression])[];
    }
  | {
      readonly kind: "case";
      /** Undefined in `CASE WHEN condition THEN ...`. */
      readonly subject: Expression | undefined;
      readonly branches: readonly (readonly [when: Expression, then: Expression])[];
      readonly otherwise: Expression | undefined;
    }
  | { readonly kind: "query"; readonly query: Query };

/** One entry of a SELECT list; `key` holds the path that it is put under, undefined for a bare `*`. */
export interface SelectItem {
  readonly expression: Expression;
  readonly key: readonly string[] | undefined;
}

export interface Select {
  /** `SELECT VALUE expression`: the expression itself instead of an object. */
  readonly value: boolean;
  readonly items: readonly SelectItem[];
}

/** A nested query: `(SELECT v FROM e WHERE n = 'temperature')`. */
export interface Query {
  readonly select: Select;
  readonly from: Expression;
  readonly where: Expression | undefined;
}

/** The variables of a SET clause, by name without `@`. */
export type Variables = ReadonlyMap<string, Expression>;

/** A parsed rule statement; made by `parseSql`, evaluated by `evaluate`. */
export interface Statement {
  readonly sql: string;
  readonly version: SqlVersion;
  /** The MQTT topic filter of FROM; undefined for rules that only Basic Ingest reaches. */
  readonly topicFilter: string | undefined;
  readonly variables: Variables;
  readonly select: Select;
  readonly where: Expression | undefined;
}
