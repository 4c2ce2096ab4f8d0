/** What a worker is told when it starts. */
export interface WorkerSettings {
  /** The folder with the unpacked package. */
  readonly taskRoot: string;
  /** `file.export`, as the function's configuration has it. */
  readonly handler: string;
  /** For example `nodejs24.x`. */
  readonly runtime: string;
  readonly logFormat: "Text" | "JSON";
  /** The least level of application log lines that are kept (JSON format only). */
  readonly logLevel: string;
  /** How far the emulator's clock is ahead of this machine's, in milliseconds. */
  readonly ahead: number;
}

/** One event on its way into a worker. Text only: it is parsed where it is used. */
export interface InvokeMessage {
  readonly id: string;
  readonly event: string;
  /** When the invocation times out, in milliseconds since the epoch on this machine's clock. */
  readonly deadline: number;
  /** How far the emulator's clock is ahead of it. */
  readonly ahead: number;
  readonly functionArn: string;
  readonly traceId: string;
  /** JSON, or "" for none. */
  readonly clientContext: string;
}

/** What a worker answers. A bare string is a piece of log output. */
export type WorkerMessage =
  | string
  | { readonly kind: "ready"; readonly memory: number }
  | { readonly kind: "result"; readonly payload: string; readonly memory: number }
  /** The handler failed; the environment goes on. */
  | { readonly kind: "error"; readonly payload: string; readonly errorType: string; readonly memory: number }
  /** Initialization failed, or code outside of the handler's promise threw: the environment ends. */
  | { readonly kind: "crash"; readonly payload: string; readonly errorType: string; readonly memory: number }
  /** The event is not JSON; the handler was not called. */
  | { readonly kind: "not-json"; readonly message: string };
