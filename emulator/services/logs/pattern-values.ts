import { invalidParameter } from "./errors";

/** Reads a filter pattern from left to right. */
export class Reader {
  private at = 0;

  constructor(private readonly text: string) {}

  /** Takes `token` if it comes next, after any space. */
  take(token: string): boolean {
    this.space();
    if (!this.text.startsWith(token, this.at)) return false;
    this.at += token.length;
    return true;
  }

  /** Takes what the (sticky) expression matches next, after any space. */
  match(expression: RegExp): RegExpExecArray | undefined {
    this.space();
    expression.lastIndex = this.at;
    const match = expression.exec(this.text);
    if (!match) return undefined;
    this.at = expression.lastIndex;
    return match;
  }

  expect(token: string): void {
    if (!this.take(token)) throw this.error(`expected '${token}'`);
  }

  get atEnd(): boolean {
    this.space();
    return this.at >= this.text.length;
  }

  error(problem: string) {
    return invalidParameter(`Invalid filter pattern: ${problem} at character ${this.at + 1} of '${this.text}'`);
  }

  private space(): void {
    while (/\s/.test(this.text[this.at] ?? "")) this.at++;
  }
}

/** A condition on something: T is the event as the kind of pattern sees it. */
export type Condition<T> = (event: T) => boolean;

/** `a && (b || c)`: `&&` binds more tightly. */
export function readConditions<T>(reader: Reader, readOne: () => Condition<T>): Condition<T> {
  const readGroup = (): Condition<T> => {
    if (!reader.take("(")) return readOne();
    const inner = readConditions(reader, readOne);
    reader.expect(")");
    return inner;
  };
  const readAll = (): Condition<T> => {
    const all = [readGroup()];
    while (reader.take("&&")) all.push(readGroup());
    return all.length === 1 ? all[0]! : (event) => all.every((condition) => condition(event));
  };
  const any = [readAll()];
  while (reader.take("||")) any.push(readAll());
  return any.length === 1 ? any[0]! : (event) => any.some((condition) => condition(event));
}

const valuePattern = /"((?:[^"\\]|\\.)*)"|%([^%]+)%|([^\s"%(){}[\],&|=<>!]+)/y;
const numberPattern = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** `= "a*"`, `!= 4*`, `> 3`, `= %regex%`: a test of a text or a number. Undefined where no comparison follows. */
export function readComparison(reader: Reader): Condition<string | number | boolean> | undefined {
  const operator = reader.match(/!=|<=|>=|=|<|>/y)?.[0];
  if (!operator) return undefined;
  const value = reader.match(valuePattern);
  if (!value) throw reader.error("expected a value");
  const [, quoted, expression, bare] = value;
  const number = bare !== undefined && numberPattern.test(bare) ? Number(bare) : undefined;
  if (operator !== "=" && operator !== "!=") {
    if (number === undefined) throw reader.error(`'${operator}' compares numbers only`);
    return (found) => {
      // Number("") is 0, which an empty field is not.
      const actual = typeof found === "string" && !found.trim() ? Number.NaN : Number(found);
      if (operator === "<") return actual < number;
      if (operator === "<=") return actual <= number;
      return operator === ">" ? actual > number : actual >= number;
    };
  }
  const equals = equality(quoted?.replace(/\\(.)/g, "$1") ?? bare ?? "", expression, number);
  return operator === "=" ? equals : (found) => !equals(found);
}

function equality(text: string, expression: string | undefined, number: number | undefined) {
  const regExp = expression === undefined ? wildcards(text) : toRegExp(expression);
  return (found: string | number | boolean): boolean => {
    if (number !== undefined && typeof found === "number") return found === number;
    return regExp ? regExp.test(String(found)) : String(found) === text;
  };
}

/** `*` stands for any text. */
function wildcards(text: string): RegExp | undefined {
  if (!text.includes("*")) return undefined;
  const parts = text.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join("[^]*")}$`);
}

/** The part of regular expressions that filter patterns know: no groups, so that none can take exponential time. */
export function toRegExp(expression: string): RegExp {
  try {
    if (/[()]/.test(expression.replace(/\\./g, ""))) throw new SyntaxError("groups are not supported");
    return new RegExp(expression);
  } catch {
    throw invalidParameter(`Invalid filter pattern: '${expression}' is not a supported regular expression`);
  }
}
