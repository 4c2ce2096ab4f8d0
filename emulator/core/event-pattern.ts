import { BlockList, isIP } from "node:net";

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
 * @param operators what rules may use besides plain values. @default {@link commonOperators}
 * @throws BadPattern
 */
export const compilePattern = (pattern: unknown, operators: Operators = commonOperators): Matcher =>
  compile(pattern, operators, 0);

/** More levels than a pattern of 4 KB can have, which is what most services take, and fewer than calls can have. */
const deepest = 1_000;

function compile(pattern: unknown, operators: Operators, depth: number): Matcher {
  if (depth > deepest) throw new BadPattern(`Pattern must not be nested more than ${deepest} levels deep`);
  if (!isObject(pattern)) throw new BadPattern("Pattern must be a JSON object");
  const fields = Object.entries(pattern).map(([key, value]) =>
    key === "$or" && Array.isArray(value)
      ? alternatives(value, operators, depth + 1)
      : field(key, value, operators, depth + 1),
  );
  if (fields.length === 0) throw new BadPattern("Pattern must not be empty");
  return (record) => fields.every((matches) => matches(record));
}

function alternatives(patterns: readonly unknown[], operators: Operators, depth: number): Matcher {
  if (patterns.length < 2) throw new BadPattern("$or must have at least two patterns");
  const matchers = patterns.map((pattern) => compile(pattern, operators, depth));
  return (record) => matchers.some((matches) => matches(record));
}

function field(key: string, pattern: unknown, operators: Operators, depth: number): Matcher {
  if (Array.isArray(pattern)) {
    if (pattern.length === 0) throw new BadPattern(`Empty arrays are not allowed: ${key}`);
    const rules = pattern.map((value) => rule(value, operators));
    return (record) => candidates(member(record, key)).some((value) => rules.some((matches) => matches(value)));
  }
  if (!isObject(pattern)) throw new BadPattern(`"${key}" must be an object or an array`);
  const nested = compile(pattern, operators, depth);
  return (record) => {
    const value = member(record, key);
    return Array.isArray(value) ? value.some(nested) : nested(value);
  };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const member = (record: unknown, key: string): unknown =>
  isObject(record) && Object.hasOwn(record, key) ? record[key] : undefined;

/** A list matches when one of its members does, however deep it is in lists: they may be deeper than calls can be. */
function candidates(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) return [value];
  if (value.length === 0) return [undefined];
  const found: unknown[] = [];
  const lists = [value.values()];
  for (let list = lists.at(-1); list; list = lists.at(-1)) {
    const { done, value: next } = list.next();
    if (done) lists.pop();
    else if (Array.isArray(next)) lists.push(next.values());
    else found.push(next);
  }
  return found;
}

function rule(value: unknown, operators: Operators): Rule {
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

/** Makes a rule of what stands behind an operator. */
type Operators = Readonly<Record<string, (operand: unknown) => Rule>>;

/** What all services that have such patterns take. */
const commonOperators: Operators = {
  prefix: (operand) => onText("prefix", operand, (text, wanted) => text.startsWith(wanted)),
  suffix: (operand) => onText("suffix", operand, (text, wanted) => text.endsWith(wanted)),
  "equals-ignore-case": (operand) =>
    onText("equals-ignore-case", operand, (text, wanted) => text.toLowerCase() === wanted.toLowerCase()),
  exists(operand) {
    if (typeof operand !== "boolean") throw new BadPattern("exists match pattern must be either true or false");
    return (actual) => (actual !== undefined) === operand;
  },
  "anything-but"(operand) {
    const excluded = isObject(operand) ? [rule(operand, commonOperators)] : anythingBut(operand);
    return (actual) => actual !== undefined && !excluded.some((matches) => matches(actual));
  },
  numeric: numeric,
};

function anythingBut(operand: unknown): Rule[] {
  const values = Array.isArray(operand) ? operand : [operand];
  if (values.length === 0 || values.some((value) => typeof value !== "string" && typeof value !== "number")) {
    throw new BadPattern("Inside anything-but list, start|null|boolean is not supported");
  }
  return values.map((value) => rule(value, commonOperators));
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

/** Whether a text has these parts in this order, the first at its beginning and the last at its end. */
function hasParts(text: string, parts: readonly string[]): boolean {
  const [first = "", ...rest] = parts;
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}

/** `*` stands for any text, `\*` and `\\` for the characters themselves. */
function wildcard(operand: unknown): Rule {
  if (typeof operand !== "string") throw new BadPattern("wildcard match pattern must be a string");
  const parts = [""];
  for (const [token] of operand.matchAll(/\\.?|\*+|[^\\*]+/gs)) {
    const escaped = token.startsWith("\\");
    if (token === "*") parts.push("");
    else if (token.startsWith("*")) throw new BadPattern("Consecutive wildcard characters are not allowed");
    else if (escaped && !/^\\[*\\]$/.test(token)) throw new BadPattern("Invalid escape character in wildcard");
    else parts.push(`${parts.pop()}${escaped ? token[1] : token}`);
  }
  return (actual) => typeof actual === "string" && hasParts(actual, parts);
}

function cidr(operand: unknown): Rule {
  const [, address = "", length = ""] = /^([\da-f.:]+)\/(\d{1,3})$/i.exec(String(operand)) ?? [];
  const family = isIP(address);
  if (family === 0 || Number(length) > (family === 4 ? 32 : 128)) {
    throw new BadPattern("Malformed CIDR, one '/' required between an address and its length");
  }
  const subnet = new BlockList();
  subnet.addSubnet(address, Number(length), family === 4 ? "ipv4" : "ipv6");
  return (actual) => {
    const given = typeof actual === "string" ? isIP(actual) : 0;
    return given !== 0 && subnet.check(actual as string, given === 4 ? "ipv4" : "ipv6");
  };
}

/** `anything-but` of prefixes and the like takes lists of them, too. */
function anythingButOf(operand: unknown): Rule {
  const [entry, ...more] = isObject(operand) ? Object.entries(operand) : [];
  const [operator = "", value] = entry ?? [];
  const nested: Operators = { ...commonOperators, wildcard };
  const make = Object.hasOwn(nested, operator) ? nested[operator] : undefined;
  if (!make || more.length > 0 || !Array.isArray(value)) {
    const [only] = isObject(operand) ? [rule(operand, nested)] : [];
    return only ? (actual) => actual !== undefined && !only(actual) : commonOperators["anything-but"]!(operand);
  }
  if (value.length === 0) throw new BadPattern(`Empty arrays are not allowed: ${operator}`);
  const excluded = value.map(make);
  return (actual) => actual !== undefined && !excluded.some((matches) => matches(actual));
}

/**
 * What rules of EventBridge take
 * (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html).
 */
export const eventBusOperators: Operators = { ...commonOperators, wildcard, cidr, "anything-but": anythingButOf };
