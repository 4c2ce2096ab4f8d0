import type { BinaryOperator, Comparison, SqlVersion } from "./ast";
import { Decimal } from "./decimal";
import {
  asDecimal,
  isArray,
  isInt,
  isNumeric,
  isObject,
  type Numeric,
  numeric,
  toNumeric,
  toText,
  type Value,
} from "./values";

/** https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-operators.html */
export function compareNumbers(left: Numeric, right: Numeric): number {
  if (typeof left === "number" && typeof right === "number") return left < right ? -1 : left > right ? 1 : 0;
  return asDecimal(left).compare(asDecimal(right));
}

/** Values without conversion, arrays in order, objects in any order. */
export function equal(left: Value, right: Value): boolean {
  if (left === right) return true;
  if (isNumeric(left)) return isNumeric(right) && compareNumbers(left, right) === 0;
  if (isArray(left)) {
    return isArray(right) && left.length === right.length && left.every((item, i) => equal(item, right[i]));
  }
  if (!isObject(left) || !isObject(right)) return false;
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && equal(left[key], right[key]))
  );
}

const holds: Record<Exclude<Comparison, "=" | "<>">, (order: number) => boolean> = {
  "<": (order) => order < 0,
  "<=": (order) => order <= 0,
  ">": (order) => order > 0,
  ">=": (order) => order >= 0,
};

export function compare(operator: Comparison, left: Value, right: Value, version: SqlVersion): boolean | undefined {
  if (operator === "=" || operator === "<>") {
    if (left === undefined || right === undefined) return undefined;
    return equal(left, right) === (operator === "=");
  }
  const a = toNumeric(left, version);
  const b = toNumeric(right, version);
  return a === undefined || b === undefined ? undefined : holds[operator](compareNumbers(a, b));
}

function ofInts(operator: BinaryOperator, left: number, right: number): number | undefined {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return right === 0 ? undefined : (left - (left % right)) / right;
    default:
      return right === 0 ? undefined : left % right;
  }
}

function ofDecimals(operator: BinaryOperator, left: Decimal, right: Decimal, ints: boolean): Decimal | undefined {
  switch (operator) {
    case "+":
      return left.plus(right);
    case "-":
      return left.minus(right);
    case "*":
      return left.times(right);
    case "/":
      if (!ints) return left.dividedBy(right);
      return right.coefficient === 0n ? undefined : new Decimal(left.toBigInt() / right.toBigInt(), 0).rounded();
    default:
      return left.remainder(right);
  }
}

/**
 * Int with Int gives an Int, also in a division, as the operator's table has it; anything divided by zero is Undefined.
 * AWS's page on SET has (75 - 32) * 5 / 9 = 23.89, which neither Ints (23) nor Decimals (23.888...) give.
 */
export function calculate(
  operator: BinaryOperator,
  left: Numeric,
  right: Numeric,
  version: SqlVersion,
): Numeric | undefined {
  const ints = isInt(left) && isInt(right);
  if (
    typeof left === "number" &&
    typeof right === "number" &&
    Number.isSafeInteger(left) &&
    Number.isSafeInteger(right)
  ) {
    const result = ofInts(operator, left, right);
    // A longer one keeps all of its digits below. Adding 0 turns -0 into 0.
    if (result === undefined || Math.abs(result) < 1e15) return result === undefined ? undefined : result + 0;
  }
  return numeric(ofDecimals(operator, asDecimal(left), asDecimal(right), ints), version);
}

export function arithmetic(operator: BinaryOperator, left: Value, right: Value, version: SqlVersion): Value {
  if (operator === "+") {
    if (typeof left === "string" || typeof right === "string") {
      const [a, b] = [toText(left), toText(right)];
      return a === undefined || b === undefined ? undefined : a + b;
    }
    return isNumeric(left) && isNumeric(right) ? calculate("+", left, right, version) : undefined;
  }
  const a = toNumeric(left, version);
  const b = toNumeric(right, version);
  return a === undefined || b === undefined ? undefined : calculate(operator, a, b, version);
}
