import { writeFileSync } from "node:fs";
import type { Measured } from "./load";

/** One measurement of a load, with its ratios to the baselines of the same run. */
export interface Row {
  name: string;
  measured: Measured;
  /** Share of the baseline's requests per second. */
  ratios: Record<string, number>;
  /** Messages in each request, where that is not one. */
  messages?: number;
}

/** A promise that the project makes of its speed, and whether this run kept it. */
export interface Figure {
  name: string;
  value: number;
  unit: string;
  /** The promise: `at most` or `at least` this much. */
  promise?: { atMost: number } | { atLeast: number };
}

const kept = ({ value, promise }: Figure): boolean | undefined =>
  promise && ("atMost" in promise ? value <= promise.atMost : value >= promise.atLeast);

const round = (value: number) =>
  value >= 100 || Number.isInteger(value) ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join("  ");
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

/** Prints the tables and writes the same as JSON. Returns whether every promise was kept. */
export function report(rows: readonly Row[], figures: readonly Figure[], file: string | undefined): boolean {
  const baselines = [...new Set(rows.flatMap(({ ratios }) => Object.keys(ratios)))];
  const loads = () =>
    table(
      ["load", "requests/s", "messages/s", "p50 ms", "p99 ms", "failures", ...baselines.map((name) => `/ ${name}`)],
      rows.map(({ name, measured, ratios, messages = 1 }) => [
        name,
        round(measured.requestsPerSecond),
        round(measured.requestsPerSecond * messages),
        round(measured.p50),
        round(measured.p99),
        String(measured.failures),
        ...baselines.map((baseline) => (ratios[baseline] === undefined ? "" : ratios[baseline].toFixed(2))),
      ]),
    );
  if (rows.length > 0) console.log(loads());
  console.log(
    `\n${table(
      ["figure", "value", "promise", ""],
      figures.map((figure) => [
        figure.name,
        `${round(figure.value)} ${figure.unit}`,
        figure.promise
          ? "atMost" in figure.promise
            ? `<= ${figure.promise.atMost}`
            : `>= ${figure.promise.atLeast}`
          : "",
        kept(figure) === undefined ? "" : kept(figure) ? "kept" : "BROKEN",
      ]),
    )}`,
  );
  if (file) writeFileSync(file, `${JSON.stringify({ rows, figures }, null, 2)}\n`);
  return figures.every((figure) => kept(figure) !== false);
}
