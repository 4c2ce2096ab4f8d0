import fc from "fast-check";
import type { Attempt } from "./attempt";
import type { Stack } from "./stack";
import { bodies, bytes, json, names, texts } from "./values";
import { type Ending, exchange, statusesIn } from "./wire";

/** Text as it can stand in a line of a head; what cannot is what the sender of garbage is for. */
const inLine = (text: string) =>
  Buffer.from(text)
    .toString("latin1")
    .replace(/[\r\n]/g, " ");

const methods = fc.oneof(
  { weight: 12, arbitrary: fc.constant("POST") },
  { weight: 4, arbitrary: fc.constantFrom("GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "SEARCH") },
  { weight: 1, arbitrary: fc.constantFrom("post", "CONNECT", "FOO", "GET,POST", "PRI", "") },
);

/** Other ways to write a path, and paths of nothing. */
export const pathsNear = (path: string) => {
  const parts = path.split("/");
  const other = (...last: string[]) => [...parts.slice(0, -1), ...last].join("/");
  return fc.oneof(
    { weight: 10, arbitrary: fc.constant(path) },
    { weight: 2, arbitrary: fc.webQueryParameters().map((query) => `${path}?${query}`) },
    { weight: 2, arbitrary: texts.map((text) => `${path}?${inLine(text)}`.replace(/\s/g, "+")) },
    { weight: 2, arbitrary: texts.map((text) => `${other(encodeURIComponent(text.toWellFormed()))}`) },
    {
      weight: 3,
      arbitrary: fc.constantFrom(
        ...[`${path}/`, `/${path}`, `${path}//`, `${path}%00`, `${path}%`, `${path}%zz`, `${path}%ff%fe`, `${path}#x`],
        ...[other(), other(".."), other("%2e%2e", ".."), other("@connections", "x"), other("..;", "a"), `${path}/more`],
        ...["/", "*", "//", "/%", "/_aws/execute-api/", "/_aws/execute-api/%2e/prod/x", "/_aws/iot/x", "/_emulator/x"],
        ...[
          "/_aws/sns/x?Action=Y",
          "/_aws/lambda-code/x",
          "/_aws/cognito-idp/x/y",
          "/eu-west-1_abc/.well-known/jwks.json",
        ],
        ...[
          `${path}?${"a=1&".repeat(2_000)}`,
          `${path}/${"x".repeat(4_000)}`,
          `http://evil.example${path}`,
          "?",
          "a b",
        ],
      ),
    },
  );
};

const hosts = (port: number) =>
  fc.oneof(
    { weight: 12, arbitrary: fc.constant([`Host: localhost:${port}`]) },
    { weight: 1, arbitrary: fc.constantFrom([], ["Host:"], ["Host: a", "Host: b"], ["Host: x.execute-api.localhost"]) },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom(".execute-api.", "a.auth.x", "..", "b.s3.localhost", "[::1]:1", "a".repeat(300), ".localhost")
        .map((host) => [`Host: ${host}`]),
    },
  );

const headerNames = fc.constantFrom(
  ...[
    "Accept",
    "Accept-Encoding",
    "Content-Encoding",
    "Cookie",
    "Authorization",
    "X-Amz-Date",
    "X-Amz-Target",
    "Range",
  ],
  ...["X-Amz-Content-Sha256", "X-Amz-Security-Token", "X-Forwarded-For", "X-Amzn-Trace-Id", "Referer", "User-Agent"],
  ...["Expect", "Upgrade", "Connection", "TE", "Trailer", "If-Match", "If-Modified-Since", "Content-MD5", "Origin"],
  ...["__proto__", "constructor", "x-api-key", "AuthDetails", "Content-Disposition", "X-HTTP-Method-Override", "x-y_z"],
);

const headerValues = fc.oneof(
  texts.map(inLine),
  fc.constantFrom(
    ...["gzip", "br, gzip;q=0", "aws-chunked", "100-continue", "websocket", "h2c", "close, upgrade", "bytes=0-", "*/*"],
    ...["STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "20261121T000000Z", "AWS4-HMAC-SHA256", "Basic Og==", "Bearer a.b.c"],
    ...[
      "AWS4-HMAC-SHA256 Credential=test/20261121/eu-west-1/execute-api/aws4_request, SignedHeaders=host, Signature=0",
    ],
    ...["AWS4-HMAC-SHA256 Credential=/x/y/z, SignedHeaders=;;, Signature=", "\x80\xff", "x".repeat(5_000), "a, b, c"],
  ),
);

const contentTypes = fc.oneof(
  { weight: 6, arbitrary: fc.constant("application/json") },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      ...[
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=",
        "application/octet-stream",
      ],
      ...[
        "application/json; charset=utf-16",
        "image/*",
        "",
        ";",
        "a",
        "text/html; charset=\xff",
        "application/x-amz-json-1.0",
      ],
    ),
  },
);

/** A reading as sensors send it, so that some of what is hostile is also taken. */
const reading = fc
  .record({ tsmTs: fc.integer({ min: 0, max: 4_000_000_000 }), more: json })
  .map(({ tsmTs, more }) => `[{"tsmId":12100,"tsmEv":10,"tsmTs":${tsmTs},"tsmTuid":"T","temp":21.5,"more":${more}}]`);

/** What a request carries, by its framing: the right length, a wrong one, chunks, broken chunks. */
interface Framed {
  readonly headers: readonly string[];
  readonly parts: readonly Buffer[];
  /** The other side may wait for more. */
  readonly isOpen?: boolean;
}

const chunked = (chunks: readonly (Buffer | string)[], tail: string): Framed => ({
  headers: ["Transfer-Encoding: chunked"],
  parts: [
    ...chunks.map((chunk) =>
      Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), Buffer.from(chunk), Buffer.from("\r\n")]),
    ),
    Buffer.from(tail),
  ],
});

const framed = (body: fc.Arbitrary<Buffer>): fc.Arbitrary<Framed> =>
  fc.oneof(
    {
      weight: 10,
      arbitrary: body.map((all) => ({ headers: [`Content-Length: ${all.length}`], parts: [all] })),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(body, fc.constantFrom("1", "99999", "-1", "1e3", "0x10", "", "1, 1", "9".repeat(30)))
        .map(([all, length]) => ({ headers: [`Content-Length: ${length}`], parts: [all], isOpen: true })),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(
          fc.array(
            body.filter(({ length }) => length > 0),
            { maxLength: 4 },
          ),
          fc.constantFrom("0\r\n\r\n", "0;ext=1\r\nTrailer: x\r\n\r\n", "0\r\n__proto__: x\r\n\r\n"),
        )
        .map(([chunks, tail]) => chunked(chunks, tail)),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(body, fc.constantFrom("", "zz\r\n", "-1\r\n", "ffffffffffffffffff\r\n", "5\r\nab", "0\r\n", "\r\n"))
        .map(([all, tail]) => ({ ...chunked([all.length > 0 ? all : "x"], tail), isOpen: true })),
    },
    {
      weight: 1,
      arbitrary: body.map((all) => ({
        headers: ["Transfer-Encoding: chunked", `Content-Length: ${all.length}`],
        parts: [all],
        isOpen: true,
      })),
    },
  );

/** Bodies beyond the limits: 6 MB of a function, 10 MB of the gateway. Few, for each takes its time. */
const oversized = fc.constantFrom(6_300_000, 10_500_000, 12_000_000).map((size) => Buffer.alloc(size, "[0,"));

interface Door {
  readonly name: string;
  readonly path: string;
  /** The header that opens it. */
  readonly key: string;
}

function requestsTo({ port }: Stack, { name, path, key }: Door, isLarge: boolean): fc.Arbitrary<Attempt> {
  const [keyName = ""] = key.split(":");
  const keys = fc.oneof(
    { weight: 8, arbitrary: fc.constant([key]) },
    {
      weight: 1,
      arbitrary: fc.constantFrom([], [`${keyName}:`], [key, key], [`${key}x`], [`${keyName}: ${"k".repeat(200)}`]),
    },
    { weight: 1, arbitrary: texts.map((text) => [`${keyName}: ${inLine(text)}`]) },
  );
  const body = fc.oneof(
    { weight: 3, arbitrary: reading.map((text) => Buffer.from(text)) },
    { weight: 5, arbitrary: bodies },
  );
  return fc
    .record({
      method: isLarge ? fc.constant("POST") : methods,
      target: isLarge ? fc.constant(path) : pathsNear(path),
      host: hosts(port),
      key: keys,
      type: contentTypes,
      headers: fc.array(fc.tuple(headerNames, headerValues), { maxLength: 3 }),
      content: isLarge
        ? oversized.map((all): Framed => ({ headers: [`Content-Length: ${all.length}`], parts: [all] }))
        : framed(body),
      ending: fc.constantFrom<Ending>("wait", "wait", "wait", "wait", "half", "break"),
    })
    .map(({ method, target, host, key, type, headers, content, ending }): Attempt => {
      const others = headers.map(([header, value]) => `${header}: ${value}`);
      const head = [...host, ...key, `Content-Type: ${type}`, ...others, "Connection: close", ...content.headers];
      const first = Buffer.from(`${method} ${target} HTTP/1.1\r\n${head.join("\r\n")}\r\n\r\n`, "latin1");
      const parts = [first, ...content.parts];
      // An Expect that is not met, and a body without its end, leave the other side waiting.
      const isOpen = content.isOpen || /^(Expect|Upgrade|Connection):/im.test(others.join("\n"));
      // What does not get to the method may be answered before all of it was sent, and the line be gone by then.
      const waits = ending === "wait" && !isOpen && method === "POST" && target.split("?")[0] === path;
      return {
        name,
        shown: Buffer.concat(parts).toString("latin1"),
        requests: 1,
        async run() {
          const statuses = statusesIn(
            await exchange({ port, parts, ending: isOpen && ending === "wait" ? "half" : ending }),
          );
          return { statuses, ...(waits && statuses.length === 0 && { problem: "a whole request got no answer" }) };
        },
      };
    });
}

/** The two that take HTTP. */
export function doorsOf(stack: Stack): Door[] {
  const path = (output: string) => new URL(stack.text(output)).pathname;
  return [
    { name: "ingest", path: path("url"), key: `x-api-key: ${stack.text("apiKey")}` },
    { name: "postbox", path: path("postboxUrl"), key: `AuthDetails: ${stack.text("postboxToken")}` },
  ];
}

/** Requests to the ingest and to the postbox. */
export const httpRequests = (stack: Stack, isLarge = false): fc.Arbitrary<Attempt> =>
  fc.oneof(...doorsOf(stack).map((door) => requestsTo(stack, door, isLarge)));

/** What is no HTTP, or not quite, on the HTTP port. */
export function garbage({ port, text }: Stack): fc.Arbitrary<Attempt> {
  const right = `POST ${new URL(text("url")).pathname} HTTP/1.1\r\nHost: localhost\r\nx-api-key: ${text("apiKey")}\r\n`;
  const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
  const pieces = fc.oneof(
    bytes,
    names.map((name) => Buffer.from(name)),
    fc
      .constantFrom(
        ...[
          right,
          preface,
          "GET / HTTP/1.1\r\n\r\n",
          "GET / HTTP/1.0\r\n\r\n",
          "GET / HTTP/9.9\r\nHost: a\r\n\r\n",
          "\r\n",
        ],
        ...[
          "GET /\r\n\r\n",
          `${right}Content-Length: 2\r\n\r\n[]`,
          `${right}X: ${"y".repeat(20_000)}\r\n\r\n`,
          "\r\n\r\n",
        ],
        ...[
          `${right} folded: x\r\n\r\n`,
          `${right}no colon\r\n\r\n`,
          `${right}A\x00B: c\r\n\r\n`,
          `${right}X : y\r\n\r\n`,
        ],
        ...[
          "X: y\r\n".repeat(3_000),
          "\n\n\n",
          "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
          "SSH-2.0-x\r\n",
          "\x10\x0c\x00\x04MQTT",
        ],
      )
      .map((piece) => Buffer.from(piece, "latin1")),
    fc.constant(settings),
    // HTTP/2 frames of any kind: a length, a type, flags, a stream, and something.
    fc
      .tuple(fc.nat(40), fc.nat(12), fc.nat(255), fc.nat(9))
      .map(([length, type, flags, stream]) =>
        Buffer.concat([Buffer.from([0, 0, length, type, flags, 0, 0, 0, stream]), randomless(length)]),
      ),
  );
  return fc
    .record({
      start: fc.constantFrom("", "", right, preface),
      parts: fc.array(pieces, { minLength: 1, maxLength: 5 }),
      ending: fc.constantFrom<Ending>("half", "break"),
    })
    .map(({ start, parts, ending }): Attempt => {
      const all = [Buffer.from(start), ...parts];
      return {
        name: "garbage",
        shown: Buffer.concat(all).toString("latin1"),
        requests: 1,
        run: async () => ({ statuses: statusesIn(await exchange({ port, parts: all, ending })) }),
      };
    });
}

/** Bytes that are the same with the same seed. */
const randomless = (length: number) => Buffer.from(Array.from({ length }, (_, i) => (i * 73 + length) % 256));
