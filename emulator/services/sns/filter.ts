import type { MessageAttributeValue } from "@aws-sdk/client-sns";
import { BadPattern, compilePattern, type Matcher } from "../../core/event-pattern";
import { invalidFor } from "./errors";

export type MessageAttributes = Readonly<Record<string, MessageAttributeValue>>;

export interface FilterPolicy {
  matches(message: { body: string; attributes: MessageAttributes }): boolean;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Reads a subscription's filter policy (https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html).
 * An empty policy takes everything.
 */
export function readFilterPolicy(text: string, scope: string): FilterPolicy | undefined {
  let pattern: unknown;
  try {
    pattern = JSON.parse(text);
  } catch {
    throw invalidFor("FilterPolicy", "failed to parse JSON.");
  }
  if (!isObject(pattern)) throw invalidFor("FilterPolicy", "failed to parse JSON.");
  if (Object.keys(pattern).length === 0) return undefined;
  const nested = Object.entries(pattern).find(([key, value]) => key !== "$or" && isObject(value));
  if (scope === "MessageAttributes" && nested) {
    throw invalidFor("FilterPolicy", "Filter policy scope MessageAttributes does not support nested filter policy");
  }
  let matcher: Matcher;
  try {
    matcher = compilePattern(pattern);
  } catch (error) {
    if (error instanceof BadPattern) throw invalidFor("FilterPolicy", error.message);
    throw error;
  }
  return {
    matches: ({ body, attributes }) => {
      if (scope === "MessageAttributes") return matcher(valuesOf(attributes));
      const parsed = parse(body);
      // A body that is no JSON object passes no policy on the body (developer guide, filter policy scope).
      return isObject(parsed) && matcher(parsed);
    },
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Attributes as policies see them: numbers as numbers, lists as lists; binary ones are not there. */
function valuesOf(attributes: MessageAttributes): Record<string, unknown> {
  const values = Object.entries(attributes).map(([name, { DataType = "", StringValue = "" }]) => {
    const [type] = DataType.split(".");
    if (DataType.startsWith("String.Array")) return [name, parse(StringValue)];
    if (type === "Number") return [name, Number(StringValue)];
    return [name, type === "Binary" ? undefined : StringValue];
  });
  return Object.fromEntries(values);
}
