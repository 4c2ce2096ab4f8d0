import { randomUUID } from "node:crypto";
import { AwsError } from "../../../core/errors";
import type { BoundAction } from "./actions";
import type { Firing } from "./actions/action";
import type { Rule } from "./rule";

/** An action that failed, as error actions are told of it. */
export interface Failure {
  readonly failedAction: string;
  readonly failedResource: string;
  readonly errorMessage: string;
}

/** Of what is no answer of a service, nothing but the fact gets out: it was reported where it happened. */
const reasonOf = (error: unknown, { service }: BoundAction): string =>
  error instanceof AwsError
    ? `${error.message} (Service: ${service}; Status Code: ${error.status}; Error Code: ${error.code}; Request ID: ${randomUUID()})`
    : "Internal failure";

/** An action's failure in the words of https://docs.aws.amazon.com/iot/latest/developerguide/rule-error-handling.html */
export function failureOf(
  error: unknown,
  action: BoundAction,
  { message }: Firing,
  call: { resource: string; detail?: string },
): Failure {
  const detail = call.detail === undefined ? "" : `, ${call.detail}`;
  return {
    failedAction: action.title,
    failedResource: call.resource,
    errorMessage: `Failed to ${action.attempt}. The error received was ${reasonOf(error, action)}. Message arrived on: ${message.topic}, Action: ${action.name}${detail}`,
  };
}

/** What an error action gets instead of what the statement selected. */
export const failureReport = (
  { name }: Rule,
  { message, traceId }: Pick<Firing, "message" | "traceId">,
  failures: readonly Failure[],
): string =>
  JSON.stringify({
    ruleName: name,
    topic: message.topic,
    cloudwatchTraceId: traceId,
    clientId: message.clientId ?? "n/a",
    base64OriginalPayload: message.payload.toString("base64"),
    failures,
  });
