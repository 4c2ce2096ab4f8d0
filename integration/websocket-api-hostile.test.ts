import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { ApiGatewayV2Client } from "@aws-sdk/client-apigatewayv2";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { TestClient, WebSocketApi } from "./harness/websocket-api";

// Whatever a client sends: the emulator reports no fault, and other clients are served.

const faults: string[] = [];
const emulator = useEmulator({
  quotas: { connectionsPerSecond: 1_000_000 },
  onFault: (error, where) => faults.push(`${where}: ${error}`),
});
let api: WebSocketApi;
let other: TestClient;
beforeAll(async () => {
  api = await WebSocketApi.create(new ApiGatewayV2Client(settings(emulator.current)), emulator.current);
  for (const route of ["$connect", "$disconnect", "a"]) await api.add(route);
  await api.add("$default", { answers: true });
  await api.stage();
  other = await TestClient.connect(api.url());
});
afterAll(() => other.socket.terminate());

/**
 * Sends a request over a line of its own, and these bytes once it has been answered. Resolves with all that came back
 * when either side has ended the line.
 */
function send(request: string, frames: readonly Uint8Array[] = []): Promise<string> {
  return new Promise((resolve) => {
    const received: Buffer[] = [];
    const socket = connect({ port: emulator.current.port, host: "127.0.0.1" });
    socket.once("data", () => {
      for (const bytes of frames) socket.write(bytes);
      socket.end();
    });
    socket.on("data", (chunk) => received.push(chunk));
    socket.on("error", () => {});
    socket.on("close", () => resolve(Buffer.concat(received).toString("latin1")));
    socket.write(request);
  });
}

const handshake = (path: string, headers: readonly string[]) =>
  [`GET ${path} HTTP/1.1`, "Host: localhost", "Connection: Upgrade", "Upgrade: websocket", ...headers, "", ""].join(
    "\r\n",
  );
const right = () => [`Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`, "Sec-WebSocket-Version: 13"];
const path = () => new URL(api.url()).pathname;

async function othersAreServed() {
  expect(await other.ask({ action: "anything" })).toEqual({});
  expect(faults).toEqual([]);
}

/** A frame that is nearly right, so that the fuzz comes beyond the first check. */
const frame = fc
  .record({
    first: fc.integer({ min: 0, max: 255 }),
    length: fc.oneof(fc.integer({ min: 0, max: 130 }), fc.constantFrom(32_768, 32_769, 65_535, 65_536, 140_000)),
    isMasked: fc.boolean(),
    claimed: fc.option(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { freq: 10 }),
    byte: fc.integer({ min: 0, max: 255 }),
  })
  .map(({ first, length, isMasked, claimed, byte }) => {
    const header = Buffer.alloc(10);
    header[0] = first;
    header[1] = (isMasked ? 128 : 0) + 127;
    header.writeBigUInt64BE(claimed ?? BigInt(length), 2);
    const short = length < 126 && claimed === null;
    const head = short ? Buffer.from([first, (isMasked ? 128 : 0) + length]) : header;
    return Buffer.concat([head, isMasked ? Buffer.alloc(4) : Buffer.alloc(0), Buffer.alloc(length, byte)]);
  });

test("frames of any kind and order end at worst the connection that sends them", async () => {
  const frames = fc.array(fc.oneof(frame, fc.uint8Array({ maxLength: 50 })), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(frames, async (sent) => {
      expect(await send(handshake(path(), right()), sent)).toMatch(/^HTTP\/1\.1 101 /);
      await othersAreServed();
    }),
    { numRuns: 100 },
  );
});

test("handshakes of any kind get a status", async () => {
  const name = fc.constantFrom(
    "Sec-WebSocket-Protocol",
    "Sec-WebSocket-Extensions",
    "Sec-WebSocket-Key",
    "Authorization",
    "Host",
    "Content-Length",
    "X-Any",
    "constructor",
    "__proto__",
  );
  const value = fc.oneof(
    fc.string({ unit: "binary-ascii", maxLength: 40 }),
    fc.string({ maxLength: 40 }),
    fc.constantFrom("a, b", "AWS4-HMAC-SHA256 Credential=x", "chunked"),
  );
  const line = fc.tuple(name, value).map(([left, text]) => `${left}: ${text}`);
  const tail = fc.oneof(
    fc.constant(""),
    fc.webPath(),
    fc.webQueryParameters().map((query) => `?${query}`),
    fc.string({ maxLength: 20 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 4 }), tail, fc.boolean(), async (lines, behind, isRight) => {
      const answer = await send(handshake(path() + behind, [...(isRight ? right() : []), ...lines]));
      expect(answer).toMatch(/^(HTTP\/1\.1 (101|400|403|404|405|431|505|2\d\d|426|501) )/);
      await othersAreServed();
    }),
    { numRuns: 60 },
  );
});

test("messages of any text are answered by $default or taken by their route", async () => {
  const own = await TestClient.connect(api.url());
  const text = fc.oneof(
    fc.string({ maxLength: 200, unit: "binary" }),
    fc.json(),
    fc.constantFrom("null", "[]", '{"action":null}', '{"action":{"__proto__":1}}', '{"action":["a"]}'),
  );
  await fc.assert(
    fc.asyncProperty(text, async (message) => {
      fc.pre(Buffer.from(message).toString() === message);
      own.send(message);
      expect(await own.ask({ action: "last" })).toEqual({});
      await othersAreServed();
    }),
    { numRuns: 100 },
  );
  own.socket.close();
});
