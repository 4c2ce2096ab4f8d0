type Listener<Event> = (event: Event) => void;

/** Typed events, for browsers and Node alike. */
export class Emitter<Events extends object> {
  private readonly listeners: { [Name in keyof Events]?: Set<Listener<Events[Name]>> } = {};

  /** @param failed is told what a listener threw; the other listeners are called all the same. */
  constructor(private readonly failed: (error: unknown, event: keyof Events) => void) {}

  /** Calls the listener at every such event. @returns the way to stop. */
  on<Name extends keyof Events>(event: Name, listener: Listener<Events[Name]>): () => void {
    const listeners: Set<Listener<Events[Name]>> = this.listeners[event] ?? new Set();
    this.listeners[event] = listeners;
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  emit<Name extends keyof Events>(event: Name, value: Events[Name]): void {
    for (const listener of [...(this.listeners[event] ?? [])]) {
      try {
        listener(value);
      } catch (error) {
        this.failed(error, event);
      }
    }
  }
}
