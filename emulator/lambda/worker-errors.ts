/** A failure that the runtime itself names, such as `Runtime.HandlerNotFound`. */
export const runtimeError = (name: string, message: string, stack?: string): Error => {
  const error = new Error(message);
  error.name = `Runtime.${name}`;
  if (stack !== undefined) error.stack = stack;
  return error;
};

/** An error as the answer of a failed invocation shows it. */
export interface FormattedError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace: readonly string[];
}

/** DEL would end up raw in a header of the answer; the runtime writes it percent-encoded. */
const printable = (text: unknown): string => String(text).replaceAll("\x7f", "%7F");

/** Turns whatever was thrown into the three members that Lambda answers with. */
export function formatError(thrown: unknown): FormattedError {
  try {
    if (isError(thrown)) {
      return {
        errorType: printable(thrown.name),
        errorMessage: printable(thrown.message),
        trace: stackLines(thrown).map(printable),
      };
    }
    return { errorType: typeof thrown, errorMessage: String(thrown), trace: [] };
  } catch {
    return { errorType: "handled", errorMessage: "The thrown value cannot be read", trace: [] };
  }
}

/** The line that the runtime logs for an error: members of the error object included. */
export function describeError(thrown: unknown): string {
  try {
    return JSON.stringify(thrown, (_key, value: unknown) => {
      if (!isError(value)) return value;
      return {
        errorType: value.name,
        errorMessage: value.message,
        ...value,
        stack: stackLines(value),
      };
    });
  } catch {
    return JSON.stringify(formatError(thrown));
  }
}

/** A stack trace without the frames of the emulator, which say nothing of the function. */
export const stackLines = ({ stack }: Error): string[] =>
  typeof stack === "string" ? stack.split("\n").filter((line) => !line.includes(__dirname)) : [];

/** Errors from another realm (`vm`, `structuredClone`) are errors too. */
export const isError = (value: unknown): value is Error =>
  value instanceof Error || Object.prototype.toString.call(value) === "[object Error]";
