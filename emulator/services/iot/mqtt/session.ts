import { randomUUID } from "node:crypto";
import type { Duplex } from "node:stream";
import type { Client } from "aedes";
import type { MqttClientState } from "../../../core/bus";
import type { Timer } from "../../../core/clock";
import type { Region } from "../state";
import { isReserved, matchesFilter, topicProblem } from "../topics";
import { type Identity, Permissions, thingOf } from "./authorize";

/** Why a connection ended (https://docs.aws.amazon.com/iot/latest/developerguide/life-cycle-events.html). */
export type DisconnectReason =
  | "API_INITIATED_DISCONNECT"
  | "AUTH_ERROR"
  | "CLIENT_INITIATED_DISCONNECT"
  | "CLIENT_ERROR"
  | "CONNECTION_LOST"
  | "DUPLICATE_CLIENTID"
  | "FORBIDDEN_ACCESS"
  | "MQTT_KEEP_ALIVE_TIMEOUT"
  | "SERVER_ERROR"
  | "SERVER_INITIATED_DISCONNECT"
  | "THROTTLED";

/** A client that connects, as far as the transport knows it. */
export interface Peer {
  readonly stream: Duplex;
  readonly identity: Identity;
  readonly sourceIp: string;
}

/** What is known of one connection besides what aedes knows. */
export class Session {
  readonly id = randomUUID();
  readonly identity: Identity;
  readonly sourceIp: string;
  /** Set when the client is let in. */
  clientId = "";
  /** Counts the connections of one client id, from 0. */
  version = 0;
  reason?: DisconnectReason;
  keepalive?: Timer;
  /** Milliseconds on the emulator's clock. */
  lastSeen: number;
  /** Set when the client said that its session is to outlive the connection. */
  isPersistent = false;
  /** What the client wants published when it is lost. */
  will?: { readonly topic: string; readonly retain?: boolean };
  /** The filters that it has subscribed to, and their QoS. */
  readonly filters = new Map<string, number>();
  /** Seconds, as it counts. */
  keepaliveSeconds = 0;
  /** Milliseconds on the emulator's clock; set when the connection has ended. */
  endedAt?: number;
  readonly startedAt: number;
  private allowed?: Permissions;

  constructor(
    readonly region: Region,
    readonly client: Client,
    { identity, sourceIp }: Peer,
  ) {
    this.identity = identity;
    this.sourceIp = sourceIp;
    this.startedAt = region.clock.now();
    this.lastSeen = this.startedAt;
  }

  get principal(): string {
    return this.identity.kind === "certificate" ? this.identity.certificate.id : this.identity.userId;
  }

  get permissions(): Permissions {
    this.allowed ??= new Permissions(this.region, this.identity, this.clientId, this.sourceIp);
    return this.allowed;
  }

  /** Whether the policies allow the client to connect, and to publish the will that it brings. */
  mayConnect(): boolean {
    const { clientId, permissions, will } = this;
    if (!permissions.allows("Connect", clientId)) return false;
    if (!will) return true;
    if (topicProblem(will.topic) || isReserved(will.topic)) return false;
    return (
      permissions.allows("Publish", will.topic) && (!will.retain || permissions.allows("RetainPublish", will.topic))
    );
  }

  /** The thing that has the client's certificate for itself: only such a name is part of lifecycle events. */
  get exclusiveThing(): string | undefined {
    const { identity, region } = this;
    if (identity.kind !== "certificate") return undefined;
    const thing = thingOf(region, identity.certificate, this.clientId);
    return thing?.principals.get(identity.certificate.arn) === "EXCLUSIVE_THING" ? thing.name : undefined;
  }

  /** The connection as GetConnection tells of it: a copy that holds on to nothing of it. */
  get state(): MqttClientState {
    const { client, identity, region, clientId, endedAt } = this;
    const thing = identity.kind === "certificate" ? thingOf(region, identity.certificate, clientId) : undefined;
    const sourcePort = (client.conn as { remotePort?: number }).remotePort;
    return {
      connected: endedAt === undefined,
      cleanSession: !this.isPersistent,
      sourceIp: this.sourceIp,
      keepAlive: this.keepaliveSeconds,
      connectedSince: this.startedAt,
      subscriptions: [...this.filters].map(([topicFilter, qos]) => ({ topicFilter, qos })),
      ...(thing && { thingName: thing.name }),
      ...(sourcePort !== undefined && { sourcePort }),
      ...(endedAt !== undefined && { disconnectedSince: endedAt, disconnectReason: this.reason }),
    };
  }

  /** Whether a subscription that takes in a topic has at least this QoS. */
  isGranted(topic: string, least: number): boolean {
    for (const [filter, qos] of this.filters) if (qos >= least && matchesFilter(filter, topic)) return true;
    return false;
  }

  /**
   * Ends the connection for a reason of the broker's. The first reason stays. Not at once: aedes does not stand it while
   * it handles a packet of the client.
   */
  end(reason: DisconnectReason): void {
    this.reason ??= reason;
    setImmediate(() => this.client.close());
  }
}
