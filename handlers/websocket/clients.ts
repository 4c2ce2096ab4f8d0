import { ApiGatewayManagementApiClient } from "@aws-sdk/client-apigatewaymanagementapi";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { LIMITS } from "../clients";
import { once } from "../retry";

/** The DynamoDB client of one container. To be called inside a handler factory: a client made outside cannot travel. */
export const makeDynamo = () =>
  once(() => new DynamoDBClient({ maxAttempts: 4, requestHandler: { ...LIMITS, ...agents(64) } }));

/**
 * The client that posts to connections. Without retries of its own: the delivery knows how much time is left, and which
 * connection is not open yet. Its sockets stay open, as many as posts are under way at a time.
 */
export const makePoster = (endpoint: string, sockets: number) =>
  once(
    () =>
      new ApiGatewayManagementApiClient({
        endpoint,
        maxAttempts: 1,
        requestHandler: { ...LIMITS, ...agents(sockets) },
      }),
  );

const agents = (maxSockets: number) => ({
  httpAgent: { keepAlive: true, maxSockets },
  httpsAgent: { keepAlive: true, maxSockets },
});
