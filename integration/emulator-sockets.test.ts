import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
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

/** Connects a dozen times, resets streams of all kinds, and says so when the last connection has ended. */
const resetting = `
  const { connect } = require("node:http2");
  const { once } = require("node:events");
  const { parentPort, workerData } = require("node:worker_threads");
  const { origin, pathname } = new URL(workerData);
  async function client() {
    const session = connect(origin).on("error", () => {});
    const closed = once(session, "close");
    const request = (code) => {
      const stream = session.request({ ":method": "POST", ":path": pathname });
      stream.on("error", () => {}).resume().end("x");
      if (code !== undefined) stream.close(code);
      return new Promise((resolve) => stream.once("close", resolve));
    };
    await Promise.all([request(), request(2), request(0)]);
    session.close();
    await closed;
  }
  (async () => {
    let connections = 0;
    for (; connections < 12; connections++) await client();
    parentPort.postMessage(connections);
  })();
`;

describe("an HTTP/2 client", () => {
  /** A frame (RFC 9113, section 4.1). */
  const frame = (type: number, flags: number, stream: number, content: number[] = []) =>
    Buffer.from([0, 0, content.length, type, flags, 0, 0, 0, stream, ...content]);
  const preface = [Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame(4, 0, 0)];
  const word = (text: string) => [text.length, ...Buffer.from(text)];
  const path = "/_aws/execute-api/none/prod";
  /** HEADERS of a POST in HPACK (RFC 7541), with a body to come. */
  const post = (...more: number[]) =>
    frame(1, 4, 1, [0x83, 0x86, 0x04, ...word(path), 0x41, ...word("localhost"), ...more]);
  /** RST_STREAM without an error. */
  const reset = frame(3, 0, 1, [0, 0, 0, 0]);

  it("ends nothing but its stream when it resets one that waits for 100 Continue", async () => {
    const socket = await open();
    const expecting = post(0x00, ...word("expect"), ...word("100-continue"));
    socket.resume().end(Buffer.concat([...preface, expecting, reset]));
    await once(socket, "close");
    expect((await fetch(`${emulator.current.endpoint}/_emulator/health`)).status).toBe(200);
  });

  it("is let go when it says goodbye, whatever it did to its streams", async () => {
    // Services are loaded: answers are on their way when streams are reset.
    await fetch(`${emulator.current.endpoint}${path}`);
    // A loop of its own, as every client has: what it does falls between the emulator's steps. One try is a coin's toss.
    const client = new Worker(resetting, { eval: true, workerData: `${emulator.current.endpoint}${path}` });
    const [connections] = (await once(client, "message")) as [number];
    expect(connections).toBe(12);
    await client.terminate();
  });

  it("hears of an expectation that is not met, however much it sends behind it", async () => {
    const session = connectHttp2(emulator.current.endpoint);
    const stream = session.request({ ":method": "POST", expect: "miracles" });
    stream.resume().end(Buffer.alloc(1_000_000));
    const [answer] = (await once(stream, "response")) as [Record<string, unknown>];
    expect(answer[":status"]).toBe(417);
    await once(stream, "close");
    session.close();
  });
});
