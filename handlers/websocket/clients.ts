import { ApiGatewayManagementApiClient } from "@aws-sdk/client-apigatewaymanagementapi";
import { agents, LIMITS } from "../clients";
import { once } from "../retry";

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
