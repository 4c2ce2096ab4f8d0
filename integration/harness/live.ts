import { type AttributeValue, DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, beforeEach } from "vitest";
import type { FanOutMessage, QueueEvent } from "../../handlers/websocket/broadcast";
import type { WebSocketAnswer, WebSocketEvent } from "../../handlers/websocket/event";
import { type ConnectionsApi, startConnectionsApi } from "./connections";
import { createTable } from "./dynamodb";
import { settings, useEmulator } from "./emulator";
import { functionCode, type RunningFunction, startFunction } from "./function";

type Factory = () => unknown;

/**
 * The functions of `WebSocketBroadcast`, serialized and bundled as Lambda gets them, with a table and queues of the
 * emulator's, and an `@connections` API that notes what is posted. Read it inside tests only.
 */
export function useLive<Name extends string>(factories: Record<Name, Factory>) {
  const emulator = useEmulator();
  const code = {} as Record<Name, string>;
  /** By code and environment: starting a function takes longer than most tests. */
  const running = new Map<string, RunningFunction>();
  const world = {} as {
    connections: ConnectionsApi;
    dynamodb: DynamoDBClient;
    sqs: SQSClient;
    queues: Record<"queue" | "deadLetters" | "fanOut", string>;
  };

  beforeAll(async () => {
    world.connections = await startConnectionsApi();
    world.dynamodb = new DynamoDBClient(settings(emulator.current));
    world.sqs = new SQSClient(settings(emulator.current));
    for (const name of Object.keys(factories) as Name[]) code[name] = await functionCode(factories[name]);
  });
  beforeEach(async () => {
    await emulator.current.reset();
    world.connections.reset();
    await createTable(world.dynamodb, "connections", "pk", "sk");
    const makeQueue = async (QueueName: string) => {
      const Attributes = { MaximumMessageSize: "1048576" };
      return (await world.sqs.send(new CreateQueueCommand({ QueueName, Attributes }))).QueueUrl!;
    };
    world.queues = {
      queue: await makeQueue("queue"),
      deadLetters: await makeQueue("dead-letters"),
      fanOut: await makeQueue("fan-out"),
    };
  });
  afterAll(async () => {
    for (const one of running.values()) await one[Symbol.asyncDispose]();
    world.dynamodb.destroy();
    world.sqs.destroy();
    await world.connections[Symbol.asyncDispose]();
  });

  const start = (name: Name, more: Record<string, string> = {}): RunningFunction => {
    const environment = {
      AWS_ENDPOINT_URL: emulator.current.endpoint,
      WEBSOCKET_NAME: "live",
      WEBSOCKET_TABLE: "connections",
      WEBSOCKET_SHARDS: "4",
      WEBSOCKET_ENDPOINT: world.connections.endpoint,
      WEBSOCKET_QUEUE: world.queues.queue,
      WEBSOCKET_DEAD_LETTER_QUEUE: world.queues.deadLetters,
      WEBSOCKET_FAN_OUT_QUEUE: world.queues.fanOut,
      WEBSOCKET_FAN_OUT_ABOVE: "2000",
      WEBSOCKET_PARALLEL: "100",
      WEBSOCKET_FRAMES: "array",
      WEBSOCKET_SUBSCRIBE: "none",
      WEBSOCKET_SINGLE_TOKEN: "",
      ...more,
    };
    const key = JSON.stringify([name, environment]);
    const one = running.get(key) ?? startFunction(code[name], environment);
    running.set(key, one);
    return one;
  };

  const take = async (QueueUrl: string): Promise<Record<string, unknown>[]> => {
    const all: Record<string, unknown>[] = [];
    for (;;) {
      const { Messages = [] } = await world.sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
      if (Messages.length === 0) return all;
      all.push(...Messages.map(({ Body }) => JSON.parse(Body!) as Record<string, unknown>));
    }
  };

  return {
    code,
    start,
    get connections() {
      return world.connections;
    },
    get emulator() {
      return emulator.current;
    },
    deadLetters: () => take(world.queues.deadLetters),
    sent: () => take(world.queues.queue),
    fanOutParts: async () => (await take(world.queues.fanOut)) as unknown as FanOutMessage[],
    /** All rows of connections in the table. */
    async rows(): Promise<Record<string, AttributeValue>[]> {
      const { Items = [] } = await world.dynamodb.send(new ScanCommand({ TableName: "connections" }));
      return Items.filter(({ pk }) => !pk!.S!.startsWith("devices#"));
    },
    /** The records that connections got, in their order. */
    got: (id: string) =>
      (world.connections.taken[id] ?? []).flatMap((text) => JSON.parse(text) as { id: string; data: unknown }[]),
  };
}

export type Live<Name extends string> = ReturnType<typeof useLive<Name>>;

/** An event of a WebSocket API. */
export const socketEvent = (
  connectionId: string,
  routeKey: string,
  more: Partial<WebSocketEvent> & { authorizer?: Record<string, unknown>; connectedAt?: number } = {},
): WebSocketEvent => {
  const { authorizer, connectedAt = Date.now(), ...event } = more;
  const requestContext = { connectionId, routeKey, connectedAt, requestId: `${connectionId}-request`, authorizer };
  return { isBase64Encoded: false, ...event, requestContext };
};

/** Sends a frame through the function behind the routes, and reads the reply. */
export async function say(actions: RunningFunction, connectionId: string, frame: unknown, routeKey?: string) {
  const body = typeof frame === "string" ? frame : JSON.stringify(frame);
  const route = routeKey ?? (frame as { action?: string }).action ?? "$default";
  const answer = await actions.invoke<WebSocketAnswer>(socketEvent(connectionId, route, { body }));
  return JSON.parse(answer.body ?? "null") as Record<string, unknown>;
}

/** An SQS event of some bodies; objects become JSON. */
export const queueEvent = (...bodies: unknown[]): QueueEvent => ({
  Records: bodies.map((body, i) => ({
    messageId: `message-${i}`,
    body: typeof body === "string" ? body : JSON.stringify(body),
    attributes: { SentTimestamp: String(Date.now()) },
  })),
});
