import { styleText } from "node:util";
import type { FaultHit, RequestRecord } from "../emulator";

type Style = Parameters<typeof styleText>[0];

/** Whether stdout takes colours: a terminal, and NO_COLOR not set. */
const colourful = process.stdout.isTTY === true && !process.env.NO_COLOR;

export const paint = (style: Style, text: string): string =>
  colourful ? styleText(style, text, { validateStream: false }) : text;

/** Two columns, the first padded to its longest entry. */
export function columns(rows: readonly (readonly [label: string, value: string])[]): string {
  const width = Math.max(0, ...rows.map(([label]) => label.length));
  return rows.map(([label, value]) => `  ${paint("dim", label.padEnd(width))}  ${value}`).join("\n");
}

/** One word of a POSIX shell command, quoted where it must be. */
const quote = (word: string): string =>
  /^[A-Za-z0-9_./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

/** A command that people can paste. */
export const shellWords = (words: readonly string[]): string => words.map(quote).join(" ");

/** A `curl` command that people can paste. */
export const curl = (url: string, headers: Record<string, string>, body: string): string =>
  shellWords([
    ...["curl", "-i", ...Object.entries(headers).flatMap(([name, value]) => ["-H", `${name}: ${value}`])],
    ...["-d", body, url],
  ]);

const statusStyle = (status: number): Style => (status < 400 ? "green" : status < 500 ? "yellow" : "red");

const timeNow = () => paint("dim", new Date().toTimeString().slice(0, 8));

/**
 * One request to a deployed endpoint, as a line: `14:02:11  200  POST /prod/thingsee  4 ms`; with the injected faults that
 * acted on it. A connection that was cut has no status.
 */
export function requestLine({ status, operation, durationMs, fault }: RequestRecord): string {
  const duration = paint("dim", `${durationMs < 10 ? durationMs.toFixed(1) : durationMs.toFixed(0)} ms`);
  const shown = paint(statusStyle(status || 599), status === 0 ? "cut" : String(status));
  const injected = fault ? `  ${paint("magenta", `fault: ${fault}`)}` : "";
  return `${timeNow()}  ${shown}  ${operation}  ${duration}${injected}`;
}

/** An injected fault that acted elsewhere: `14:02:11  fault: throttle  dynamodb BatchWriteItem  table/readings`. */
export function faultLine({ fault, service, operation, resources }: FaultHit): string {
  const names = resources.filter((arn) => arn !== "*").map((arn) => arn.split(":").slice(5).join(":"));
  const kind = paint("magenta", `fault: ${fault.options.fault}`);
  return `${timeNow()}  ${kind}  ${service} ${operation}  ${paint("dim", names.join(", "))}`.trimEnd();
}
