import type { Condition } from "./policy";
import { arnMatches, fill, matches, type Values } from "./policy-patterns";

function bits(address: string): { value: bigint; width: number } | undefined {
  if (/^\d+(\.\d+){3}$/.test(address)) {
    return { value: address.split(".").reduce((sum, part) => sum * 256n + BigInt(part), 0n), width: 32 };
  }
  if (!/^[0-9a-f:]+$/i.test(address) || !address.includes(":")) return undefined;
  const [head = "", tail] = address.split("::");
  const groups = (part: string) => (part ? part.split(":") : []);
  const [front, back] = [groups(head), groups(tail ?? "")];
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - front.length - back.length)).fill("0");
  const all = [...front, ...zeros, ...back];
  return { value: all.reduce((sum, part) => sum * 65536n + BigInt(`0x${part || "0"}`), 0n), width: 128 };
}

function inRange(range: string, address: string): boolean {
  const [base = "", size] = range.split("/");
  const [wanted, given] = [bits(base), bits(address)];
  if (!wanted || !given || wanted.width !== given.width) return false;
  if (size !== undefined && !/^\d{1,3}$/.test(size)) return false;
  const shift = BigInt(Math.max(0, wanted.width - Number(size ?? wanted.width)));
  return wanted.value >> shift === given.value >> shift;
}

const date = (text: string) => (/^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text));

/** Each operator without its negation: does the request's value satisfy the policy's? */
const tests: Record<string, (wanted: string, given: string) => boolean> = {
  StringEquals: (wanted, given) => wanted === given,
  StringEqualsIgnoreCase: (wanted, given) => wanted.toLowerCase() === given.toLowerCase(),
  StringLike: (wanted, given) => matches(wanted, given),
  NumericEquals: (wanted, given) => Number(given) === Number(wanted),
  NumericLessThan: (wanted, given) => Number(given) < Number(wanted),
  NumericLessThanEquals: (wanted, given) => Number(given) <= Number(wanted),
  NumericGreaterThan: (wanted, given) => Number(given) > Number(wanted),
  NumericGreaterThanEquals: (wanted, given) => Number(given) >= Number(wanted),
  DateEquals: (wanted, given) => date(given) === date(wanted),
  DateLessThan: (wanted, given) => date(given) < date(wanted),
  DateLessThanEquals: (wanted, given) => date(given) <= date(wanted),
  DateGreaterThan: (wanted, given) => date(given) > date(wanted),
  DateGreaterThanEquals: (wanted, given) => date(given) >= date(wanted),
  Bool: (wanted, given) => wanted.toLowerCase() === given.toLowerCase(),
  BinaryEquals: (wanted, given) => wanted === given,
  IpAddress: inRange,
  // ArnEquals and ArnLike behave the same (IAM user guide: condition operators).
  ArnEquals: arnMatches,
  ArnLike: arnMatches,
};

/** Operators whose values are patterns; of these and the other ones of strings, values may have variables. */
const patterns = /^(StringLike|Arn)/;
const filled = /^(String|Arn)/;

/** What a condition compares with, variables replaced; what has a variable without a value is like nothing. */
function wantedOf(operator: string, written: readonly string[], variables: Values | undefined): readonly string[] {
  if (!variables || !filled.test(operator)) return written;
  const isPattern = patterns.test(operator.replace("Not", ""));
  return written.flatMap((text) => fill(text, variables, isPattern) ?? []);
}

/**
 * Whether a condition is met (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 * and, for ForAllValues and ForAnyValue, reference_policies_condition-single-vs-multi-valued-context-keys.html).
 *
 * @param variables left out where the policy's version knows none.
 */
export function holds(
  { operator, qualifier, ifExists, key, values: written }: Condition,
  values: Values,
  variables: Values | undefined,
): boolean {
  const given = values(key);
  if (operator === "Null") return written.some((text) => (text.toLowerCase() === "true") === !given?.length);
  const negated = /^(String|Numeric|Date|Arn)Not|^NotIp/.test(operator);
  // All of no values are as wanted; any of none is not, also where the operator says Not.
  if (!given?.length) return ifExists || qualifier === "ForAllValues" || (negated && qualifier !== "ForAnyValue");
  const test = tests[operator.replace("Not", "")];
  if (!test) return false;
  const wanted = wantedOf(operator, written, variables);
  const one = (value: string) => wanted.some((text) => test(text, value)) !== negated;
  return qualifier === "ForAllValues" ? given.every(one) : given.some(one);
}
