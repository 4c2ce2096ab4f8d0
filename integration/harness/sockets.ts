import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { WebSocket } from "ws";

/** A record as a client gets it. */
export interface Received {
  id: string;
  device?: string;
  at: string;
  data: unknown;
}

/** A real WebSocket client that keeps all that it gets. */
export interface LiveClient {
  readonly socket: WebSocket;
  /** The records, in their order. */
  readonly records: Received[];
  /** The frames with records. */
  frames: number;
  /** Sends a frame and waits for the reply to it. */
  ask(frame: unknown): Promise<Record<string, unknown>>;
  close(): Promise<void>;
}

/** Connects; rejects with the status when the handshake is refused. */
export async function openSocket(url: string, protocols: string[] = []): Promise<LiveClient> {
  const socket = new WebSocket(url, protocols);
  const waiting: ((reply: Record<string, unknown>) => void)[] = [];
  const client: LiveClient = {
    socket,
    records: [],
    frames: 0,
    ask: (frame) =>
      new Promise((resolve) => {
        waiting.push(resolve);
        socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
      }),
    async close() {
      if (socket.readyState === WebSocket.CLOSED) return;
      const closed = once(socket, "close");
      socket.close();
      await closed;
    },
  };
  socket.on("message", (raw) => {
    const content = JSON.parse(String(raw)) as Received[] | Record<string, unknown>;
    if (Array.isArray(content) || !("type" in content)) {
      client.frames++;
      client.records.push(...([content].flat() as Received[]));
    } else waiting.shift()?.(content);
  });
  await new Promise<void>((resolve, reject) => {
    socket.on("open", resolve);
    socket.on("error", reject);
    socket.on("unexpected-response", (_request, response: IncomingMessage) => {
      response.resume();
      reject(
        Object.assign(new Error(`the handshake was answered by ${response.statusCode}`), { ...statusOf(response) }),
      );
    });
  });
  return client;
}

const statusOf = ({ statusCode }: IncomingMessage) => ({ status: statusCode });

/** The status of a handshake: 101, or what it was refused with. */
export async function handshake(url: string, protocols?: string[]): Promise<number> {
  try {
    await (await openSocket(url, protocols)).close();
    return 101;
  } catch (error) {
    const { status } = error as { status?: number };
    if (status === undefined) throw error;
    return status;
  }
}
