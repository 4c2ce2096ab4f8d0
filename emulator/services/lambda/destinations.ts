import type { Identity } from "../../core/access/identity";
import { AwsError } from "../../core/errors";
import type { Host } from "../../core/service";
import { assume } from "./execution-role";
import type { InvocationResult } from "./invoker";
import type { FunctionRecord } from "./state";

/** An asynchronous invocation that came to its end. */
export interface FinishedEvent {
  /** With qualifier. */
  readonly functionArn: string;
  readonly fn: FunctionRecord;
  readonly requestId: string;
  readonly payload: string;
  /** Runs of the function. */
  readonly attempts: number;
  readonly condition: "Success" | "RetriesExhausted" | "EventAgeExceeded" | "ZeroReservedConcurrency";
  /** Of the last run; undefined when the function never ran. */
  readonly result?: InvocationResult;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

/**
 * Sends an invocation record to a destination
 * (https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html).
 */
export async function deliverRecord(host: Host, destination: string, event: FinishedEvent): Promise<void> {
  const record = invocationRecord(event);
  await deliver(host, destination, event, async (by) => {
    if (destination.split(":")[2] === "lambda")
      return (await host.bus.to("lambda")).invokeAsync(destination, record, by);
    await (await host.bus.to("sqs")).send(destination, { body: record }, by);
  });
}

/** Sends an event as it was to a dead-letter queue, with the error in message attributes (same page). */
export async function deliverDeadLetter(host: Host, queueArn: string, event: FinishedEvent): Promise<void> {
  const { errorMessage } = parse(event.result?.payload) as { errorMessage?: unknown };
  const messageAttributes = {
    RequestID: { dataType: "String", stringValue: event.requestId },
    ErrorCode: { dataType: "Number", stringValue: event.result ? "200" : "429" },
    ErrorMessage: {
      dataType: "String",
      stringValue: String(errorMessage ?? event.condition).slice(0, 1024) || event.condition,
    },
  };
  await deliver(host, queueArn, event, async (by) => {
    await (await host.bus.to("sqs")).send(queueArn, { body: event.payload, messageAttributes }, by);
  });
}

/**
 * Sends as the function's role. A destination that refuses the record loses it, as on AWS (metric
 * DestinationDeliveryFailures); here it is also reported.
 */
async function deliver(
  host: Host,
  target: string,
  event: FinishedEvent,
  send: (by: Identity) => Promise<void>,
): Promise<void> {
  try {
    await send(assume(host, event.fn, event.fn.latest.config.Role!));
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    host.report(error, `${event.functionArn} could not deliver to ${target}`);
  }
}

function invocationRecord(event: FinishedEvent): string {
  const { result } = event;
  return JSON.stringify({
    version: "1.0",
    timestamp: new Date(event.time).toISOString(),
    requestContext: {
      requestId: event.requestId,
      functionArn: event.functionArn,
      condition: event.condition,
      approximateInvokeCount: event.attempts,
    },
    requestPayload: parse(event.payload),
    ...(result && {
      responseContext: {
        statusCode: 200,
        executedVersion: result.executedVersion,
        ...(result.errorType !== undefined && { functionError: "Unhandled" }),
      },
      responsePayload: parse(result.payload),
    }),
  });
}

const parse = (json: string | undefined): unknown => (json ? JSON.parse(json) : {});
