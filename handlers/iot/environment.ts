/** A sink, as the function is told about it. Its name tells it from the others of the same stream. */
export type SinkSettings =
  | { readonly name: string; readonly kind: "dynamodb"; readonly table: string; readonly ttlDays: number }
  | { readonly name: string; readonly kind: "timestream"; readonly database: string; readonly table: string }
  | { readonly name: string; readonly kind: "s3"; readonly bucket: string }
  | { readonly name: string; readonly kind: "queue"; readonly url: string }
  | { readonly name: string; readonly kind: "onRecords" };

/** What the functions are told about their surroundings. */
export interface Environment {
  /** The component's name, for metrics. */
  readonly name: string;
  /** The field of the payload with the time of measurement; empty when it is the time of receipt. */
  readonly time: string;
  readonly sinks: readonly SinkSettings[];
  /** The table that keeps how far each sink is; empty when there is one sink only. */
  readonly progressTable: string;
  readonly deadLetterQueue: string;
  /** For the replay: the queue that names records on which the function died, and the rules with their devices. */
  readonly failureQueue: string;
  readonly rules: Readonly<Record<string, string>>;
  /** Milliseconds after its receipt at which a record that a sink does not take goes to the dead-letter queue. */
  readonly giveUpAfter: number;
}

/** The names of the variables, for the component that sets them. */
export interface IoTVariables {
  IOT_NAME: string;
  IOT_TIME: string;
  /** JSON of {@link SinkSettings}. */
  IOT_SINKS: string;
  IOT_PROGRESS_TABLE: string;
  IOT_DEAD_LETTER_QUEUE: string;
  IOT_GIVE_UP_SECONDS: string;
  IOT_FAILURE_QUEUE: string;
  /** JSON object: the name of each topic rule, and what names the device in it. */
  IOT_RULES: string;
}

export function readEnvironment(): Environment {
  const variables = process.env as unknown as Partial<IoTVariables>;
  return {
    name: variables.IOT_NAME ?? "",
    time: variables.IOT_TIME ?? "",
    sinks: JSON.parse(variables.IOT_SINKS ?? "[]") as SinkSettings[],
    progressTable: variables.IOT_PROGRESS_TABLE ?? "",
    deadLetterQueue: variables.IOT_DEAD_LETTER_QUEUE ?? "",
    failureQueue: variables.IOT_FAILURE_QUEUE ?? "",
    rules: JSON.parse(variables.IOT_RULES ?? "{}") as Record<string, string>,
    giveUpAfter: Number(variables.IOT_GIVE_UP_SECONDS ?? 300) * 1000,
  };
}
