import { AwsError } from "../../../core/errors";
import type { Host } from "../../../core/service";
import type { Message } from "../broker";
import type { Logging } from "../logging";
import type { Region } from "../state";
import type { BoundAction } from "./actions";
import type { Call, Firing } from "./actions/action";
import type { Failure } from "./failures";
import type { Rule } from "./rule";

const about = ({ topic, clientId, principal }: Message, traceId: string, ruleName: string) => ({
  traceId,
  clientId: clientId ?? "n/a",
  principalId: principal,
  topicName: topic,
  ruleName,
});

const ofAction = ({ message, traceId }: Firing, { name }: Rule, { title }: BoundAction) => ({
  ...about(message, traceId, name),
  ruleAction: title,
});

/**
 * What the log of AWS IoT Core says of rules
 * (https://docs.aws.amazon.com/iot/latest/developerguide/cwl-format.html#rule-engine-logs). Messages that are lost are reported to the emulator, too, with
 * or without a log: nothing goes silently.
 */
export class RuleLog {
  constructor(
    private readonly host: Host,
    private readonly logging: Logging,
  ) {}

  matched(region: Region, { name }: Rule, message: Message, traceId: string): void {
    if (!this.logging.wants(region, "INFO")) return;
    this.logging.write(region, "INFO", {
      status: "Success",
      eventType: "RuleMatch",
      ...about(message, traceId, name),
    });
  }

  starting(rule: Rule, action: BoundAction, firing: Firing): void {
    if (!this.logging.wants(firing.region, "DEBUG")) return;
    this.logging.write(firing.region, "DEBUG", {
      status: "Success",
      eventType: "StartingExecution",
      ...ofAction(firing, rule, action),
    });
  }

  succeeded(rule: Rule, action: BoundAction, firing: Firing, { resource }: Call): void {
    if (!this.logging.wants(firing.region, "INFO")) return;
    this.logging.write(firing.region, "INFO", {
      status: "Success",
      eventType: "RuleExecution",
      ...ofAction(firing, rule, action),
      resources: { [action.name]: resource },
    });
  }

  failed(rule: Rule, action: BoundAction, firing: Firing, { failedResource, errorMessage }: Failure): void {
    this.logging.write(firing.region, "ERROR", {
      status: "Failure",
      eventType: "RuleExecution",
      ...ofAction(firing, rule, action),
      resources: { [action.name]: failedResource },
      details: errorMessage,
    });
  }

  statementFailed(region: Region, { name }: Rule, message: Message, traceId: string, error: unknown): void {
    const details = error instanceof AwsError ? error.message : "Internal failure";
    this.logging.write(region, "ERROR", {
      status: "Failure",
      eventType: "FunctionExecution",
      ...about(message, traceId, name),
      details,
    });
    this.host.report(error, `the statement of rule ${name} failed for a message on ${message.topic}`);
  }

  noRule(region: Region, message: Message, traceId: string, name: string): void {
    this.logging.write(region, "ERROR", {
      status: "Failure",
      eventType: "RuleNotFound",
      ...about(message, traceId, name),
      reason: "RuleNotFound",
    });
    this.lose(`there is no rule ${name} for a message of Basic Ingest on ${message.topic}`);
  }

  /** Failures that nobody else is told of. */
  lost({ name }: Rule, failures: readonly Failure[]): void {
    for (const { errorMessage } of failures) this.lose(`rule ${name}: ${errorMessage}`);
  }

  private lose(what: string): void {
    this.host.report(new Error(what), what);
  }
}
