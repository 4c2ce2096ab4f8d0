import type { Duplex } from "node:stream";

/**
 * Answers a request to change the protocol with something else than that, and ends the line. The server has let go of
 * such a socket: a client that keeps its own side open would hold it for good.
 *
 * @param answer the whole HTTP response.
 */
export function hangUp(socket: Duplex, answer: string): void {
  socket.once("finish", () => socket.destroy());
  socket.end(answer);
}
