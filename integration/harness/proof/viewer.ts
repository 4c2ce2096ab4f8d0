import { WebSocket } from "ws";

/** What a viewer was given of one message. */
interface Sighting {
  /** The ids that it came under: repeats have the same one. Empty where records carry none. */
  readonly ids: Set<string>;
}

/** A message's mark: what it is told apart by, wherever it turns up. */
const marks = /~\d+\.\d+~/g;
export const marksIn = (text: string): readonly string[] => text.match(marks) ?? [];

/** A client of the live view, that notes which messages it got. */
export class Viewer {
  readonly seen = new Map<string, Sighting>();
  /** Names of devices that it is subscribed to, as the server has said; `*` for all that it may see. */
  readonly subscribed = new Set<string>();
  /** Why the socket ended although the program did not end it. */
  lost?: string;
  left = false;

  private constructor(
    private readonly socket: WebSocket,
    /** The devices that it may see; all where undefined. */
    readonly sees: ReadonlySet<string> | undefined,
  ) {
    socket.on("message", (data) => this.take(data.toString()));
    socket.on("close", (code, reason) => {
      if (!this.left) this.lost = `${code} ${reason}`;
    });
  }

  /** Gives undefined where it is not let in. */
  static open(url: string, token: string, sees: ReadonlySet<string> | undefined): Promise<Viewer | undefined> {
    const socket = new WebSocket(url, ["sensorcast.v1", token], { perMessageDeflate: false });
    const viewer = new Viewer(socket, sees);
    return new Promise((resolve) => {
      socket.on("open", () => resolve(viewer));
      socket.on("error", () => resolve(undefined));
    });
  }

  get isConnected(): boolean {
    return !this.left && this.lost === undefined;
  }

  /** Asks for devices until the server has said so, or that it will not. */
  async subscribe(devices: readonly string[]): Promise<void> {
    for (let attempt = 0; attempt < 5 && this.isConnected; attempt++) {
      if (await this.ask({ action: "subscribe", devices })) return;
    }
  }

  ping(): void {
    if (this.isConnected) this.socket.send('{"action":"ping"}');
  }

  leave(politely: boolean): Promise<void> {
    this.left = true;
    if (this.socket.readyState === WebSocket.CLOSED) return Promise.resolve();
    const closed = new Promise<void>((resolve) => this.socket.once("close", () => resolve()));
    if (politely) this.socket.close(1000);
    else this.socket.terminate();
    return closed;
  }

  /** Whether the server has taken a request; false when it says to try again, or goes away. */
  private ask(frame: object): Promise<boolean> {
    return new Promise((resolve) => {
      const done = (taken: boolean) => {
        this.socket.off("message", look);
        this.socket.off("close", gone);
        resolve(taken);
      };
      const gone = () => done(false);
      const look = (data: { toString(): string }) => {
        const answer = JSON.parse(data.toString()) as { type?: string; message?: string; devices?: string[] };
        if (answer.type === "subscribed") {
          for (const device of answer.devices ?? []) this.subscribed.add(device);
          done(true);
        } else if (answer.type === "error" || (answer.message !== undefined && answer.type === undefined)) done(false);
      };
      this.socket.on("message", look);
      this.socket.once("close", gone);
      this.socket.send(JSON.stringify(frame));
    });
  }

  private take(text: string): void {
    const frame = JSON.parse(text) as unknown;
    const records: unknown[] = Array.isArray(frame) ? frame : [frame];
    for (const record of records) {
      for (const mark of marksIn(JSON.stringify(record))) {
        const sighting = this.seen.get(mark) ?? { ids: new Set() };
        const { id } = record as { id?: unknown };
        if (typeof id === "string") sighting.ids.add(id);
        this.seen.set(mark, sighting);
      }
    }
  }
}
