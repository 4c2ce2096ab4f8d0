import { randomUUID } from "node:crypto";
import { failing } from "../../core/faults/ports";
import { continueTrace } from "../../core/journal/trace";
import { limits } from "../../core/limits";
import type { Host, Scoped } from "../../core/service";
import type { Outcome } from "../../lambda/environment";
import type { LambdaRuntime } from "../../lambda/runtime";
import { functionNotFound, payloadNotJson, payloadTooLarge, throttled } from "./errors";
import { parseFunctionArn, versionOf } from "./names";
import type { FunctionRecord, LambdaState } from "./state";

/** Bytes. */
export const payloadLimits = {
  RequestResponse: limits.lambda.requestPayload.value,
  Event: limits.lambda.eventPayload.value,
} as const;

export interface Invocation {
  readonly fn: FunctionRecord;
  readonly qualifier?: string;
  /** JSON, or "" for `{}`. */
  readonly payload: string;
  readonly requestId?: string;
  readonly traceId?: string;
  /** JSON. */
  readonly clientContext?: string;
  /** Told of the kind of a fault that acts on the run. */
  readonly onFault?: (kind: string) => void;
}

export interface InvocationResult extends Outcome {
  readonly executedVersion: string;
  readonly requestId: string;
}

/** Sends events to the runtime, within the concurrency that the function and the account have. */
export class Invoker {
  private readonly waiting = new WeakMap<FunctionRecord, Set<() => void>>();

  /**
   * Runs one event for who has no API in front of the function, as event source mappings: what faults do to a call of
   * Invoke happens here.
   */
  readonly call: (invocation: Invocation) => Promise<InvocationResult>;

  constructor(
    private readonly states: Scoped<LambdaState>,
    private readonly runtime: LambdaRuntime,
    private readonly host: Pick<Host, "clock" | "faults" | "journal" | "quotas">,
  ) {
    // Tracked inside: a delay that a fault makes may be one on the clock itself.
    this.call = failing(
      host.faults,
      (invocation) => this.invokeInBackground(invocation),
      (invocation) => ({ service: "lambda", operation: "Invoke", resources: [arnOf(invocation)] }),
    );
  }

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
    const functionArn = arnOf(invocation);
    const fault = this.host.faults.active ? this.host.faults.run(functionArn) : undefined;
    if (fault) invocation.onFault?.(fault.kind);
    if (fault?.kind === "throttle") throw fault.refusal(throttled("ReservedFunctionConcurrentInvocationLimitExceeded"));
    this.admit(state, fn);
    fn.inFlight++;
    state.inFlight++;
    // Each invocation is a segment of its own in the trace that it was called in.
    const { header, root, segment } = continueTrace(invocation.traceId, Date.now());
    const call = { id: requestId, event: payload, functionArn, clientContext: invocation.clientContext ?? "" };
    try {
      const outcome = await this.host.journal.step(
        () => ({
          ...{ kind: "invocation", service: "lambda", operation: "Invoke", resources: [functionArn] },
          ...{ requestId, traceId: root, segment },
        }),
        async (entry) => {
          const ended = await this.runtime.invoke(runnable, { ...call, traceId: header, forcedEnd: fault?.end });
          entry.error = ended.errorType;
          return ended;
        },
      );
      if (outcome.notJson !== undefined) throw payloadNotJson(outcome.notJson);
      return { ...outcome, executedVersion: config.Version!, requestId };
    } finally {
      fn.inFlight--;
      state.inFlight--;
      this.release(state, fn);
    }
  }

  /** Runs one event that no client waits for: the clock lets it finish before it moves on. Throws as {@link invoke}. */
  invokeInBackground(invocation: Invocation): Promise<InvocationResult> {
    const { traceId = continueTrace(undefined, Date.now()).header } = invocation;
    return this.host.clock.track(this.invoke({ ...invocation, traceId }), traceId);
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
    let room = this.host.quotas.concurrentExecutions - state.inFlight;
    // What functions have reserved is theirs, used or not.
    for (const { reservedConcurrency, inFlight } of state.functions.values()) {
      if (reservedConcurrency !== undefined) room -= reservedConcurrency - inFlight;
    }
    return room;
  }
}

const arnOf = ({ fn, qualifier }: Invocation): string => (qualifier ? `${fn.arn}:${qualifier}` : fn.arn);

/** Refuses a payload that is too large for its way of invocation. */
export function checkPayloadSize(size: number, type: keyof typeof payloadLimits): void {
  if (size > payloadLimits[type]) throw payloadTooLarge(size, type, payloadLimits[type]);
}
