/** Whose mistake an error is, in the words of the AWS protocols. */
export type Fault = "client" | "server";

/** What an {@link AwsError} may carry beyond code, message and status. */
export interface AwsErrorDetail {
  /** Members of the error shape besides the message, for example `Item` or `CancellationReasons`. */
  readonly fields?: Record<string, unknown>;
  /** Response headers to send with it. */
  readonly headers?: Record<string, string>;
  /**
   * The code that the query protocol shows when it differs from the shape's name,
   * for example `AWS.SimpleQueueService.NonExistentQueue`.
   */
  readonly queryCode?: string;
}

/**
 * The one error that services throw for a caller to see. Only the protocol layer turns it into bytes.
 *
 * Each service keeps one function per cause in its `errors.ts`.
 */
export class AwsError extends Error {
  /**
   * @param code the error's name on AWS, for example `ResourceNotFoundException`.
   * @param message AWS's own words.
   * @param status HTTP status. @default 400
   */
  constructor(
    readonly code: string,
    message: string,
    readonly status = 400,
    readonly detail: AwsErrorDetail = {},
  ) {
    super(message);
    this.name = code;
  }

  get fault(): Fault {
    return this.status >= 500 ? "server" : "client";
  }
}

const tooMany = /Throttl|ThroughputExceeded|TooManyRequests|RequestLimitExceeded|SlowDown|ServiceUnavailable/;

/** Whether waiting can help: the service has too much to do, or failed itself. */
export const mayPass = (error: unknown): boolean =>
  error instanceof AwsError && error.status !== 501 && (error.fault === "server" || tooMany.test(error.code));

/** What the emulator answers for an operation that AWS has and it has not. */
export const notEmulated = (service: string, operation: string, why = "") =>
  new AwsError(
    "NotImplemented",
    `${service}:${operation} is not emulated by Sensorcast${why ? ` (${why})` : ""}. Nothing was changed.`,
    501,
  );

/** A wrong type in a request body, in the words of AWS's JSON front end. */
export const serializationError = (message: string) => new AwsError("SerializationException", message, 400);

/** The generic answer to an unexpected exception inside the emulator: no detail of it reaches the caller. */
export const internalFailure = () =>
  new AwsError("InternalFailure", "The request processing has failed because of an unknown error.", 500);
