import type { ChannelOptions } from "./channel";

/** The names of the variables, for the component that sets them. */
export interface FlespiVariables {
  /** The component's name, for metrics. */
  FLESPI_NAME: string;
  FLESPI_CHANNEL: string;
  FLESPI_TOKEN: string;
  FLESPI_URL: string;
  FLESPI_LIMIT_COUNT: string;
  FLESPI_LIMIT_SIZE: string;
  FLESPI_WAIT_SECONDS: string;
  /** A template for topics; empty when nothing is published. */
  FLESPI_TOPIC: string;
  /** A queue's URL; empty when there is none. */
  FLESPI_QUEUE: string;
  FLESPI_CURSOR_TABLE: string;
  FLESPI_DEAD_LETTER_QUEUE: string;
}

/** What the function is told about its surroundings. */
export interface Environment {
  readonly name: string;
  readonly channel: ChannelOptions;
  readonly waitSeconds: number;
  readonly topic: string;
  readonly queue: string;
  readonly cursorTable: string;
  readonly deadLetterQueue: string;
}

export function readEnvironment(): Environment {
  const variables = process.env as unknown as Partial<FlespiVariables>;
  return {
    name: variables.FLESPI_NAME ?? "",
    channel: {
      channelId: variables.FLESPI_CHANNEL ?? "",
      token: variables.FLESPI_TOKEN ?? "",
      url: variables.FLESPI_URL ?? "",
      limitCount: Number(variables.FLESPI_LIMIT_COUNT ?? 0),
      limitSize: Number(variables.FLESPI_LIMIT_SIZE ?? 0),
    },
    waitSeconds: Number(variables.FLESPI_WAIT_SECONDS ?? 0),
    topic: variables.FLESPI_TOPIC ?? "",
    queue: variables.FLESPI_QUEUE ?? "",
    cursorTable: variables.FLESPI_CURSOR_TABLE ?? "",
    deadLetterQueue: variables.FLESPI_DEAD_LETTER_QUEUE ?? "",
  };
}
