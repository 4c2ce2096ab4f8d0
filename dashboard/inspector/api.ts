/** What the inspector's server and its page say to each other, as JSON. Times are milliseconds since the epoch. */

/** The figures on top, and the clock. */
export interface Overview {
  readonly stack: string;
  /** The emulator's time. */
  readonly now: number;
  /** How far it is ahead of this machine's. */
  readonly aheadMs: number;
  readonly journeys: number;
  readonly troubled: number;
  readonly deadLetters: number;
  readonly denials: number;
  /** Faults that can still act. */
  readonly faults: number;
}

/** A resource of the stack. */
export interface Resource {
  readonly urn: string;
  /** `aws:sqs/queue:Queue`. */
  readonly type: string;
  /** In the program. */
  readonly name: string;
  readonly parent?: string;
  /** ARN, else the physical id; components have none. */
  readonly id?: string;
  /** It has no local behaviour. */
  readonly recorded: boolean;
  /** What there is of what in it now. */
  readonly counts?: Readonly<Record<string, number>>;
}

/** The way of one message through the services, or of one request. */
export interface Journey {
  /** That of the step with which it began. */
  readonly id: number;
  readonly what: string;
  readonly where: string;
  readonly time: number;
  /** Until the last step so far has ended. */
  readonly durationMs: number;
  /** Until the sender had its answer. */
  readonly answeredMs?: number;
  /** Of the answer. */
  readonly status?: number;
  readonly steps: number;
  /** Something in it failed. */
  readonly troubled: boolean;
  /** A step goes on. */
  readonly running: boolean;
  readonly traceId?: string;
}

export interface Span {
  /** Milliseconds since the journey began. */
  readonly at: number;
  readonly durationMs: number;
}

/** A row of a timeline: a step, or several like it. */
export interface Row {
  readonly what: string;
  readonly where: string;
  readonly kind: string;
  /** How deep it hangs below the first. */
  readonly depth: number;
  readonly spans: readonly Span[];
  /** How long it waited in a queue or stream before. */
  readonly wait?: Span;
  /** A status or an error code. */
  readonly outcome?: string;
  readonly failed: boolean;
  readonly running: boolean;
}

export interface Timeline extends Journey {
  readonly rows: readonly Row[];
  /** Steps that are not among the rows, because there are too many. */
  readonly left: number;
}

export interface Queue {
  readonly arn: string;
  readonly name: string;
  readonly waiting: number;
  readonly inFlight: number;
  readonly delayed: number;
  readonly isDeadLetter: boolean;
  /** How its messages get where they belong, in words for a button's title; absent where nothing knows how. */
  readonly replay?: string;
}

export interface Message {
  readonly id: string;
  readonly body: string;
  /** The body is longer. */
  readonly cut: boolean;
  readonly state: string;
  readonly sentAt: number;
  readonly receives: number;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface Messages {
  readonly messages: readonly Message[];
  /** Messages in the queue. */
  readonly all: number;
}

/** What IAM refused, however often. */
export interface Denied {
  readonly time: number;
  readonly times: number;
  readonly who: string;
  readonly action: string;
  readonly resource: string;
  /** `because no identity-based policy allows the sqs:SendMessage action`; empty where AWS does not say why. */
  readonly reason: string;
  readonly place: string;
  /** JSON of the statement that would allow it; absent where a Deny stands against it. */
  readonly statement?: string;
}

export interface ActiveFault {
  readonly id: string;
  /** `throttle`, `drop` ... */
  readonly fault: string;
  /** Where it acts, in words. */
  readonly where: string;
  /** As it was injected. */
  readonly options: object;
  readonly hits: number;
  readonly matched: number;
  readonly ended: boolean;
}

/** Something did not go: words for people. */
export interface Problem {
  readonly message: string;
}

/** What an action came to: words for people. */
export interface Done {
  readonly message: string;
}
