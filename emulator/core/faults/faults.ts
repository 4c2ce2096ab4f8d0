import { randomBytes } from "node:crypto";
import { executeApi } from "../address";
import type { Clock } from "../clock";
import { ConnectionDropped, type Ending, FaultyCall } from "./call";
import { checkFault, type KnownServices } from "./check";
import { Deliveries, defaultHold } from "./deliveries";
import { type Fault, Injected } from "./injected";
import type {
  DropFault,
  ErrorFault,
  FaultKind,
  FaultOptions,
  LatencyFault,
  PartialFailureFault,
  ThrottleFault,
} from "./options";
import { PartialFailure } from "./partial";
import type { Place } from "./place";
import type { Random } from "./random";
import { FaultyRun } from "./run";
import { asWanted, gatewayError, usualError } from "./service-errors";

/** A fault that acted. */
export interface FaultHit {
  readonly fault: Fault;
  readonly service: string;
  readonly operation: string;
  /** ARNs, or `*` where they are not known. */
  readonly resources: readonly string[];
}

/** What tests do with the faults of an emulator. */
export interface FaultControl {
  /**
   * Makes something fail from now on.
   *
   * ```ts
   * const fault = emulator.faults.inject({ fault: "throttle", service: "dynamodb", resource: "readings", count: 3 });
   * ```
   *
   * @throws InvalidFault with everything that is wrong, and what would be right.
   */
  inject(options: FaultOptions): Fault;
  /** All that have been injected and not removed, oldest first. */
  list(): readonly Fault[];
  /** Removes all. */
  clear(): void;
  /** Calls `watcher` each time a fault acts. Returns the way to stop. */
  watch(watcher: (hit: FaultHit) => void): () => void;
}

/** What the services know of errors: the statuses that their models have. */
export interface KnownErrors extends KnownServices {
  /** The HTTP status of an error of a service; undefined where the model has none. */
  status(service: string, code: string): number | undefined;
}

/** A fault that wants to act, and its random numbers. */
interface Wanting<Options extends FaultOptions> {
  readonly fault: Injected<Options>;
  readonly random: Random;
}

/** The faults of one emulator: those who inject them, and the places where they act. */
export class Faults implements FaultControl {
  /** Whether anything can act at all. Every place asks this first, so that nothing costs time without faults. */
  active = false;
  private readonly injected = new Map<string, Injected>();
  private readonly watchers = new Set<(hit: FaultHit) => void>();
  private counter = 0;
  /** Where deliveries wait that are to be overtaken. */
  readonly deliveries: Deliveries;

  constructor(
    private readonly clock: Clock,
    private readonly known: () => KnownErrors,
  ) {
    this.deliveries = new Deliveries(this, clock);
  }

  /** @param given as {@link FaultControl.inject} takes it, or anything that came over HTTP. */
  inject(given: unknown): Fault {
    const options = checkFault(given, this.known());
    const id = `fault-${++this.counter}`;
    const seed = options.seed ?? randomBytes(4).readUInt32BE();
    const fault = new Injected(id, options, seed, () => this.changed());
    this.injected.set(id, fault);
    this.active = true;
    return fault;
  }

  list(): readonly Injected[] {
    return [...this.injected.values()];
  }

  get(id: string): Fault | undefined {
    return this.injected.get(id);
  }

  clear(): void {
    for (const fault of this.list()) fault.remove();
  }

  watch(watcher: (hit: FaultHit) => void): () => void {
    this.watchers.add(watcher);
    return () => {
      this.watchers.delete(watcher);
    };
  }

  /** What faults do to a call; undefined where none does anything. */
  call(place: Place): FaultyCall | undefined {
    return this.callWith(place, this.wanting(place, "latency"), this.wanting(place, "partialFailure")[0]);
  }

  /** {@link call} for one that nobody waits for. */
  callAtOnce(place: Place): FaultyCall | undefined {
    return this.callWith(place, []);
  }

  private callWith(
    place: Place,
    delays: readonly Wanting<LatencyFault>[],
    splitter?: Wanting<PartialFailureFault>,
  ): FaultyCall | undefined {
    const [ender] = isRun(place)
      ? this.wanting(place, "error", "drop")
      : this.wanting(place, "throttle", "error", "drop");
    if (delays.length === 0 && !ender && !splitter) return undefined;
    const act = (fault: Injected) => {
      call.note(fault);
      this.hit(fault, place);
    };
    const ending = ender && { fault: ender.fault, error: this.errorOf(ender.fault.options, place) };
    const partial = splitter && new PartialFailure(splitter.fault, splitter.random, () => act(splitter.fault));
    const slow = delays.map(({ fault }) => fault);
    const call = new FaultyCall(this.clock, slow, ending, partial);
    for (const fault of slow) act(fault);
    if (ender) act(ender.fault);
    return call;
  }

  /**
   * What a fault does to a run of a function, wherever the event came from.
   *
   * @param functionArn with its qualifier.
   */
  run(functionArn: string): FaultyRun | undefined {
    const place = { service: "lambda", operation: "Invoke", resources: [functionArn] };
    const [found] = this.wanting(place, "throttle", "crash", "timeout");
    if (!found) return undefined;
    this.hit(found.fault, place);
    return new FaultyRun(found.fault);
  }

  /** Whether a fault cuts a connection over which something is sent that has no answer, and when. */
  cuts(place: Place): "before" | "after" | undefined {
    const [found] = this.wanting(place, "drop");
    if (!found) return undefined;
    this.hit(found.fault, place);
    return found.fault.options.after ? "after" : "before";
  }

  /** Whether something that is delivered at least once is to come twice. */
  duplicates(place: Place): boolean {
    const [found] = this.active ? this.wanting(place, "duplicate") : [];
    if (found) this.hit(found.fault, place);
    return found !== undefined;
  }

  /**
   * How long a delivery is to wait for the next one, in milliseconds; undefined where it does not.
   *
   * @param isFree whether it can wait at all: of two that would, one has to go first.
   */
  reorders(place: Place, isFree: boolean): number | undefined {
    const [found] = this.active ? this.wanting(place, "reorder") : [];
    if (!found || !isFree) return undefined;
    this.hit(found.fault, place);
    return found.fault.options.delayMs ?? defaultHold;
  }

  /** Those of some kinds that want to act at a place. Each draws its number, whatever the others do. */
  private wanting<Kind extends FaultKind>(place: Place, ...kinds: readonly Kind[]) {
    const found: Wanting<Extract<FaultOptions, { fault: Kind }>>[] = [];
    for (const fault of this.injected.values()) {
      if (!fault.is(...kinds)) continue;
      const random = fault.draw(place);
      if (random) found.push({ fault, random });
    }
    return found;
  }

  private hit(fault: Injected, { service, operation, resources }: Place): void {
    fault.hit();
    for (const watch of this.watchers) watch({ fault, service, operation, resources });
  }

  private errorOf(options: ThrottleFault | ErrorFault | DropFault, place: Place): Ending["error"] {
    if (options.fault === "drop") return new ConnectionDropped();
    const usual = usualError(options.fault === "throttle" ? "throttle" : "failure", place);
    if (place.service === executeApi) return gatewayError(usual, options);
    return asWanted(usual, options, (code) => this.known().status(place.service, code));
  }

  private changed(): void {
    for (const [id, fault] of this.injected) if (fault.removed.aborted) this.injected.delete(id);
    this.active = [...this.injected.values()].some(({ ended }) => !ended);
  }
}

/** A call that is accepted whatever the function's concurrency is: its runs are throttled, not the call. */
const isRun = ({ service, operation }: Place): boolean => service === "lambda" && /^Invoke(Async)?$/.test(operation);
