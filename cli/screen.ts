import { styleText } from "node:util";
import type { RequestRecord } from "../emulator";

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

/** One request to a deployed endpoint, as a line: `14:02:11  200  POST /prod/thingsee  4 ms`. */
export function requestLine({ status, operation, durationMs }: RequestRecord): string {
  const time = new Date().toTimeString().slice(0, 8);
  const duration = paint("dim", `${durationMs < 10 ? durationMs.toFixed(1) : durationMs.toFixed(0)} ms`);
  return `${paint("dim", time)}  ${paint(statusStyle(status), String(status))}  ${operation}  ${duration}`;
}
