/** The values of TEST_BACKEND. */
export const backendNames = ["embedded", "localstack", "ministack", "endpoint=<url>"] as const;

/** Where the tests run: in the embedded AWS of each file, or on a backend outside of this process. */
export type BackendChoice =
  | { readonly name: "embedded" | "localstack" | "ministack" }
  | { readonly name: "endpoint"; readonly url: string };

/** A backend that runs, outside of this process. */
export interface RunningBackend {
  /** What it is, as the tables of capabilities call it. */
  readonly name: "localstack" | "ministack" | "endpoint";
  /** LocalStack with an account that has its paid services. @default false */
  readonly paid?: boolean;
  /** One for each worker of the tests, so that none sees another's resources. */
  readonly endpoints: readonly string[];
  /** The path that a POST to empties it; undefined where it knows none. */
  readonly resetPath?: string;
  close(): Promise<void>;
}

/** What the tests' processes are told of the backend. */
export type BackendNote = Omit<RunningBackend, "close">;

/**
 * Reads TEST_BACKEND.
 *
 * @throws Error that names the values there are.
 */
export function backendOf(value: string | undefined): BackendChoice {
  if (value === undefined || value === "" || value === "embedded") return { name: "embedded" };
  if (value === "localstack" || value === "ministack") return { name: value };
  const [, url] = /^endpoint=(.*)$/.exec(value) ?? [];
  if (url !== undefined && URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) {
    return { name: "endpoint", url: url.replace(/\/+$/, "") };
  }
  throw new Error(`TEST_BACKEND is "${value}"; it may be ${backendNames.join(", ")}`);
}
