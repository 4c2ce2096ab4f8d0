import { isRawNumber } from "../exact-json";

/** AWS IoT Core's limits (https://docs.aws.amazon.com/general/latest/gr/iot-core.html#message-broker-limits). */
const MAX_TOPIC_BYTES = 256;
const MAX_SLASHES = 7;
/** A payload's most bytes. */
export const MAX_PAYLOAD_BYTES = 128 * 1024;

/** The topic of a message when nothing else is said: the device. */
export const DEFAULT_TOPIC = `\${ident}`;

const PLACE = /\$\{([^{}]*)\}/g;

/** What is wrong with a template for topics, such as `flespi/${ident}`; undefined when nothing is. */
export function problemOfTemplate(template: string): string | undefined {
  const rest = template.replace(PLACE, "x");
  if ([...template.matchAll(PLACE)].some(([, field]) => field === "")) return `name a field in each \${...}`;
  if (/[{}]/.test(rest)) return `write fields as \${ident}`;
  return problemOfTopic(rest);
}

/** The topics of a template as a resource of a policy, where * stands for any text. */
export const arnPatternOf = (template: string) => template.replace(PLACE, "*");

/** The topic of a message: the template with the message's fields in their places, or why there is none. */
export function topicOf(template: string, fields: Readonly<Record<string, unknown>>): { topic: string } | string {
  let problem: string | undefined;
  const topic = template.replace(PLACE, (_, name: string) => {
    const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
    const text = typeof value === "number" || isRawNumber(value) ? JSON.stringify(value) : value;
    if (typeof text === "string" && text !== "" && !text.includes("/")) return text;
    problem ??= `the field ${name} must be a number or a text without / to stand in a topic`;
    return "";
  });
  problem ??= problemOfTopic(topic);
  // A device must not reach the topics that AWS keeps for itself.
  if (topic.startsWith("$") && !/^\$[^{]/.test(template)) problem ??= "the topic must not begin with $";
  return problem === undefined ? { topic } : problem;
}

function problemOfTopic(topic: string): string | undefined {
  if (topic === "") return "the topic must not be empty";
  // MQTT 3.1.1, 4.7: these have a meaning in subscriptions only.
  if (/[+#\0]/.test(topic)) return "the topic must not hold +, # or a null character";
  if (!topic.isWellFormed()) return "the topic must be well-formed Unicode text";
  // $aws/rules/<rule>/ does not count (AWS IoT developer guide: Basic Ingest).
  const own = topic.replace(/^\$aws\/rules\/[^/]*\//, "");
  if (Buffer.byteLength(own) > MAX_TOPIC_BYTES) return `the topic must have at most ${MAX_TOPIC_BYTES} bytes`;
  if (own.split("/").length - 1 > MAX_SLASHES) return `the topic must have at most ${MAX_SLASHES} slashes`;
  return undefined;
}
