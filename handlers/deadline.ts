/** The part of Lambda's context that the functions use. */
export interface LambdaContext {
  getRemainingTimeInMillis(): number;
}

/** The time, in milliseconds since 1970, at which work must end to leave time to clear up: a fifth, 5 seconds at most. */
export function deadlineOf({ getRemainingTimeInMillis }: LambdaContext): number {
  const left = getRemainingTimeInMillis();
  return Date.now() + left - Math.min(5_000, left / 5);
}

/** A deadline for what must leave as much time for what comes after it. */
export const halfway = (deadline: number): number => (Date.now() + deadline) / 2;

/** What a callback gives, or an error at the deadline: one that hangs must not keep its neighbours from going on. */
export async function inTime<T>(result: T | Promise<T>, deadline: number, what: string): Promise<T> {
  if (!(result instanceof Promise)) return result;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not finish in time`)), Math.max(0, deadline - Date.now()));
  });
  try {
    return await Promise.race([result, late]);
  } finally {
    clearTimeout(timer);
  }
}
