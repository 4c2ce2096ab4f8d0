import { AwsError } from "../../../core/errors";
import type { Host } from "../../../core/service";
import type { Logging } from "../logging";
import type { BoundAction } from "./actions";
import type { Call, Firing } from "./actions/action";
import type { Failure } from "./failures";
import type { Rule } from "./rule";

/** A message that has come to the rules. */
type Arrival = Pick<Firing, "region" | "message" | "traceId">;

const about = ({ message: { topic, clientId, principal }, traceId }: Arrival, ruleName: string) => ({
  traceId,
  clientId: clientId ?? "n/a",
  principalId: principal,
  topicName: topic,
  ruleName,
});

const ofAction = (arrival: Arrival, { name }: Rule, { title }: BoundAction) => ({
  ...about(arrival, name),
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

  matched({ name }: Rule, arrival: Arrival): void {
    if (!this.logging.wants(arrival.region, "INFO")) return;
    this.logging.write(arrival.region, "INFO", {
      status: "Success",
      eventType: "RuleMatch",
      ...about(arrival, name),
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

  statementFailed({ name }: Rule, arrival: Arrival, error: unknown): void {
    const details = error instanceof AwsError ? error.message : "Internal failure";
    this.logging.write(arrival.region, "ERROR", {
      status: "Failure",
      eventType: "FunctionExecution",
      ...about(arrival, name),
      details,
    });
    this.host.report(error, `the statement of rule ${name} failed for a message on ${arrival.message.topic}`);
  }

  /** The mistake of whoever publishes, who gets no other answer on AWS either. */
  noRule(arrival: Arrival, name: string): void {
    this.logging.write(arrival.region, "ERROR", {
      status: "Failure",
      eventType: "RuleNotFound",
      ...about(arrival, name),
      reason: "RuleNotFound",
    });
  }

  /** Failures that nobody else is told of. */
  lost({ name }: Rule, failures: readonly Failure[]): void {
    for (const { errorMessage } of failures) this.lose(`rule ${name}: ${errorMessage}`);
  }

  private lose(what: string): void {
    this.host.report(new Error(what), what);
  }
}
