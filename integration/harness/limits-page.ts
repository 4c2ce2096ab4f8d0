import type { Limit, ServiceLimits } from "../../emulator/core/limits/limit";

const thousands = (value: number) => value.toLocaleString("en-US");

/** The largest unit in which a number is whole, and the number in it. */
function inUnits(value: number, units: readonly (readonly [size: number, name: string])[]): string {
  const [size, name] = units.find(([size]) => value >= size && value % size === 0) ?? units.at(-1)!;
  return `${thousands(value / size)} ${name}`;
}

const bytes = [
  [1024 * 1024, "MiB"],
  [1024, "KiB"],
  [1, "bytes"],
] as const;
const times = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "min"],
  [1_000, "s"],
  [1, "ms"],
] as const;

function quantity(value: number, unit: Limit["unit"]): string {
  if (value <= 0) return `${value}`;
  if (unit === "bytes") return inUnits(value, bytes);
  if (unit === "KB") return inUnits(value * 1024, bytes);
  if (unit === "ms") return inUnits(value, times);
  if (unit === "s") return inUnits(value * 1_000, times);
  if (unit === "hours") return inUnits(value * 3_600_000, times);
  return `${thousands(value)} ${unit}`.trim();
}

function most({ least, value, unit }: Limit): string {
  const end = quantity(value, unit);
  if (least === undefined) return end;
  const [number, ...name] = quantity(least, unit).split(" ");
  // "20 to 128 characters", and "50 ms to 29 s".
  return `${name.length > 0 && end.endsWith(` ${name.join(" ")}`) ? number : quantity(least, unit)} to ${end}`;
}

const row = (limit: Limit) =>
  `| ${limit.what}${limit.option ? ` (\`${limit.option}\`)` : ""} | ${most(limit)} | ${limit.over} | [AWS](${limit.source}) |`;

/** The page that tells of the limits: `docs/limits.md`. */
export const limitsPage = (table: readonly ServiceLimits[]): string => `# Limits

What the embedded AWS enforces of AWS's quotas, and what a program gets that goes beyond. The numbers are those that an
account has from the start. All rates and times go by the emulator's clock.

Some are options of \`startEmulator({ quotas: { ... } })\`, for load tests and for tests of what happens at the limit. Lists
and texts have the bounds of the API reference besides: lengths of descriptions, sizes of pages, patterns of names.

${table
  .map(({ service, limits }) =>
    [
      `## ${service}`,
      "",
      "| of | limit | beyond it | source |",
      "| --- | --- | --- | --- |",
      ...Object.values(limits).map(row),
    ].join("\n"),
  )
  .join("\n\n")}

## Not enforced
Storage in all (objects, tables, functions' code), the number of APIs, queues, topics, tables, streams, buckets and
functions of an account, requests a second to control planes, the 40,000 units a second of a DynamoDB table, how fast Lambda
adds environments, and the messages a second of an MQTT connection.
`;
