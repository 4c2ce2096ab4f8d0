export type SqlType =
  | "VARCHAR"
  | "BIGINT"
  | "INTEGER"
  | "DOUBLE"
  | "BOOLEAN"
  | "TIMESTAMP"
  | "INTERVAL_DAY_TO_SECOND"
  | "UNKNOWN";

/** Whole numbers, times and intervals are bigints, the latter two in nanoseconds. */
export type Value = string | number | bigint | boolean | null;

export type Comparison = "=" | "<>" | "<" | "<=" | ">" | ">=";

/** `at` is where it begins in the statement. */
export type Expression = { readonly at: number } & (
  | { readonly kind: "literal"; readonly type: SqlType; readonly value: Value }
  | { readonly kind: "column"; readonly name: string }
  /** `count(*)` has no arguments. */
  | { readonly kind: "call"; readonly name: string; readonly operands: readonly Expression[] }
  | { readonly kind: "compare"; readonly operator: Comparison; readonly operands: readonly Expression[] }
  | { readonly kind: "and" | "or" | "not" | "like" | "isNull"; readonly operands: readonly Expression[] }
  | { readonly kind: "shift"; readonly operator: "+" | "-"; readonly operands: readonly Expression[] }
);

export interface Item {
  readonly expression: Expression;
  readonly alias?: string;
}

export interface Order {
  readonly expression: Expression;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

export interface Select {
  readonly text: string;
  /** `*` stands for all columns. */
  readonly items: readonly (Item | "*")[];
  readonly database: string;
  readonly table: string;
  readonly where?: Expression;
  readonly groupBy: readonly Expression[];
  readonly orderBy: readonly Order[];
  readonly limit?: number;
}

/** The same for expressions that differ only in where they stand. */
export const keyOf = (expression: Expression): string =>
  JSON.stringify(expression, (name, value: unknown) => {
    if (name === "at") return undefined;
    return typeof value === "bigint" ? `${value}n` : value;
  });

export const aggregates = new Set(["count", "min", "max", "avg", "sum"]);

export const isAggregate = (expression: Expression): expression is Extract<Expression, { kind: "call" }> =>
  expression.kind === "call" && aggregates.has(expression.name);

export const hasAggregate = (expression: Expression): boolean =>
  isAggregate(expression) || ("operands" in expression && expression.operands.some(hasAggregate));
