import { executeApi } from "../../../core/address";
import { AwsError } from "../../../core/errors";
import type { FaultyCall } from "../../../core/faults/call";
import type { Faults } from "../../../core/faults/faults";
import { GatewayFailure } from "./failures";
import type { Session } from "./session";

/**
 * What faults do to something on a connection.
 *
 * @param operation `CONNECT`, `MESSAGE`, or an operation of the management API.
 * @param what the route key, or the method and path of a management call.
 */
export const faultsOn = (
  faults: Faults,
  session: Pick<Session, "arnOf">,
  operation: string,
  what: string,
): FaultyCall | undefined =>
  faults.active ? faults.call({ service: executeApi, operation, resources: [session.arnOf(what)] }) : undefined;

/** A refusal of the gateway is an answer. */
export const isAnswer = (error: unknown): boolean => error instanceof GatewayFailure;

/** An injected error as the gateway refuses; anything else stays what it is. */
export const asFailure = (error: unknown): unknown =>
  error instanceof AwsError ? new GatewayFailure(error.status, error.code, error.message) : error;
