import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { toSqsText } from "../batching";
import { makeDynamo, makeSqs } from "../clients";
import { parseExactly } from "../exact-json";
import { describe } from "../retry";
import { variable } from "./environment";
import { frameText, type WebSocketAnswer, type WebSocketEvent } from "./event";
import { MAX_FRAME_BYTES } from "./frames";
import { EVERYONE, type ForEveryone } from "./record";
import { readConnection, subscriptionRows, type Table, withoutSubscriptions, writeRows } from "./rows";
import { MAX_SUBSCRIPTIONS, permitted, readDevices } from "./subscriptions";

/** What a client sends. */
interface Frame {
  readonly action?: unknown;
  readonly requestId?: unknown;
  readonly devices?: unknown;
  readonly data?: unknown;
}

/** A frame for the sender: it goes back as the answer of the route. */
type Reply = { type: "subscribed" | "unsubscribed"; devices: string[] } | { type: "pong" | "sent" } | Problem;
interface Problem {
  readonly type: "error";
  readonly message: string;
  /** It may go well when it is sent again. */
  readonly retry?: true;
  /** Nothing reaches this connection any more: another one is needed. */
  readonly reconnect?: true;
}

const problem = (message: string): Problem => ({ type: "error", message });
/** As when its rows were deleted because it took too long to open. */
const unknown: Problem = { ...problem("this connection is not known any more: connect again"), reconnect: true };

/** The routes for what clients send: `subscribe`, `unsubscribe`, `ping`, `message`, and `$default` for all else. */
export const actions = () => {
  const dynamodb = makeDynamo();
  const sqs = makeSqs();

  const subscribe = async (id: string, { devices }: Frame, table: Table): Promise<Reply> => {
    const wanted = readDevices(devices);
    if (typeof wanted === "string") return problem(wanted);
    const connection = await readConnection(table, id);
    if (!connection) return unknown;
    const granted = permitted(wanted, connection.allowed);
    if (granted.length === 0) return problem("these devices are not open to you");
    const news = granted.filter((device) => !connection.devices.includes(device));
    if (connection.devices.length + news.length > Math.max(MAX_SUBSCRIPTIONS, connection.allowed?.length ?? 0)) {
      return problem(`a connection may subscribe to ${MAX_SUBSCRIPTIONS} devices; subscribe to "*" instead`);
    }
    // Those that are there already too: they may be from before the socket was open.
    await writeRows(table, subscriptionRows(connection, granted));
    return { type: "subscribed", devices: granted };
  };

  const unsubscribe = async (id: string, { devices }: Frame, table: Table): Promise<Reply> => {
    const unwanted = readDevices(devices);
    if (typeof unwanted === "string") return problem(unwanted);
    const connection = await readConnection(table, id);
    if (!connection) return unknown;
    const dropped = permitted(unwanted, connection.allowed);
    await writeRows(table, withoutSubscriptions(connection, dropped));
    return { type: "unsubscribed", devices: dropped };
  };

  const message = async ({ requestContext }: WebSocketEvent, { data }: Frame, table: Table): Promise<Reply> => {
    if (data === undefined) return problem("data is missing");
    const connection = await readConnection(table, requestContext.connectionId);
    if (!connection) return unknown;
    const content: ForEveryone = {
      id: requestContext.requestId,
      from: connection.principal,
      sender: connection.id,
      data,
    };
    const text = JSON.stringify(content);
    // What stands around the data for the others takes about as much room as what does here.
    if (Buffer.byteLength(text) > MAX_FRAME_BYTES - 100) return problem("data is larger than the 128 KB of a message");
    await sqs().send(
      new SendMessageCommand({
        QueueUrl: variable("WEBSOCKET_QUEUE"),
        MessageBody: toSqsText(text),
        MessageAttributes: { audience: { DataType: "String", StringValue: EVERYONE } },
      }),
    );
    return { type: "sent" };
  };

  const act = async (event: WebSocketEvent, frame: Frame): Promise<Reply> => {
    const { routeKey, connectionId } = event.requestContext;
    const table = { dynamodb: dynamodb(), name: variable("WEBSOCKET_TABLE") };
    try {
      if (routeKey === "subscribe") return await subscribe(connectionId, frame, table);
      if (routeKey === "unsubscribe") return await unsubscribe(connectionId, frame, table);
      if (routeKey === "message") return await message(event, frame, table);
    } catch (error) {
      console.error(JSON.stringify({ message: "an action failed", routeKey, connectionId, reason: describe(error) }));
      return { ...problem("it could not be done now; try again"), retry: true };
    }
    if (routeKey === "ping") return { type: "pong" };
    return problem(
      typeof frame.action === "string" ? "there is no such action" : 'the frame has no "action", which must be a text',
    );
  };

  return async (event: WebSocketEvent): Promise<WebSocketAnswer> => {
    const frame = readFrame(frameText(event), parseExactly);
    if (typeof frame === "string") return { statusCode: 200, body: JSON.stringify(problem(frame)) };
    return { statusCode: 200, body: JSON.stringify(addressed(await act(event, frame), frame)) };
  };
};

/** The frame, or what is wrong with it. */
export function readFrame(text: string, parse: (text: string) => unknown): Frame | string {
  try {
    const value = parse(text);
    return value !== null && typeof value === "object" && !Array.isArray(value)
      ? value
      : "a frame must be a JSON object";
  } catch {
    return "the frame is not valid JSON";
  }
}

/** Says what a reply is about, in the client's own words where they are short ones. */
export function addressed(reply: object, { action, requestId }: Frame): object {
  const isShort = (value: unknown) => typeof value === "string" && value.length <= 128;
  const isError = (reply as Problem).type === "error";
  return {
    ...reply,
    ...(isError && isShort(action) && { action }),
    ...(isShort(requestId) && { requestId }),
  };
}
