import { AwsError, internalFailure } from "../../../core/errors";
import type { Message } from "../broker";
import type { Region } from "../state";
import { clientTokenOf } from "./request";
import { prefixOf, type ShadowName } from "./shadows";

const topic = /^\$aws\/things\/([^/]+)\/shadow\/(?:name\/([^/]+)\/)?(get|update|delete)$/;

/**
 * Requests to shadows by MQTT (https://docs.aws.amazon.com/iot/latest/developerguide/reserved-topics.html#reserved-topics-shadow):
 * each is answered on `accepted` or `rejected` below its topic.
 *
 * @returns a listener for the broker of a region.
 */
export const shadowRequests =
  (region: Region, report: (error: unknown, where: string) => void) =>
  (message: Message): void => {
    if (message.basicIngestRule !== undefined) return;
    const [, thing, shadow, operation] = topic.exec(message.topic) ?? [];
    if (thing === undefined) return;
    const name: ShadowName = shadow === undefined ? { thing } : { thing, shadow };
    const answer = (outcome: "accepted" | "rejected", document: object) =>
      region.broker.publish(`${prefixOf(name)}/${operation}/${outcome}`, JSON.stringify(document));
    const clientToken = clientTokenOf(message.payload);
    const token = clientToken === undefined ? {} : { clientToken };
    try {
      if (operation === "update") region.shadows.update(name, message.payload);
      else if (operation === "delete") region.shadows.delete(name, token);
      else answer("accepted", { ...region.shadows.get(name), ...token });
    } catch (error) {
      const known = error instanceof AwsError ? error : internalFailure();
      if (known !== error) report(error, `shadow of ${thing}`);
      const timestamp = Math.floor(region.clock.now() / 1000);
      answer("rejected", { code: known.status, message: known.message, timestamp, ...token });
    }
  };
