/**
 * What the functions are told about their surroundings, by environment variables, so that the code, and with it its
 * hash, is the same in every stack. Each function gets those that it needs.
 */
export interface WebSocketVariables {
  /** The component's name, for metrics. */
  WEBSOCKET_NAME: string;
  WEBSOCKET_TABLE: string;
  /** Partitions that the connections are spread over. */
  WEBSOCKET_SHARDS: string;
  /** Where connections are posted to: `https://{apiId}.execute-api.{region}.amazonaws.com/{stage}`. */
  WEBSOCKET_ENDPOINT: string;
  /** URL of the broadcast queue; empty for a function that does not send to it. */
  WEBSOCKET_QUEUE: string;
  WEBSOCKET_DEAD_LETTER_QUEUE: string;
  WEBSOCKET_FAN_OUT_QUEUE: string;
  /** Receivers above which a broadcast is split by shard. */
  WEBSOCKET_FAN_OUT_ABOVE: string;
  /** Posts under way at a time. */
  WEBSOCKET_PARALLEL: string;
  /** `array`, or `single` for one record a frame. */
  WEBSOCKET_FRAMES: string;
  /** `all` when a client gets everything from the start on; else `none`. */
  WEBSOCKET_SUBSCRIBE: string;
  /** `yes` when a token alone, without the marker, may be offered as the subprotocol. */
  WEBSOCKET_SINGLE_TOKEN: string;
}

/** A variable, empty when it is not set. */
export const variable = (name: keyof WebSocketVariables): string => process.env[name] ?? "";

/** A variable that is a number of 1 or more. */
export const countOf = (name: "WEBSOCKET_SHARDS" | "WEBSOCKET_FAN_OUT_ABOVE" | "WEBSOCKET_PARALLEL"): number =>
  Math.max(1, Number(variable(name)) || 1);
