import { difference, type Metadata, merge, mergeMetadata, type State, stamp } from "./documents";

/** A change that a request asks for, checked. */
export interface Change {
  /** Null takes the whole part away. */
  readonly desired?: State | null;
  readonly reported?: State | null;
  readonly version?: number;
  readonly clientToken?: string;
}

type Part = "desired" | "reported";
const parts: readonly Part[] = ["desired", "reported"];

/** The document of one shadow, and when each member was set. Never changed in place: a change makes a new one. */
export class Shadow {
  constructor(
    readonly version = 0,
    private readonly state: Readonly<Partial<Record<Part, State>>> = {},
    private readonly metadata: Readonly<Partial<Record<Part, Metadata>>> = {},
  ) {}

  /** @param timestamp seconds since the epoch. */
  with(change: Change, timestamp: number): Shadow {
    const state = { ...this.state };
    const metadata = { ...this.metadata };
    for (const part of parts) {
      const changed = change[part];
      if (changed === undefined) continue;
      const next = changed === null ? {} : merge(state[part] ?? {}, changed);
      if (changed === null || Object.keys(next).length === 0) {
        delete state[part];
        delete metadata[part];
        continue;
      }
      metadata[part] = mergeMetadata(metadata[part] ?? {}, changed, next, timestamp);
      state[part] = next;
    }
    return new Shadow(this.version + 1, state, metadata);
  }

  /** The document as GetThingShadow gives it. */
  document(timestamp: number): object {
    const delta = this.delta();
    return {
      state: { ...this.state, ...(delta && { delta: delta[0] }) },
      metadata: { ...this.metadata, ...(delta && { delta: delta[1] }) },
      version: this.version,
      timestamp,
    };
  }

  /** The document in the messages on `.../update/documents`: without its delta. */
  snapshot(): object {
    return { state: this.state, metadata: this.metadata, version: this.version };
  }

  /** What is desired and not reported so. */
  delta(): [State, Metadata] | undefined {
    return difference(this.state.desired ?? {}, this.state.reported ?? {}, this.metadata.desired ?? {});
  }

  /** The size that counts: of what is desired and reported, as JSON. */
  get bytes(): number {
    return Math.max(...parts.map((part) => Buffer.byteLength(JSON.stringify(this.state[part] ?? {}))));
  }
}

/** The part of a request that an accepted answer repeats, with the time at which it was set. */
export function accepted({ desired, reported, clientToken }: Change, version: number, timestamp: number): object {
  const given = Object.entries({ desired, reported }).filter(([, part]) => part !== undefined);
  return {
    state: Object.fromEntries(given),
    metadata: Object.fromEntries(
      given.filter(([, part]) => part !== null).map(([name, part]) => [name, stamp(part, timestamp)]),
    ),
    version,
    timestamp,
    ...(clientToken !== undefined && { clientToken }),
  };
}
