import { hash } from "node:crypto";
import {
  type _Record as MeasureRecord,
  type MeasureValue,
  type RejectedRecordsException,
  WriteRecordsCommand,
} from "@aws-sdk/client-timestream-write";
import { isRawNumber } from "../exact-json";
import { type Backoff, describe, fullJitter, isTransient, mapConcurrent, sleep } from "../retry";
import { isObject, type Placed } from "./record";
import type { SinkClients, SinkFailure, SinkFailures } from "./sink";

/** WriteRecords' limit (https://docs.aws.amazon.com/timestream/latest/developerguide/API_WriteRecords.html). */
const BATCH = 100;
const PARALLEL = 8;
const BACKOFF: Backoff = { baseMs: 50, capMs: 2_000, attempts: 9 };

/** Writes records to Timestream for LiveAnalytics: one multi-measure record each, told apart by device and topic. */
export async function writeTimestream(
  records: readonly Placed[],
  { database, table }: { database: string; table: string },
  clients: SinkClients,
  deadline: number,
): Promise<SinkFailures> {
  const failures: SinkFailures = {};
  const measures: Measured[] = [];
  records.forEach((record, place) => {
    const measure = toMeasure(record);
    if ("problem" in measure) failures[place] = { reason: measure.problem, refused: true };
    else measures.push({ place, measure });
  });
  const batches = Array.from({ length: Math.ceil(measures.length / BATCH) }, (_, i) =>
    measures.slice(i * BATCH, (i + 1) * BATCH),
  );
  await mapConcurrent(batches, PARALLEL, async (batch) => {
    Object.assign(failures, await writeBatch(batch, { DatabaseName: database, TableName: table }, clients, deadline));
  });
  return failures;
}

interface Measured {
  readonly place: number;
  readonly measure: MeasureRecord;
}

/** Writes records of one call. A record that makes it invalid is looked for in halves, so that it stops no other. */
async function writeBatch(
  batch: readonly Measured[],
  table: { DatabaseName: string; TableName: string },
  clients: SinkClients,
  deadline: number,
): Promise<SinkFailures> {
  const Records = batch.map(({ measure }) => measure);
  for (let attempt = 0; ; attempt++) {
    try {
      await clients.timestream().send(new WriteRecordsCommand({ ...table, Records }));
      return {};
    } catch (error) {
      const wait = fullJitter(BACKOFF, attempt);
      const again = attempt + 1 < BACKOFF.attempts && Date.now() + wait <= deadline;
      if (isTransient(error) && again) await sleep(wait);
      else if ((error as Error).name === "ValidationException" && batch.length > 1 && Date.now() <= deadline) {
        const middle = Math.ceil(batch.length / 2);
        const first = await writeBatch(batch.slice(0, middle), table, clients, deadline);
        return { ...first, ...(await writeBatch(batch.slice(middle), table, clients, deadline)) };
      } else return Object.assign({}, ...batch.map(({ place }, i) => failureOf(error, place, i, batch.length === 1)));
    }
  }
}

/**
 * What a failed call means for one of its records: Timestream writes the others of a call that rejects some, and nothing
 * of one that is invalid, which a record that was `alone` in it has been the reason for.
 */
function failureOf(error: unknown, place: number, index: number, alone: boolean): Record<number, SinkFailure> {
  const { name, RejectedRecords } = error as RejectedRecordsException;
  if (name !== "RejectedRecordsException") {
    return { [place]: { reason: describe(error), refused: alone && name === "ValidationException" } };
  }
  const rejected = RejectedRecords?.find(({ RecordIndex }) => RecordIndex === index);
  return rejected ? { [place]: { reason: rejected.Reason ?? "Timestream rejected it", refused: true } } : {};
}

/**
 * Numbers, texts and truth values of the payload, those inside of objects by their path; the rest has no place there.
 *
 * Timestream rejects a record with the device, topic and time of another one but other values. So what tells the records
 * of one millisecond apart elsewhere gives them a time below the millisecond here.
 */
function toMeasure({ record, sortKey }: Placed): MeasureRecord | { problem: string } {
  const { ident, topic, timestamp, data } = record;
  const values: MeasureValue[] = [];
  collect(data, "", values);
  if (values.length === 0) return { problem: "the payload has no number, text or truth value" };
  const below = Number.parseInt(hash("sha256", sortKey).slice(0, 12), 16) % 1_000_000;
  return {
    Dimensions: [
      { Name: "ident", Value: ident },
      { Name: "topic", Value: topic },
    ],
    MeasureName: "telemetry",
    MeasureValueType: "MULTI",
    MeasureValues: values,
    Time: String(BigInt(timestamp) * 1_000_000n + BigInt(below)),
    TimeUnit: "NANOSECONDS",
  };
}

function collect(fields: Record<string, unknown>, prefix: string, values: MeasureValue[]): void {
  for (const [name, value] of Object.entries(fields)) {
    const Name = prefix === "" && isTaken(name) ? `data.${name}` : prefix + name;
    if (isRawNumber(value)) values.push({ Name, Value: value.rawJSON, Type: "DOUBLE" });
    else if (typeof value === "number") values.push({ Name, Value: String(value), Type: "DOUBLE" });
    else if (typeof value === "boolean") values.push({ Name, Value: String(value), Type: "BOOLEAN" });
    else if (typeof value === "string" && value !== "") values.push({ Name, Value: value, Type: "VARCHAR" });
    else if (isObject(value)) collect(value, `${Name}.`, values);
  }
}

/**
 * Whether columns of Timestream or our dimensions have this name: a field of such a name is a column under `data.`
 * @see https://docs.aws.amazon.com/timestream/latest/developerguide/ts-limits.html#limits.system_identifier
 */
const isTaken = (name: string): boolean => /^(time$|measure_name$|ident$|topic$|measure_value|ts_)/.test(name);
