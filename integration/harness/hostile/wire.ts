import { connect, type Socket } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { connect as connectTls } from "node:tls";

/** How a client ends its side of a line: it closes its half, breaks off, or waits for the other side. */
export type Ending = "half" | "break" | "wait";

/** What one line carries. */
interface Line {
  readonly port: number;
  /** TLS, with these settings. */
  readonly tls?: ConnectionOptions;
  /** Sent as they stand, each by a write of its own. */
  readonly parts: readonly (Buffer | string)[];
  /** Sent, and the line ended as it is to be, when something has come back. */
  readonly afterwards?: readonly (Buffer | string)[];
  readonly ending: Ending;
  /** Looks at what has come so far; whoever `wait`s closes its half when this is true. */
  readonly isEnough?: (received: Buffer) => boolean;
}

/** Milliseconds after which a line that is neither answered nor ended counts as forgotten. */
export const patience = 60_000;

/**
 * Sends bytes over a line of its own and gives all that came back, once the line has ended.
 *
 * @throws Error when the other side neither answers nor ends the line.
 */
export function exchange({ port, tls, parts, afterwards, ending, isEnough }: Line): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const options = { port, host: "127.0.0.1" };
    const socket: Socket = tls ? connectTls({ ...options, ...tls }) : connect(options);
    socket.setNoDelay(true);
    const received: Buffer[] = [];
    const timer = setTimeout(() => {
      reject(
        new Error(`the line was neither answered nor ended; so far: ${Buffer.concat(received).toString("latin1")}`),
      );
      socket.destroy();
    }, patience);
    const finish = (last: Line["parts"]) => {
      for (const part of last) socket.write(part);
      if (ending === "half") socket.end();
      if (ending === "break") setImmediate(() => socket.destroy());
    };
    if (afterwards) socket.once("data", () => finish(afterwards));
    socket.on("data", (chunk) => {
      received.push(chunk);
      if (ending === "wait" && isEnough?.(Buffer.concat(received))) socket.end();
    });
    // A line that the other side resets has ended, too.
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(Buffer.concat(received));
    });
    socket.once(tls ? "secureConnect" : "connect", () => {
      if (afterwards) for (const part of parts) socket.write(part);
      else finish(parts);
    });
  });
}

/** The statuses of the HTTP answers in what came over a line. */
export const statusesIn = (received: Buffer): number[] =>
  [...received.toString("latin1").matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status));

/** An HTTP request as it stands on the line. */
export function request(method: string, target: string, headers: readonly string[], body?: Buffer): Buffer {
  const lines = [`${method} ${target} HTTP/1.1`, ...headers];
  if (body) lines.push(`Content-Length: ${body.length}`);
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), body ?? Buffer.alloc(0)]);
}
