/** What came of an attempt. */
export interface Outcome {
  /** HTTP statuses that were seen. */
  readonly statuses: readonly number[];
  /** What should not have happened, beside that. */
  readonly problem?: string;
}

/** Something hostile that is ready to be done. */
export interface Attempt {
  /** What it is: a kind of request, or a service and its operation. */
  readonly name: string;
  /** Its content, for the report of a failure. */
  readonly shown: string;
  /** How many requests, frames, packets or messages it counts as. */
  readonly requests: number;
  run(): Promise<Outcome>;
}
