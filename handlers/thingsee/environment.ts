/**
 * What the functions are told about their surroundings: names of resources come by environment variables, so that the
 * code, and with it its hash, is the same in every stack.
 */
export interface Environment {
  readonly table: string;
  readonly ttlDays: number;
  readonly queues: string[];
  readonly archiveBucket: string;
  readonly deadLetterQueue: string;
  readonly deadLetterBucket: string;
}

/** The names of the variables, for the component that sets them. */
export interface ThingseeVariables {
  THINGSEE_TABLE: string;
  THINGSEE_TTL_DAYS: string;
  /** JSON array of queue URLs. */
  THINGSEE_FORWARD_QUEUES: string;
  /** Empty when nothing is archived. */
  THINGSEE_ARCHIVE_BUCKET: string;
  THINGSEE_DEAD_LETTER_QUEUE: string;
  THINGSEE_DEAD_LETTER_BUCKET: string;
}

export function readEnvironment(): Environment {
  const variables = process.env as unknown as Partial<ThingseeVariables>;
  return {
    table: variables.THINGSEE_TABLE ?? "",
    ttlDays: Number(variables.THINGSEE_TTL_DAYS ?? 0),
    queues: JSON.parse(variables.THINGSEE_FORWARD_QUEUES ?? "[]") as string[],
    archiveBucket: variables.THINGSEE_ARCHIVE_BUCKET ?? "",
    deadLetterQueue: variables.THINGSEE_DEAD_LETTER_QUEUE ?? "",
    deadLetterBucket: variables.THINGSEE_DEAD_LETTER_BUCKET ?? "",
  };
}
