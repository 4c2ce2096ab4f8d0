import { compilePattern, type Matcher } from "../../../core/event-pattern";

/**
 * A pattern about records whose payload is text in one of their members, such as `body` or `data`: a pattern for a
 * payload of JSON matches only payloads of JSON, a pattern for plain text only plain text
 * (https://docs.aws.amazon.com/lambda/latest/dg/with-sqs-filtering.html,
 * https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis-filtering.html).
 */
export function payloadMatcher(member: string, pattern: Record<string, unknown>): Matcher {
  const { $or, ...rest } = pattern;
  if (Array.isArray($or)) {
    const matchers = ($or as Record<string, unknown>[]).map((part) => payloadMatcher(member, part));
    const others = Object.keys(rest).length ? payloadMatcher(member, rest) : () => true;
    return (record) => others(record) && matchers.some((matches) => matches(record));
  }
  const matches = compilePattern(pattern);
  if (!Object.hasOwn(pattern, member)) return matches;
  const wantsText = Array.isArray(pattern[member]);
  return (record) => {
    const json = parseObject((record as Record<string, string>)[member]!);
    if (wantsText) return json === undefined && matches(record);
    return json !== undefined && matches({ ...(record as object), [member]: json });
  };
}

function parseObject(text: string): object | undefined {
  if (!/^\s*[{[]/.test(text)) return undefined;
  try {
    return JSON.parse(text) as object;
  } catch {
    return undefined;
  }
}
