import type { Deployment } from "./types";

/** One resource that could not be made, changed or deleted. */
export interface Failure {
  urn: string;
  type: string;
  name: string;
  operation: "create" | "update" | "replace" | "delete" | "read" | "import";
  /** The whole story for a person: what, why and, when known, the cure. */
  message: string;
  /** The AWS error's code, for example `EntityAlreadyExists`. */
  code?: string;
}

/** Why a deployment did not succeed. `message` is complete and meant for people. */
export class DeployError extends Error {
  override readonly name = "DeployError";
  /** What failed; empty when it was the program or its settings. */
  readonly failures: readonly Failure[] = [];
  /** What exists now, to look at or to destroy; missing when nothing was started. */
  readonly deployment?: Deployment;

  constructor(message: string, details: { failures?: readonly Failure[]; deployment?: Deployment } = {}) {
    super(message);
    // Not enumerable: a printed error must be its message, not a whole stack with the secrets in it.
    for (const [name, value] of Object.entries({ failures: [], ...details })) {
      Object.defineProperty(this, name, { value, enumerable: false });
    }
  }
}

/** Thrown by a resource type when something was created before the failure: the state keeps it under this id. */
export class PartlyCreated extends Error {
  constructor(
    readonly id: string,
    readonly reason: unknown,
  ) {
    super(reason instanceof Error ? reason.message : String(reason));
  }
}

/** Thrown by a resource type for inputs that it refuses; the message names the property. */
export class InvalidInput extends Error {}

interface AwsFailure {
  name?: string;
  message?: string;
  code?: string;
  Code?: string;
  $metadata?: { httpStatusCode?: number };
  errors?: unknown[];
}

/** The code of an AWS error, of a socket error, or "". */
export function errorCode(error: unknown): string {
  const { name, code, Code } = (error ?? {}) as AwsFailure;
  if (code && /^E[A-Z]+$/.test(code)) return code;
  return Code ?? (name && name !== "Error" ? name : (code ?? ""));
}

/** Whether an AWS error says that the thing is not there (any more). */
export const isGone = (error: unknown): boolean =>
  /NotFound|NoSuch|NonExistentQueue|QueueDoesNotExist|ResourceNotFoundException/.test(errorCode(error));

const cures: [pattern: RegExp, cure: string][] = [
  [/^E(CONNREFUSED|CONNRESET|NOTFOUND|HOSTUNREACH)$/, "check that the emulator runs and the endpoint is right"],
  [
    /AlreadyExists|AlreadyOwned|QueueNameExists|ResourceInUse|EntityExists|ResourceConflict|UsernameExists/,
    "choose another name, leave it out to get a generated one, or adopt the existing one with the `import` option",
  ],
  [/MalformedPolicy/, "check the policy document: Version, Statement, and for each an Effect, Action and Resource"],
  [/CodeStorageExceeded|RequestEntityTooLarge|RequestTooLarge/, "put the code into S3 and give s3Bucket and s3Key"],
  [/UnrecognizedClient|InvalidClientToken|InvalidAccessKey|SignatureDoesNotMatch/, "check the credentials"],
  [/NotImplemented|UnknownOperation|UnsupportedOperation/, "the endpoint does not offer this operation"],
];

/** The error as `Code: message`, without stack, request id or input values. */
export function describeError(error: unknown): string {
  const inner = error instanceof PartlyCreated ? error.reason : error;
  const { message = String(inner), errors } = (inner ?? {}) as AwsFailure;
  // Node reports a refused connection to a name with two addresses as an AggregateError without a message.
  if (!message && Array.isArray(errors) && errors.length > 0) return describeError(errors[0]);
  const code = inner instanceof InvalidInput ? "" : errorCode(inner);
  return code && code !== "DeployError" && !message.includes(code) ? `${code}: ${message}` : message;
}

/** What a person can do about it, where that is known. */
export function cureFor(error: unknown): string | undefined {
  const inner = error instanceof PartlyCreated ? error.reason : error;
  const { errors } = (inner ?? {}) as AwsFailure;
  const code = errorCode(Array.isArray(errors) ? errors[0] : inner);
  const status = (inner as AwsFailure)?.$metadata?.httpStatusCode;
  if (status === 501) return "the endpoint does not offer this operation";
  return cures.find(([pattern]) => pattern.test(code))?.[1];
}
