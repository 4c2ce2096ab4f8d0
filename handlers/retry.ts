/** Waiting between attempts: at most {@link capMs}, and twice as long at each attempt up to there. */
export interface Backoff {
  /** Longest first wait, in milliseconds. */
  baseMs: number;
  /** Longest wait of all, in milliseconds. */
  capMs: number;
  /** Attempts in all, the first included. */
  attempts: number;
}

/**
 * A wait of full jitter: anything from nothing to the exponential bound, so that many callers that failed together do
 * not come back together (AWS Architecture Blog, "Exponential Backoff And Jitter").
 */
export function fullJitter({ baseMs, capMs }: Backoff, attempt: number): number {
  return Math.random() * Math.min(capMs, baseMs * 2 ** attempt);
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Runs `work` over all inputs, at most `limit` at a time, and gives the results in the order of the inputs. */
export async function mapConcurrent<In, Out>(
  inputs: readonly In[],
  limit: number,
  work: (input: In, index: number) => Promise<Out>,
): Promise<Out[]> {
  const results = new Array<Out>(inputs.length);
  let next = 0;
  const worker = async () => {
    while (next < inputs.length) {
      const index = next++;
      results[index] = await work(inputs[index] as In, index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, inputs.length) }, worker));
  return results;
}

/** True for what may go well when tried again: throttling, server errors, time-outs and connections that broke. */
export function isTransient(error: unknown): boolean {
  const { name = "", $metadata } = error as { name?: string; $metadata?: { httpStatusCode?: number } };
  const status = $metadata?.httpStatusCode;
  if (/throttl|ProvisionedThroughputExceeded|RequestLimitExceeded|TooManyRequests|InternalServerError/i.test(name)) {
    return true;
  }
  if (status === undefined) return !/TypeError|RangeError|CredentialsProvider/.test(name);
  return status >= 500 || status === 429;
}

/** One line about an error for a log or a dead letter: its name and message, never a stack. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error).slice(0, 500);
  return `${error.name}: ${error.message}`.slice(0, 500);
}

/** Makes a value when it is first asked for, and gives the same one from then on. */
export function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
