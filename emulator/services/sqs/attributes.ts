import { parseArn } from "../../core/arn";
import { endsOf, limits } from "../../core/limits";
import {
  invalidAttributeName,
  invalidAttributeValue,
  invalidParameter,
  invalidValue,
  unknownAttribute,
} from "./errors";

/** Attributes of a queue by their AWS names, all as text, as GetQueueAttributes shows them. */
export type Attributes = Record<string, string>;

/** Where received-too-often messages go. */
export interface RedrivePolicy {
  readonly targetArn: string;
  readonly maxReceiveCount: number;
}

/** Which queues may name this one as their dead-letter queue. */
export interface RedriveAllowPolicy {
  readonly permission: "allowAll" | "denyAll" | "byQueue";
  readonly sources: readonly string[];
}

/** The attributes that delivery asks for, read once instead of at every message. */
export interface Settings {
  readonly delayMs: number;
  readonly maximumMessageSize: number;
  readonly retentionMs: number;
  readonly waitMs: number;
  readonly visibilityMs: number;
  readonly redrive?: RedrivePolicy;
  readonly contentBasedDeduplication: boolean;
  readonly deduplicationPerGroup: boolean;
}

/** A table to look names of callers up in: it has no prototype, so that "constructor" is as unknown as any other. */
const table = <T>(entries: Record<string, T>): Record<string, T> => Object.assign(Object.create(null), entries);

const { sqs } = limits;
const between = (ends: readonly [low: number, high: number], initial?: string) => [...ends, initial] as const;

const numbers = table<readonly [low: number, high: number, initial: string | undefined]>({
  DelaySeconds: between(endsOf(sqs.delay), "0"),
  MaximumMessageSize: between(endsOf(sqs.maximumMessageSize), String(sqs.maximumMessageSize.value)),
  MessageRetentionPeriod: between(endsOf(sqs.retention), "345600"),
  ReceiveMessageWaitTimeSeconds: between(endsOf(sqs.wait), "0"),
  VisibilityTimeout: between(endsOf(sqs.visibility), "30"),
  KmsDataKeyReusePeriodSeconds: between(endsOf(sqs.keyReuse)),
});

const choices = table<readonly string[]>({
  SqsManagedSseEnabled: ["true", "false"],
  FifoQueue: ["true"],
  ContentBasedDeduplication: ["true", "false"],
  DeduplicationScope: ["queue", "messageGroup"],
  FifoThroughputLimit: ["perQueue", "perMessageGroupId"],
});

const fifoOnly = new Set(["ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"]);

/** An empty value takes these off a queue. */
const removable = new Set(["Policy", "RedrivePolicy", "RedriveAllowPolicy", "KmsMasterKeyId"]);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Reads a RedrivePolicy; whether the target exists is for the caller to see. */
export function parseRedrivePolicy(text: string): RedrivePolicy {
  const refuse = (reason: string) => invalidValue(text, "RedrivePolicy", reason);
  const policy = parseObject(text);
  if (!policy) throw refuse("Redrive policy is not a valid JSON map.");
  for (const name of Object.keys(policy))
    if (name !== "deadLetterTargetArn" && name !== "maxReceiveCount")
      throw refuse(`Only following attributes are supported: [deadLetterTargetArn, maxReceiveCount].`);
  const { deadLetterTargetArn, maxReceiveCount } = policy;
  if (deadLetterTargetArn === undefined)
    throw refuse("Redrive policy does not contain mandatory attribute: deadLetterTargetArn.");
  if (maxReceiveCount === undefined)
    throw refuse("Redrive policy does not contain mandatory attribute: maxReceiveCount.");
  const arn = typeof deadLetterTargetArn === "string" ? parseArn(deadLetterTargetArn) : undefined;
  if (arn?.service !== "sqs" || !arn.resource) throw refuse("Invalid value for deadLetterTargetArn.");
  // A number or a number in quotes: infrastructure tools send both.
  const count = /^\d+$/.test(String(maxReceiveCount)) ? Number(maxReceiveCount) : 0;
  const { least, value: most } = sqs.maxReceiveCount;
  if (count < least || count > most)
    throw refuse(
      `Invalid value for maxReceiveCount: ${maxReceiveCount}, valid values are from ${least} to ${most} both inclusive.`,
    );
  return { targetArn: deadLetterTargetArn as string, maxReceiveCount: count };
}

export function parseRedriveAllowPolicy(text: string): RedriveAllowPolicy {
  const refuse = (reason: string) => invalidValue(text, "RedriveAllowPolicy", reason);
  const policy = parseObject(text);
  if (!policy) throw refuse("Redrive allow policy is not a valid JSON map.");
  const { redrivePermission: permission, sourceQueueArns: sources } = policy;
  if (permission !== "allowAll" && permission !== "denyAll" && permission !== "byQueue")
    throw refuse("Invalid value for redrivePermission, valid values are: allowAll, denyAll, byQueue.");
  if (permission !== "byQueue") {
    if (sources !== undefined) throw refuse("sourceQueueArns can be used only when redrivePermission is byQueue.");
    return { permission, sources: [] };
  }
  if (!Array.isArray(sources) || !sources.length || sources.length > sqs.redriveSources.value)
    throw refuse("sourceQueueArns must hold 1 to 10 queue ARNs when redrivePermission is byQueue.");
  if (!sources.every((arn): arn is string => typeof arn === "string" && parseArn(arn)?.service === "sqs"))
    throw refuse("Invalid value for sourceQueueArns.");
  return { permission, sources };
}

/** Refuses attributes that a caller may not give, or not with this value. */
export function checkAttributes(given: Attributes, fifo: boolean): void {
  for (const [name, value] of Object.entries(given)) {
    if (removable.has(name)) {
      if (value === "") continue;
      if (name === "Policy" && !parseObject(value)) throw invalidAttributeValue(name);
      if (name === "RedrivePolicy") parseRedrivePolicy(value);
      if (name === "RedriveAllowPolicy") parseRedriveAllowPolicy(value);
    } else if (numbers[name]) {
      const [low, high] = numbers[name];
      if (!/^\d{1,9}$/.test(value) || Number(value) < low || Number(value) > high) throw invalidAttributeValue(name);
    } else if (choices[name]) {
      // The one way to ask for a standard queue is to leave FifoQueue out.
      if (name === "FifoQueue" && value === "false") throw unknownAttribute(name);
      if (fifoOnly.has(name) && !fifo)
        throw name === "ContentBasedDeduplication"
          ? unknownAttribute(name)
          : invalidAttributeName(`You can specify the ${name} only when FifoQueue is set to true.`);
      if (!choices[name].includes(value)) throw invalidAttributeValue(name);
    } else {
      throw unknownAttribute(name);
    }
  }
  if (given.KmsMasterKeyId && given.SqsManagedSseEnabled === "true")
    throw invalidAttributeName(
      "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE.",
    );
}

/** Attributes of a new queue that nobody gave. */
export function initialAttributes(fifo: boolean): Attributes {
  const initial: Attributes = { SqsManagedSseEnabled: "true" };
  for (const [name, [, , value]] of Object.entries(numbers)) if (value !== undefined) initial[name] = value;
  if (fifo)
    Object.assign(initial, {
      FifoQueue: "true",
      ContentBasedDeduplication: "false",
      DeduplicationScope: "queue",
      FifoThroughputLimit: "perQueue",
    });
  return initial;
}

/** The attributes after a change; encryption by a key and by SQS take turns. */
export function withChanges(current: Attributes, given: Attributes): Attributes {
  const next = { ...current };
  for (const [name, value] of Object.entries(given)) {
    if (value === "" && removable.has(name)) delete next[name];
    else next[name] = numbers[name] ? String(Number(value)) : value;
  }
  if (given.KmsMasterKeyId) {
    next.SqsManagedSseEnabled = "false";
    next.KmsDataKeyReusePeriodSeconds ??= "300";
  } else if (given.SqsManagedSseEnabled === "true") {
    delete next.KmsMasterKeyId;
    delete next.KmsDataKeyReusePeriodSeconds;
  }
  if (next.FifoThroughputLimit === "perMessageGroupId" && next.DeduplicationScope !== "messageGroup")
    throw invalidParameter(
      "The FifoThroughputLimit perMessageGroupId is allowed only when the value of DeduplicationScope is messageGroup.",
    );
  return next;
}

export const settingsOf = (attributes: Attributes): Settings => ({
  delayMs: Number(attributes.DelaySeconds) * 1000,
  maximumMessageSize: Number(attributes.MaximumMessageSize),
  retentionMs: Number(attributes.MessageRetentionPeriod) * 1000,
  waitMs: Number(attributes.ReceiveMessageWaitTimeSeconds) * 1000,
  visibilityMs: Number(attributes.VisibilityTimeout) * 1000,
  redrive: attributes.RedrivePolicy ? parseRedrivePolicy(attributes.RedrivePolicy) : undefined,
  contentBasedDeduplication: attributes.ContentBasedDeduplication === "true",
  deduplicationPerGroup: attributes.DeduplicationScope === "messageGroup",
});
