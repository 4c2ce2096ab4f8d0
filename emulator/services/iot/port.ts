import type { Ports } from "../../core/bus";
import { invalidRequest, payloadTooLarge } from "./errors";
import type { Store } from "./store";
import { isReserved, payloadLimit, topicProblem } from "./topics";

/** What other services may ask of AWS IoT Core. */
export const iotPort = (store: Store): Ports["iot"] => ({
  publish(scope, { topic, payload, ...options }) {
    const problem = topicProblem(topic) ?? (isReserved(topic) ? "the topic is reserved for AWS IoT" : undefined);
    if (problem) throw invalidRequest(`Invalid topic: ${problem}`);
    if (payload.length > payloadLimit) throw payloadTooLarge();
    store.region(scope).broker.publish(topic, payload, options);
  },

  retained: (scope) => store.region(scope).broker.retained,

  shadows: (scope) => store.region(scope).shadows,
});
