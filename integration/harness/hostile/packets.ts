import fc from "fast-check";
import { bodies, texts } from "./values";

/** The kinds of packets of MQTT 3.1.1 (2.2.1). */
const packetKind = {
  connect: 1,
  publish: 3,
  puback: 4,
  pubrec: 5,
  pubrel: 6,
  subscribe: 8,
  unsubscribe: 10,
  ping: 12,
} as const;

const two = (value: number) => Buffer.from([(value >> 8) % 256, value % 256]);

/** A text with its length before it. */
const field = (content: string | Buffer): Buffer => {
  const bytes = Buffer.from(content);
  return Buffer.concat([two(bytes.length), bytes]);
};

/** A packet as it stands on the line. */
function packet(kind: number, flags: number, content: readonly Buffer[], claimed?: number): Buffer {
  const body = Buffer.concat(content);
  const length: number[] = [];
  for (let left = claimed ?? body.length; length.length === 0 || left > 0; left = Math.floor(left / 128))
    length.push((left % 128) + (left >= 128 ? 128 : 0));
  return Buffer.concat([Buffer.from([kind * 16 + flags, ...length]), body]);
}

/** The first packet of a client. */
export const connectPacket = (
  clientId: string,
  { protocol = "MQTT", level = 4, flags = 2, keepalive = 60, more = [] as Buffer[] } = {},
) =>
  packet(packetKind.connect, 0, [
    field(protocol),
    Buffer.from([level, flags]),
    two(keepalive),
    field(clientId),
    ...more,
  ]);

export const ping = packet(packetKind.ping, 0, []);

const publish = (topic: string, payload: Buffer, { qos = 0, retain = false, isAgain = false, id = 1 } = {}) =>
  packet(packetKind.publish, (isAgain ? 8 : 0) + qos * 2 + (retain ? 1 : 0), [
    field(topic),
    ...(qos > 0 ? [two(id)] : []),
    payload,
  ]);

const subscribe = (filters: readonly string[], qos: number) =>
  packet(packetKind.subscribe, 2, [two(7), ...filters.flatMap((filter) => [field(filter), Buffer.from([qos])])]);

const unsubscribe = (filters: readonly string[]) => packet(packetKind.unsubscribe, 2, [two(8), ...filters.map(field)]);

/** Where the packet that begins at a place ends; undefined while its length is not all there, and Infinity where it is none. */
function endOf(bytes: Buffer, start: number): number | undefined {
  let length = 0;
  for (let at = start + 1, factor = 1; ; at++, factor *= 128) {
    const next = bytes[at];
    if (next === undefined) return undefined;
    length += (next % 128) * factor;
    if (next < 128) return at + 1 + length;
    // A length of more than four bytes ends the connection (MQTT 3.1.1, 2.2.3): nobody reads on.
    if (at - start === 4) return Number.POSITIVE_INFINITY;
  }
}

/** Whether bytes are whole packets: whoever reads them waits for nothing more. */
export function areWhole(bytes: Buffer): boolean {
  let at: number | undefined = 0;
  while (at !== undefined && at < bytes.length) at = endOf(bytes, at);
  return at === bytes.length || at === Number.POSITIVE_INFINITY;
}

/** Whether a broker has answered a ping, whatever it has sent before and after. */
export function hasPingAnswer(bytes: Buffer): boolean {
  for (let at: number | undefined = 0; at !== undefined && at < bytes.length; at = endOf(bytes, at))
    if (bytes[at] === 0xd0) return true;
  return false;
}

/** Topics and filters, as they may be and as they may not. */
const topics = (own: string) =>
  fc.oneof(
    { weight: 5, arbitrary: fc.constant(own) },
    { weight: 3, arbitrary: texts },
    {
      weight: 4,
      arbitrary: fc.constantFrom(
        ...[
          "#",
          "+",
          "+/+",
          "a/#/b",
          "a+",
          "/",
          "//",
          "$SYS/#",
          "$aws/#",
          "$aws/events/x",
          "$share/g/a",
          "a".repeat(257),
        ],
        ...[
          "a/b/c/d/e/f/g/h/i",
          "$aws/things/sensor-1/shadow/update",
          "$aws/things/x/shadow/name/y/get",
          "devices/+/telemetry",
        ],
        ...[
          "$aws/rules/x/a",
          "devices/x/telemetry",
          "devices//telemetry",
          "\u0000",
          "é/😀",
          "$aws/things/x/shadow/delete",
        ],
      ),
    },
  );

/** What clients that know MQTT send: nothing in it is malformed. */
export const wellFormed = (topic: string): fc.Arbitrary<Buffer> => {
  const some = topics(topic);
  const reading = fc
    .record({ temp: fc.double(), at: fc.oneof(fc.nat(), fc.string()) })
    .map((value) => Buffer.from(JSON.stringify(value)));
  return fc.oneof(
    {
      weight: 8,
      arbitrary: fc
        .record({
          to: some,
          payload: fc.oneof(reading, bodies),
          qos: fc.constantFrom(0, 1, 1, 2),
          retain: fc.boolean(),
          isAgain: fc.boolean(),
          id: fc.constantFrom(1, 2, 65_535, 0),
        })
        .map(({ to, payload, ...options }) => publish(to, payload, options)),
    },
    {
      weight: 4,
      arbitrary: fc
        .tuple(fc.array(some, { minLength: 1, maxLength: 9 }), fc.constantFrom(0, 1, 2))
        .map(([filters, qos]) => subscribe(filters, qos)),
    },
    { weight: 1, arbitrary: fc.array(some, { minLength: 1, maxLength: 4 }).map(unsubscribe) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        ping,
        packet(packetKind.puback, 0, [two(9)]),
        packet(packetKind.pubrec, 0, [two(9)]),
        packet(packetKind.pubrel, 2, [two(9)]),
      ),
    },
  );
};

/** What ends a connection: packets that break the protocol or a limit. */
export const malformed = (topic: string): fc.Arbitrary<Buffer> =>
  fc.oneof(
    fc.constantFrom(
      ...[
        subscribe([], 0),
        unsubscribe([]),
        subscribe(["a"], 3),
        packet(packetKind.subscribe, 0, [two(1), field("a"), two(0)]),
      ],
      ...[
        connectPacket("again"),
        packet(0, 0, []),
        packet(15, 15, []),
        packet(packetKind.publish, 6, [field("a"), two(1)]),
      ],
      ...[
        packet(packetKind.publish, 0, [two(50), Buffer.from("a")]),
        publish(topic, Buffer.alloc(131_073)),
        publish("", Buffer.from("x")),
      ],
      ...[
        publish(topic, Buffer.alloc(10), { qos: 3 }),
        packet(packetKind.publish, 0, [field(topic)], 268_435_455),
        publish(topic, Buffer.alloc(300_000)),
      ],
      ...[
        Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0xff]),
        Buffer.from([0x82]),
        Buffer.from("GET / HTTP/1.1\r\n\r\n"),
      ],
      // Fifty-one filters are one more than a connection may have.
      ...[
        Buffer.concat(
          Array.from({ length: 8 }, (_, i) =>
            subscribe(
              Array.from({ length: 7 }, (_, j) => `flood/${i}/${j}`),
              0,
            ),
          ),
        ),
      ],
    ),
    fc.uint8Array({ minLength: 1, maxLength: 40 }).map((random) => Buffer.from(random)),
    fc
      .tuple(
        fc.integer({ min: 0, max: 15 }),
        fc.integer({ min: 0, max: 15 }),
        fc.uint8Array({ maxLength: 30 }),
        fc.option(fc.nat(200)),
      )
      .map(([kind, flags, content, claimed]) => packet(kind, flags, [Buffer.from(content)], claimed ?? undefined)),
  );

/** First packets that are not as they should be. */
export const badConnects = (clientId: string): fc.Arbitrary<Buffer> =>
  fc.oneof(
    fc.constantFrom(
      ...[connectPacket(""), connectPacket("", { flags: 0 }), connectPacket("x".repeat(129)), connectPacket("other")],
      ...[
        connectPacket(clientId, { protocol: "MQIsdp", level: 3 }),
        connectPacket(clientId, { level: 5, more: [Buffer.from([0])] }),
      ],
      ...[
        connectPacket(clientId, { level: 99 }),
        connectPacket(clientId, { protocol: "HTTP" }),
        connectPacket(clientId, { flags: 3 }),
      ],
      ...[
        connectPacket(clientId, { flags: 0xce }),
        connectPacket(clientId, { flags: 0x3e }),
        connectPacket(clientId, { keepalive: 0 }),
      ],
      ...[
        connectPacket(clientId, { flags: 6, more: [field("will/+/x"), field("gone")] }),
        connectPacket(clientId, { flags: 6, more: [field("$aws/x"), field("gone")] }),
      ],
      ...[
        connectPacket(clientId, { flags: 0x40, more: [field("password")] }),
        Buffer.concat([connectPacket(clientId), connectPacket(clientId)]),
      ],
    ),
    texts.map((id) => connectPacket(id)),
    fc
      .uint8Array({ minLength: 1, maxLength: 40 })
      .map((random) => Buffer.concat([Buffer.from([0x10]), Buffer.from(random)])),
  );
