import type { Ports } from "../../core/bus";
import { invalidRequest, payloadTooLarge } from "./errors";
import type { Hubs } from "./mqtt/hubs";
import type { Store } from "./store";
import { isReserved, payloadLimit, topicProblem } from "./topics";

/** What other services may ask of AWS IoT Core. */
export const iotPort = (store: Store, hubs: Hubs): Ports["iot"] => ({
  async client(scope, clientId) {
    return (await hubs.of(store.region(scope)))?.state(clientId);
  },

  disconnect: async (scope, clientId, options) =>
    (await (await hubs.of(store.region(scope)))?.end(clientId, options)) ?? false,

  publish(scope, { topic, payload, ...options }) {
    const problem = topicProblem(topic) ?? (isReserved(topic) ? "the topic is reserved for AWS IoT" : undefined);
    if (problem) throw invalidRequest(`Invalid topic: ${problem}`);
    if (payload.length > payloadLimit) throw payloadTooLarge();
    store.region(scope).broker.publish(topic, payload, options);
  },

  retained: (scope) => store.region(scope).broker.retained,

  shadows: (scope) => store.region(scope).shadows,
});
