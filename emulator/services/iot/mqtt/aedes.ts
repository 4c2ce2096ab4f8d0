import type { EventEmitter } from "node:events";
import { Readable } from "node:stream";
import type { Aedes, AedesOptions, Client, Subscription } from "aedes";
import type { IConnectPacket, Packet } from "mqtt-packet";

/**
 * The parts of aedes that its types do not show. Only this module touches them; aedes is pinned at one version.
 */
interface Internals {
  readonly _parser: EventEmitter & {
    parse(bytes: Buffer): number;
    /** The one that is being read; its length is -1 until that is known. */
    readonly packet: { readonly length: number };
  };
  will: object | null;
  waitForDrain(done: (error: Error | null, client: Client) => void): void;
}

/** A message that waits in a client's session: `messageId` is set when it is sent. */
interface Waiting {
  readonly messageId?: number;
  readonly brokerId?: string;
  readonly brokerCounter?: number;
}

interface Persistence {
  createRetainedStreamCombi(filters: readonly string[]): Readable;
  addSubscriptions(client: Client, subscriptions: readonly Subscription[]): Promise<void>;
  cleanSubscriptions(client: { id: string }): Promise<void>;
  outgoingStream(client: { id: string }): AsyncIterable<Waiting>;
  outgoingUpdate(client: { id: string }, packet: Waiting): Promise<void>;
  outgoingClearMessageId(client: { id: string }, packet: Waiting): Promise<unknown>;
}

const persistenceOf = (aedes: Aedes) => (aedes as unknown as { persistence: Persistence }).persistence;

/** What the broker decides beside the options of aedes. */
interface Hooks {
  /** The retained messages that filters take in: kept here, not in the memory of aedes. */
  retained(filters: readonly string[]): Iterable<object>;
  /** Whether a client has been granted a filter. */
  isGranted(client: Client, filter: string): boolean;
  /** Told of faults of its background work. */
  failed(error: unknown): void;
}

/** Starts a broker. */
export async function startAedes(options: AedesOptions, hooks: Hooks): Promise<Aedes> {
  const { Aedes: Broker } = require("aedes") as typeof import("aedes");
  const aedes = await Broker.createBroker(options);
  (aedes as EventEmitter).on("error", (error) => hooks.failed(error));
  const persistence = persistenceOf(aedes);
  persistence.createRetainedStreamCombi = (filters) => Readable.from(hooks.retained(filters));
  keepGranted(persistence, hooks);
  clearByCount(persistence);
  return aedes;
}

/** aedes keeps all filters of a SUBSCRIBE for the session when one of them is granted: those refused, too. */
function keepGranted(persistence: Persistence, { isGranted }: Hooks): void {
  const add = persistence.addSubscriptions.bind(persistence);
  persistence.addSubscriptions = (client, subscriptions) =>
    add(
      client,
      subscriptions.filter(({ topic }) => isGranted(client, topic)),
    );
}

/**
 * Takes a message that is not sent out of a session by its place in the broker's count. aedes asks for it by a packet id
 * that it does not have yet, which takes away the first message without one: maybe another, that is just being sent.
 */
function clearByCount(persistence: Persistence): void {
  const clear = persistence.outgoingClearMessageId.bind(persistence);
  let last = 0;
  persistence.outgoingClearMessageId = async (client, packet) => {
    if (packet.messageId !== undefined) return clear(client, packet);
    // No packet id of MQTT is negative.
    const messageId = --last;
    const { brokerId, brokerCounter } = packet;
    await persistence.outgoingUpdate(client, { brokerId, brokerCounter, messageId });
    return clear(client, { messageId });
  };
}

/** Shows each packet of a client to `look` before aedes acts on it. */
export function inspect(client: Client, look: (packet: Packet) => void): void {
  (client as unknown as Internals)._parser.prependListener("packet", look);
}

/** Tells of a client whose next packet has more bytes than it may have: before they are there. */
export function limitPackets(client: Client, most: number, exceeded: () => void): void {
  const { _parser: parser } = client as unknown as Internals;
  const parse = parser.parse.bind(parser);
  parser.parse = (bytes) => {
    const left = parse(bytes);
    if (parser.packet.length > most) exceeded();
    return left;
  };
}

/**
 * Lets a client read as slowly as it likes, up to so many bytes behind. aedes would wait for it with everybody's messages.
 */
export function limitBacklog(client: Client, most: number, exceeded: () => void): void {
  (client as unknown as Internals).waitForDrain = (done) => {
    if (client.conn.writableLength > most) exceeded();
    setImmediate(done, null, client);
  };
}

/** Keeps the end of a connection from publishing the client's will. */
export function dropWill(client: Client): void {
  (client as unknown as Internals).will = null;
}

/** Forgets the session of a client that is away: its subscriptions and the messages that wait for it. */
export async function endSession(aedes: Aedes, clientId: string): Promise<void> {
  const persistence = persistenceOf(aedes);
  const client = { id: clientId };
  await persistence.cleanSubscriptions(client);
  for await (const packet of persistence.outgoingStream(client))
    await persistence.outgoingClearMessageId(client, packet);
}

/** Sets what aedes would keep its own time for, so that it does not. */
export function withoutKeepalive(packet: IConnectPacket): number {
  const asked = packet.keepalive ?? 0;
  packet.keepalive = 0;
  return asked;
}
