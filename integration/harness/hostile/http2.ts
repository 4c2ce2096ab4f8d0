import { type ClientHttp2Session, connect } from "node:http2";
import fc from "fast-check";
import type { Attempt, Outcome } from "./attempt";
import { doorsOf, pathsNear } from "./http";
import type { Stack } from "./stack";
import { bodies, texts } from "./values";
import { patience } from "./wire";

interface Request {
  readonly headers: Record<string, string>;
  readonly body: Buffer;
  /** How it goes on: to its end, or reset by the client with this code. */
  readonly reset?: number;
}

/** Text that HTTP/2's own client lets through. */
const inField = (text: string) =>
  Buffer.from(text)
    .toString("latin1")
    .replace(/[\r\n\0]/g, " ")
    .trim();

/** One stream; gives its status, 0 for one that was reset. */
function send(session: ClientHttp2Session, { headers, body, reset }: Request): Promise<number> {
  return new Promise((resolve) => {
    const stream = session.request(headers, { endStream: body.length === 0 });
    let status = 0;
    stream.on("response", (answer) => {
      status = Number(answer[":status"]);
    });
    stream.on("error", () => {});
    stream.on("close", () => resolve(status));
    stream.resume();
    if (body.length > 0) stream.end(body);
    if (reset !== undefined) stream.close(reset);
  });
}

/** HTTP/2 connections without TLS with some requests each, of clients that know the protocol and not the manners. */
export function http2Connections(stack: Stack): fc.Arbitrary<Attempt> {
  const requests = fc.constantFrom(...doorsOf(stack)).chain(({ path, key }) => {
    const [name = "", value = ""] = key.split(": ");
    return fc.record(
      {
        headers: fc
          .record({
            ":method": fc.constantFrom("POST", "POST", "POST", "GET", "PUT", "OPTIONS", "FOO"),
            ":path": pathsNear(path).map((target) => inField(target) || "/"),
            more: fc.dictionary(
              fc.constantFrom("content-type", "x-amz-target", "authorization", "cookie", "x-a", "__proto__", "expect"),
              fc.oneof(texts.map(inField), fc.constantFrom("100-continue", "application/json", "5", "a=b; c")),
              { maxKeys: 4 },
            ),
          })
          .map(({ more, ...fields }) => ({
            ...(more as Record<string, string>),
            ...fields,
            ...{ ":authority": "localhost", [name.toLowerCase()]: value },
          })),
        body: bodies,
        reset: fc.constantFrom(0, 2, 8, 11),
      },
      { requiredKeys: ["headers", "body"] },
    );
  });
  return fc.record({ all: fc.array(requests, { minLength: 1, maxLength: 6 }), breaks: fc.boolean() }).map(
    ({ all, breaks }): Attempt => ({
      name: "http2",
      shown: JSON.stringify(all.map(({ headers, body, reset }) => ({ headers, body: body.toString("latin1"), reset }))),
      requests: all.length,
      async run(): Promise<Outcome> {
        const session = connect(stack.endpoint);
        session.on("error", () => {});
        const closed = new Promise<void>((resolve) => session.once("close", () => resolve()));
        const streams = all.map((one) => send(session, one));
        if (breaks) setImmediate(() => session.destroy());
        let problem: string | undefined;
        const timer = setTimeout(() => {
          problem = "a stream was neither answered nor ended";
          session.destroy();
        }, patience);
        const statuses = (await Promise.all(streams)).filter((status) => status > 0);
        session.close();
        await closed;
        clearTimeout(timer);
        return { statuses, problem };
      },
    }),
  );
}
