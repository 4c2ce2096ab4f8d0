import { AwsError, notEmulated } from "../../core/errors";

export const validation = (message: string) => new AwsError("ValidationException", message);

/** A mistake in the statement; the place counts characters from 0. */
export const statementError = (text: string, at: number, message: string) => {
  const before = text.slice(0, at).split("\n");
  return validation(`line ${before.length}:${before.at(-1)!.length + 1}: ${message}`);
};

/** SQL that AWS knows and the emulator does not. */
export const unsupported = (what: string) => notEmulated("timestream", `Query: ${what}`);
