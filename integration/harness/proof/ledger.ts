import type { Viewer } from "./viewer";

/** Where a message that was taken has to be found, if not among the dead letters. */
export type Store = "table" | "iot table" | "live only";

/** A message that the system has taken: it may not be lost any more. */
export interface Accepted {
  readonly mark: string;
  readonly device: string;
  readonly store: Store;
  /** Whether it is one that nobody can store or show: a dead letter is its place. */
  readonly broken: boolean;
  /** Those who were there, and had asked for it, when it was sent. */
  readonly viewers: readonly Viewer[];
}

/** A body that the Postbox has taken. */
export interface Published {
  readonly id: string;
  readonly sha256: string;
}

/** What one run of a program has been told. */
export class Ledger {
  readonly accepted: Accepted[] = [];
  readonly published: Published[] = [];
  readonly viewers: Viewer[] = [];
  private count = 0;

  constructor(
    readonly run: number,
    private readonly devices: Map<string, string>,
  ) {}

  mark(device: string): string {
    const mark = `~${this.run}.${this.count++}~`;
    this.devices.set(mark, device);
    return mark;
  }

  /** The viewers that a message of a device sent now has to reach. */
  audience(device: string): readonly Viewer[] {
    return this.viewers.filter(
      ({ isConnected, sees, subscribed }) =>
        isConnected && (!sees || sees.has(device)) && (subscribed.has("*") || subscribed.has(device)),
    );
  }
}
