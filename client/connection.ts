import { isSubprotocol, isWebSocketUrl, type Settings, type Socket, type Source, type TimerHandle } from "./options";
import { Turns } from "./turns";

/** The subprotocol that the server answers with; the token travels beside it. */
export const subprotocol = "sensorcast.v1";

/** How a connection ended by itself. */
export interface Ending {
  readonly reason: string;
  /** The close code, 1006 where there was no close frame. */
  readonly code: number;
  /** The handshake's HTTP status, where the WebSocket tells it. */
  readonly status?: number;
  /** Whether the server may have turned the client away, as opposed to not being reached. */
  readonly refused: boolean;
}

interface Listener {
  opened(): void;
  frame(raw: unknown): void;
  /** A frame of the {@link Connection.turns} was never answered. */
  unanswered(): void;
  /** At most once, and never after `close()`. */
  ended(ending: Ending): void;
}

const resolve = async (source: Source<string>): Promise<string> =>
  typeof source === "function" ? await source() : source;

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const nothing = () => {};

/** One WebSocket, from the question for its token to its close: opens in time, pings, notices when it is dead. */
export class Connection {
  private socket: Socket | undefined;
  private done = false;
  private timer: TimerHandle;
  private failure: { readonly message?: string; readonly code?: string } = {};

  /** What has to be done in order: subscriptions. */
  readonly turns: Turns;

  constructor(
    private readonly settings: Settings,
    private readonly listener: Listener,
  ) {
    this.turns = new Turns(
      settings,
      (frame) => this.send(frame),
      () => listener.unanswered(),
    );
  }

  start(): void {
    const { openTimeout } = this.settings;
    const seconds = openTimeout / 1_000;
    this.wait(openTimeout, () => this.end({ code: 1006, reason: `Not open within ${seconds} s`, refused: false }));
    this.connect().catch((error: unknown) => this.end({ code: 1006, reason: wordsOf(error), refused: true }));
  }

  /** Whether the frame went out. */
  send(frame: string): boolean {
    // 1 is OPEN in every WebSocket.
    if (this.done || this.socket?.readyState !== 1) return false;
    this.socket.send(frame);
    return true;
  }

  /** Asks for a sign of life now; without one the connection ends. */
  ping(): void {
    if (!this.send(JSON.stringify({ action: "ping" }))) return;
    this.wait(this.settings.pongTimeout, () =>
      this.end({ code: 1006, reason: "The server went silent", refused: false }),
    );
  }

  /** Ends it, since it is of no more use. */
  giveUp(reason: string): void {
    this.end({ code: 1006, reason, refused: false });
  }

  /** Ends it without a word to the listener. */
  close(): void {
    this.done = true;
    this.settings.timers.clearTimeout(this.timer);
    this.turns.end();
    const socket = this.socket;
    if (!socket) return;
    // Not null: `ws` throws an error nobody listens to when a socket is closed before it is open.
    socket.onopen = socket.onmessage = socket.onerror = socket.onclose = nothing;
    socket.close(1000);
  }

  private async connect(): Promise<void> {
    const { token: source, url, WebSocket } = this.settings;
    const [address, token] = await Promise.all([resolve(url), source === undefined ? "" : resolve(source)]);
    if (this.done) return;
    // Functions of a program without types give what they like; it must not be shown, as it may be a secret.
    if (!isWebSocketUrl(address)) throw new Error("The url must begin with wss:// or ws://");
    if (typeof token !== "string") throw new Error("The token must be a text; an empty one for none");
    if (token !== "" && !isSubprotocol(token)) {
      throw new Error("The token has characters that a subprotocol cannot carry");
    }
    const socket: Socket = new WebSocket(address, token === "" ? [subprotocol] : [subprotocol, token]);
    this.socket = socket;
    let opened = false;
    socket.onopen = () => {
      opened = true;
      this.rest();
      this.listener.opened();
    };
    socket.onmessage = ({ data }: { data: unknown }) => {
      this.rest();
      this.listener.frame(data);
    };
    socket.onerror = (event: { message?: string; error?: { code?: string } }) => {
      this.failure = { message: event.message, code: event.error?.code };
    };
    socket.onclose = ({ code, reason }: { code: number; reason: string }) => {
      this.end(opened ? { code, reason: reason || `Closed with ${code}`, refused: false } : this.unopened(code));
    };
  }

  /** Why it never opened: only the `ws` package says. */
  private unopened(code: number): Ending {
    const status = Number(/server response: (\d{3})/.exec(this.failure.message ?? "")?.[1]);
    if (status) {
      const refused = status >= 400 && status < 500 && status !== 429;
      return { code, status, refused, reason: `The server answered ${status}` };
    }
    if (this.failure.code) return { code, refused: false, reason: `Not reached: ${this.failure.code}` };
    return { code, refused: true, reason: "The server was not reached, or refused" };
  }

  /** Starts the wait for the next ping over, since the connection has just shown life. */
  private rest(): void {
    this.wait(this.settings.pingEvery, () => this.ping());
  }

  private wait(milliseconds: number, then: () => void): void {
    if (this.done) return;
    this.settings.timers.clearTimeout(this.timer);
    this.timer = this.settings.timers.setTimeout(then, milliseconds);
  }

  private end(ending: Ending): void {
    if (this.done) return;
    this.close();
    this.listener.ended(ending);
  }
}
