import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { expect, it } from "vitest";
import { useEmulator } from "./harness/emulator";

const emulator = useEmulator();

async function open(): Promise<Socket> {
  const socket = connect(emulator.current.port, "127.0.0.1");
  await once(socket, "connect");
  return socket;
}

it("ends the connection of a client that leaves without a word", async () => {
  const socket = await open();
  socket.resume().end();
  await once(socket, "close");
  expect(socket.destroyed).toBe(true);
});

it("answers a client that closes its half behind its request", async () => {
  const socket = await open();
  socket.end("GET /_emulator/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  const answer = Buffer.concat(await socket.toArray()).toString("utf8");
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK/);
});

it("takes the beginning of HTTP/2, and that of HTTP/1, in pieces", async () => {
  const socket = await open();
  socket.setNoDelay(true);
  socket.write("PRI * HT");
  // An answer on another connection: the piece has been read.
  await fetch(`${emulator.current.endpoint}/_emulator/health`);
  socket.write("TP/2.0\r\n\r\nSM\r\n\r\n");
  socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
  const [frame] = (await once(socket, "data")) as [Buffer];
  // A SETTINGS frame (RFC 9113, section 6.5).
  expect(frame[3]).toBe(4);
  socket.destroy();
  const other = await open();
  other.setNoDelay(true);
  other.write("P");
  await fetch(`${emulator.current.endpoint}/_emulator/health`);
  other.end("OST /_emulator/unknown HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  expect(Buffer.concat(await other.toArray()).toString("utf8")).toMatch(/^HTTP\/1\.1 404 /);
});
