import { type ParseArgsOptionsConfig, parseArgs } from "node:util";

/** A mistake on the command line; its message is all that the user needs to see. */
export class UsageError extends Error {}

/**
 * Reads the options of a command. `--help` prints the usage and ends the process.
 *
 * @throws UsageError for an unknown option or a missing value, with the usage.
 */
export function readArguments<Options extends ParseArgsOptionsConfig>(usage: string, options: Options) {
  try {
    const { values } = parseArgs({ options: { ...options, help: { type: "boolean", short: "h" } }, strict: true });
    if ((values as { help?: boolean }).help) {
      process.stdout.write(`${usage}\n`);
      process.exit(0);
    }
    return values as ReturnType<typeof parseArgs<{ options: Options }>>["values"];
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n\n${usage}`);
  }
}

/**
 * A TCP port out of an option.
 *
 * @throws UsageError when it is not a whole number from 0 to 65535.
 */
export function toPort(text: string | undefined, option = "--port"): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) {
    throw new UsageError(`${option} ${text}: a port is a whole number from 0 to 65535; 0 takes a free one`);
  }
  return port;
}

/**
 * Runs a command to its end and leaves: 0, or what it set as the exit code, when it is done, 2 for a mistake on the command line, 1 for anything else
 * that went wrong, with one message on stderr.
 */
export function runCommand(command: () => Promise<void>): void {
  command().then(
    () => process.exit(),
    (error: unknown) => {
      process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
      process.exit(error instanceof UsageError ? 2 : 1);
    },
  );
}
