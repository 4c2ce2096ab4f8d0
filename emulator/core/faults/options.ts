/** What a fault acts on: everything that fits all that is given. */
export interface FaultPlace {
  /**
   * A service by its signing name, such as "dynamodb" or "cognito-idp"; "execute-api" for what is sent to deployed APIs
   * and by them.
   *
   * @default every service
   */
  service?: string;
  /**
   * An operation, such as "BatchWriteItem"; `*` and `?` stand for other characters. Of "execute-api": what watchers of
   * requests are shown, such as "POST /prod/thingsee".
   *
   * @default every operation
   */
  operation?: string;
  /**
   * An ARN with `*` and `?`, as policies have them, or the name of a table, queue, function, bucket ... Calls that concern
   * no resource, or none that is known beforehand, do not fit.
   *
   * @default every resource
   */
  resource?: string;
}

/** When a fault acts. */
export interface FaultChance {
  /** How likely it is at each call that fits: 0 to 1. @default 1 */
  probability?: number;
  /**
   * Where the random numbers begin, 0 to 2^32 - 1: with the same seed, the nth call that fits always has the same fate.
   *
   * @default a random one, which the fault then shows
   */
  seed?: number;
  /** Ends the fault after it has acted this often. @default never */
  count?: number;
}

/** AWS's own words for something else than the usual error. */
export interface FaultError {
  /** An error code, such as "ConditionalCheckFailedException". @default the service's own for this fault */
  code?: string;
  /** @default AWS's own words where the code is the default, else a sentence that says it was a fault */
  message?: string;
  /** HTTP status, 400 to 599. @default what the model of the service has for the code, else 500 */
  status?: number;
}

/**
 * A fault to inject. Each kind is a type of its own:
 *
 * - `throttle`: the call is refused as too many are; nothing is done. For a function: its concurrency is used up.
 * - `error`: the service fails, or answers with any error that you name.
 * - `latency`: the call takes longer.
 * - `drop`: the connection is cut without an answer.
 * - `partialFailure`: some entries of a batch are not done, and the answer says which.
 * - `crash`, `timeout`: a run of a function ends so.
 * - `duplicate`: a delivery comes twice, where AWS delivers at least once.
 * - `reorder`: a delivery is overtaken by the next one, where AWS promises no order.
 */
export type FaultOptions =
  | ThrottleFault
  | ErrorFault
  | LatencyFault
  | DropFault
  | PartialFailureFault
  | CrashFault
  | TimeoutFault
  | DuplicateFault
  | ReorderFault;

export type FaultKind = FaultOptions["fault"];

export interface ThrottleFault extends FaultPlace, FaultChance, FaultError {
  fault: "throttle";
}

export interface ErrorFault extends FaultPlace, FaultChance, FaultError {
  fault: "error";
  /** Other members of the error's shape, such as `CancellationReasons`. */
  fields?: Record<string, unknown>;
  /** Whether the call is done all the same, and only its answer is replaced. @default false */
  after?: boolean;
}

export interface LatencyFault extends FaultPlace, FaultChance {
  fault: "latency";
  /** How much longer the call takes, in milliseconds. */
  delayMs: number;
  /**
   * Which time passes meanwhile: "real", in which the time-outs of callers run, or "emulator", so that
   * `clock.advance()` ends the wait.
   *
   * @default "real"
   */
  clock?: "real" | "emulator";
  /** Whether the call is done at once, and only its answer comes late. @default false */
  after?: boolean;
}

export interface DropFault extends FaultPlace, FaultChance {
  fault: "drop";
  /** Whether the call is done before the connection is cut: the caller cannot know. @default false */
  after?: boolean;
}

export interface PartialFailureFault extends FaultPlace, FaultChance, Omit<FaultError, "status"> {
  fault: "partialFailure";
  /** How much of the entries of a batch fails: above 0, to 1; at least one entry does. @default 0.5 */
  share?: number;
}

/** A function by its name or ARN in `resource`. */
interface RunFault extends Omit<FaultPlace, "operation">, FaultChance {
  /** Whether the handler does its work first, and only its answer is lost. @default false */
  after?: boolean;
}

export interface CrashFault extends RunFault {
  fault: "crash";
}

export interface TimeoutFault extends RunFault {
  fault: "timeout";
  /** Whether the function's whole timeout passes first, in real time. @default false, the run ends at once */
  wait?: boolean;
}

/** What delivers, such as "sqs", and from where: a queue, topic, bucket, rule, stream or function. */
interface DeliveryFault extends Omit<FaultPlace, "operation">, FaultChance {}

export interface DuplicateFault extends DeliveryFault {
  fault: "duplicate";
}

export interface ReorderFault extends DeliveryFault {
  fault: "reorder";
  /** How long a delivery waits for another one to overtake it, in milliseconds on the emulator's clock. @default 1000 */
  delayMs?: number;
}
