import type { EventEmitter } from "node:events";
import { Readable } from "node:stream";
import type { Aedes, AedesOptions, Client, Subscription } from "aedes";
import type { IConnectPacket, Packet } from "mqtt-packet";

/**
 * The parts of aedes that its types do not show. Only this module touches them; aedes is pinned at one version.
 */
interface Internals {
  readonly _parser: EventEmitter;
  will: object | null;
}

interface Persistence {
  createRetainedStreamCombi(filters: readonly string[]): Readable;
  subscriptionsByClient(client: { id: string }): Promise<Subscription[]>;
  cleanSubscriptions(client: { id: string }): Promise<void>;
  outgoingStream(client: { id: string }): AsyncIterable<{ messageId?: number }>;
  outgoingClearMessageId(client: { id: string }, packet: { messageId?: number }): Promise<unknown>;
}

const persistenceOf = (aedes: Aedes) => (aedes as unknown as { persistence: Persistence }).persistence;

/**
 * Starts a broker whose retained messages come from `retained` instead of its own memory.
 *
 * @param failed is told of faults of its background work.
 */
export async function startAedes(
  options: AedesOptions,
  retained: (filters: readonly string[]) => Iterable<object>,
  failed: (error: unknown) => void,
): Promise<Aedes> {
  const { Aedes: Broker } = require("aedes") as typeof import("aedes");
  const aedes = await Broker.createBroker(options);
  (aedes as EventEmitter).on("error", failed);
  persistenceOf(aedes).createRetainedStreamCombi = (filters) => Readable.from(retained(filters));
  return aedes;
}

/** Shows each packet of a client to `look` before aedes acts on it. */
export function inspect(client: Client, look: (packet: Packet) => void): void {
  (client as unknown as Internals)._parser.prependListener("packet", look);
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
