import type { Target } from "@aws-sdk/client-eventbridge";
import { sessionOf } from "../../core/access/authorizer";
import type { Identity } from "../../core/access/identity";
import { type Arn, parseArn } from "../../core/arn";
import { AwsError } from "../../core/errors";
import { jsonPath } from "../../core/gateway/json-path";
import type { Host, Scope } from "../../core/service";
import type { ServiceCaller } from "../../core/service-caller";
import type { BusEvent } from "./event";
import type { Rule } from "./store";

/**
 * A delivery that failed. `code` is what dead-letter queues show of it; `permanent`: trying again cannot help
 * (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html).
 */
export class Failed extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly permanent = true,
  ) {
    super(message);
  }
}

/** An event on its way to one target. */
export interface Shipment {
  readonly rule: Rule;
  readonly target: Target;
  readonly event: BusEvent;
  /** What the target gets of it: JSON. */
  readonly text: string;
  /** Whether it came from another bus: from there it goes no further. */
  readonly forwarded: boolean;
}

/** Puts an event on a bus for a rule of another one, as the target's role. Throws {@link Failed}. */
export type Forward = (busArn: string, event: BusEvent, by: Identity) => void;

/** A rule as those see it that it sends to. */
export const callerOf = (rule: Rule): ServiceCaller => ({
  principal: "events.amazonaws.com",
  sourceArn: rule.arn,
  sourceAccount: rule.bus.account,
});

/** Acts as the role of a target. Throws {@link Failed} where that lets EventBridge not. */
function assumed({ bus }: Host, rule: Rule, { RoleArn = "" }: Target): Identity {
  const { principal: service, sourceArn, sourceAccount } = callerOf(rule);
  // AWS makes up a name for each session; the rule's says more here.
  const acting = { roleArn: RoleArn, service, sessionName: rule.name, sourceArn, sourceAccount };
  const denial = bus.access.checkTrust(acting);
  if (denial) throw new Failed("NO_PERMISSIONS", denial.message);
  return sessionOf(acting);
}

/** Sends to a queue, which may be a dead-letter queue, if its policy lets a rule do so. */
export async function toQueue(
  host: Host,
  arn: string,
  rule: Rule,
  message: {
    body: string;
    groupId?: string;
    messageAttributes?: Record<string, { dataType: string; stringValue: string }>;
  },
): Promise<void> {
  await (await host.bus.to("sqs")).send(arn, message, callerOf(rule));
}

async function toFunction(host: Host, arn: string, { rule, text }: Shipment): Promise<void> {
  await (await host.bus.to("lambda")).invokeAsync(arn, text, callerOf(rule));
}

async function toTopic(host: Host, arn: string, { rule, text }: Shipment): Promise<void> {
  await (await host.bus.to("sns")).publish(arn, { message: text }, callerOf(rule));
}

async function toStream(host: Host, arn: string, { rule, target, event, text }: Shipment): Promise<void> {
  const path = target.KinesisParameters?.PartitionKeyPath;
  const found = path === undefined ? undefined : jsonPath(event, path);
  const partitionKey = found === undefined ? event.id : typeof found === "string" ? found : JSON.stringify(found);
  const kinesis = await host.bus.to("kinesis");
  await kinesis.putRecord(arn, { data: Buffer.from(text), partitionKey }, assumed(host, rule, target));
}

/** The group of `log-group:name` or `log-group:name:*`. */
const groupOf = ({ resource }: Arn) => resource.slice("log-group:".length).replace(/:\*$/, "");

/** A transformed input for a log group gives `timestamp` and `message` (API reference, PutTargets). */
function logEvent({ target, event, text }: Shipment): { timestamp: number; message: string } {
  if (!target.InputTransformer) return { timestamp: Date.parse(event.time), message: text };
  const { timestamp, message } = JSON.parse(text) as { timestamp?: unknown; message?: unknown };
  const time =
    typeof timestamp === "string" && Number.isNaN(Number(timestamp)) ? Date.parse(timestamp) : Number(timestamp);
  if (!Number.isFinite(time) || message === undefined) {
    throw new Failed("INVALID_PARAMETER", "The input for a log group has to be an object with timestamp and message.");
  }
  return { timestamp: time, message: typeof message === "string" ? message : JSON.stringify(message) };
}

async function toLogGroup(host: Host, arn: Arn, shipment: Shipment): Promise<void> {
  const logs = await host.bus.to("logs");
  const group = groupOf(arn);
  if (!logs.hasGroup(arn, group)) throw new Failed("NO_RESOURCE", `Log group ${group} does not exist.`);
  logs.write(arn, group, shipment.event.id, [logEvent(shipment)], callerOf(shipment.rule));
}

function toBus(host: Host, forward: Forward, arn: string, { rule, target, event, forwarded }: Shipment): void {
  if (forwarded) throw new Failed("THIRD_ACCOUNT_HOP_DETECTED", "An event goes from one bus to another one only once.");
  forward(arn, event, assumed(host, rule, target));
}

const kinds: Record<string, { resource: RegExp; needsRole?: true }> = {
  lambda: { resource: /^function:[\w-]+(:[\w$-]+)?$/ },
  sqs: { resource: /^[\w-]+(\.fifo)?$/ },
  sns: { resource: /^[\w-]+$/ },
  kinesis: { resource: /^stream\/[\w.-]+$/, needsRole: true },
  logs: { resource: /^log-group:[\w./#-]+(:\*)?$/ },
  events: { resource: /^event-bus\/[/.\w-]+$/, needsRole: true },
};

/** What a kind of target needs; undefined for those that are not emulated. */
export const kindOf = ({ service, resource }: Arn): { needsRole?: true } | undefined => {
  const kind = Object.hasOwn(kinds, service) ? kinds[service] : undefined;
  return kind?.resource.test(resource) ? kind : undefined;
};

/** Hands an event to a target. Rejects with {@link Failed}. */
export async function ship(host: Host, forward: Forward, shipment: Shipment): Promise<void> {
  const text = shipment.target.Arn ?? "";
  const arn = parseArn(text)!;
  try {
    if (arn.service === "lambda") await toFunction(host, text, shipment);
    else if (arn.service === "sqs") {
      const groupId = shipment.target.SqsParameters?.MessageGroupId;
      await toQueue(host, text, shipment.rule, { body: shipment.text, groupId });
    } else if (arn.service === "sns") await toTopic(host, text, shipment);
    else if (arn.service === "kinesis") await toStream(host, text, shipment);
    else if (arn.service === "logs") await toLogGroup(host, arn, shipment);
    else toBus(host, forward, text, shipment);
  } catch (error) {
    throw error instanceof AwsError ? failureOf(error) : error;
  }
}

/** The refusal of a target as dead-letter queues show it. */
function failureOf({ code, message, fault }: AwsError): Failed {
  if (/^(AccessDenied|AuthorizationError)/.test(code)) return new Failed("NO_PERMISSIONS", message);
  if (/NotFound|NonExistent|DoesNotExist/.test(code)) return new Failed("NO_RESOURCE", message);
  if (/Throttl|TooManyRequests|ThroughputExceeded/.test(code)) return new Failed("THROTTLING", message, false);
  return fault === "server"
    ? new Failed("ERROR_FROM_TARGET", message, false)
    : new Failed("INVALID_PARAMETER", message);
}

/** Whether a target is in the region of a rule; only event buses may be elsewhere. */
export const inReach = (arn: Arn, scope: Scope): boolean => arn.service === "events" || arn.region === scope.region;
