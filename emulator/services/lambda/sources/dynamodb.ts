import type { TableRecord } from "../../../core/bus";
import { compilePattern } from "../../../core/event-pattern";
import type { SourceKind } from "./mapping";
import type { StreamKind } from "./stream-kind";
import { StreamPoller } from "./stream-poller";
import { checkReach, checkStreamAccess, checkStreamSettings, orStreamNotFound } from "./stream-settings";

/** Streams of Amazon DynamoDB tables (https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html). */
export const dynamodbSource: SourceKind = {
  service: "dynamodb",

  async check(host, source, fn, settings) {
    const config = checkStreamSettings(settings, ["TRIM_HORIZON", "LATEST"]);
    checkReach(source, fn);
    await orStreamNotFound(source.text, () => kind.open(host, source.text));
    return config;
  },

  checkAccess: (host, arn, reader) =>
    checkStreamAccess(kind, host, arn, reader, "GetRecords, GetShardIterator, DescribeStream, and ListStreams"),

  start: (mapping, tools) => new StreamPoller(mapping, tools, kind),
};

const kind: StreamKind<TableRecord> = {
  service: "dynamodb",
  batchInfo: "DDBStreamBatchInfo",
  open: async (host, arn, by) => (await host.bus.to("dynamodbStreams")).open(arn, by),
  reading: (arn) => ({ service: "dynamodbstreams", operation: "GetRecords", resources: [arn] }),
  event: ({ detail }, { mapping }) => ({
    ...(inJson(detail) as object),
    eventSourceARN: mapping.config.EventSourceArn,
  }),
  matcher: compilePattern,
  // Whole seconds.
  time: (ms) => `${new Date(ms).toISOString().slice(0, 19)}Z`,
};

/** Bytes in base64 and times in seconds, as the JSON of an event has them. */
function inJson(value: unknown): unknown {
  if (value instanceof Date) return value.getTime() / 1000;
  if (ArrayBuffer.isView(value)) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64");
  }
  if (Array.isArray(value)) return value.map(inJson);
  if (typeof value !== "object" || value === null) return value;
  // Attributes are named by users: one named "__proto__" is an attribute like others.
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, inJson(member)]));
}
