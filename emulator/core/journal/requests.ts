import type { IncomingHttpHeaders } from "node:http";
import type { Access } from "../access/access";
import type { Context } from "../service";
import type { OpenEntry, StepFacts } from "./entry";
import type { Journal } from "./journal";
import { readTrace } from "./trace";

/** A request as the journal tells of it. It comes from outside, or from the function whose trace header it carries. */
export function requestStep(
  journal: Journal,
  kind: "call" | "request",
  [service, operation]: readonly [service: string, operation: string],
  headers: IncomingHttpHeaders,
): StepFacts {
  const { root } = readTrace(headers["x-amzn-trace-id"]);
  return { kind, service, operation, causes: journal.senderOf(headers), ...(root !== undefined && { traceId: root }) };
}

/** Who calls what: known when the call is read. */
export function describeCall(
  entry: OpenEntry,
  operation: string,
  { identity, requestId }: Context,
  needed: readonly Access[],
) {
  entry.operation = operation;
  entry.caller = identity.arn;
  entry.requestId = requestId;
  entry.resources = [...new Set(needed.map(({ resource }) => resource))].filter((resource) => resource !== "*");
}

/** How it was answered: not at all where the connection was cut. */
export function describeAnswer(entry: OpenEntry, status: number | undefined, code?: string): void {
  entry.status = status;
  entry.error = status === undefined ? "ConnectionDropped" : code;
}
