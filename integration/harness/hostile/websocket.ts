import fc from "fast-check";
import type { Attempt, Outcome } from "./attempt";
import { framesIn, messages, offences, opcode, text } from "./frames";
import type { Stack } from "./stack";
import { texts } from "./values";
import { type Ending, exchange, statusesIn } from "./wire";

const inLine = (content: string) =>
  Buffer.from(content)
    .toString("latin1")
    .replace(/[\r\n]/g, " ");

const marker = "sensorcast.v1";
const key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==";
const version = "Sec-WebSocket-Version: 13";

/** The head of a handshake. */
const handshakeOf = (target: string, headers: readonly string[]) =>
  Buffer.from([`GET ${target} HTTP/1.1`, ...headers, "", ""].join("\r\n"), "latin1");

/** What comes behind the answer to a handshake. */
function afterHandshake(received: Buffer): Buffer | undefined {
  const end = received.indexOf("\r\n\r\n");
  return end < 0 ? undefined : received.subarray(end + 4);
}

const last = text('{"action":"ping","requestId":"the last one"}');

/** Whether the gateway has answered the last frame, or ended the connection. */
function isOver(received: Buffer): boolean {
  const frames = framesIn(afterHandshake(received) ?? Buffer.alloc(0));
  return frames.some(({ kind, payload }) => kind === opcode.close || payload.includes('"the last one"'));
}

/** What a client may not be told: that the gateway or the function behind it broke. */
function judge(received: Buffer): Outcome {
  const statuses = statusesIn(received);
  if (statuses[0] !== 101) return { statuses };
  const problem = framesIn(afterHandshake(received)!)
    .map(({ kind, payload }) => {
      if (kind === opcode.close)
        return payload.length >= 2 && payload.readUInt16BE() === 1011 ? "closed with 1011" : "";
      const content = payload.toString();
      return /Internal server error|Endpoint request timed out|could not be done/.test(content) ? content : "";
    })
    .find((found) => found !== "");
  return { statuses, ...(problem && { problem }) };
}

/** Handshakes that are not as they should be. */
export function handshakes({ port, text }: Stack): fc.Arbitrary<Attempt> {
  const { pathname } = new URL(text("liveUrl"));
  const token = text("liveToken");
  const protocols = fc.oneof(
    fc.constantFrom(
      ...[`${marker}, ${token}`, token, marker, `${marker},${token},${token}`, `${token}, ${marker}`, `${marker}, x`],
      ...[
        "",
        ",",
        `${marker}, ${token}=`,
        `${marker} ${token}`,
        "a".repeat(9_000),
        `${marker.toUpperCase()}, ${token}`,
      ],
    ),
    texts.map((content) => `${marker}, ${inLine(content)}`),
  );
  const lines = fc.oneof(
    fc.constantFrom(
      ...[
        "Sec-WebSocket-Version: 7",
        "Sec-WebSocket-Key: x",
        "Sec-WebSocket-Key:",
        "Upgrade: h2c",
        "Connection: close",
      ],
      ...["Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99", "Sec-WebSocket-Extensions: ;;=,"],
      ...[
        "Content-Length: 5",
        "Transfer-Encoding: chunked",
        "Authorization: x",
        "Origin: null",
        "Host: b",
        "Expect: x",
      ],
    ),
    fc
      .tuple(fc.constantFrom("Cookie", "X-Any", "__proto__", "User-Agent", "X-Forwarded-For"), texts)
      .map(([name, content]) => `${name}: ${inLine(content)}`),
  );
  const target = fc.oneof(
    { weight: 4, arbitrary: fc.constant(pathname) },
    { weight: 1, arbitrary: fc.webQueryParameters().map((query) => `${pathname}?${query}`) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        ...[
          `${pathname}/`,
          `${pathname}/@connections/x`,
          `${pathname}%00`,
          `${pathname}x`,
          "/",
          "/mqtt",
          "/mqtt?X-Amz-Credential=",
        ],
        ...[
          new URL(text("url")).pathname,
          "/_emulator/health",
          "/hostile/key",
          "/_aws/execute-api/x/y",
          `${pathname}?a=%`,
        ],
        ...[
          "/mqtt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=test%2F20261121%2Feu-west-1%2Fiotdevicegateway%2Faws4_request&X-Amz-Date=x&X-Amz-SignedHeaders=host&X-Amz-Signature=0",
        ],
      ),
    },
  );
  return fc
    .record({
      target,
      protocols: fc.option(protocols, { nil: undefined, freq: 8 }),
      isRight: fc.boolean(),
      more: fc.array(lines, { maxLength: 3 }),
      ending: fc.constantFrom<Ending>("half", "half", "break"),
    })
    .map(({ target, protocols, isRight, more, ending }): Attempt => {
      const right = isRight ? [key, version] : [];
      const offered = protocols === undefined ? [] : [`Sec-WebSocket-Protocol: ${protocols}`];
      const headers = ["Host: localhost", "Connection: Upgrade", "Upgrade: websocket", ...right, ...offered, ...more];
      const head = handshakeOf(target, headers);
      return {
        name: "handshake",
        shown: head.toString("latin1"),
        requests: 1,
        run: async () => judge(await exchange({ port, parts: [head], ending })),
      };
    });
}

/** Connections that are let in, and what they then send. */
export function liveConnections({ port, text }: Stack): fc.Arbitrary<Attempt> {
  const headers = ["Host: localhost", "Connection: Upgrade", "Upgrade: websocket", key, version];
  const protocol = `Sec-WebSocket-Protocol: ${marker}, ${text("liveToken")}`;
  const head = handshakeOf(new URL(text("liveUrl")).pathname, [...headers, protocol]);
  return fc
    .record({
      frames: fc.array(messages, { minLength: 2, maxLength: 14 }),
      offence: fc.option(offences, { nil: undefined }),
      ending: fc.constantFrom<Ending>("wait", "wait", "wait", "half", "break"),
    })
    .map(({ frames, offence, ending }): Attempt => {
      const sent = [...frames, ...(offence ? [offence] : []), last];
      return {
        name: "connection",
        shown: Buffer.concat(sent).toString("latin1"),
        requests: sent.length,
        async run() {
          // What comes behind half a frame is a part of it, and never answered.
          const line = { port, parts: [head], afterwards: sent, isEnough: isOver };
          return judge(await exchange({ ...line, ending: offence && ending === "wait" ? "half" : ending }));
        },
      };
    });
}
