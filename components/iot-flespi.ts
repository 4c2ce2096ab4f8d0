import type * as pulumi from "@pulumi/pulumi";
import { DEFAULT_TOPIC } from "../handlers/flespi/topic";
import type { Checks } from "./checks";
import { FlespiReceiver } from "./flespi-receiver";
import {
  CHANNEL_OPTIONS,
  checkChannel,
  checkTopicTemplate,
  type FlespiChannelArgs,
  type FlespiReceiverArgs,
} from "./flespi-receiver-args";

/** A flespi channel whose messages a stream takes. */
export interface IoTFlespiArgs extends FlespiChannelArgs {
  /**
   * The topic of each message: a template with fields of the message in it, such as `flespi/${ident}`, that the stream's
   * `topic` takes.
   * @default the stream's topic with `${ident}` in place of its `+`, when it has exactly one
   */
  topic?: string;
}

/** Notes the mistakes in an option `flespi`. */
export function checkIoTFlespi(checks: Checks, args: IoTFlespiArgs, topics: readonly unknown[]): void {
  if (typeof args !== "object" || args === null) {
    checks.add(
      "flespi",
      "be the settings of a channel",
      '{ channelId: 429, token: config.requireSecret("flespiToken") }',
    );
    return;
  }
  checks.names("flespi", args, [...CHANNEL_OPTIONS, "topic"]);
  checkChannel(checks, "flespi.", args);
  const filters = topics.filter((topic) => typeof topic === "string");
  const topic = args.topic ?? templateOf(filters);
  if (typeof topic !== "string") {
    const must = args.topic === undefined ? "be given, for topic is not one filter with one +" : "be a text";
    checks.add("flespi.topic", must, `"flespi/\${ident}"`);
    return;
  }
  checkTopicTemplate(checks, "flespi.topic", topic);
  if (filters.some((filter) => takes(filter, topic))) return;
  checks.add(
    "flespi.topic",
    `be a topic that topic takes, which is ${filters.join(" or ")}`,
    "another one for the two",
  );
}

/** What the receiver has from its stream. */
type Settings = Pick<FlespiReceiverArgs, "logRetentionDays" | "tracing" | "deadLetter" | "alarms">;

/** Receives a channel into a stream, once the stream's rules are there to take its messages. */
export function makeFlespi(
  name: string,
  { topic, ...channel }: IoTFlespiArgs,
  topics: readonly string[],
  { logRetentionDays, tracing, deadLetter, alarms }: Settings,
  opts: pulumi.ComponentResourceOptions,
): FlespiReceiver {
  return new FlespiReceiver(
    `${name}-flespi`,
    {
      ...channel,
      logRetentionDays,
      tracing,
      deadLetter,
      alarms,
      publishTo: topic ?? templateOf(topics) ?? DEFAULT_TOPIC,
    },
    opts,
  );
}

function templateOf(topics: readonly string[]): string | undefined {
  const [topic = ""] = topics;
  if (topics.length !== 1 || topic.includes("#") || topic.split("+").length !== 2) return undefined;
  return topic.replace("+", () => DEFAULT_TOPIC);
}

/** Whether a topic filter takes the topics of a template, whatever the fields in it are. */
function takes(filter: string, template: string): boolean {
  const parts = template.split("/");
  const wanted = filter.split("/");
  for (const [i, part] of wanted.entries()) {
    if (part === "#") return true;
    if (parts[i] === undefined || (part !== "+" && part !== parts[i])) return false;
  }
  return parts.length === wanted.length;
}
