import type { Host, Operations, Scoped } from "../../core/service";
import type { LambdaRuntime } from "../../lambda/runtime";
import type { AsyncQueue } from "./async-queue";
import type { Invoker } from "./invoker";
import type { Pollers } from "./sources/pollers";
import type { LambdaState } from "./state";

export type Sdk = typeof import("@aws-sdk/client-lambda");

export type LambdaOperations = Operations<Sdk>;

/** What the operations of this service work with. */
export interface Parts {
  readonly host: Host;
  readonly states: Scoped<LambdaState>;
  readonly runtime: LambdaRuntime;
  readonly invoker: Invoker;
  readonly queue: AsyncQueue;
  readonly pollers: Pollers;
}
