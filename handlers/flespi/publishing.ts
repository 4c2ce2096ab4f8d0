import { mapConcurrent } from "../retry";
import type { RefusedMessages } from "./handler";
import type { FlespiMessage } from "./message";
import { MAX_PAYLOAD_BYTES, topicOf } from "./topic";

/** Publishes one message. Gives a reason when it can never be published; rejects when it may be another time. */
export type Publish = (topic: string, payload: string) => Promise<string | undefined>;

/**
 * Publishes messages to topics, those of one device in their order, those of several at the same time. The first one that
 * fails ends it: what was published comes again with the rest, and is told by its content.
 */
export async function publishAll(
  messages: readonly FlespiMessage[],
  template: string,
  publish: Publish,
  parallel: number,
): Promise<RefusedMessages> {
  const refused: Record<string, string> = {};
  const byDevice = Object.values(Object.groupBy(messages, ({ ident }) => `#${ident}`));
  let failed = false;
  await mapConcurrent(byDevice, parallel, async (ofDevice = []) => {
    for (const { id, data, json } of ofDevice) {
      if (failed) return;
      try {
        const reason = await publishOne(template, data, json, publish);
        if (reason !== undefined) refused[id] = reason;
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  });
  return refused;
}

async function publishOne(template: string, data: FlespiMessage["data"], json: string, publish: Publish) {
  const target = topicOf(template, data);
  if (typeof target === "string") return target;
  const size = Buffer.byteLength(json);
  if (size > MAX_PAYLOAD_BYTES) return `its ${size} bytes are more than the ${MAX_PAYLOAD_BYTES} of an MQTT message`;
  return publish(target.topic, json);
}
