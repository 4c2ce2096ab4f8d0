import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Command } from "@smithy/types";
import type { AccessTable } from "./access/access";
import type { Identity } from "./access/identity";
import type { Bus, Ports } from "./bus";
import type { Clock } from "./clock";
import type { AwsError } from "./errors";
import type { Faults } from "./faults/faults";
import type { PartialFailure } from "./faults/partial";
import type { AccountRate } from "./gateway/account-rate";
import type { Counts } from "./inspection";
import type { Journal } from "./journal/journal";

/** Where a resource lives: state is kept apart for each account and region. */
export interface Scope {
  /** 12 digits. */
  readonly account: string;
  /** For example `eu-west-1`. */
  readonly region: string;
}

/** Who calls, as the request's signature tells. */
export interface Caller {
  /** The access key id of the SigV4 credential, or "" for an unsigned request. */
  readonly accessKeyId: string;
  readonly account: string;
}

/** The parts of the HTTP request that a few operations need (S3 keys, checksums, presigned parameters). */
export interface RawRequest {
  readonly method: string;
  /** Path and query as sent, still percent-encoded. */
  readonly url: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The body with aws-chunked framing already removed. */
  readonly body: Buffer;
  /** Trailing headers of an aws-chunked body, lower-case names (checksum trailers). */
  readonly trailers: Readonly<Record<string, string>>;
  readonly sourceIp: string;
}

/** What every operation is given beside its input. */
export interface Context extends Scope {
  readonly caller: Caller;
  /** Who stands behind the caller: whose policies have allowed this call. */
  readonly identity: Identity;
  readonly requestId: string;
  readonly http: RawRequest;
  /**
   * Overrides for the answer: a status other than the model's (206, 304) and headers that no output member carries; and
   * for who watches, the fault that acted inside of the operation.
   */
  readonly reply: { status?: number; headers?: Record<string, string>; fault?: string };
  /** Keeps entries of a batch from being done; see `lostEntries`. */
  readonly partial?: PartialFailure;
  /** Fires when the caller goes away before its answer; for operations that wait (long polls). */
  readonly signal: AbortSignal;
}

/** Account quotas that AWS raises on request; one bucket for each account and region. */
export interface Quotas {
  /** New WebSocket connections a second, and as many at once. @default 500 */
  readonly connectionsPerSecond: number;
  /** API Gateway requests, messages and `@connections` calls a second. @default 10000 */
  readonly requestsPerSecond: number;
  /** How many of those requests may come at once. @default 5000 */
  readonly requestBurst: number;
  /** Runs of Lambda functions at a time. @default 1000 */
  readonly concurrentExecutions: number;
}

/** What a service may use of the emulator it runs in. One per emulator and service. */
export interface Host {
  readonly clock: Clock;
  readonly bus: Bus;
  /** What happens, for whoever looks on; see {@link Journal}. */
  readonly journal: Journal;
  /** `http://127.0.0.1:4566`: what Lambda functions get as AWS_ENDPOINT_URL. No trailing slash. */
  endpoint(): string;
  /** The host and port for URLs that go to people, for example queue URLs: `localhost:4566`. */
  readonly publicHost: () => string;
  readonly port: () => number;
  readonly quotas: Quotas;
  /** What is left of the requests that API Gateway serves in a second. */
  readonly accountRate: AccountRate;
  /** Where the message broker of AWS IoT Core listens for devices: the address, and the ports to try (0: a free one). */
  readonly mqtt: { readonly address: string; readonly ports: readonly number[] };
  /** Whether SigV4 signatures are checked. */
  readonly verifySignatures: boolean;
  /** What is to go wrong on purpose. */
  readonly faults: Faults;
  /** Reports an unexpected exception in background work; never for a caller's mistake. */
  report(error: unknown, where: string): void;
}

/** Members of an SDK client module that are operations: the name of `SendMessageCommand` is `SendMessage`. */
export type OperationName<Sdk> = { [K in keyof Sdk]: K extends `${infer Name}Command` ? Name : never }[keyof Sdk];

type CommandOf<Sdk, Name extends string> = `${Name}Command` extends keyof Sdk ? Sdk[`${Name}Command`] : never;

// biome-ignore lint/suspicious/noExplicitAny: only the input and output types are read
type AnyCommand<Input, Output> = abstract new (...args: any[]) => Command<any, Input, any, Output, any>;
type CommandInput<C> = C extends AnyCommand<infer Input, infer _Output> ? Input : never;
type CommandOutput<C> = C extends AnyCommand<infer _Input, infer Output> ? Omit<Output, "$metadata"> : never;

/** What an operation of an SDK takes. */
export type InputOf<Sdk, Name extends string> = CommandInput<CommandOf<Sdk, Name>>;
/** What it gives, without the SDK's own metadata. */
export type OutputOf<Sdk, Name extends string> = CommandOutput<CommandOf<Sdk, Name>>;

/**
 * The operations of a service: names and types are those of its SDK client. `Sdk` is the type of the client module,
 * `typeof import("@aws-sdk/client-sqs")`. An operation of the AWS model that has no entry here answers 501 with its name.
 *
 * An operation may return its output or a promise of it; an operation that waits for nothing should not be async,
 * because that costs time on the hot path.
 */
export type Operations<Sdk> = {
  [Name in OperationName<Sdk> & string]?: (
    input: InputOf<Sdk, Name>,
    context: Context,
  ) => OutputOf<Sdk, Name> | Promise<OutputOf<Sdk, Name>>;
};

/** A request to a data plane (an execute-api URL, a user pool's key set): whole, before any AWS protocol is applied. */
export interface DataPlaneRequest {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly method: string;
  /** Path without query, still percent-encoded; for execute-api: everything from the stage on, `/prod/thingsee`. */
  readonly path: string;
  /** The part behind `?`, or "". */
  readonly query: string;
  /** What the route's pattern captured, for example the API id. */
  readonly id: string;
  /** Reads the whole body; rejects with AwsError 413 when it is larger than `limit` bytes. */
  body(limit?: number): Promise<Buffer>;
  /** For who watches: the kinds of the faults that acted on it. */
  fault?: string;
}

/** A request to change the protocol (WebSocket), to a data plane. */
export interface UpgradeRequest extends Pick<DataPlaneRequest, "message" | "path" | "query" | "id" | "fault"> {
  readonly socket: Duplex;
  /** What the client sent behind the request. */
  readonly head: Buffer;
}

/** The query protocol of a service that its SDK no longer describes (SQS before its JSON protocol). */
export interface LegacyQuery {
  fromQuery(fields: URLSearchParams, path: string): { operation: string; input: object };
  toXml(operation: string, output: object, requestId: string): string;
  errorToXml(error: AwsError, requestId: string): string;
}

/** One running service of one emulator. */
export interface Service<Sdk = unknown> {
  readonly operations: Operations<Sdk>;
  /** What each of these operations needs permission for. */
  readonly access: AccessTable<Sdk>;
  /** What other services may ask of this one; see {@link Ports}. */
  readonly ports?: Partial<Ports>;
  /** Form-encoded requests of older SDKs, for a service whose model has moved to JSON. */
  readonly legacyQuery?: LegacyQuery;
  /** Answers data-plane requests; `core/routes.ts` says which paths and hosts belong to which service. */
  serve?(request: DataPlaneRequest): Promise<void> | void;
  /** Answers requests to change the protocol; gives the status of the answer, 101 where it changed. */
  upgrade?(request: UpgradeRequest): Promise<number>;
  /** Whether an execute-api id is one of this service's APIs: two services share these addresses. */
  ownsApi?(id: string): boolean;
  /**
   * Whether a host name (no port) is one that this service answers for, such as a custom domain name. Its requests come
   * to {@link serve} with the host name as `id` and the whole path.
   */
  ownsHost?(host: string): boolean;
  /** How many of what a resource of this service has now, for tools that look on. */
  counts?(arn: string): Counts | undefined;
  /** Forgets all state, stops background work and waits for it; the service goes on as if new. */
  reset(): Promise<void> | void;
  /** Stops for good. @default reset */
  close?(): Promise<void> | void;
}

/** What the registry knows of a service before it is loaded, and how to make one. */
export interface ServiceDefinition<Sdk = unknown> {
  /** The SDK client module that gives the wire protocol; loaded with the service. */
  readonly sdk: () => Sdk;
  /** The client class in that module, for example `SQSClient`. */
  readonly client: keyof Sdk & string;
  create(host: Host): Service<Sdk>;
}

/** Gives a definition its types: `export const sqs = defineService({ sdk: () => require(...), ... })`. */
export const defineService = <Sdk>(definition: ServiceDefinition<Sdk>): ServiceDefinition<Sdk> => definition;

/** State per account and region, made when first asked for. */
export class Scoped<State> {
  private readonly accounts = new Map<string, Map<string, State>>();

  constructor(private readonly make: (scope: Scope) => State) {}

  of({ account, region }: Scope): State {
    let regions = this.accounts.get(account);
    if (!regions) {
      regions = new Map();
      this.accounts.set(account, regions);
    }
    let state = regions.get(region);
    if (!state) {
      state = this.make({ account, region });
      regions.set(region, state);
    }
    return state;
  }

  /** Every state made so far. */
  *all(): Iterable<State> {
    for (const regions of this.accounts.values()) yield* regions.values();
  }

  clear(): void {
    this.accounts.clear();
  }
}
