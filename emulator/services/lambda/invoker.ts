import { randomBytes, randomUUID } from "node:crypto";
import type { Scoped } from "../../core/service";
import type { Outcome } from "../../lambda/environment";
import type { LambdaRuntime } from "../../lambda/runtime";
import { functionNotFound, payloadNotJson, payloadTooLarge, throttled } from "./errors";
import { parseFunctionArn, versionOf } from "./names";
import { accountConcurrency, type FunctionRecord, type LambdaState } from "./state";

/** Bytes (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html). */
export const payloadLimits = { RequestResponse: 6_291_456, Event: 1_048_576 } as const;

export interface Invocation {
  readonly fn: FunctionRecord;
  readonly qualifier?: string;
  /** JSON, or "" for `{}`. */
  readonly payload: string;
  readonly requestId?: string;
  readonly traceId?: string;
  /** JSON. */
  readonly clientContext?: string;
}

export interface InvocationResult extends Outcome {
  readonly executedVersion: string;
  readonly requestId: string;
}

/** Sends events to the runtime, within the concurrency that the function and the account have. */
export class Invoker {
  private readonly waiting = new WeakMap<FunctionRecord, Set<() => void>>();

  constructor(
    private readonly states: Scoped<LambdaState>,
    private readonly runtime: LambdaRuntime,
  ) {}

  /**
   * Runs one event.
   *
   * @throws AwsError TooManyRequestsException when the concurrency is used up, InvalidRequestContentException when the
   *   payload is not JSON (found by the function's environment, which parses it anyway).
   */
  async invoke(invocation: Invocation): Promise<InvocationResult> {
    const { fn, qualifier, payload, requestId = randomUUID() } = invocation;
    const { config, runnable } = versionOf(fn, qualifier);
    const state = this.states.of(runnable);
    this.admit(state, fn);
    fn.inFlight++;
    state.inFlight++;
    try {
      const outcome = await this.runtime.invoke(runnable, {
        id: requestId,
        event: payload,
        functionArn: qualifier ? `${fn.arn}:${qualifier}` : fn.arn,
        traceId: invocation.traceId ?? newTrace(),
        clientContext: invocation.clientContext ?? "",
      });
      if (outcome.notJson !== undefined) throw payloadNotJson(outcome.notJson);
      return { ...outcome, executedVersion: config.Version!, requestId };
    } finally {
      fn.inFlight--;
      state.inFlight--;
      this.release(state, fn);
    }
  }

  /**
   * Calls a listener once when an invocation of the function has ended and there is room for one of the listener's own:
   * each in its turn, the one that has waited longest first. Returns what takes it back.
   */
  onFreed(fn: FunctionRecord, listener: () => void): () => void {
    const waiting = this.waiting.get(fn) ?? new Set();
    this.waiting.set(fn, waiting);
    waiting.add(listener);
    return () => waiting.delete(listener);
  }

  /** The function behind an ARN of any account and region of this emulator. */
  find(functionArn: string): { fn: FunctionRecord; qualifier?: string } {
    const reference = parseFunctionArn(functionArn);
    const fn = reference && this.states.of(reference).functions.get(reference.name);
    if (!fn) throw functionNotFound(functionArn);
    return { fn, qualifier: reference.qualifier };
  }

  private release(state: LambdaState, fn: FunctionRecord): void {
    const waiting = this.waiting.get(fn) ?? new Set();
    let room = this.room(state, fn);
    for (const listener of waiting) {
      if (room-- <= 0) return;
      waiting.delete(listener);
      listener();
    }
  }

  private admit(state: LambdaState, fn: FunctionRecord): void {
    if (this.room(state, fn) > 0) return;
    const reserved = fn.reservedConcurrency !== undefined;
    throw throttled(
      reserved ? "ReservedFunctionConcurrentInvocationLimitExceeded" : "ConcurrentInvocationLimitExceeded",
    );
  }

  /** How many more invocations of a function may begin. */
  private room(state: LambdaState, fn: FunctionRecord): number {
    if (fn.reservedConcurrency !== undefined) return fn.reservedConcurrency - fn.inFlight;
    let room = accountConcurrency - state.inFlight;
    // What functions have reserved is theirs, used or not.
    for (const { reservedConcurrency, inFlight } of state.functions.values()) {
      if (reservedConcurrency !== undefined) room -= reservedConcurrency - inFlight;
    }
    return room;
  }
}

/** Refuses a payload that is too large for its way of invocation. */
export function checkPayloadSize(size: number, type: keyof typeof payloadLimits): void {
  if (size > payloadLimits[type]) throw payloadTooLarge(size, type, payloadLimits[type]);
}

/** A root of an X-Ray trace that nobody samples (https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader). */
function newTrace(): string {
  const random = randomBytes(20).toString("hex");
  const time = Math.floor(Date.now() / 1000).toString(16);
  return `Root=1-${time}-${random.slice(0, 24)};Parent=${random.slice(24)};Sampled=0`;
}
