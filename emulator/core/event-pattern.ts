/** A pattern that cannot be used, and why. */
export class BadPattern extends Error {}

/** Tells whether a record, as its source shows it to filters, matches. */
export type Matcher = (record: unknown) => boolean;

/** `undefined` stands for a field that is not there. */
type Rule = (value: unknown) => boolean;

/**
 * Reads a pattern of the kind that EventBridge began: Lambda's event filtering
 * (https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html#filtering-syntax) and SNS subscription
 * filter policies (https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html) are written in it.
 *
 * @throws BadPattern
 */
export function compilePattern(pattern: unknown): Matcher {
  if (!isObject(pattern)) throw new BadPattern("Pattern must be a JSON object");
  const fields = Object.entries(pattern).map(([key, value]) =>
    key === "$or" && Array.isArray(value) ? alternatives(value) : field(key, value),
  );
  if (fields.length === 0) throw new BadPattern("Pattern must not be empty");
  return (record) => fields.every((matches) => matches(record));
}

function alternatives(patterns: readonly unknown[]): Matcher {
  if (patterns.length < 2) throw new BadPattern("$or must have at least two patterns");
  const matchers = patterns.map(compilePattern);
  return (record) => matchers.some((matches) => matches(record));
}

function field(key: string, pattern: unknown): Matcher {
  if (Array.isArray(pattern)) {
    if (pattern.length === 0) throw new BadPattern(`Empty arrays are not allowed: ${key}`);
    const rules = pattern.map(rule);
    return (record) => candidates(member(record, key)).some((value) => rules.some((matches) => matches(value)));
  }
  if (!isObject(pattern)) throw new BadPattern(`"${key}" must be an object or an array`);
  const nested = compilePattern(pattern);
  return (record) => {
    const value = member(record, key);
    return Array.isArray(value) ? value.some(nested) : nested(value);
  };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const member = (record: unknown, key: string): unknown =>
  isObject(record) && Object.hasOwn(record, key) ? record[key] : undefined;

/** A list matches when one of its members does. */
const candidates = (value: unknown): readonly unknown[] =>
  Array.isArray(value) && value.length > 0
    ? value.flat(Number.POSITIVE_INFINITY)
    : [Array.isArray(value) ? undefined : value];

function rule(value: unknown): Rule {
  if (!isObject(value)) {
    if (Array.isArray(value)) throw new BadPattern("Match value must be String, number, true, false, or null");
    return (actual) => actual === value;
  }
  const [entry, ...more] = Object.entries(value);
  if (!entry || more.length) throw new BadPattern("Only one key allowed in match expression");
  const [operator, operand] = entry;
  const make = Object.hasOwn(operators, operator) ? operators[operator] : undefined;
  if (!make) throw new BadPattern(`Unrecognized match type ${operator}`);
  return make(operand);
}

const onText = (operator: string, operand: unknown, test: (text: string, wanted: string) => boolean): Rule => {
  if (isObject(operand) && typeof operand["equals-ignore-case"] === "string") {
    const wanted = operand["equals-ignore-case"].toLowerCase();
    return (actual) => typeof actual === "string" && test(actual.toLowerCase(), wanted);
  }
  if (typeof operand !== "string") throw new BadPattern(`${operator} match pattern must be a string`);
  return (actual) => typeof actual === "string" && test(actual, operand);
};

const operators: Record<string, (operand: unknown) => Rule> = {
  prefix: (operand) => onText("prefix", operand, (text, wanted) => text.startsWith(wanted)),
  suffix: (operand) => onText("suffix", operand, (text, wanted) => text.endsWith(wanted)),
  "equals-ignore-case": (operand) =>
    onText("equals-ignore-case", operand, (text, wanted) => text.toLowerCase() === wanted.toLowerCase()),
  exists(operand) {
    if (typeof operand !== "boolean") throw new BadPattern("exists match pattern must be either true or false");
    return (actual) => (actual !== undefined) === operand;
  },
  "anything-but"(operand) {
    const excluded = isObject(operand) ? [rule(operand)] : anythingBut(operand);
    return (actual) => actual !== undefined && !excluded.some((matches) => matches(actual));
  },
  numeric: numeric,
};

function anythingBut(operand: unknown): Rule[] {
  const values = Array.isArray(operand) ? operand : [operand];
  if (values.length === 0 || values.some((value) => typeof value !== "string" && typeof value !== "number")) {
    throw new BadPattern("Inside anything-but list, start|null|boolean is not supported");
  }
  return values.map(rule);
}

const comparisons: Record<string, (actual: number, wanted: number) => boolean> = {
  "=": (actual, wanted) => actual === wanted,
  "<": (actual, wanted) => actual < wanted,
  "<=": (actual, wanted) => actual <= wanted,
  ">": (actual, wanted) => actual > wanted,
  ">=": (actual, wanted) => actual >= wanted,
};

function numeric(operand: unknown): Rule {
  if (!Array.isArray(operand) || (operand.length !== 2 && operand.length !== 4)) {
    throw new BadPattern("Value of numeric must be an array of one or two comparisons");
  }
  const tests: ((actual: number) => boolean)[] = [];
  for (let i = 0; i < operand.length; i += 2) {
    const compare =
      typeof operand[i] === "string" && Object.hasOwn(comparisons, operand[i]) ? comparisons[operand[i]] : undefined;
    const wanted: unknown = operand[i + 1];
    if (!compare) throw new BadPattern(`Unrecognized numeric range operator: ${operand[i]}`);
    if (typeof wanted !== "number") throw new BadPattern("Value of numeric must be a number");
    tests.push((actual) => compare(actual, wanted));
  }
  return (actual) => typeof actual === "number" && tests.every((test) => test(actual));
}
