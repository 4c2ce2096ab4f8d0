import type { Comparison, Expression, SqlType, Value } from "./ast";
import { statementError, unsupported } from "./errors";
import { isTime } from "./literals";

/** An expression that can be evaluated for rows. */
export interface Compiled<Row> {
  readonly type: SqlType;
  evaluate(row: Row): Value;
}

/** What expressions stand in: the statement, its time, and what columns and aggregates are. */
export interface Surroundings<Row> {
  readonly text: string;
  /** Nanoseconds since the epoch. */
  readonly now: bigint;
  /** The meaning of an expression that this place knows itself. */
  leaf(expression: Expression): Compiled<Row> | undefined;
}

const numbers: readonly SqlType[] = ["INTEGER", "BIGINT", "DOUBLE"];

const comparable = (a: SqlType, b: SqlType): boolean =>
  a === b || a === "UNKNOWN" || b === "UNKNOWN" || (numbers.includes(a) && numbers.includes(b));

/** Below 0 where `a` comes first. Whole numbers and others compare exactly; texts by code points, as UTF-8 sorts. */
export function order(a: NonNullable<Value>, b: NonNullable<Value>): number {
  if (typeof a === "string" && typeof b === "string")
    return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

const answers: Record<Comparison, (order: number) => boolean> = {
  "=": (n) => n === 0,
  "<>": (n) => n !== 0,
  "<": (n) => n < 0,
  "<=": (n) => n <= 0,
  ">": (n) => n > 0,
  ">=": (n) => n >= 0,
};

/** Whether a text is like a pattern of SQL, in steps that grow with the product of their lengths at most. */
export function isLike(text: string, pattern: string): boolean {
  const letters = [...text];
  const wanted = [...pattern];
  let [at, place, star, resume] = [0, 0, -1, 0];
  while (at < letters.length) {
    if (wanted[place] === "%") {
      star = place++;
      resume = at;
    } else if (wanted[place] === "_" || (place < wanted.length && wanted[place] === letters[at])) {
      at++;
      place++;
    } else if (star >= 0) {
      place = star + 1;
      at = ++resume;
    } else return false;
  }
  return wanted.slice(place).every((letter) => letter === "%");
}

/** Makes an expression ready for rows, and checks its types. */
export function compile<Row>(expression: Expression, surroundings: Surroundings<Row>): Compiled<Row> {
  const known = surroundings.leaf(expression);
  if (known) return known;
  const { text, now } = surroundings;
  if (expression.kind === "literal") {
    const { type, value } = expression;
    return { type, evaluate: () => value };
  }
  const { at } = expression;
  if (expression.kind === "column") throw statementError(text, at, `Column '${expression.name}' does not exist`);
  const operands = expression.operands.map((operand) => compile(operand, surroundings));
  const [left, right] = operands as [Compiled<Row>, Compiled<Row>];
  const mismatch = (name: string) =>
    statementError(
      text,
      at,
      `'${name}' cannot be applied to ${operands.map(({ type }) => type.toLowerCase()).join(", ")}`,
    );
  const mustBe = (...types: SqlType[]) => {
    const name = expression.kind === "call" ? expression.name : expression.kind;
    const fits = (type: SqlType, i: number) => type === (types[i] ?? types[0]) || type === "UNKNOWN";
    if (!operands.every(({ type }, i) => fits(type, i))) throw mismatch(name);
  };
  /** A function of values that are all there. */
  const strict = (type: SqlType, run: (a: NonNullable<Value>, b: NonNullable<Value>) => Value): Compiled<Row> => ({
    type,
    evaluate(row) {
      const a = left.evaluate(row);
      if (a === null) return null;
      const b = right ? right.evaluate(row) : true;
      return b === null ? null : run(a, b);
    },
  });

  const time = (nanoseconds: bigint) => {
    if (!isTime(nanoseconds)) throw statementError(text, at, "the time is out of the range of timestamps");
    return nanoseconds;
  };

  switch (expression.kind) {
    case "and":
    case "or": {
      mustBe("BOOLEAN");
      const decisive = expression.kind === "or";
      return {
        type: "BOOLEAN",
        evaluate(row) {
          let answer: boolean | null = !decisive;
          for (const operand of operands) {
            const value = operand.evaluate(row);
            if (value === decisive) return decisive;
            if (value === null) answer = null;
          }
          return answer;
        },
      };
    }
    case "not":
      mustBe("BOOLEAN");
      return strict("BOOLEAN", (a) => !a);
    case "isNull":
      return { type: "BOOLEAN", evaluate: (row) => left.evaluate(row) === null };
    case "like":
      mustBe("VARCHAR");
      return strict("BOOLEAN", (a, b) => isLike(String(a), String(b)));
    case "compare": {
      if (!comparable(left.type, right.type)) throw mismatch(expression.operator);
      const answer = answers[expression.operator];
      return strict("BOOLEAN", (a, b) => answer(order(a, b)));
    }
    case "shift": {
      if (left.type !== "TIMESTAMP" || right.type !== "INTERVAL_DAY_TO_SECOND") {
        throw unsupported(`the operator ${expression.operator} of other things than a time and an interval`);
      }
      const sign = expression.operator === "+" ? 1n : -1n;
      return strict("TIMESTAMP", (a, b) => time((a as bigint) + sign * (b as bigint)));
    }
    case "call":
      switch (expression.name) {
        case "now":
          return { type: "TIMESTAMP", evaluate: () => now };
        case "ago":
          mustBe("INTERVAL_DAY_TO_SECOND");
          return strict("TIMESTAMP", (interval) => time(now - (interval as bigint)));
        case "bin":
          mustBe("TIMESTAMP", "INTERVAL_DAY_TO_SECOND");
          return strict("TIMESTAMP", (a, b) => {
            const [given, size] = [a as bigint, b as bigint];
            if (size <= 0n) throw statementError(text, at, "the interval of bin must be longer than 0");
            const rest = given % size;
            return time(given - (rest < 0n ? rest + size : rest));
          });
        default:
          throw statementError(text, at, `Cannot nest aggregations inside aggregation or WHERE: ${expression.name}`);
      }
  }
}
