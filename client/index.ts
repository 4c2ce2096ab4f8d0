import { Connection, type Ending } from "./connection";
import { Emitter } from "./emitter";
import { deviceFrames, type LiveRecord, readFrame } from "./frames";
import { devicesProblem, type LiveClientOptions, type Settings, type TimerHandle, toSettings } from "./options";
import { Seen } from "./seen";

export type { LiveRecord } from "./frames";
export type { LiveClientOptions, Network, Socket, SocketConstructor, Source, Timers } from "./options";

/**
 * - `connecting`: an attempt is under way;
 * - `open`: records arrive;
 * - `waiting`: the last attempt or connection failed, the next attempt comes by itself;
 * - `stopped`: the server refused too often; `reconnect()` starts again;
 * - `closed`: by `close()`, for good.
 */
export type LiveState = "connecting" | "open" | "waiting" | "stopped" | "closed";

export interface StateChange {
  readonly state: LiveState;
  /** Why it is no longer open, or did not open. */
  readonly reason?: string;
  /** The handshake's HTTP status, where the WebSocket tells it. */
  readonly status?: number;
  /** Milliseconds until the next attempt, in `waiting`. */
  readonly retryIn?: number;
}

export interface LiveEvents<Data> {
  state: StateChange;
  /** The new records of one frame, repeats dropped. */
  records: readonly LiveRecord<Data>[];
  /** Each new record. */
  record: LiveRecord<Data>;
  /** The server added these devices. */
  subscribed: readonly string[];
  /** The server removed these devices. */
  unsubscribed: readonly string[];
  /** `server`: it did not accept a frame of ours; `frame`: it sent something that cannot be read. */
  error: {
    readonly kind: "server" | "frame";
    readonly message: string;
    readonly action?: string;
    readonly requestId?: string;
  };
}

/**
 * Receives what a `WebSocketBroadcast` sends, and stays connected: it reconnects with full jitter, subscribes again,
 * pings, moves to a new connection before the old one is too old, and drops what arrives twice.
 *
 * ```ts
 * const live = new LiveClient({ url: "wss://…", token: () => fetchToken(), devices: ["*"] });
 * live.on("record", ({ device, data }) => console.log(device, data));
 * ```
 *
 * The messages: docs/websocket-messages.md.
 */
export class LiveClient<Data = Record<string, unknown>> {
  private readonly settings: Settings;
  // A listener that throws is a mistake of the program around: it belongs on the console, not to another listener.
  private readonly emitter = new Emitter<LiveEvents<Data>>((error) => console.error(error));
  private readonly wanted: Set<string>;
  private readonly seen: Seen;
  private change: StateChange = { state: "connecting" };
  private current: Connection | undefined;
  private next: Connection | undefined;
  private readonly draining = new Map<Connection, TimerHandle>();
  private retryTimer: TimerHandle;
  private renewTimer: TimerHandle;
  private stableTimer: TimerHandle;
  private failures = 0;
  private refusals = 0;
  private readonly unwatchNetwork: () => void;

  /** Begins to connect. @throws TypeError that names every mistake in the options. */
  constructor(options: LiveClientOptions) {
    this.settings = toSettings(options);
    this.wanted = new Set(options.devices);
    this.seen = new Seen(this.settings.remember);
    this.unwatchNetwork = this.settings.network.onOnline(() => this.wake());
    this.attempt();
  }

  get state(): LiveState {
    return this.change.state;
  }

  /** The devices it wants, whether or not it is connected now. */
  get devices(): readonly string[] {
    return [...this.wanted];
  }

  /** Calls the listener at every such event from now on. @returns the way to stop. */
  on<Name extends keyof LiveEvents<Data>>(event: Name, listener: (value: LiveEvents<Data>[Name]) => void): () => void {
    return this.emitter.on(event, listener);
  }

  /**
   * Adds devices, on this connection and on every later one; `"*"` is all.
   * @throws TypeError when one cannot be a device's name; then none is added.
   */
  subscribe(...devices: string[]): void {
    const problem = devicesProblem(devices);
    if (problem) throw new TypeError(`LiveClient: ${problem}`);
    for (const device of devices) this.wanted.add(device);
    this.tell("subscribe", devices);
  }

  /** Removes devices. Removing `"*"` leaves those that were subscribed by name. */
  unsubscribe(...devices: string[]): void {
    for (const device of devices) this.wanted.delete(device);
    this.tell("unsubscribe", devices);
    // Where a token allows some devices only, "*" stands for their names, and takes them along, or is taken apart.
    if (devices.includes("*") || this.wanted.has("*")) this.tell("subscribe", [...this.wanted]);
  }

  /** Sends an action of the server's, such as `message`. @returns whether it went out: nothing is kept for later. */
  send(action: string, fields: Record<string, unknown> = {}): boolean {
    return this.current?.send(JSON.stringify({ ...fields, action })) ?? false;
  }

  /** Finds out now whether the connection is alive, for instance when a page becomes visible again. */
  check(): void {
    this.current?.ping();
  }

  /** Connects now rather than after the wait, also when it had stopped. */
  reconnect(): void {
    if (this.change.state !== "stopped" && this.change.state !== "waiting") return;
    this.refusals = 0;
    this.failures = 0;
    this.settings.timers.clearTimeout(this.retryTimer);
    this.attempt();
  }

  /** Ends it for good: closes every socket, no more events after the state `closed`. */
  close(): void {
    if (this.change.state === "closed") return;
    const { timers } = this.settings;
    for (const timer of [this.retryTimer, this.renewTimer, this.stableTimer, ...this.draining.values()]) {
      timers.clearTimeout(timer);
    }
    this.unwatchNetwork();
    for (const connection of [this.current, this.next, ...this.draining.keys()]) connection?.close();
    this.current = this.next = undefined;
    this.draining.clear();
    this.become({ state: "closed" });
  }

  private attempt(): void {
    const connection: Connection = new Connection(this.settings, {
      opened: () => this.opened(connection),
      frame: (raw) => this.read(raw, connection),
      ended: (ending) => this.ended(connection, ending),
      unanswered: () => this.emit("error", { kind: "server", message: "A subscription was not answered" }),
    });
    this.next = connection;
    if (!this.current) this.become({ state: "connecting" });
    connection.start();
  }

  private opened(connection: Connection): void {
    const { timers, random, overlap, renewAfter, stableAfter } = this.settings;
    const before = this.current;
    this.current = connection;
    this.next = undefined;
    this.refusals = 0;
    connection.turns.add(deviceFrames("subscribe", this.wanted));
    if (before) {
      this.draining.set(before, undefined);
      // The old one still gets what the new one is not subscribed to yet.
      connection.turns.whenDone(() => {
        if (!this.draining.has(before)) return;
        const timer = timers.setTimeout(() => this.drained(before), overlap);
        this.draining.set(before, timer);
      });
    }
    timers.clearTimeout(this.renewTimer);
    this.renewTimer = timers.setTimeout(() => this.attempt(), renewAfter * (1 - random() / 10));
    timers.clearTimeout(this.stableTimer);
    this.stableTimer = timers.setTimeout(() => {
      this.failures = 0;
    }, stableAfter);
    if (!before) this.become({ state: "open" });
  }

  private drained(connection: Connection): void {
    this.draining.delete(connection);
    connection.close();
  }

  private ended(connection: Connection, ending: Ending): void {
    const { timers, network, maxRefusals } = this.settings;
    if (this.draining.has(connection)) {
      timers.clearTimeout(this.draining.get(connection));
      this.draining.delete(connection);
      return;
    }
    if (connection === this.current) {
      // One that was about to be closed still hears all: better than none.
      const older = [...this.draining.keys()].at(-1);
      timers.clearTimeout(older && this.draining.get(older));
      if (older) this.draining.delete(older);
      this.current = older;
      timers.clearTimeout(this.renewTimer);
      timers.clearTimeout(this.stableTimer);
      timers.clearTimeout(this.retryTimer);
      if (this.next) {
        if (!this.current) this.become({ state: "connecting", reason: ending.reason });
        return;
      }
    } else {
      this.next = undefined;
      if (ending.refused && network.online()) this.refusals++;
    }
    const { reason, status } = ending;
    const told = { reason, ...(status !== undefined && { status }) };
    if (this.refusals < maxRefusals) this.retryLater(told);
    else if (!this.current) this.become({ state: "stopped", ...told });
  }

  /** Full jitter, so that clients dropped together do not return together. */
  private retryLater(told: Pick<StateChange, "reason" | "status">): void {
    const { timers, random, backoffBase, backoffCap } = this.settings;
    const retryIn = Math.round(random() * Math.min(backoffCap, backoffBase * 2 ** this.failures));
    // 2 ** 30 seconds is past every cap, and far from Infinity.
    this.failures = Math.min(this.failures + 1, 30);
    this.retryTimer = timers.setTimeout(() => this.attempt(), retryIn);
    if (!this.current) this.become({ state: "waiting", retryIn, ...told });
  }

  /** The machine is online again. */
  private wake(): void {
    if (this.change.state === "waiting") this.reconnect();
    else this.check();
  }

  private tell(action: "subscribe" | "unsubscribe", devices: readonly string[]): void {
    const frames = deviceFrames(action, devices);
    for (const connection of [this.current, ...this.draining.keys()]) connection?.turns.add(frames);
  }

  private read(raw: unknown, connection: Connection): void {
    const frame = readFrame(raw);
    switch (frame.kind) {
      case "records":
        if (frame.skipped > 0) {
          this.emit("error", { kind: "frame", message: `Skipped records without id or data: ${frame.skipped}` });
        }
        this.accept(frame.records as readonly LiveRecord<Data>[]);
        break;
      case "subscribed":
      case "unsubscribed":
        connection.turns.answered();
        this.emit(frame.kind, frame.devices);
        break;
      case "error": {
        const { retry, reconnect, ...problem } = frame;
        if (/^(un)?subscribe$/.test(frame.action ?? "subscribe")) {
          if (retry) connection.turns.postponed();
          else connection.turns.answered();
        }
        this.emit("error", { ...problem, kind: "server" });
        if (reconnect) connection.giveUp(frame.message);
        break;
      }
      case "unreadable":
        this.emit("error", { kind: "frame", message: frame.message });
        break;
    }
  }

  private accept(records: readonly LiveRecord<Data>[]): void {
    const fresh = records.filter(({ id }) => this.seen.add(id));
    if (fresh.length === 0) return;
    this.emit("records", fresh);
    for (const record of fresh) this.emit("record", record);
  }

  /** Nothing more is said once a listener has closed the client. */
  private emit<Name extends keyof LiveEvents<Data>>(event: Name, value: LiveEvents<Data>[Name]): void {
    if (this.change.state !== "closed") this.emitter.emit(event, value);
  }

  private become(change: StateChange): void {
    this.change = change;
    this.emitter.emit("state", change);
  }
}
