import type { FaultKind, FaultOptions } from "./options";
import { type Place, placeMatches } from "./place";
import { Random } from "./random";

/** A fault that has been injected. */
export interface Fault {
  /** Names it over HTTP: `/_emulator/faults/{id}`. */
  readonly id: string;
  /** As given. */
  readonly options: FaultOptions;
  /** Given or made up: the same seed and the same calls give the same faults. */
  readonly seed: number;
  /** How many calls fitted while it was there. */
  readonly matched: number;
  /** How often it acted. */
  readonly hits: number;
  /** Whether it will not act any more: it was removed, or has acted `count` times. */
  readonly ended: boolean;
  /** Ends it. A call that it holds up goes on at once. */
  remove(): void;
}

/** A fault at work. */
export class Injected<Options extends FaultOptions = FaultOptions> implements Fault {
  matched = 0;
  hits = 0;
  private readonly end = new AbortController();

  constructor(
    readonly id: string,
    readonly options: Options,
    readonly seed: number,
    private readonly changed: (fault: Fault) => void,
  ) {}

  get ended(): boolean {
    return this.end.signal.aborted || this.hits >= (this.options.count ?? Number.POSITIVE_INFINITY);
  }

  /** Fires when it is removed. */
  get removed(): AbortSignal {
    return this.end.signal;
  }

  remove(): void {
    this.end.abort();
    this.changed(this);
  }

  is<Kind extends FaultKind>(...kinds: readonly Kind[]): this is Injected<Extract<FaultOptions, { fault: Kind }>> {
    return (kinds as readonly FaultKind[]).includes(this.options.fault);
  }

  /** Whether it wants to act here, and the random numbers for what it does then. Every place that fits counts. */
  draw(place: Place): Random | undefined {
    if (this.ended || !placeMatches(this.options, place)) return undefined;
    const random = Random.of(this.seed, this.matched++);
    return random.next() < (this.options.probability ?? 1) ? random : undefined;
  }

  /** It has acted. */
  hit(): void {
    this.hits++;
    this.changed(this);
  }

  toJSON() {
    const { id, options, seed, matched, hits, ended } = this;
    return { id, ...options, seed, matched, hits, ended };
  }
}
