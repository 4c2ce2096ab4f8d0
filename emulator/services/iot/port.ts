import type { MqttClientState, Ports } from "../../core/bus";
import { invalidRequest, payloadTooLarge } from "./errors";
import { thingOf } from "./mqtt/authorize";
import type { Hubs } from "./mqtt/hubs";
import type { Session } from "./mqtt/session";
import type { Region } from "./state";
import type { Store } from "./store";
import { isReserved, payloadLimit, topicProblem } from "./topics";

/** What other services may ask of AWS IoT Core. */
export const iotPort = (store: Store, hubs: Hubs): Ports["iot"] => ({
  async client(scope, clientId) {
    const region = store.region(scope);
    const session = (await hubs.of(region))?.find(clientId);
    return session && clientState(region, session);
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

function clientState(region: Region, session: Session): MqttClientState {
  const { client, identity, clientId, endedAt } = session;
  const thing = identity.kind === "certificate" ? thingOf(region, identity.certificate, clientId) : undefined;
  const sourcePort = (client.conn as { remotePort?: number }).remotePort;
  return {
    connected: endedAt === undefined,
    cleanSession: !session.isPersistent,
    sourceIp: session.sourceIp,
    keepAlive: session.keepaliveSeconds,
    connectedSince: session.startedAt,
    subscriptions: [...session.filters].map(([topicFilter, qos]) => ({ topicFilter, qos })),
    ...(thing && { thingName: thing.name }),
    ...(sourcePort !== undefined && { sourcePort }),
    ...(endedAt !== undefined && { disconnectedSince: endedAt, disconnectReason: session.reason }),
  };
}
