import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { connectAsync, type MqttClient } from "mqtt";
import { inTime } from "../deadline";
import { describe } from "../retry";
import type { MakeHandler } from "./handler";
import { publishAll } from "./publishing";

/** A connection to AWS IoT Core as a device with a certificate. */
export interface MqttConnection {
  /** The account's endpoint, such as `abc123-ats.iot.eu-west-1.amazonaws.com`, with a port if it is not 8883. */
  readonly endpoint: string;
  /** The device's certificate, PEM. */
  readonly cert: string;
  /** Its private key, PEM. */
  readonly key: string;
  /** The certificate authority, PEM: Amazon Root CA 1. @default those that Node trusts */
  readonly ca?: string;
  /**
   * Who the broker takes this process for. It closes a connection when another comes with the same one.
   * @default another one for each process
   */
  readonly clientId?: string;
  /** Messages a second. @default 100, AWS IoT Core's limit for a connection */
  readonly rate?: number;
}

/** AWS IoT Core holds 100 unacknowledged messages of a connection (https://docs.aws.amazon.com/general/latest/gr/iot-core.html#message-broker-limits). */
const PARALLEL = 50;
const ACKNOWLEDGE_MS = 20_000;

/** A connection that is open. */
interface Line {
  readonly client: MqttClient;
  /** Rejects when the connection has ended. */
  readonly broken: Promise<never>;
}

/**
 * Publishes each message by MQTT with QoS 1; the topic is a template such as `flespi/${ident}`. Resolves when AWS IoT has
 * acknowledged all of them. It connects when there is something to publish, and anew after a connection that broke.
 */
export const toMqtt =
  (template: string, connection: MqttConnection): MakeHandler =>
  () => {
    const clientId = connection.clientId ?? `sensorcast-flespi-${randomUUID()}`;
    const turn = pace(connection.rate ?? 100);
    let line: Promise<Line> | undefined;
    const hangUp = async () => {
      const ending = line;
      line = undefined;
      // Pending messages are not sent behind the back of whoever publishes them anew.
      await ending?.then(({ client }) => client.endAsync(true)).catch(() => undefined);
    };
    const publish = async (topic: string, payload: string) => {
      await turn();
      line ??= open(connection, clientId);
      const { client, broken } = await line;
      const acknowledged = client.publishAsync(topic, payload, { qos: 1 });
      await inTime(Promise.race([acknowledged, broken]), Date.now() + ACKNOWLEDGE_MS, "AWS IoT's acknowledgement");
      return undefined;
    };
    return {
      async handle(messages) {
        try {
          return await publishAll(messages, template, publish, PARALLEL);
        } catch (error) {
          await hangUp();
          throw error;
        }
      },
      close: hangUp,
    };
  };

async function open({ endpoint, cert, key, ca }: MqttConnection, clientId: string): Promise<Line> {
  const [, host, port = "8883"] = /^(.*?)(?::(\d+))?$/.exec(endpoint) ?? [];
  const client = await connectAsync(
    `mqtts://${host}:${port}`,
    // A connection that broke is reported, not mended in silence: the messages on their way are published anew.
    { cert, key, ca, clientId, clean: true, reconnectPeriod: 0, connectTimeout: ACKNOWLEDGE_MS },
    false,
  );
  const broken = new Promise<never>((_, reject) => {
    const reason = `AWS IoT ended the connection of ${clientId}: it may not publish to this topic, or its client id is in use`;
    client.once("close", () => reject(new Error(reason)));
  });
  broken.catch(() => undefined);
  client.on("error", (error) => console.error(JSON.stringify({ message: "MQTT error", reason: describe(error) })));
  return { client, broken };
}

/** Waits for a turn, so that there are at most so many a second. */
function pace(rate: number): () => Promise<void> {
  let next = 0;
  return async () => {
    const now = Date.now();
    next = Math.max(now, next + 1000 / rate);
    if (next - now >= 1) await delay(next - now);
  };
}
