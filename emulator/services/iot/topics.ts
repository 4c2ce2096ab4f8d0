import { limits } from "../../core/limits";

/** The largest payload of a message, in bytes. */
export const payloadLimit = limits.iot.payload.value;

/** The most bytes that a packet of MQTT can have then: its header and topic come on top. */
export const packetLimit = payloadLimit + 64 * 1024;

/**
 * Whether a topic filter takes in a topic (MQTT 3.1.1, 4.7): `+` stands for one level, `#` at the end for any number,
 * none included. A wildcard at the beginning does not reach topics that begin with `$`.
 */
export function matchesFilter(filter: string, topic: string): boolean {
  if (topic.startsWith("$") && /^[+#]/.test(filter)) return false;
  const wanted = filter.split("/");
  const given = topic.split("/");
  for (const [index, level] of wanted.entries()) {
    if (level === "#") return true;
    if (index >= given.length || (level !== "+" && level !== given[index])) return false;
  }
  return wanted.length === given.length;
}

/** Whether `#` and `+` stand where a filter may have them: alone in their level, `#` in the last one. */
const hasSoundWildcards = (filter: string): boolean =>
  filter
    .split("/")
    .every(
      (level, index, levels) => !/[+#]/.test(level) || level === "+" || (level === "#" && index === levels.length - 1),
    );

/** Levels of a reserved topic that do not count: those of Basic Ingest, `$aws/rules/<rule>/`. */
const counted = (topic: string): string => topic.replace(/^\$aws\/rules\/[^/]+\//, "");

function lengthProblem(text: string, kind: string): string | undefined {
  if (text.length === 0) return `the ${kind} is empty`;
  if (text.includes("\0")) return `the ${kind} has a null character`;
  const bytes = limits.iot.topic.value;
  const slashes = limits.iot.slashes.value;
  const own = counted(text);
  if (Buffer.byteLength(own) > bytes) return `the ${kind} is longer than ${bytes} bytes`;
  // Reserved topics are AWS's own and have more levels.
  if (!text.startsWith("$aws/things/") && !text.startsWith("$aws/events/") && own.split("/").length - 1 > slashes)
    return `the ${kind} has more than ${slashes} forward slashes`;
  return undefined;
}

/** What keeps a text from being a topic to publish to; undefined for a good one. */
export function topicProblem(topic: string): string | undefined {
  return /[+#]/.test(topic) ? "a topic to publish to has no wildcards" : lengthProblem(topic, "topic");
}

/** What keeps a text from being a filter to subscribe to; undefined for a good one. */
export function filterProblem(filter: string): string | undefined {
  const problem = lengthProblem(filter, "topic filter");
  if (problem) return problem;
  return hasSoundWildcards(filter)
    ? undefined
    : "+ and # stand alone between slashes, and # only at the end of a topic filter";
}

/** Topics that begin with `$` are AWS's own: clients may publish to these of them. */
const publishable = /^\$aws\/(rules\/[^/]+\/.|things\/[^/]+\/shadow\/(name\/[^/]+\/)?(get|update|delete)$)/s;

export const isReserved = (topic: string): boolean => topic.startsWith("$") && !publishable.test(topic);

/** Whether clients may subscribe to a filter. Basic Ingest has no subscribers; other `$` trees do not exist. */
export const isSubscribable = (filter: string): boolean =>
  !filter.startsWith("$") || (filter.startsWith("$aws/") && !filter.startsWith("$aws/rules/"));
