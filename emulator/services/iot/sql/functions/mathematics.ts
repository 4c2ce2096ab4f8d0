import { Decimal } from "../decimal";
import { arithmetic } from "../operators";
import {
  asDecimal,
  fromDouble,
  isNumeric,
  type Numeric,
  numeric,
  toDouble,
  toInt,
  toNumeric,
  toSmallInt,
  type Value,
} from "../values";
import type { SqlFunction, SqlFunctions } from "./definition";

/** Of one number, computed in double precision. */
const ofDouble = (compute: (x: number) => number): SqlFunction => ({
  arity: [1],
  call: ([value], { run }) => {
    const number = toNumeric(value, run.version);
    return number === undefined ? undefined : fromDouble(compute(toDouble(number)), run.version);
  },
});

const ofDoubles = (compute: (x: number, y: number) => number): SqlFunction => ({
  arity: [2],
  call: ([left, right], { run }) => {
    const x = toNumeric(left, run.version);
    const y = toNumeric(right, run.version);
    if (x === undefined || y === undefined) return undefined;
    return fromDouble(compute(toDouble(x), toDouble(y)), run.version);
  },
});

/** Of one number with all of its digits; the result is an Int in every version. */
const toWhole = (ofNumber: (x: number) => number, ofDecimal: (x: Decimal) => bigint): SqlFunction => ({
  arity: [1],
  call: ([value], { run }) => {
    const number = toNumeric(value, run.version);
    if (number === undefined) return undefined;
    // Adding 0 turns -0 into 0.
    return typeof number === "number" ? ofNumber(number) + 0 : numeric(new Decimal(ofDecimal(number), 0), "2016-03-23");
  },
});

const floored = (x: Decimal) => x.toBigInt() - (x.isWhole || x.coefficient > 0n ? 0n : 1n);
const ceiled = (x: Decimal) => x.toBigInt() + (x.isWhole || x.coefficient < 0n ? 0n : 1n);
const half = new Decimal(5n, -1);
// The examples round -1.5 to -2: away from zero.
const rounded = (x: Decimal) => ((x.coefficient < 0n ? x.minus(half) : x.plus(half)) ?? x).toBigInt();

const ofBits = (compute: (x: bigint, y: bigint) => bigint): SqlFunction => ({
  arity: [2],
  call: ([left, right], { run }) => {
    const x = toInt(left, run.version);
    const y = toInt(right, run.version);
    return x === undefined || y === undefined ? undefined : int(compute(bits(x), bits(y)));
  },
});

const bits = (value: Numeric) => asDecimal(value).toBigInt();
const int = (value: bigint) => numeric(new Decimal(value, 0).rounded(), "2016-03-23");
const remainder: SqlFunction = {
  arity: [2],
  call: ([left, right], { run }) => arithmetic("%", left, right, run.version),
};

function sign(value: Numeric): number {
  if (typeof value === "number") return Math.sign(value) + 0;
  return value.coefficient > 0n ? 1 : value.coefficient < 0n ? -1 : 0;
}

export const mathematics: SqlFunctions = {
  abs: {
    arity: [1],
    call: ([value], { run }) => {
      const number = toNumeric(value, run.version);
      if (number === undefined || sign(number) >= 0) return number;
      return typeof number === "number" ? -number : new Decimal(-number.coefficient, number.exponent);
    },
  },
  acos: ofDouble(Math.acos),
  asin: ofDouble(Math.asin),
  atan: ofDouble(Math.atan),
  atan2: ofDoubles(Math.atan2),
  bitand: ofBits((x, y) => x & y),
  bitor: ofBits((x, y) => x | y),
  bitxor: ofBits((x, y) => x ^ y),
  // The documentation's `bitnot(13)` = 2 negates the four bits of 13 only; Ints are signed, so all bits are negated here.
  bitnot: {
    arity: [1],
    call: ([value], { run }) => {
      const number = toInt(value, run.version);
      return number === undefined ? undefined : int(~bits(number));
    },
  },
  ceil: toWhole(Math.ceil, ceiled),
  cos: ofDouble(Math.cos),
  cosh: ofDouble(Math.cosh),
  exp: ofDouble(Math.exp),
  floor: toWhole(Math.floor, floored),
  ln: ofDouble(Math.log),
  log: ofDouble(Math.log10),
  mod: remainder,
  nanvl: {
    arity: [2],
    call: ([value, otherwise]) => (value === undefined || value === null ? otherwise : value),
  },
  power: ofDoubles((x, y) => x ** y),
  rand: { arity: [0], call: (_args, { run }) => run.once(run.context.random) as Value },
  remainder,
  round: toWhole((x) => Math.sign(x) * Math.round(Math.abs(x)), rounded),
  sign: {
    arity: [1],
    call: ([value], { run }) => {
      const number = toNumeric(value, run.version);
      return number === undefined ? undefined : sign(number);
    },
  },
  sin: ofDouble(Math.sin),
  sinh: ofDouble(Math.sinh),
  sqrt: ofDouble(Math.sqrt),
  tan: ofDouble(Math.tan),
  tanh: ofDouble(Math.tanh),
  trunc: {
    arity: [2],
    call: ([value, places], { run }) => {
      const number = toNumeric(value, run.version);
      if (number === undefined || !isNumeric(places)) return undefined;
      const count = Math.min(34, Math.max(0, toSmallInt(places, run.version) ?? 0));
      // "Trailing zeroes are stripped from the result", in every version.
      return numeric(asDecimal(number).truncated(count), "2016-03-23");
    },
  },
};
