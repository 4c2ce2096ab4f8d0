/** A timer's handle: a number in browsers, an object in Node. */
export type TimerHandle = unknown;

/** How the client waits; a test puts its own in place. */
export interface Timers {
  setTimeout(callback: () => void, milliseconds: number): TimerHandle;
  clearTimeout(handle: TimerHandle): void;
}

/** Whether the machine knows itself to be offline; browsers do, Node does not. */
export interface Network {
  online(): boolean;
  /** Calls the listener when the machine comes back online. @returns the way to stop. */
  onOnline(listener: () => void): () => void;
}

/** What the client needs of a WebSocket: the browser's, Node's and the `ws` package's all have it. */
export interface Socket {
  readonly readyState: number;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  send(data: string): void;
  close(code?: number, reason?: string): void;
}

export type SocketConstructor = new (url: string, protocols: string[]) => Socket;

/** A value, or how to get a fresh one for each connection. */
export type Source<Value> = Value | (() => Value | Promise<Value>);

export interface LiveClientOptions {
  /** The component's `url` output, `wss://…`. A function is asked before each connection, as a signed URL needs it. */
  url: Source<string>;
  /**
   * Proves who connects. A function is asked before each connection, and so can refresh a token that expires.
   * @default none: only the subprotocol's name is offered
   */
  token?: Source<string>;
  /** Devices to subscribe to from the start, names of 1 to 1,000 bytes; `["*"]` is all of them. @default [] */
  devices?: readonly string[];
  /** The WebSocket to use. @default the global one of browsers and of Node 22 or newer */
  WebSocket?: SocketConstructor;
  /**
   * Attempts in a row that the server may refuse until the client stops. Scripts in browsers and under Node's own
   * WebSocket cannot see why a connection did not open, so that each attempt counts there, except while the machine is
   * offline; with the `ws` package only answers from 400 to 499 count. `Infinity` never stops.
   * @default 10
   */
  maxRefusals?: number;
  /** Upper limit of the first wait before a reconnect, in milliseconds; it doubles with each failure. @default 1000 */
  backoffBase?: number;
  /** Upper limit of every wait before a reconnect, in milliseconds. @default 30000 */
  backoffCap?: number;
  /** A connection open for so many milliseconds is stable: the next wait starts from the base again. @default 30000 */
  stableAfter?: number;
  /** Milliseconds for the token, the handshake and the server's answer to it. @default 20000 */
  openTimeout?: number;
  /** Milliseconds between pings; API Gateway closes what was idle for 10 minutes. @default 240000 */
  pingEvery?: number;
  /** Milliseconds without any frame after a ping until the connection counts as dead. @default 15000 */
  pongTimeout?: number;
  /**
   * Age in milliseconds at which a connection is replaced by a new one, less up to a tenth at random so that many
   * clients do not move at once; API Gateway closes each after 2 hours.
   * @default 6600000 (110 minutes)
   */
  renewAfter?: number;
  /** Milliseconds for which the old connection stays open once the new one is subscribed. @default 10000 */
  overlap?: number;
  /** How many record ids to remember at least, to drop what arrives again. @default 10000 */
  remember?: number;
  /** @default the global timers */
  timers?: Timers;
  /** From 0 up to 1, as Math.random. */
  random?: () => number;
  /** @default what `navigator.onLine` and the `online` event say; online where there are none */
  network?: Network;
}

export type Settings = Required<Omit<LiveClientOptions, "token" | "devices">> & { token: Source<string> | undefined };

const globalTimers: Timers = {
  setTimeout: (callback, milliseconds) => globalThis.setTimeout(callback, milliseconds),
  clearTimeout: (handle) => globalThis.clearTimeout(handle as number),
};

type Events = (type: string, listener: () => void) => void;
const scope = globalThis as {
  navigator?: { onLine?: boolean };
  addEventListener?: Events;
  removeEventListener?: Events;
};

const globalNetwork: Network = {
  online: () => scope.navigator?.onLine !== false,
  onOnline: (listener) => {
    scope.addEventListener?.("online", listener);
    return () => scope.removeEventListener?.("online", listener);
  },
};

export const isWebSocketUrl = (url: unknown): boolean => typeof url === "string" && /^wss?:\/\/./.test(url);

/** What a subprotocol may consist of: an HTTP token (RFC 6455, 4.1; RFC 9110, 5.6.2). */
export const isSubprotocol = (token: string): boolean => /^[\w!#$%&'*+.^`|~-]+$/.test(token);

/** How the broadcast takes names: as part of a key of at most 1,024 bytes, which cannot hold half a character. */
const isDevice = (name: unknown): boolean =>
  typeof name === "string" &&
  name !== "" &&
  !/\p{Surrogate}/u.test(name) &&
  new TextEncoder().encode(name).length <= 1_000;

/** What is wrong with devices to subscribe to; undefined when nothing is. */
export const devicesProblem = (devices: readonly string[]): string | undefined =>
  Array.isArray(devices) && devices.every(isDevice) ? undefined : "devices must be texts of 1 to 1,000 bytes";

const counts = { maxRefusals: 10, remember: 10_000 };
const times = {
  backoffBase: 1_000,
  backoffCap: 30_000,
  stableAfter: 30_000,
  openTimeout: 20_000,
  pingEvery: 240_000,
  pongTimeout: 15_000,
  renewAfter: 6_600_000,
  overlap: 10_000,
};
/** A longer wait would be none: timers count in 32 bits. */
const longestTime = 2 ** 31 - 1;

/** The options with defaults. @throws TypeError that names every mistake. */
export function toSettings(options: LiveClientOptions): Settings {
  const problems: string[] = [];
  const { url, token } = options;
  if (!isWebSocketUrl(url) && typeof url !== "function") {
    problems.push("url must begin with wss:// or ws://, or be a function");
  }
  if (typeof token === "string" && !isSubprotocol(token)) {
    problems.push("token has characters that a subprotocol cannot carry: encode it as base64url without padding");
  }
  const devices = devicesProblem(options.devices ?? []);
  if (devices) problems.push(devices);
  const chosen = { ...counts, ...times };
  for (const name of Object.keys(chosen) as (keyof typeof chosen)[]) {
    chosen[name] = options[name] ?? chosen[name];
    const most = name in times ? longestTime : Infinity;
    if (typeof chosen[name] === "number" && chosen[name] > 0 && chosen[name] <= most) continue;
    problems.push(
      `${name} must be a number above 0${name in times ? `, and at most ${longestTime} (milliseconds)` : ""}`,
    );
  }
  const WebSocket = options.WebSocket ?? (globalThis.WebSocket as SocketConstructor | undefined);
  if (!WebSocket) problems.push("there is no global WebSocket here: pass one as WebSocket");
  if (problems.length > 0) throw new TypeError(`LiveClient: ${problems.join("; ")}`);
  return {
    ...chosen,
    url,
    token,
    WebSocket: WebSocket as SocketConstructor,
    timers: options.timers ?? globalTimers,
    random: options.random ?? Math.random,
    network: options.network ?? globalNetwork,
  };
}
