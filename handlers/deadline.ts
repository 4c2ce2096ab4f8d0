/** The part of Lambda's context that the functions use. */
export interface LambdaContext {
  getRemainingTimeInMillis(): number;
}

/** The time, in milliseconds since 1970, at which work must end to leave time to clear up: a fifth, 5 seconds at most. */
export function deadlineOf({ getRemainingTimeInMillis }: LambdaContext): number {
  const left = getRemainingTimeInMillis();
  return Date.now() + left - Math.min(5_000, left / 5);
}
