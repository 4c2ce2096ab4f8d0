/** One version of a function as the runtime needs it. Never changed: an update makes a new one. */
export interface FunctionVersion {
  readonly account: string;
  readonly region: string;
  readonly name: string;
  /** `$LATEST` or a number. */
  readonly version: string;
  /** For example `nodejs24.x`. */
  readonly runtime: string;
  readonly handler: string;
  /** MB. */
  readonly memorySize: number;
  /** Seconds. */
  readonly timeout: number;
  readonly variables: Readonly<Record<string, string>>;
  readonly role: string;
  readonly zip: Uint8Array;
  readonly logging: {
    readonly group: string;
    readonly format: "Text" | "JSON";
    readonly applicationLevel: string;
    readonly systemLevel: string;
  };
}
