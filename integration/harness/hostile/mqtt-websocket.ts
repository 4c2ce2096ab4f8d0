import fc from "fast-check";
import { signedMqttUrl } from "../signed-mqtt";
import type { Attempt } from "./attempt";
import { frame, framesIn, offences, opcode } from "./frames";
import { areWhole, badConnects, connectPacket, hasPingAnswer, malformed, ping, wellFormed } from "./packets";
import type { Stack } from "./stack";
import { type Ending, exchange, statusesIn } from "./wire";

const topic = "devices/browser/telemetry";

/** What can be wrong with a signed address. */
const spoilt = (target: string) =>
  fc.oneof(
    fc.constantFrom(
      ...[target.replace(/X-Amz-Signature=../, "X-Amz-Signature=zz"), target.replace(/&X-Amz-Signature=.*/, "")],
      ...[
        target.replace("test%2F", "ASIAXXXXXXXXXXXXXXXX%2F"),
        target.replace("eu-west-1", "%00"),
        `${target}&X-Amz-Date=x`,
      ],
      ...[
        target.replace("X-Amz-Expires=300", "X-Amz-Expires=-1"),
        target.replace("host", "host;x"),
        target.replace("%2F", "/"),
      ],
      ...[
        target.replace(/X-Amz-Date=\d+/, "X-Amz-Date=20010101"),
        `${target}&X-Amz-Security-Token=%ff`,
        "/mqtt?&&==&",
        "/mqtt?%",
      ],
    ),
    fc.nat(target.length - 8).map((cut) => target.slice(0, cut + 7)),
  );

/** MQTT over WebSocket: bad signatures, and good ones with what then comes in frames that are cut anywhere. */
export function mqttWebSockets(stack: Stack): fc.Arbitrary<Attempt> {
  const { pathname, search, host } = new URL(signedMqttUrl(stack, { accessKeyId: "test", secretAccessKey: "test" }));
  const target = `${pathname}${search}`;
  const content = fc
    .tuple(
      fc.oneof(
        { weight: 5, arbitrary: fc.constant(connectPacket("browser")) },
        { weight: 1, arbitrary: badConnects("browser") },
      ),
      fc.array(wellFormed(topic), { maxLength: 8 }),
      fc.option(malformed(topic), { nil: undefined }),
      fc.array(fc.nat(), { maxLength: 5 }),
    )
    .map(([first, packets, offence, cuts]) => {
      const whole = Buffer.concat([first, ...packets, ...(offence ? [offence] : []), ping]);
      const places = [0, ...cuts.map((cut) => cut % whole.length).sort((a, b) => a - b), whole.length];
      const frames = places
        .slice(1)
        .map((end, i) => frame({ kind: opcode.binary, payload: whole.subarray(places[i], end) }));
      return { frames, requests: packets.length + 2, isAnswered: areWhole(whole) };
    });
  return fc
    .record({
      address: fc.oneof({ weight: 2, arbitrary: fc.constant(target) }, { weight: 1, arbitrary: spoilt(target) }),
      content,
      offence: fc.option(offences, { nil: undefined, freq: 3 }),
      ending: fc.constantFrom<Ending>("wait", "half", "half", "break"),
    })
    .map(({ address, content: { frames, requests, isAnswered }, offence, ending }): Attempt => {
      const lines = [`GET ${address} HTTP/1.1`, `Host: ${host}`, "Connection: Upgrade", "Upgrade: websocket"];
      const key = [
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Protocol: mqtt",
      ];
      const head = Buffer.from([...lines, ...key, "", ""].join("\r\n"), "latin1");
      const afterwards = [...frames, ...(offence ? [offence] : [])];
      return {
        name: "mqtt websocket",
        shown: Buffer.concat([head, ...afterwards]).toString("latin1"),
        requests,
        async run() {
          const isEnough = (received: Buffer) => {
            const frames = framesIn(received.subarray(received.indexOf("\r\n\r\n") + 4));
            const packets = frames.filter(({ kind }) => kind === opcode.binary).map(({ payload }) => payload);
            return frames.some(({ kind }) => kind === opcode.close) || hasPingAnswer(Buffer.concat(packets));
          };
          // What is behind an offence, or half a packet, may never be answered.
          const sure = ending === "wait" && (offence !== undefined || !isAnswered) ? "half" : ending;
          return {
            statuses: statusesIn(
              await exchange({ port: stack.port, parts: [head], afterwards, ending: sure, isEnough }),
            ),
          };
        },
      };
    });
}
