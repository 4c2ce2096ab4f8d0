import type { Context, Operations } from "../../core/service";

type Operation = (input: unknown, context: Context) => unknown;

/** Operations that change nothing. */
const reading = /^(Get|List|Simulate)/;

/** Counts changes, so that nobody has to ask at each message what has not changed since the last one. */
export class Changes {
  private readonly listeners = new Set<() => void>();
  private made = 0;

  get count(): number {
    return this.made;
  }

  /** Calls a listener after each change. Returns what ends it. */
  listen(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** These operations, with those that change something counted. */
  counting<Sdk>(operations: Operations<Sdk>): Operations<Sdk> {
    const entries = Object.entries(operations as Record<string, Operation>).map(([name, run]): [string, Operation] =>
      reading.test(name) ? [name, run] : [name, (input, context) => this.counted(run(input, context))],
    );
    return Object.fromEntries(entries) as Operations<Sdk>;
  }

  /** Everything is another than before: all was forgotten. */
  changed(): void {
    this.made++;
    for (const listener of this.listeners) listener();
  }

  private counted(output: unknown): unknown {
    this.changed();
    return output;
  }
}
