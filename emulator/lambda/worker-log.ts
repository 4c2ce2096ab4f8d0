import { format } from "node:util";
import { isError, stackLines } from "./worker-errors";

const levels = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"] as const;
type Level = (typeof levels)[number];

const methods: Record<string, Level> = {
  trace: "TRACE",
  debug: "DEBUG",
  log: "INFO",
  info: "INFO",
  warn: "WARN",
  error: "ERROR",
};

/** A function's output. */
export interface Output {
  /** The runtime's own line about an error; `detail` is JSON. */
  error(label: string, detail: string): void;
  /** Passes on what was written without an end of line. */
  flush(): void;
}

/**
 * Sends everything that the function prints to `write`, one call for each log event.
 *
 * `console` lines carry time, request id and level, in tab-separated text or as JSON
 * (https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html). Output written straight to a stream stays as it
 * is, one event a line.
 */
export function captureOutput(
  { logFormat, logLevel }: { logFormat: "Text" | "JSON"; logLevel: string },
  requestId: () => string | undefined,
  write: (text: string) => void,
): Output {
  // A chosen level filters JSON logs only (https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html).
  const least = logFormat === "JSON" ? Math.max(0, levels.indexOf(logLevel as Level)) : 0;
  const line = (level: Level, args: unknown[]) => {
    if (levels.indexOf(level) < least) return;
    const time = new Date().toISOString();
    write(
      logFormat === "JSON"
        ? jsonLine(time, requestId(), level, args)
        : `${time}\t${requestId() ?? "undefined"}\t${level}\t${format(...args)}`,
    );
  };
  for (const [method, level] of Object.entries(methods)) {
    (console as unknown as Record<string, unknown>)[method] = (...args: unknown[]) => line(level, args);
  }
  const writers = [process.stdout, process.stderr].map((stream) => {
    const { writeTo, flush } = lineWriter(write);
    stream.write = writeTo;
    return flush;
  });
  return {
    flush() {
      for (const flush of writers) flush();
    },
    error(label, detail) {
      if (logFormat === "Text") return line("ERROR", [`${label}\t${detail}`]);
      const entry = { timestamp: new Date().toISOString(), level: "ERROR", requestId: requestId() };
      write(JSON.stringify({ ...entry, message: JSON.parse(detail) }));
    },
  };
}

function jsonLine(timestamp: string, requestId: string | undefined, level: Level, args: unknown[]): string {
  const entry: Record<string, unknown> = { timestamp, level, requestId };
  if (args.length === 1) {
    try {
      return JSON.stringify({ ...entry, message: args[0] }, (_key, value: unknown) =>
        isError(value) ? { ...errorFields(value), ...value } : value,
      );
    } catch {
      return JSON.stringify({ ...entry, message: format(args[0]) });
    }
  }
  entry.message = format(...args);
  const error = args.find(isError);
  return JSON.stringify(error ? { ...entry, ...errorFields(error) } : entry);
}

const errorFields = (error: Error) => ({
  errorType: error.constructor?.name ?? "UnknownError",
  errorMessage: error.message,
  stackTrace: stackLines(error),
});

/** A stream's `write` that passes whole lines on, and how to pass on the last one when it has no end. */
function lineWriter(write: (text: string) => void): { writeTo: typeof process.stdout.write; flush: () => void } {
  let rest = "";
  const flush = () => {
    if (rest) write(rest);
    rest = "";
  };
  const writeTo = (chunk: string | Uint8Array, encoding?: unknown, done?: unknown) => {
    const text =
      typeof chunk === "string"
        ? chunk
        : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString("utf8");
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const complete of lines) write(complete);
    const callback = typeof encoding === "function" ? encoding : done;
    if (typeof callback === "function") queueMicrotask(() => callback());
    return true;
  };
  return { writeTo, flush };
}
