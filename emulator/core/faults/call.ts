import type { Clock } from "../clock";
import { AwsError } from "../errors";
import type { Injected } from "./injected";
import type { DropFault, ErrorFault, FaultKind, LatencyFault, ThrottleFault } from "./options";
import type { PartialFailure } from "./partial";

/** The answer to a call whose connection is cut: none. */
export class ConnectionDropped extends Error {
  constructor() {
    super("the connection was cut by a fault");
  }
}

/** How a call ends. */
export interface Ending {
  readonly fault: Injected<ThrottleFault | ErrorFault | DropFault>;
  readonly error: AwsError | ConnectionDropped;
}

export interface RunOptions {
  /** Fires when the caller has gone away: nobody is kept waiting then. */
  readonly signal?: AbortSignal;
  /** Whether what an operation throws is an answer to its caller. @default whether it is an AwsError */
  readonly isAnswer?: (error: unknown) => boolean;
}

const isAwsError = (error: unknown): boolean => error instanceof AwsError;

/** What faults do to one call. */
export class FaultyCall {
  private readonly kinds: FaultKind[] = [];

  constructor(
    private readonly clock: Clock,
    private readonly delays: readonly Injected<LatencyFault>[],
    private readonly ending: Ending | undefined,
    /** What keeps entries of a batch from being done. */
    readonly partial: PartialFailure | undefined,
  ) {}

  /** Notes a fault that acts. */
  note({ options }: Injected): void {
    this.kinds.push(options.fault);
  }

  /** The kinds that have acted, as watchers are shown them; undefined where none has. */
  get label(): string | undefined {
    return this.kinds.join(", ") || undefined;
  }

  /**
   * Does the call as the faults have it.
   *
   * @throws AwsError or ConnectionDropped in place of its answer.
   */
  async run<Output>(operation: () => Output | Promise<Output>, { signal, isAnswer }: RunOptions = {}): Promise<Output> {
    await this.wait(false, signal);
    this.refuse();
    let output: Output;
    try {
      output = await operation();
    } catch (error) {
      throw this.instead(error, isAnswer);
    }
    await this.wait(true, signal);
    if (this.ending) throw this.ending.error;
    return output;
  }

  /** {@link run} for a call that nothing waits for: without any delay. */
  runAtOnce<Output>(operation: () => Output): Output {
    this.refuse();
    let output: Output;
    try {
      output = operation();
    } catch (error) {
      throw this.instead(error);
    }
    if (this.ending) throw this.ending.error;
    return output;
  }

  /** Whether the call is done, and its answer is lost or another one. */
  get losesAnswer(): boolean {
    const options = this.ending?.fault.options;
    return options !== undefined && "after" in options && options.after === true;
  }

  /** Ends a call that is not to be done. */
  private refuse(): void {
    if (this.ending && !this.losesAnswer) throw this.ending.error;
  }

  /** What a call rejects with: its answer is lost whatever it says, but what is no answer has to be reported. */
  private instead(error: unknown, isAnswer: RunOptions["isAnswer"] = isAwsError): unknown {
    return this.ending && isAnswer(error) ? this.ending.error : error;
  }

  private async wait(after: boolean, signal: AbortSignal | undefined): Promise<void> {
    for (const fault of this.delays) {
      if ((fault.options.after ?? false) !== after) continue;
      const passed = pass(this.clock, fault, signal);
      if (fault.options.clock === "emulator") this.clock.stall(passed);
      await passed;
    }
  }
}

/** Lets the time of a latency pass: until it is over, the fault is removed or nobody waits any more. */
function pass(clock: Clock, { options, removed }: Injected<LatencyFault>, signal?: AbortSignal): Promise<void> {
  const { delayMs, clock: which = "real" } = options;
  return new Promise((resolve) => {
    const end = AbortSignal.any(signal ? [removed, signal] : [removed]);
    const over = () => {
      cancel();
      end.removeEventListener("abort", over);
      resolve();
    };
    const cancel = start(which === "emulator" ? clock : undefined, delayMs, over);
    end.addEventListener("abort", over);
    if (end.aborted) over();
  });
}

function start(clock: Clock | undefined, delayMs: number, over: () => void): () => void {
  if (clock) {
    const timer = clock.after(delayMs, over);
    return () => timer.cancel();
  }
  const timer = setTimeout(over, delayMs);
  return () => clearTimeout(timer);
}
