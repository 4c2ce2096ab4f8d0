/**
 * What kind of step it was:
 * `request`: to a data plane, such as a deployed API, `@connections` or the WebSocket handshake;
 * `call`: of an operation of a service's API;
 * `message`: from a device or browser, by MQTT or on a WebSocket;
 * `invocation`: a run of a function;
 * `batch`: messages or records on their way from a queue or stream to a function;
 * `delivery`: what a service sends or writes by itself, such as a notification of S3 or an action of a rule;
 * `rule`: a rule that fired, of AWS IoT or, by its schedule, of EventBridge;
 * `move`: of a message to another queue, as a dead letter or back.
 */
export type StepKind = "request" | "call" | "message" | "invocation" | "batch" | "delivery" | "rule" | "move";

/** Ids of the steps that something came of. Several, where messages of several senders are one batch. */
export type Causes = readonly number[];

/** A step of what happened in the emulator. What messages say is not in it. */
export interface JournalEntry {
  /** Grows from entry to entry. */
  readonly id: number;
  /** Empty for what came from outside, or by itself. Entries that they name may have been forgotten. */
  readonly causes: Causes;
  readonly kind: StepKind;
  /** Signing name of the service; `execute-api` for deployed APIs. */
  readonly service: string;
  /** Operation, or method and path, route or topic. */
  readonly operation: string;
  /** ARNs of what it used or came from. */
  readonly resources: readonly string[];
  /** Milliseconds since the epoch on the emulator's clock, with fractions. */
  readonly time: number;
  /** On the same clock; absent while the step goes on. */
  readonly durationMs?: number;
  /** Of HTTP. */
  readonly status?: number;
  /** Code or type of the error, where there is one. A status of 400 or more says, too, that the step failed. */
  readonly error?: string;
  /** ARN of the caller, or the principal of the service that did it. */
  readonly caller?: string;
  readonly requestId?: string;
  /** `1-58406520-a006649127e371903a2de979`: what `Root` of the header X-Amzn-Trace-Id says. */
  readonly traceId?: string;
  /** Messages or records in a batch. */
  readonly count?: number;
}

/** An entry while its step goes on: whoever learns something about it writes it down. */
export type OpenEntry = { -readonly [Field in Exclude<keyof JournalEntry, Own>]?: JournalEntry[Field] };

type Required = "kind" | "service" | "operation";
/** What only the journal writes. */
type Own = "id" | "time" | "durationMs";

/** What is known of a step when it begins. */
export interface StepFacts extends Pick<JournalEntry, Required>, Partial<Omit<JournalEntry, Required | Own>> {
  /** The id with which the step names itself as `Parent` in trace headers. */
  readonly segment?: string;
}
