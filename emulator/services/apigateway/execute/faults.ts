import { executeApi } from "../../../core/address";
import { AwsError } from "../../../core/errors";
import type { FaultyCall } from "../../../core/faults/call";
import type { Faults } from "../../../core/faults/faults";
import type { Call } from "./call";
import { GatewayFailure, injected } from "./failures";

/** What faults do to a request: the operation is its method and path, as watchers are shown them. */
export function faultsOn(faults: Faults, call: Call): FaultyCall | undefined {
  if (!faults.active) return undefined;
  const { api, method, fullPath, stageName, path } = call;
  const { region, account } = api!.scope;
  const arn = `arn:aws:execute-api:${region}:${account}:${api!.id}/${stageName}/${method}${path}`;
  return faults.call({ service: executeApi, operation: `${method} ${fullPath}`, resources: [arn] });
}

/** A refusal of the gateway is an answer. */
export const isAnswer = (error: unknown): boolean => error instanceof GatewayFailure;

/** An injected error as the gateway refuses; anything else stays what it is. */
export const asFailure = (error: unknown): unknown =>
  error instanceof AwsError ? injected(error.code, error.message, error.status) : error;
