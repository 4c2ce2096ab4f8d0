/**
 * The part of a WebSocket API's proxy event that is used.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html
 */
export interface WebSocketEvent {
  readonly headers?: Headers | null;
  readonly multiValueHeaders?: Record<string, string[] | undefined> | null;
  readonly queryStringParameters?: Record<string, string | undefined> | null;
  readonly body?: string | null;
  readonly isBase64Encoded?: boolean;
  readonly requestContext: {
    readonly connectionId: string;
    readonly routeKey: string;
    /** Milliseconds since 1970. */
    readonly connectedAt: number;
    readonly requestId: string;
    /** What the authorizer found out; its facts are text, whatever they were. */
    readonly authorizer?: Record<string, unknown> | null;
    readonly identity?: { readonly sourceIp?: string; readonly userArn?: string | null };
  };
}

type Headers = Record<string, string | undefined>;

/** What a proxy integration answers. The body goes to the client where the route has a route response. */
export interface WebSocketAnswer {
  readonly statusCode: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** The subprotocol that is agreed on; the other one that a client offers is its token. */
export const SUBPROTOCOL = "sensorcast.v1";

/** In the authorizer's facts: JSON of the devices that the client is limited to. */
export const DEVICES_FACT = "sensorcastDevices";

/** The devices that an authorizer limited a client to; undefined for all. */
export function limitOf(authorizer: WebSocketEvent["requestContext"]["authorizer"]): string[] | undefined {
  const fact = authorizer?.[DEVICES_FACT];
  return typeof fact === "string" ? (JSON.parse(fact) as string[]) : undefined;
}

/** The subprotocols that a client offers, in its order: from one header or several, whatever their case. */
export function offeredProtocols({
  headers,
  multiValueHeaders,
}: Pick<WebSocketEvent, "headers" | "multiValueHeaders">): string[] {
  const isIt = ([name]: [string, unknown]) => name.toLowerCase() === "sec-websocket-protocol";
  const several = Object.entries(multiValueHeaders ?? {}).find(isIt)?.[1];
  const one = Object.entries(headers ?? {}).find(isIt)?.[1];
  return (several?.join(",") ?? one ?? "")
    .split(",")
    .map((protocol) => protocol.trim())
    .filter((protocol) => protocol !== "");
}

export const isMarker = (protocol: string) => protocol.toLowerCase() === SUBPROTOCOL;

/**
 * The token among the offered subprotocols. With `single`, a token alone counts too, as older clients send it:
 * `new WebSocket(url, token)`.
 */
export function tokenOf(offered: readonly string[], single: boolean): string | undefined {
  if (offered.some(isMarker)) return offered.find((protocol) => !isMarker(protocol));
  return single && offered.length === 1 ? offered[0] : undefined;
}

/** A text frame's content, which comes as base64 when the integration does not convert it. */
export const frameText = ({ body, isBase64Encoded }: WebSocketEvent): string =>
  isBase64Encoded ? Buffer.from(body ?? "", "base64").toString() : (body ?? "");
