import { isUtf8 } from "node:buffer";
import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import { executeApi } from "../../../core/address";
import type { Timer } from "../../../core/clock";
import { limits } from "../../../core/limits";
import type { Host } from "../../../core/service";
import { FrameSizes } from "./frame-sizes";
import type { Session } from "./session";

/** Largest message, in bytes, in both directions. */
export const messageLimit = limits.webSocket.message.value;
/** Largest frame, in bytes. */
export const frameLimit = limits.webSocket.frame.value;
/** How long nothing may pass, in milliseconds. */
const idleLimit = limits.webSocket.idle.value;
/** How long a connection may last, in milliseconds. */
const lifeLimit = limits.webSocket.connection.value;
/**
 * How much a client may leave unread before it gets no more, in bytes. AWS does not publish its size; this is what eight
 * of the largest messages take.
 */
const bufferLimit = 8 * messageLimit;

/** What a connection tells the gateway. */
export interface Listener {
  message(connection: Connection, text: string): void;
  /** Once, when the connection is no longer there for anybody. */
  closed(connection: Connection, code: number, reason: string): void;
}

/** One open WebSocket connection. */
export class Connection {
  lastActiveAt: number;
  private isOpen = true;
  private timer?: Timer;

  constructor(
    readonly session: Session,
    private readonly socket: WebSocket,
    transport: Socket,
    private readonly host: Pick<Host, "clock" | "faults">,
    private readonly listener: Listener,
  ) {
    this.lastActiveAt = session.connectedAt;
    const sizes = new FrameSizes();
    // Before the receiver's own listener: a message of a frame too large must not be taken.
    transport.prependListener("data", (chunk: Buffer) => {
      if (this.isOpen && sizes.feed(chunk) > frameLimit) this.close(1009, "Message too large");
    });
    socket.on("message", (data, isBinary) => this.receive(data as Buffer, isBinary));
    socket.on("ping", () => this.touch());
    socket.on("pong", () => this.touch());
    socket.on("close", (code, reason) => this.end(code, reasonOf(code, reason.toString())));
    // Breaches of the protocol. The socket closes by itself, with the same code.
    socket.on("error", (error: Error & { code?: string }) => {
      if (error.code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH") this.end(1009, "Message too large");
      else this.end(error.code === "WS_ERR_INVALID_UTF8" ? 1007 : 1002, error.message);
    });
    this.arm();
  }

  get id(): string {
    return this.session.connectionId;
  }

  /**
   * Sends one message as text, in frames of at most 32 KB.
   *
   * @returns false when the client has not read what it was sent before, so that its buffer is full.
   */
  send(data: Buffer | string): boolean {
    if (this.socket.bufferedAmount > bufferLimit) return false;
    this.touch();
    const bytes = typeof data === "string" ? Buffer.from(data) : isUtf8(data) ? data : Buffer.from(data.toString());
    const cut = this.cutAt();
    if (cut === "before") {
      this.cut();
      return true;
    }
    let at = 0;
    do {
      const end = Math.min(at + frameLimit, bytes.length);
      const fin = end === bytes.length;
      this.socket.send(bytes.subarray(at, end), { binary: false, fin }, () => {
        if (fin && cut === "after") this.cut();
      });
      at = end;
    } while (at < bytes.length);
    return true;
  }

  /** Ends the line without a word: the client gets no close frame, and the API hears of a lost connection. */
  cut(): void {
    this.socket.terminate();
    this.end(1006, reasonOf(1006, ""));
  }

  /** Whether a fault cuts the line at a message to the client. */
  private cutAt(): "before" | "after" | undefined {
    const { session, host } = this;
    if (!host.faults.active) return undefined;
    const resource = session.arnOf(`POST/@connections/${this.id}`);
    return host.faults.cuts({
      service: executeApi,
      operation: `DELIVER /${session.stageName}`,
      resources: [resource],
    });
  }

  /** Closes from the gateway's side. From now on the connection is gone, whether the client answers or not. */
  close(code: number, reason: string): void {
    this.socket.close(code, reason);
    this.end(code, reason);
  }

  /** Tells nobody any more: the emulator is reset. */
  forget(): void {
    this.isOpen = false;
    this.timer?.cancel();
  }

  private receive(data: Buffer, isBinary: boolean): void {
    if (!this.isOpen) return;
    this.touch();
    if (isBinary) this.close(1003, "Binary frames are not supported");
    else this.listener.message(this, data.toString());
  }

  private touch(): void {
    this.lastActiveAt = this.host.clock.now();
  }

  private end(code: number, reason: string): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.timer?.cancel();
    this.listener.closed(this, code, reason);
  }

  /** One timer for both limits; activity does not move it, it looks again when it runs. */
  private arm(): void {
    const due = Math.min(this.lastActiveAt + idleLimit, this.session.connectedAt + lifeLimit);
    const left = due - this.host.clock.now();
    if (left <= 0) this.close(1001, "Going away");
    else this.timer = this.host.clock.after(left, () => this.arm());
  }
}

/** The words of `disconnectReason` where the client gave none. */
function reasonOf(code: number, given: string): string {
  if (given) return given;
  if (code === 1005) return "Client-side close frame status not set";
  if (code === 1006) return "Connection closed abnormally";
  return code === 1000 ? "Connection Closed Normally" : code === 1001 ? "Going away" : "";
}
