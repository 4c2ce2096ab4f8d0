import type { _Record as TimestreamRecord, TimeUnit } from "@aws-sdk/client-timestream-write";
import { AwsError } from "../../../../core/errors";
import { invalidRequest } from "../../errors";
import { rawJson } from "../../sql/decimal";
import { defineAction, required } from "./action";

const { isRawJSON: isRawJson } = JSON as unknown as { isRawJSON(value: unknown): boolean };

const units = ["SECONDS", "MILLISECONDS", "MICROSECONDS", "NANOSECONDS"];

const noObject = () =>
  new AwsError(
    "ValidationException",
    "Each member of the payload is a measure: it must be a JSON object, and none of its members null",
  );

/** A measure of a JSON value: numbers as they came, whole ones are BIGINT; objects and arrays as JSON texts. */
function measureOf(name: string, value: unknown): TimestreamRecord {
  if (value === null) throw noObject();
  if (typeof value === "string") return { MeasureName: name, MeasureValue: value, MeasureValueType: "VARCHAR" };
  const measure = { MeasureName: name, MeasureValue: JSON.stringify(value) };
  if (typeof value === "boolean") return { ...measure, MeasureValueType: "BOOLEAN" };
  if (!isRawJson(value)) return { ...measure, MeasureValueType: "VARCHAR" };
  return { ...measure, MeasureValueType: /^-?\d+$/.test(measure.MeasureValue) ? "BIGINT" : "DOUBLE" };
}

/** The measures of a payload, one for each member. */
function measuresOf(json: string): TimestreamRecord[] {
  const payload: unknown = JSON.parse(json, (_key, value: unknown, context?: { source?: string }) =>
    typeof value === "number" ? rawJson(context?.source ?? String(value)) : value,
  );
  if (payload === null || typeof payload !== "object" || Array.isArray(payload) || isRawJson(payload)) throw noObject();
  const members = Object.entries(payload as object);
  if (members.length === 0) throw noObject();
  return members.map(([name, value]) => measureOf(name, value));
}

/** https://docs.aws.amazon.com/iot/latest/developerguide/timestream-rule-action.html */
export const timestream = defineAction("timestream", {
  title: "TimestreamAction",
  attempt: "write the records",
  service: "AmazonTimestreamWrite",
  members: {
    roleArn: required,
    databaseName: required,
    tableName: required,
    dimensions: { required: true, length: [1, 128] },
    timestamp: {},
  },
  compile({ databaseName = "", tableName = "", dimensions = [], timestamp }, { scope, bus, template }) {
    const database = template(databaseName, "databaseName");
    const table = template(tableName, "tableName");
    const named = dimensions.map(({ name, value }, i) => {
      const at = `dimensions.${i + 1}.member`;
      if (!name || !value) throw invalidRequest(`The action timestream needs a name and a value for ${at}`);
      return { name: template(name, `${at}.name`), value: template(value, `${at}.value`) };
    });
    if (timestamp && !(timestamp.value && timestamp.unit)) {
      throw invalidRequest("The action timestream needs both value and unit in its timestamp");
    }
    const time = timestamp && {
      value: template(timestamp.value!, "timestamp.value"),
      unit: template(timestamp.unit!, "timestamp.unit"),
    };
    if (time?.unit.literal && !units.includes(time.unit.text)) {
      throw invalidRequest(`The unit of the action timestream must be one of ${units.join(", ")}`);
    }
    return {
      resource: `${databaseName}/${tableName}`,
      async prepare({ message, fill, payload, isJson }) {
        const DatabaseName = await fill(database);
        const TableName = await fill(table);
        const Dimensions: { Name: string; Value: string }[] = [];
        for (const { name, value } of named) Dimensions.push({ Name: await fill(name), Value: await fill(value) });
        const Time = time ? await fill(time.value) : String(message.timestamp);
        const unit = time ? await fill(time.unit) : "MILLISECONDS";
        return {
          lane: JSON.stringify([DatabaseName, TableName, Dimensions]),
          resource: `${DatabaseName}/${TableName}`,
          detail: `Database: ${DatabaseName}, Table: ${TableName}`,
          async send(by) {
            if (!isJson) throw noObject();
            const Records = measuresOf(payload.toString("utf8"));
            const port = bus.ready("timestream") ?? (await bus.to("timestream"));
            const CommonAttributes = { Dimensions, Time, TimeUnit: unit as TimeUnit };
            port.writeRecords(scope, { DatabaseName, TableName, CommonAttributes, Records }, by);
          },
        };
      },
    };
  },
});
