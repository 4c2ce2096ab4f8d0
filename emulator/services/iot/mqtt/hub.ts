import { randomUUID } from "node:crypto";
import type { Aedes, AedesPublishPacket, AuthenticateError, Client, PublishPacket, Subscription } from "aedes";
import type { IConnectPacket } from "mqtt-packet";
import type { MqttClientState } from "../../../core/bus";
import type { Timer } from "../../../core/clock";
import { AwsError } from "../../../core/errors";
import { ConnectionDropped } from "../../../core/faults/call";
import type { Journal } from "../../../core/journal/journal";
import { limits } from "../../../core/limits";
import type { Host } from "../../../core/service";
import type { Delivery, Message } from "../broker";
import type { Certificate, Region } from "../state";
import {
  filterProblem,
  isReserved,
  isSubscribable,
  matchesFilter,
  packetLimit,
  payloadLimit,
  topicProblem,
} from "../topics";
import { dropWill, endSession, inspect, limitBacklog, limitPackets, startAedes, withoutKeepalive } from "./aedes";
import { deviceMessage } from "./arrival";
import { lifecycle } from "./lifecycle";
import { type DisconnectReason, type Peer, Session } from "./session";

const longestClientId = limits.iot.clientId.value;
/** A persistent session ends so long after its client went. */
const sessionMs = limits.iot.session.value;
/** GetConnection tells of a client for half an hour after it went. */
const memoryMs = 1_800_000;
/** How far a client may be behind with reading; AWS has its limits per second instead. */
const backlogBytes = 16 * 1024 * 1024;

/** Return codes of CONNACK (MQTT 3.1.1, 3.2.2.3). */
const identifierRejected = 2;
const notAuthorized = 5;

const refusal = (returnCode: number, message: string): AuthenticateError =>
  Object.assign(new Error(message), { returnCode });

/** Why a connection ends whose message a fault refuses. */
const endBy = (error: unknown): DisconnectReason =>
  error instanceof ConnectionDropped ? "CONNECTION_LOST" : isFailure(error) ? "SERVER_ERROR" : "THROTTLED";

const isFailure = (error: unknown) => error instanceof AwsError && error.fault === "server";

/** CONNACK of a client without a name that wants to be remembered (MQTT 3.1.1, 3.1.3.1); aedes would name it. */
const nameless = Buffer.from([0x20, 0x02, 0x00, identifierRejected]);

/** CONNACK of MQTT 5 with reason 0x84, unsupported protocol version: aedes speaks no MQTT 5 and would answer in 3.1.1. */
const wrongVersion = Buffer.from([0x20, 0x03, 0x00, 0x84, 0x00]);

/**
 * The MQTT side of the broker of one account and region: connections, sessions and subscriptions, on aedes.
 *
 * MQTT 3.1.1. Not emulated, and refused: MQTT 5 (reason 0x84), shared subscriptions (SUBACK 0x80).
 */
export class Hub implements Delivery {
  private readonly sessions = new WeakMap<Client, Session>();
  /** The sessions whose connections are open. */
  private readonly open = new Set<Session>();
  /** Connections of each client id so far. */
  private readonly versions = new Map<string, number>();
  /** Connections that ended a short while ago, by client id. */
  private readonly past = new Map<string, MqttClientState>();
  /** What ends the sessions of clients that are away. */
  private readonly away = new Map<string, Timer>();

  private aedes!: Aedes;
  private isClosed = false;

  private constructor(
    private readonly region: Region,
    private readonly journal: Journal,
  ) {}

  static async start(region: Region, { report, journal }: Pick<Host, "report" | "journal">): Promise<Hub> {
    const hub = new Hub(region, journal);
    hub.aedes = await startAedes(
      {
        // 128 bytes; aedes looks at it for MQTT 3.1 only, we at all.
        maxClientsIdLength: longestClientId,
        // Packets that wait for CONNACK: as many as may come with CONNECT in one read, after which aedes waits itself.
        queueLimit: 16_384,
        preConnect: (client, packet, done) => done(null, hub.preConnect(client, packet)),
        authenticate: (client, _username, _password, done) => {
          const problem = hub.admit(client);
          done(problem ?? null, problem === undefined);
        },
        authorizePublish: (client, packet, done) => hub.accept(client, packet, done),
        authorizeSubscribe: (client, subscription, done) => done(null, hub.grant(client, subscription)),
        authorizeForward: (client, packet) => hub.forward(client, packet),
      },
      {
        retained: (filters) => hub.retained(filters),
        isGranted: (client, filter) => hub.sessions.get(client)?.filters.has(filter) ?? false,
        failed: (error) => report(error, "MQTT broker"),
      },
    );
    hub.aedes.on("clientReady", (client) => hub.entered(client));
    hub.aedes.on("clientDisconnect", (client) => hub.left(client));
    hub.aedes.on("subscribe", (subscriptions, client) => hub.subscribed(client, subscriptions));
    hub.aedes.on("unsubscribe", (filters, client) => hub.unsubscribed(client, filters));
    // A client's mistake ends its connection, no more.
    hub.aedes.on("clientError", () => {});
    hub.aedes.on("connectionError", () => {});
    region.broker.delivery = hub;
    return hub;
  }

  /** Takes over a connection. */
  connect(peer: Peer): void {
    const client = this.aedes.handle(peer.stream);
    const session = new Session(this.region, client, peer);
    this.sessions.set(client, session);
    this.open.add(session);
    peer.stream.once("close", () => {
      session.keepalive?.cancel();
      this.open.delete(session);
    });
    limitPackets(client, packetLimit, () => session.end("CLIENT_ERROR"));
    limitBacklog(client, backlogBytes, () => session.end("THROTTLED"));
    inspect(client, (packet) => {
      session.lastSeen = this.region.clock.now();
      if (packet.cmd === "disconnect") session.reason ??= "CLIENT_INITIATED_DISCONNECT";
      if (packet.cmd === "subscribe" && packet.subscriptions.length > limits.iot.subscriptionsPerRequest.value)
        session.end("CLIENT_ERROR");
    });
  }

  deliver({ topic, payload, qos }: Message, isRepeated = false): void {
    const publish = () =>
      // Retained messages are kept by the broker, not by aedes.
      this.aedes.publish({ cmd: "publish", topic, payload, qos, retain: false, dup: isRepeated }, () => {});
    // Behind the first one, which aedes passes on when PUBACK is written.
    if (isRepeated) setImmediate(publish);
    else publish();
  }

  /** The connection of a client id, or the last one where it has none: for as long as AWS tells of it. */
  state(clientId: string): MqttClientState | undefined {
    return this.find(clientId)?.state ?? this.past.get(clientId);
  }

  /** Ends a client's connection because the API says so; false where it has none. */
  async end(clientId: string, options: { cleanSession?: boolean; preventWill?: boolean }): Promise<boolean> {
    const session = this.find(clientId);
    if (!session) return false;
    if (options.preventWill) dropWill(session.client);
    if (options.cleanSession) session.isPersistent = false;
    session.end("API_INITIATED_DISCONNECT");
    if (options.cleanSession) await endSession(this.aedes, clientId);
    return true;
  }

  /** Ends the connections of a certificate that is not good any more. */
  disconnect(certificate: Certificate): void {
    for (const session of this.open) {
      const { identity } = session;
      if (identity.kind === "certificate" && identity.certificate === certificate) session.end("AUTH_ERROR");
    }
  }

  /** Ends everything without another word. */
  async close(): Promise<void> {
    this.region.broker.delivery = undefined;
    for (const timer of this.away.values()) timer.cancel();
    for (const session of this.open) session.keepalive?.cancel();
    const streams = [...this.open].map(({ client }) => client.conn);
    this.isClosed = true;
    await new Promise<void>((done) => this.aedes.close(done));
    for (const stream of streams) stream.destroy();
  }

  private find(clientId: string): Session | undefined {
    for (const session of this.open) if (session.clientId === clientId && session.endedAt === undefined) return session;
    return undefined;
  }

  /** @returns false ends the connection. */
  private preConnect(client: Client, packet: IConnectPacket): boolean {
    const session = this.sessions.get(client);
    if (!session) return false;
    if (packet.protocolVersion === 5) {
      client.conn.end(wrongVersion);
      return false;
    }
    if (!packet.clientId && !packet.clean) {
      client.conn.end(nameless);
      return false;
    }
    // Clients that do not care for their name get one.
    if (!packet.clientId) packet.clientId = `$GEN/${randomUUID()}`;
    session.isPersistent = packet.clean === false;
    session.will = packet.will;
    this.watchKeepalive(session, withoutKeepalive(packet));
    return true;
  }

  /** On the emulator's clock: 1.5 times what the client asked for, within AWS's bounds. */
  private watchKeepalive(session: Session, asked: number): void {
    const { least, value: most } = limits.iot.keepAlive;
    session.keepaliveSeconds = Math.min(Math.max(asked === 0 ? most : asked, least), most);
    const wait = session.keepaliveSeconds * 1500;
    const { clock } = this.region;
    const look = () => {
      const left = session.lastSeen + wait - clock.now();
      if (left <= 0) session.end("MQTT_KEEP_ALIVE_TIMEOUT");
      else session.keepalive = clock.after(left, look);
    };
    session.keepalive = clock.after(wait, look);
  }

  /** Why a client is not let in, if it is not. */
  private admit(client: Client): AuthenticateError | undefined {
    const session = this.sessions.get(client);
    if (!session) return refusal(notAuthorized, "the connection is gone");
    const bytes = Buffer.byteLength(client.id);
    if (bytes > longestClientId) {
      return refusal(identifierRejected, `the client id is longer than ${longestClientId} bytes`);
    }
    session.clientId = client.id;
    if (!session.mayConnect()) {
      lifecycle.connectFailed(session);
      session.clientId = "";
      return refusal(notAuthorized, "the policies of the client do not allow iot:Connect, or the will's iot:Publish");
    }
    for (const other of this.open) {
      if (other !== session && other.clientId === client.id) other.reason ??= "DUPLICATE_CLIENTID";
    }
    this.away.get(client.id)?.cancel();
    this.away.delete(client.id);
    return undefined;
  }

  private entered(client: Client): void {
    const session = this.sessions.get(client);
    if (!session) return;
    session.version = this.versions.get(client.id) ?? 0;
    this.versions.set(client.id, session.version + 1);
    lifecycle.connected(session);
  }

  private left(client: Client): void {
    const session = this.sessions.get(client);
    if (!session || this.isClosed) return;
    session.reason ??= "CONNECTION_LOST";
    this.remember(session);
    lifecycle.disconnected(session, session.reason);
    // The session of a client that has connected again goes on there.
    if (!session.isPersistent || this.find(client.id)) return;
    const forget = () => {
      this.away.delete(client.id);
      return endSession(this.aedes, client.id);
    };
    this.away.set(client.id, this.region.clock.after(sessionMs, forget));
  }

  private remember(session: Session): void {
    const { clock } = this.region;
    session.endedAt = clock.now();
    // Not the session: what waits for the clock would keep its connection in memory.
    const { version, clientId, state } = session;
    this.past.set(clientId, state);
    clock.after(memoryMs, () => {
      if (this.past.get(clientId) === state) this.past.delete(clientId);
    });
    // The numbers begin again when a client has been away for an hour.
    clock.after(sessionMs, () => {
      if (this.versions.get(clientId) === version + 1 && !this.find(clientId)) this.versions.delete(clientId);
    });
  }

  /** A message or a will of a client: refused ones end the connection, as on AWS. */
  private accept(client: Client | null, packet: PublishPacket, done: (error?: Error | null) => void): void {
    const session = client && this.sessions.get(client);
    const payload = Buffer.from(packet.payload);
    const isGone = !session || this.isClosed;
    const problem = isGone ? new Error("the connection is gone") : this.publishProblem(session, packet, payload);
    if (!session || problem) {
      done(problem);
      return;
    }
    const { broker, faults } = this.region;
    const { clientId, principal, sourceIp } = session;
    const message = broker.message(packet.topic, payload, {
      qos: packet.qos === 1 ? 1 : 0,
      retain: packet.retain,
      clientId,
      principal,
      sourceIp,
    });
    const take = (isAnswered = true) => {
      if (message.retain) broker.retain(message);
      packet.retain = false;
      // What the client sends next does not come of this message.
      if (isAnswered) this.journal.within([], done);
      else this.deliver(message);
      broker.tell(message);
      broker.repeat(message);
    };
    const faulty = faults.active ? faults.call(this.region.publishing(packet.topic)) : undefined;
    const taken = this.journal.step(
      () => deviceMessage(this.region, message.topic, clientId),
      () => (faulty ? faulty.run(() => take(!faulty.losesAnswer)) : take()),
    );
    // Devices are told of no error: their connection ends, before the message is taken or instead of PUBACK.
    taken?.catch((error) => {
      session.reason ??= endBy(error);
      done(error);
    });
  }

  private publishProblem(session: Session, { topic, qos, retain }: PublishPacket, payload: Buffer): Error | undefined {
    const fail = (reason: Session["reason"], message: string) => {
      session.reason ??= reason;
      return new Error(message);
    };
    if (qos === 2) return fail("CLIENT_ERROR", "QoS 2 is not supported");
    if (payload.length > payloadLimit) return fail("CLIENT_ERROR", "the payload is larger than 128 KB");
    const problem = topicProblem(topic);
    if (problem) return fail("CLIENT_ERROR", problem);
    if (isReserved(topic)) return fail("CLIENT_ERROR", "the topic is reserved");
    if (
      !session.permissions.allows("Publish", topic) ||
      (retain && !session.permissions.allows("RetainPublish", topic))
    )
      return fail("AUTH_ERROR", "not allowed");
    return undefined;
  }

  /** The subscription as granted, or null for SUBACK 0x80. */
  private grant(client: Client, subscription: Subscription): Subscription | null {
    const session = this.sessions.get(client);
    const { topic } = subscription;
    if (!session || session.reason !== undefined) return null;
    if (filterProblem(topic) || !isSubscribable(topic)) return null;
    if (!session.permissions.allows("Subscribe", topic)) return null;
    // AWS IoT has no QoS 2 and leaves the client without an answer; a refusal shows where the mistake is.
    if (subscription.qos === 2) return null;
    session.filters.set(topic, subscription.qos);
    if (session.filters.size > limits.iot.subscriptions.value) {
      session.end("CLIENT_ERROR");
      return null;
    }
    return subscription;
  }

  /** A message on its way to a subscriber, or null where it must not have it. */
  private forward(client: Client, packet: AedesPublishPacket): AedesPublishPacket | null {
    const session = this.sessions.get(client);
    // What waited for a session may be for a filter that this connection has not been granted.
    if (!session?.isGranted(packet.topic, 0) || !session.permissions.allows("Receive", packet.topic)) return null;
    // A message that comes twice has QoS 1 (MQTT 3.1.1, 3.3.1.1).
    if (packet.dup && !session.isGranted(packet.topic, 1)) return null;
    // aedes lowers the QoS of what it has retained for filters without wildcards only.
    if (packet.retain && packet.qos === 1 && !session.isGranted(packet.topic, 1)) packet.qos = 0;
    return packet;
  }

  private *retained(filters: readonly string[]) {
    for (const [topic, { payload, qos }] of this.region.broker.retained) {
      if (filters.some((filter) => matchesFilter(filter, topic))) yield { cmd: "publish", topic, payload, qos };
    }
  }

  private subscribed(client: Client, subscriptions: readonly Subscription[]): void {
    const session = this.sessions.get(client);
    const granted = subscriptions.filter(({ qos }) => Number(qos) !== 128).map(({ topic }) => topic);
    if (session && granted.length > 0) lifecycle.subscribed(session, granted);
  }

  private unsubscribed(client: Client, filters: readonly string[]): void {
    const session = this.sessions.get(client);
    // The end of a connection takes its subscriptions with it, and says nothing of them.
    if (!session || filters.length === 0 || session.reason !== undefined || client.closed) return;
    for (const filter of filters) session.filters.delete(filter);
    lifecycle.unsubscribed(session, filters);
  }
}
