import type { ConnectionOptions } from "node:tls";
import fc from "fast-check";
import type { Attempt } from "./attempt";
import { areWhole, badConnects, connectPacket, hasPingAnswer, malformed, ping, wellFormed } from "./packets";
import type { Stack } from "./stack";
import { bodies, bytes, texts } from "./values";
import { type Ending, exchange, request, statusesIn } from "./wire";

/** A device with what it shows of itself. */
interface Device {
  readonly clientId: string;
  readonly topic: string;
  readonly tls: ConnectionOptions;
}

/** Devices of the fleet, which may little, and one that may everything. */
function devicesOf({ devices, ca, intruder }: Stack): Device[] {
  const trusting = { ca, servername: "localhost" };
  const fleet = Object.entries(devices).map(([clientId, { certificate: cert, privateKey: key, topics }]) => ({
    clientId,
    topic: topics[0]!,
    tls: { ...trusting, cert, key },
  }));
  const { cert, key } = intruder;
  return [...fleet, { clientId: "intruder", topic: "devices/intruder/telemetry", tls: { ...trusting, cert, key } }];
}

const endings = fc.constantFrom<Ending>("wait", "wait", "wait", "half", "break");

/** MQTT connections of devices. */
export function mqttConnections(stack: Stack): fc.Arbitrary<Attempt> {
  return fc.constantFrom(...devicesOf(stack)).chain(({ clientId, topic, tls }) => {
    const right = fc.constantFrom(connectPacket(clientId), connectPacket(clientId, { flags: 0 }));
    return fc
      .record({
        first: fc.oneof({ weight: 5, arbitrary: right }, { weight: 2, arbitrary: badConnects(clientId) }),
        packets: fc.array(wellFormed(topic), { maxLength: 12 }),
        offence: fc.option(malformed(topic), { nil: undefined, freq: 2 }),
        ending: endings,
      })
      .map(({ first, packets, offence, ending }): Attempt => {
        const afterwards = [...packets, ...(offence ? [offence] : []), ping];
        return {
          name: "mqtt",
          shown: `${first.toString("latin1")} ${Buffer.concat(afterwards).toString("latin1")}`,
          requests: afterwards.length + 1,
          async run() {
            // What comes behind half a packet is a part of it, and never answered.
            const isAnswered = areWhole(Buffer.concat([first, ...afterwards]));
            const line = { port: stack.mqttPort, tls, ending: isAnswered ? ending : "half", isEnough: hasPingAnswer };
            await exchange(
              areWhole(first) ? { ...line, parts: [first], afterwards } : { ...line, parts: [first, ...afterwards] },
            );
            return { statuses: [] };
          },
        };
      });
  });
}

/** HTTPS on the port of the broker, and what is nothing at all. */
export function mqttPortRequests(stack: Stack): fc.Arbitrary<Attempt> {
  const { mqttPort: port, ca } = stack;
  const shown = fc.constantFrom<ConnectionOptions>(...devicesOf(stack).map(({ tls }) => tls), {
    ca,
    servername: "localhost",
  });
  const topic = fc.oneof(
    texts.map((name) => encodeURIComponent(name.toWellFormed())),
    fc.constantFrom(
      "devices%2Fintruder%2Ftelemetry",
      "devices/sensor-1/telemetry",
      "%zz",
      "%00",
      "",
      "a?qos=2",
      "a?qos=1&retain=true",
      "$aws/x",
    ),
  );
  const publishing = fc
    .record({
      tls: shown,
      topic,
      body: bodies,
      method: fc.constantFrom("POST", "POST", "GET", "DELETE"),
      ending: endings,
    })
    .map(({ tls, topic, body, method, ending }) => ({
      tls,
      parts: [request(method, `/topics/${topic}`, ["Host: localhost", "Connection: close"], body)],
      ending,
    }));
  const nothing = fc.record({
    tls: fc.option(shown, { nil: undefined }),
    parts: fc.array(
      bytes.filter(({ length }) => length > 0),
      { minLength: 1, maxLength: 3 },
    ),
    ending: fc.constantFrom<Ending>("half", "break"),
  });
  return fc.oneof({ weight: 3, arbitrary: publishing }, { weight: 1, arbitrary: nothing }).map(
    ({ tls, parts, ending }): Attempt => ({
      name: "mqtt port",
      shown: Buffer.concat(parts).toString("latin1"),
      requests: 1,
      run: async () => ({ statuses: statusesIn(await exchange({ port, tls, parts, ending })) }),
    }),
  );
}
