import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import type { LiveRecord } from "../../client";

/** One client as the server sees it. */
export interface Visitor {
  readonly socket: WebSocket;
  /** The `Sec-WebSocket-Protocol` header that it sent. */
  readonly offered: string;
  /** Every frame that it sent, parsed. */
  readonly frames: { action?: string; devices?: string[]; [field: string]: unknown }[];
  /** The close code, once it is closed. */
  closed?: number;
}

/** The far side of a live client, written from docs/websocket-messages.md: it says what a test tells it to. */
export class LiveServer {
  readonly visitors: Visitor[] = [];
  /** Handshakes that were turned away. */
  refused = 0;
  /** While set, handshakes get this status. */
  refuseWith: number | undefined;
  /** Whether a ping is answered. */
  answersPings = true;
  /** Whether a subscription is confirmed. */
  answersSubscriptions = true;

  private constructor(
    private readonly http: Server,
    readonly port: number,
  ) {}

  static async start(port = 0): Promise<LiveServer> {
    const http = createServer((_, response) => response.writeHead(426).end());
    const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => "sensorcast.v1" });
    http.listen(port, "127.0.0.1");
    await once(http, "listening");
    const server = new LiveServer(http, (http.address() as AddressInfo).port);
    http.on("upgrade", (request, stream, head) => {
      if (server.refuseWith !== undefined) {
        server.refused++;
        stream.end(`HTTP/1.1 ${server.refuseWith} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
        return;
      }
      sockets.handleUpgrade(request, stream, head, (socket) => {
        server.welcome(socket, request.headers["sec-websocket-protocol"] ?? "");
      });
    });
    return server;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/live`;
  }

  /** Those that are connected now. */
  get open(): Visitor[] {
    return this.visitors.filter(({ closed }) => closed === undefined);
  }

  /** Sends a frame to everyone that is connected: JSON, or text as it is. */
  send(frame: unknown): void {
    const text = typeof frame === "string" ? frame : JSON.stringify(frame);
    for (const { socket } of this.open) socket.send(text);
  }

  /** Breaks every connection without a close frame, as a lost network does. */
  drop(): void {
    for (const { socket } of this.open) socket.terminate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.drop();
    this.http.closeAllConnections();
    await new Promise((resolve) => this.http.close(resolve));
  }

  private welcome(socket: WebSocket, offered: string): void {
    const visitor: Visitor = { socket, offered, frames: [] };
    this.visitors.push(visitor);
    socket.on("close", (code) => {
      visitor.closed = code;
    });
    socket.on("message", (data) => {
      const frame = JSON.parse(String(data));
      visitor.frames.push(frame);
      if (frame.action === "ping" && this.answersPings) socket.send(JSON.stringify({ type: "pong" }));
      if (this.answersSubscriptions && /^(un)?subscribe$/.test(frame.action)) {
        socket.send(JSON.stringify({ type: `${frame.action}d`, devices: frame.devices }));
      }
    });
  }
}

/** A record as the broadcast sends it. */
export const record = (id: string, device = "d1", data: Record<string, unknown> = { temp: 21.5 }): LiveRecord => ({
  id,
  device,
  data,
  at: "2026-01-01T00:00:00.000Z",
});
