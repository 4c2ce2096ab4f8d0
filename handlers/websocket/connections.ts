import { makeDynamo } from "../clients";
import { countOf, variable } from "./environment";
import { isMarker, limitOf, offeredProtocols, tokenOf, type WebSocketAnswer, type WebSocketEvent } from "./event";
import { ALL, connectionRows, forgetConnection, LONGEST, shardOf, subscriptionRows, writeRows } from "./rows";
import { permitted, readDevices } from "./subscriptions";

/**
 * `$connect`: notes the connection, and answers the subprotocol that was agreed on, never the token. The query parameter
 * `devices` (names with commas between, or `*`) subscribes from the start on.
 */
export const connect = () => {
  const dynamodb = makeDynamo();
  const shards = countOf("WEBSOCKET_SHARDS");
  const subscribe = variable("WEBSOCKET_SUBSCRIBE") === "all";
  const single = variable("WEBSOCKET_SINGLE_TOKEN") === "yes";
  return async (event: WebSocketEvent): Promise<WebSocketAnswer> => {
    const { connectionId: id, connectedAt, authorizer, identity } = event.requestContext;
    const allowed = limitOf(authorizer);
    const connection = {
      id,
      shard: shardOf(id, shards),
      expiresAt: Math.floor(connectedAt / 1000) + LONGEST,
      principal: String(authorizer?.principalId ?? identity?.userArn ?? "anonymous"),
      allowed,
    };
    const asked = event.queryStringParameters?.devices;
    const wanted = asked !== undefined ? readDevices(asked.split(",").filter(Boolean)) : subscribe ? [ALL] : [];
    if (typeof wanted === "string") return { statusCode: 400, body: wanted };
    const devices = permitted(wanted, allowed);
    const table = { dynamodb: dynamodb(), name: variable("WEBSOCKET_TABLE") };
    const rows = [...connectionRows(connection, connectedAt), ...subscriptionRows(connection, devices, connectedAt)];
    await writeRows(table, rows);
    const offered = offeredProtocols(event);
    const chosen = offered.find(isMarker) ?? (single ? tokenOf(offered, single) : undefined);
    return { statusCode: 200, ...(chosen !== undefined && { headers: { "Sec-WebSocket-Protocol": chosen } }) };
  };
};

/** `$disconnect`: forgets the connection. API Gateway does not promise to call it: posting and time clear up too. */
export const disconnect = () => {
  const dynamodb = makeDynamo();
  return async ({ requestContext }: WebSocketEvent): Promise<WebSocketAnswer> => {
    const table = { dynamodb: dynamodb(), name: variable("WEBSOCKET_TABLE") };
    await forgetConnection(table, requestContext.connectionId);
    return { statusCode: 200 };
  };
};
