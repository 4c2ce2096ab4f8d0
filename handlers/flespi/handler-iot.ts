import { IoTDataPlaneClient, PublishCommand } from "@aws-sdk/client-iot-data-plane";
import { LIMITS } from "../clients";
import { describe, once } from "../retry";
import type { MakeHandler } from "./handler";
import { publishAll } from "./publishing";

/** Devices whose messages are published at the same time. */
const PARALLEL = 32;

/**
 * Publishes each message to AWS IoT Core over HTTPS, with QoS 1 and AWS credentials; the topic is a template such as
 * `flespi/${ident}`. Resolves when AWS IoT has taken all of them.
 * @see https://docs.aws.amazon.com/iot/latest/apireference/API_iotdata_Publish.html
 */
export const toIoT =
  (template: string): MakeHandler =>
  () => {
    const client = once(
      () =>
        new IoTDataPlaneClient({
          maxAttempts: 4,
          requestHandler: { ...LIMITS, httpsAgent: { keepAlive: true, maxSockets: PARALLEL } },
        }),
    );
    const publish = async (topic: string, payload: string) => {
      try {
        await client().send(new PublishCommand({ topic, qos: 1, payload: Buffer.from(payload) }));
        return undefined;
      } catch (error) {
        const { name } = error as Error;
        if (name === "InvalidRequestException" || name === "RequestEntityTooLargeException") return describe(error);
        throw error;
      }
    };
    return {
      handle: (messages) => publishAll(messages, template, publish, PARALLEL),
      async close() {
        client().destroy();
      },
    };
  };
