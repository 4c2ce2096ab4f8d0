import type { DisconnectReason, Session } from "./session";

/** Client ids that cannot stand in a topic get no lifecycle events. */
const hasEvents = (clientId: string) => !/[#+]/.test(clientId);

function publish(session: Session, topic: string, eventType: string, rest: object): void {
  const { region, clientId } = session;
  if (!hasEvents(clientId)) return;
  const thingName = session.exclusiveThing;
  const event = {
    clientId,
    ...(thingName !== undefined && { thingName }),
    timestamp: region.clock.now(),
    eventType,
    sessionIdentifier: session.id,
    principalIdentifier: session.principal,
    ...rest,
  };
  region.broker.publish(`$aws/events/${topic}/${eventType}/${clientId}`, JSON.stringify(event));
}

/**
 * Lifecycle events (https://docs.aws.amazon.com/iot/latest/developerguide/life-cycle-events.html): messages of AWS's own
 * that tell of connections and subscriptions.
 */
export const lifecycle = {
  connected: (session: Session) =>
    publish(session, "presence", "connected", { ipAddress: session.sourceIp, versionNumber: session.version }),

  connectFailed: (session: Session) =>
    publish(session, "presence", "connect_failed", {
      connectFailureReason: "AUTHORIZATION_FAILED",
      ipAddress: session.sourceIp,
    }),

  disconnected: (session: Session, disconnectReason: DisconnectReason) =>
    publish(session, "presence", "disconnected", {
      clientInitiatedDisconnect: disconnectReason === "CLIENT_INITIATED_DISCONNECT",
      disconnectReason,
      versionNumber: session.version,
    }),

  subscribed: (session: Session, topics: readonly string[]) =>
    publish(session, "subscriptions", "subscribed", { topics }),

  unsubscribed: (session: Session, topics: readonly string[]) =>
    publish(session, "subscriptions", "unsubscribed", { topics }),
};
