import fc from "fast-check";
import { bodies, json, texts } from "./values";

/** The kinds of frames (RFC 6455, 5.2). */
export const opcode = { more: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

interface Frame {
  readonly kind: number;
  readonly payload: Buffer;
  /** @default true: the last part of its message */
  readonly isLast?: boolean;
  /** The reserved bits, 0 to 7. @default 0 */
  readonly reserved?: number;
  /** @default true, as for every client */
  readonly isMasked?: boolean;
  /** The length that it claims. @default that of its payload */
  readonly claimed?: number;
}

/** A client's frame as it stands on the line; its mask is 0, so that what it says can be read. */
export function frame({ kind, payload, isLast = true, reserved = 0, isMasked = true, claimed }: Frame): Buffer {
  const length = claimed ?? payload.length;
  const first = (isLast ? 128 : 0) + reserved * 16 + kind;
  const mask = isMasked ? 128 : 0;
  const head =
    length < 126
      ? Buffer.from([first, mask + length])
      : length < 65_536
        ? Buffer.from([first, mask + 126, length >> 8, length % 256])
        : Buffer.concat([Buffer.from([first, mask + 127]), bigEndian(length)]);
  return Buffer.concat([head, Buffer.alloc(isMasked ? 4 : 0), payload]);
}

function bigEndian(length: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(length));
  return bytes;
}

export const text = (content: string | Buffer): Buffer => frame({ kind: opcode.text, payload: Buffer.from(content) });

/** What clients of the broadcast say, with members of any type. */
const action = fc
  .record(
    {
      action: fc.oneof(
        {
          weight: 4,
          arbitrary: fc.constantFrom<string>('"subscribe"', '"unsubscribe"', '"message"', '"ping"'),
        },
        {
          weight: 1,
          arbitrary: fc.constantFrom('"$connect"', '"$disconnect"', '"$default"', '"__proto__"', "null", "[]", "1"),
        },
      ),
      devices: fc.oneof(
        fc
          .array(
            texts.map((name) => JSON.stringify(name)),
            { maxLength: 5 },
          )
          .map((names) => `[${names.join(",")}]`),
        json,
        fc.constantFrom('["*"]', '"*"', "[]", "[null]", '[["a"]]', '[{"toString":null}]', `["${"d".repeat(1_100)}"]`),
        fc
          .constantFrom(50, 500, 2_500)
          .map((count) => JSON.stringify(Array.from({ length: count }, (_, i) => `d${i}`))),
      ),
      data: json,
      requestId: fc.oneof(
        json,
        texts.map((id) => JSON.stringify(id)),
      ),
    },
    { requiredKeys: ["action"] },
  )
  .chain((members) =>
    fc
      .array(fc.tuple(texts, json), { maxLength: 2 })
      .map((others) =>
        [...Object.entries(members), ...others].map(([name, value]) => `${JSON.stringify(name)}:${value}`),
      ),
  )
  .map((members) => `{${members.join(",")}}`);

/** Messages of a client, whole or in pieces, with control frames between them. */
export const messages: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 8, arbitrary: action.map(text) },
  { weight: 3, arbitrary: bodies.map((body) => text(body)) },
  {
    weight: 2,
    arbitrary: fc.tuple(action, fc.array(fc.nat(), { maxLength: 4 }), fc.boolean()).map(([content, cuts, pings]) => {
      const whole = Buffer.from(content);
      const places = [0, ...cuts.map((cut) => cut % whole.length).sort((a, b) => a - b), whole.length];
      return Buffer.concat(
        places.slice(1).flatMap((end, i) => [
          frame({
            kind: i === 0 ? opcode.text : opcode.more,
            payload: whole.subarray(places[i], end),
            isLast: i === places.length - 2,
          }),
          ...(pings ? [frame({ kind: opcode.ping, payload: Buffer.from("p") })] : []),
        ]),
      );
    }),
  },
);

/** What ends a connection: frames that break the protocol or a limit of the gateway. */
export const offences: fc.Arbitrary<Buffer> = fc.oneof(
  fc.constantFrom(32_769, 131_073, 140_000).map((size) => text("x".repeat(size))),
  fc.uint8Array({ maxLength: 30 }).map((payload) => frame({ kind: opcode.binary, payload: Buffer.from(payload) })),
  fc.uint8Array({ maxLength: 30 }).map((random) => Buffer.from(random)),
  fc
    .record({
      kind: fc.integer({ min: 0, max: 15 }),
      payload: fc.uint8Array({ maxLength: 130 }).map((payload) => Buffer.from(payload)),
      isLast: fc.boolean(),
      reserved: fc.integer({ min: 0, max: 7 }),
      isMasked: fc.boolean(),
    })
    .map(frame),
  fc
    .constantFrom(2 ** 31, 2 ** 53, 1_000_000)
    .map((claimed) => frame({ kind: opcode.text, payload: Buffer.from("a"), claimed })),
  fc
    .constantFrom(0, 999, 1000, 1004, 1005, 1006, 1015, 2000, 65_535)
    .map((code) => frame({ kind: opcode.close, payload: Buffer.from([code >> 8, code % 256]) })),
  fc.constantFrom(frame({ kind: opcode.close, payload: Buffer.from([3]) }), text(Buffer.from([0xff, 0xfe]))),
);

/** The frames in what a server has sent: kind and payload of each whole one. */
export function framesIn(bytes: Buffer): { kind: number; payload: Buffer }[] {
  const frames: { kind: number; payload: Buffer }[] = [];
  let at = 0;
  while (at + 2 <= bytes.length) {
    const kind = bytes[at]! % 16;
    let length = bytes[at + 1]! % 128;
    let head = 2;
    if (length === 126) {
      if (at + 4 > bytes.length) break;
      length = bytes.readUInt16BE(at + 2);
      head = 4;
    } else if (length === 127) {
      if (at + 10 > bytes.length) break;
      length = Number(bytes.readBigUInt64BE(at + 2));
      head = 10;
    }
    if (at + head + length > bytes.length) break;
    frames.push({ kind, payload: bytes.subarray(at + head, at + head + length) });
    at += head + length;
  }
  return frames;
}
