import type * as pulumi from "@pulumi/pulumi";
import {
  API_URL,
  CHANNEL_ID,
  FLESPI_URL,
  LIMIT_COUNT,
  LIMIT_SIZE,
  TOKEN,
  WAIT_SECONDS,
} from "../handlers/flespi/forms";
import type { MakeHandler } from "../handlers/flespi/handler";
import { problemOfTemplate } from "../handlers/flespi/topic";
import type { AlarmsArgs } from "./alarms";
import { Checks, isLater } from "./checks";
import { type CommonArgs, checkCommon } from "./common-args";
import type { PolicyStatement } from "./policy";
import { checkSchedule } from "./schedule";
import { checkQueue, type QueueRef } from "./storage";

/** A flespi channel, and how its messages are fetched. */
export interface FlespiChannelArgs {
  /** The channel's number. */
  channelId: pulumi.Input<number | string>;
  /**
   * A flespi token that may read the channel's messages: best one with an access list of nothing else. It is kept as a
   * secret in the stack's state, and in the function's environment, which Lambda encrypts.
   */
  token: pulumi.Input<string>;
  /** Where flespi's API is: HTTPS. @default "https://flespi.io" */
  url?: pulumi.Input<string>;
  /** When the channel is looked at: `rate(...)` or `cron(...)`, or "none". @default "rate(1 minute)" */
  schedule?: string;
  /**
   * Seconds without a message after which a run ends, 0 to 60. More than 0 keeps the function running, and messages come
   * sooner; each costs as much time of it. @default 0: a run ends when the channel is drained
   */
  waitSeconds?: number;
  /** Most messages of one request, 2 to 10000. @default 1000 */
  limitCount?: number;
  /** Most bytes of one request, 1000 to 10000000. @default 1000000 */
  limitSize?: number;
}

export interface FlespiReceiverArgs extends FlespiChannelArgs, CommonArgs {
  /**
   * Where each message goes: to a topic of AWS IoT Core, given as a template with fields of the message in it, such as
   * `flespi/${ident}`; or to a queue, as a message of its own.
   * @default the topic `${ident}`, or nowhere when there is a `handler`
   */
  publishTo?: string | QueueRef;
  /**
   * A handler of your own, which gets every message, too. It runs in Lambda: make clients and other objects inside.
   * @default none
   */
  handler?: MakeHandler;
  /** Environment variables for `handler`. @default none */
  environment?: Record<string, pulumi.Input<string>>;
  /** What `handler` may do in AWS. @default nothing */
  statements?: PolicyStatement[];
  /** Seconds that one run may take, 10 to 900; what is left then is for the next one. @default 300 */
  timeout?: number;
  /** Alarms for dead letters, a failing function and messages that wait in the channel, to an SNS topic. @default off */
  alarms?: AlarmsArgs;
}

/** The names of a channel's settings. */
export const CHANNEL_OPTIONS: (keyof FlespiChannelArgs)[] = [
  ...(["channelId", "token", "url", "schedule", "waitSeconds", "limitCount", "limitSize"] as const),
];
const OPTIONS: (keyof FlespiReceiverArgs)[] = [
  ...CHANNEL_OPTIONS,
  ...(["publishTo", "handler", "environment", "statements", "deadLetter"] as const),
  ...(["logRetentionDays", "tracing", "memorySize", "timeout", "alarms"] as const),
];

/** Throws one error with all the mistakes in the arguments. */
export function checkFlespiReceiver(name: string, args: FlespiReceiverArgs): void {
  const checks = new Checks("FlespiReceiver", name);
  checks.names("", args, OPTIONS);
  const form = /^[a-z][a-z0-9-]{0,39}$/;
  checks.text("the name", name, form, "be at most 40 lower-case letters, digits and hyphens", '"trucks"');
  checkChannel(checks, "", args);
  const { publishTo } = args;
  if (typeof publishTo === "string") checkTopicTemplate(checks, "publishTo", publishTo);
  else if (publishTo !== undefined) checkQueue(checks, "publishTo", publishTo);
  checks.callback("handler", args.handler, "() => ({ handle: async (messages) => ... })");
  for (const variable of Object.keys(args.environment ?? {})) {
    if (!/^(FLESPI|AWS)_/.test(variable)) continue;
    checks.add(`environment.${variable}`, "not begin with FLESPI_ or AWS_", `MY_${variable}`);
  }
  checkCommon(checks, args);
  checks.number("timeout", args.timeout, { min: 10, max: 900, unit: "seconds", use: 300 });
  checks.done();
}

/** Notes the mistakes in the settings of a channel; `prefix` stands before the options' names, such as `flespi.`. */
export function checkChannel(checks: Checks, prefix: string, args: FlespiChannelArgs): void {
  const { channelId, token, url } = args;
  if (channelId === undefined) checks.add(`${prefix}channelId`, "be the channel's number", "429");
  const id = typeof channelId === "number" ? String(channelId) : channelId;
  checks.text(`${prefix}channelId`, id, CHANNEL_ID, "be the channel's number", "429");
  // The value is never shown: it is a secret.
  if (!isLater(token) && !(typeof token === "string" && TOKEN.test(token))) {
    checks.add(`${prefix}token`, "be a flespi token", 'config.requireSecret("flespiToken")');
  }
  checks.text(`${prefix}url`, url, API_URL, "be an https:// address without a path", `"${FLESPI_URL}"`);
  checkSchedule(checks, `${prefix}schedule`, args.schedule, '"rate(1 minute)"');
  checks.number(`${prefix}waitSeconds`, args.waitSeconds, { ...WAIT_SECONDS, unit: "seconds", use: 0 });
  checks.number(`${prefix}limitCount`, args.limitCount, { ...LIMIT_COUNT, unit: "messages" });
  checks.number(`${prefix}limitSize`, args.limitSize, { ...LIMIT_SIZE, unit: "bytes" });
}

/** Notes the mistake in a template for topics. */
export function checkTopicTemplate(checks: Checks, option: string, template: string): void {
  const problem = problemOfTemplate(template);
  if (problem !== undefined) checks.add(option, `be a topic of AWS IoT (${problem})`, `"flespi/\${ident}"`);
}
