import type { SqlType, Value } from "./ast";
import { statementError, unsupported, validation } from "./errors";
import { type Compiled, order } from "./expressions";

const numbers: readonly SqlType[] = ["BIGINT", "INTEGER", "DOUBLE"];

/** The answer of an aggregate function for values that are all there. */
type Fold = (values: readonly NonNullable<Value>[]) => Value;

const most =
  (sign: 1 | -1): Fold =>
  (values) =>
    values.reduce<Value>((best, value) => (best === null || order(value, best) * sign > 0 ? value : best), null);

function sum(values: readonly NonNullable<Value>[]): Value {
  if (values.length === 0) return null;
  if (typeof values[0] === "number") return (values as number[]).reduce((total, value) => total + value, 0);
  const total = (values as bigint[]).reduce((all, value) => all + value, 0n);
  if (BigInt.asIntN(64, total) !== total) throw validation(`bigint addition overflow: ${total}`);
  return total;
}

const average: Fold = (values) =>
  values.length === 0 ? null : values.reduce<number>((total, value) => total + Number(value), 0) / values.length;

/**
 * An aggregate function; it leaves out what is NULL.
 *
 * @param operand undefined for `count(*)`.
 */
export function aggregate<Row>(
  name: string,
  operand: Compiled<Row> | undefined,
  { text, at }: { text: string; at: number },
): { type: SqlType; of(rows: readonly Row[]): Value } {
  if (!operand) return { type: "BIGINT", of: (rows) => BigInt(rows.length) };
  const over = (type: SqlType, fold: Fold) => ({
    type,
    of: (rows: readonly Row[]) =>
      fold(rows.map((row) => operand.evaluate(row)).filter((value): value is NonNullable<Value> => value !== null)),
  });
  const { type } = operand;
  if (name === "count") return over("BIGINT", (values) => BigInt(values.length));
  if (name === "min" || name === "max") {
    if (type === "BOOLEAN" || type === "UNKNOWN") throw unsupported(`${name} of ${type}`);
    return over(type, most(name === "max" ? 1 : -1));
  }
  if (!numbers.includes(type)) {
    throw statementError(text, at, `Unexpected parameters (${type.toLowerCase()}) for function ${name}`);
  }
  if (name === "avg") return over("DOUBLE", average);
  return over(type === "DOUBLE" ? "DOUBLE" : "BIGINT", sum);
}
