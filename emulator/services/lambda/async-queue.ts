import { randomUUID } from "node:crypto";
import type { Timer } from "../../core/clock";
import { AwsError } from "../../core/errors";
import { limits } from "../../core/limits";
import type { Host } from "../../core/service";
import type { AsyncConfig } from "./async-config";
import { deliverDeadLetter, deliverRecord, type FinishedEvent } from "./destinations";
import type { Invocation, InvocationResult, Invoker } from "./invoker";
import type { FunctionRecord } from "./state";

interface QueuedEvent extends Invocation {
  readonly requestId: string;
  /** Milliseconds since the epoch, on the emulator's clock. */
  readonly accepted: number;
  /** Runs of the function so far. */
  attempts: number;
  throttles: number;
}

/** Waits before the first and the second retry (https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html). */
const retryDelays = [60_000, 120_000];
const defaultMaxAge = limits.lambda.asyncAge.value;

/** Throttled events come back after 1 s, then later and later, up to 5 min. */
const throttleDelay = (throttles: number) => Math.min(1_000 * 2 ** (throttles - 1), 300_000);

/** Events of asynchronous invocations: runs, retries and sends them on to destinations and dead-letter queues. */
export class AsyncQueue {
  private readonly waiting = new Map<QueuedEvent, Timer>();
  private readonly forgotten = new WeakSet<FunctionRecord>();
  /** Counts resets: what ran before the last one has no effect any more. */
  private epoch = 0;

  constructor(
    private readonly host: Host,
    private readonly invoker: Invoker,
  ) {}

  /** Accepts an event. It runs in the next turn of the event loop, after the answer to the caller. */
  add(invocation: Invocation): void {
    const requestId = invocation.requestId ?? randomUUID();
    const accepted = this.host.clock.now();
    const { fn } = invocation;
    const place = { service: "lambda", operation: "Invoke", resources: [fn.arn] };
    void this.host.faults.deliveries.send(place, fn.arn, () =>
      this.run({ ...invocation, requestId, accepted, attempts: 0, throttles: 0 }),
    );
  }

  /** Drops the events of a deleted function. */
  forget(fn: FunctionRecord): void {
    this.forgotten.add(fn);
    for (const [event, timer] of this.waiting) {
      if (event.fn !== fn) continue;
      timer.cancel();
      this.waiting.delete(event);
    }
  }

  /** Drops all events. */
  clear(): void {
    this.epoch++;
    for (const timer of this.waiting.values()) timer.cancel();
    this.waiting.clear();
  }

  private async run(event: QueuedEvent): Promise<void> {
    try {
      await this.attempt(event);
    } catch (error) {
      this.host.report(error, "asynchronous invocation");
    }
  }

  private async attempt(event: QueuedEvent): Promise<void> {
    const { fn } = event;
    const { epoch } = this;
    const over = () => epoch !== this.epoch || this.forgotten.has(fn);
    const config = fn.asyncConfigs.get(event.qualifier ?? "$LATEST");
    if (fn.reservedConcurrency === 0) return this.giveUp(event, config, "ZeroReservedConcurrency");
    if (this.tooOld(event, config, 0)) return this.giveUp(event, config, "EventAgeExceeded");
    let result: InvocationResult;
    try {
      result = await this.invoker.invokeInBackground(event);
    } catch (error) {
      if (over()) return;
      if (!(error instanceof AwsError)) throw error;
      event.throttles++;
      return this.retry(event, config, throttleDelay(event.throttles));
    }
    if (over()) return;
    event.attempts++;
    if (result.errorType === undefined) return this.succeed(event, config, result);
    const delay =
      event.attempts <= (config?.retries ?? retryDelays.length) ? retryDelays[event.attempts - 1] : undefined;
    if (delay === undefined) return this.giveUp(event, config, "RetriesExhausted", result);
    return this.retry(event, config, delay, result);
  }

  private retry(
    event: QueuedEvent,
    config: AsyncConfig | undefined,
    delay: number,
    result?: InvocationResult,
  ): Promise<void> | undefined {
    if (this.tooOld(event, config, delay)) return this.giveUp(event, config, "EventAgeExceeded", result);
    const timer = this.host.clock.after(delay, () => {
      this.waiting.delete(event);
      void this.run(event);
    });
    this.waiting.set(event, timer);
    return undefined;
  }

  private tooOld(event: QueuedEvent, config: AsyncConfig | undefined, delay: number): boolean {
    return this.host.clock.now() + delay - event.accepted > (config?.maxAge ?? defaultMaxAge) * 1000;
  }

  private async succeed(event: QueuedEvent, config: AsyncConfig | undefined, result: InvocationResult): Promise<void> {
    const destination = config?.destinations.OnSuccess?.Destination;
    if (destination) await deliverRecord(this.host, destination, this.finished(event, "Success", result));
  }

  private async giveUp(
    event: QueuedEvent,
    config: AsyncConfig | undefined,
    condition: FinishedEvent["condition"],
    result?: InvocationResult,
  ): Promise<void> {
    const finished = this.finished(event, condition, result);
    const destination = config?.destinations.OnFailure?.Destination;
    const queue = event.fn.latest.config.DeadLetterConfig?.TargetArn;
    await Promise.all([
      destination && deliverRecord(this.host, destination, finished),
      queue && deliverDeadLetter(this.host, queue, finished),
    ]);
  }

  private finished(
    event: QueuedEvent,
    condition: FinishedEvent["condition"],
    result?: InvocationResult,
  ): FinishedEvent {
    const { fn, qualifier, requestId, payload, attempts } = event;
    const functionArn = `${fn.arn}:${qualifier ?? "$LATEST"}`;
    return { functionArn, fn, requestId, payload, attempts, condition, result, time: this.host.clock.now() };
  }
}
