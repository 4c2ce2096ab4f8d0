import type { Expression } from "../ast";
import type { Scope } from "../scope";
import type { Value } from "../values";

/** A function of AWS IoT SQL. https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-functions.html */
export interface SqlFunction {
  /** Fewest and most arguments; the same number of both when only one is given. With others the result is Undefined. */
  readonly arity: readonly [min: number, max?: number];
  /** Not in SQL version 2015-10-08. */
  readonly newer?: boolean;
  /** What is wrong with the arguments as they are written; undefined when nothing is. */
  readonly check?: (args: readonly Expression[]) => string | undefined;
  readonly call: (args: readonly Value[], scope: Scope, written: readonly Expression[]) => Value;
}

/** Functions by name in small letters. */
export type SqlFunctions = Readonly<Record<string, SqlFunction>>;

/** The text of a string literal; undefined for any other expression. */
export const literalText = (expression: Expression | undefined): string | undefined =>
  expression?.kind === "literal" && typeof expression.value === "string" ? expression.value : undefined;
