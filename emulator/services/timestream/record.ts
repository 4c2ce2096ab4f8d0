import type { _Record as ApiRecord, Dimension, MeasureValue } from "@aws-sdk/client-timestream-write";
import type { TimestreamRow, TimestreamScalar, TimestreamValue } from "../../core/bus";
import { limits } from "../../core/limits";
import { validation } from "./errors";

/** A record that is well-formed. */
export interface ReadRecord extends TimestreamRow {
  /** Tells its series, measure and time. */
  readonly key: string;
  readonly version: number;
}

const { timestream } = limits;

const units = { NANOSECONDS: 1n, MICROSECONDS: 1_000n, MILLISECONDS: 1_000_000n, SECONDS: 1_000_000_000n };
const longest = 2n ** 63n;

const bytes = (text: string) => Buffer.byteLength(text);

/** Names that columns of the system have (quotas, "System identifiers"). */
const systemNames = new Set(["time", "measure_name", "ts_non_existent_col"]);

/** @returns why a record with such a name is rejected. */
function nameProblem(what: string, name: string, most: number): string | undefined {
  if (name === "") throw validation(`Invalid record: the ${what} name is empty.`);
  if (name.includes(":")) throw validation(`Invalid record: the ${what} name ${name} has a colon.`);
  if (systemNames.has(name) || name.startsWith("ts_") || name.startsWith("measure_value")) {
    throw validation(`Invalid record: the ${what} name ${name} is reserved for the system.`);
  }
  return bytes(name) > most ? `The ${what} name is longer than ${most} bytes: ${name.slice(0, 64)}` : undefined;
}

/** A value of a type, as text that is the same for the same value; undefined where the text is none. */
function parseValue(type: TimestreamScalar, text: string): TimestreamValue | undefined {
  switch (type) {
    case "DOUBLE": {
      const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
      return Number.isFinite(value) ? { type, text: String(value) } : undefined;
    }
    case "BIGINT": {
      if (!/^[+-]?\d{1,19}$/.test(text)) return undefined;
      const value = BigInt(text.replace("+", ""));
      return value >= -longest && value < longest ? { type, text: String(value) } : undefined;
    }
    case "BOOLEAN": {
      const value = text.toLowerCase();
      return ["true", "false"].includes(value) ? { type, text: value } : undefined;
    }
    case "TIMESTAMP":
      return /^\d{1,19}$/.test(text) && BigInt(text) < longest ? { type, text: String(BigInt(text)) } : undefined;
    case "VARCHAR":
      return text === "" ? undefined : { type, text };
  }
}

function readValue(name: string, type: TimestreamScalar, text: string): TimestreamValue | string {
  const value = parseValue(type, text);
  if (!value) throw validation(`Invalid measure value for record: ${name} must be a ${type}.`);
  return bytes(text) > timestream.measureValue.value
    ? `The value of measure ${name} is longer than ${timestream.measureValue.value} bytes.`
    : value;
}

/** Dimensions of the record and those of all records, by name. */
function dimensionsOf(given: readonly Dimension[]): ReadonlyMap<string, string> | string {
  if (given.length > timestream.dimensions.value)
    return `A record has at most ${timestream.dimensions.value} dimensions.`;
  const dimensions = new Map<string, string>();
  let size = 0;
  for (const { Name: name = "", Value: value = "" } of given) {
    const problem = nameProblem("dimension", name, timestream.dimensionName.value);
    if (problem) return problem;
    if (dimensions.has(name)) throw validation(`Invalid record: the dimension ${name} is there twice.`);
    if (value === "") throw validation(`Invalid record: the value of dimension ${name} is empty.`);
    size += bytes(name) + bytes(value);
    dimensions.set(name, value);
  }
  if (size > timestream.dimensionBytes.value)
    return `The names and values of the dimensions are longer than ${timestream.dimensionBytes.value} bytes.`;
  return new Map([...dimensions].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function attributesOf(
  given: readonly MeasureValue[],
  unit: bigint,
  dimensions: ReadonlyMap<string, string>,
): ReadonlyMap<string, TimestreamValue> | string {
  if (given.length === 0) throw validation("Invalid record: a multi-measure record needs MeasureValues.");
  if (given.length > timestream.measuresPerRecord.value)
    return `A multi-measure record has at most ${timestream.measuresPerRecord.value} measures.`;
  const values = new Map<string, TimestreamValue>();
  for (const { Name: name = "", Value: text = "", Type: type } of given) {
    const problem = nameProblem("measure", name, timestream.measureName.value);
    if (problem) return problem;
    if (values.has(name) || dimensions.has(name)) throw validation(`Invalid record: ${name} is there twice.`);
    const value = readValue(name, type as TimestreamScalar, text);
    if (typeof value === "string") return value;
    values.set(name, type === "TIMESTAMP" ? { type, text: String(BigInt(text) * unit) } : value);
  }
  return new Map([...values].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The time of a record in nanoseconds. */
function timeOf(text: string, unit: bigint): bigint {
  const time = /^\d{1,19}$/.test(text) ? BigInt(text) * unit : longest;
  if (time >= longest) throw validation("Invalid time for record.");
  return time;
}

/**
 * Reads a record with what is common to all of the call.
 *
 * @returns why it is rejected, where it exceeds a limit.
 * @throws ValidationException for what is no record: it refuses the whole call.
 */
export function readRecord(record: ApiRecord, common: ApiRecord): ReadRecord | string {
  const { MeasureName: measureName = "", MeasureValueType: type = "DOUBLE", ...rest } = { ...common, ...record };
  const unit = units[rest.TimeUnit ?? "MILLISECONDS"];
  const time = timeOf(rest.Time ?? "", unit);
  const dimensions = dimensionsOf([...(common.Dimensions ?? []), ...(record.Dimensions ?? [])]);
  if (typeof dimensions === "string") return dimensions;
  if (dimensions.size === 0) throw validation("At least one dimension is required for a record.");
  const problem = nameProblem("measure", measureName, timestream.measureName.value);
  if (problem) return problem;
  const multi = type === "MULTI";
  const values = multi
    ? attributesOf([...(common.MeasureValues ?? []), ...(record.MeasureValues ?? [])], unit, dimensions)
    : singleOf(measureName, type, rest);
  if (typeof values === "string") return values;
  return {
    ...{ time, dimensions, measureName, multi, values },
    key: JSON.stringify([measureName, String(time), ...dimensions]),
    version: rest.Version ?? 1,
  };
}

function singleOf(name: string, type: TimestreamScalar, { MeasureValue = "", MeasureValues }: ApiRecord) {
  if (type === "TIMESTAMP") throw validation("Invalid record: TIMESTAMP is a type of multi-measure records only.");
  if (MeasureValues?.length) throw validation("Invalid record: MeasureValues are for the MeasureValueType MULTI.");
  const value = readValue(name, type, MeasureValue);
  return typeof value === "string" ? value : new Map([["", value]]);
}
