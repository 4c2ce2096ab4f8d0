import type {
  _Record as ApiRecord,
  RecordsIngested,
  RejectedRecord,
  WriteRecordsRequest,
} from "@aws-sdk/client-timestream-write";
import type { Constraint } from "../../core/constraint";
import { limits } from "../../core/limits";
import type { Scope } from "../../core/service";
import { check, resourceName } from "./checks";
import { recordsRejected } from "./errors";
import { readRecord } from "./record";
import type { Store } from "./store";

const scalars = ["DOUBLE", "BIGINT", "VARCHAR", "BOOLEAN", "TIMESTAMP", "MULTI"];
const timeUnits = ["MILLISECONDS", "SECONDS", "MICROSECONDS", "NANOSECONDS"];

type Rules = Record<string, readonly [unknown, Constraint]>;

/** The parts of a record as the API's model has them. Names and values may be empty there; the record is read later. */
function shape(record: ApiRecord, at: string): Rules {
  const rules: Rules = {
    [`${at}.dimensions`]: [record.Dimensions, { length: [0, limits.timestream.dimensions.value] }],
    [`${at}.measureValueType`]: [record.MeasureValueType, { oneOf: scalars }],
    [`${at}.timeUnit`]: [record.TimeUnit, { oneOf: timeUnits }],
    [`${at}.version`]: [record.Version, { range: [1, 2 ** 63] }],
  };
  for (const [i, { Name, Value, DimensionValueType }] of record.Dimensions?.entries() ?? []) {
    const member = `${at}.dimensions.${i + 1}.member`;
    rules[`${member}.name`] = [Name, { required: true }];
    rules[`${member}.value`] = [Value, { required: true }];
    rules[`${member}.dimensionValueType`] = [DimensionValueType, { oneOf: ["VARCHAR"] }];
  }
  for (const [i, { Name, Value, Type }] of record.MeasureValues?.entries() ?? []) {
    const member = `${at}.measureValues.${i + 1}.member`;
    rules[`${member}.name`] = [Name, { required: true }];
    rules[`${member}.value`] = [Value, { required: true }];
    rules[`${member}.type`] = [Type, { required: true, oneOf: scalars.filter((type) => type !== "MULTI") }];
  }
  return rules;
}

/** Writes the records of a call, and refuses with the list of those that it cannot write. */
export function writeRecords(
  store: Store,
  scope: Scope,
  { DatabaseName, TableName, CommonAttributes: common = {}, Records }: WriteRecordsRequest,
): RecordsIngested {
  check({
    databaseName: [DatabaseName, resourceName],
    tableName: [TableName, resourceName],
    records: [Records, { required: true, length: [1, limits.timestream.records.value] }],
  });
  const rules = shape(common, "commonAttributes");
  for (const [i, record] of Records!.entries()) Object.assign(rules, shape(record, `records.${i + 1}.member`));
  check(rules);
  const table = store.table(scope, DatabaseName!, TableName!);
  const read = Records!.map((record) => readRecord(record, common));

  const rejected: RejectedRecord[] = [];
  const count = { memory: 0, magnetic: 0 };
  for (const [RecordIndex, record] of read.entries()) {
    const outcome = typeof record === "string" ? { Reason: record } : table.write(record);
    if ("store" in outcome) count[outcome.store]++;
    else rejected.push({ RecordIndex, ...outcome });
  }
  if (rejected.length > 0) throw recordsRejected(rejected);
  return { Total: read.length, MemoryStore: count.memory, MagneticStore: count.magnetic };
}
