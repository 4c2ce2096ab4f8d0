import type { DataRecordDetail } from "../../../core/stream-reader";
import type { SourceKind } from "./mapping";
import { payloadMatcher } from "./payload-filter";
import type { StreamKind } from "./stream-kind";
import { StreamPoller } from "./stream-poller";
import { checkReach, checkStreamAccess, checkStreamSettings, orStreamNotFound } from "./stream-settings";

/** Amazon Kinesis data streams, by their ARN or that of a consumer (https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html). */
export const kinesisSource: SourceKind = {
  service: "kinesis",

  async check(host, source, fn, settings) {
    const config = checkStreamSettings(settings, ["TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"]);
    checkReach(source, fn);
    await orStreamNotFound(source.text, () => kind.open(host, source.text));
    return config;
  },

  checkAccess: (host, arn, reader) =>
    checkStreamAccess(
      kind,
      host,
      arn,
      reader,
      "GetRecords, GetShardIterator, DescribeStream, ListShards, and ListStreams",
    ),

  start: (mapping, tools) => new StreamPoller(mapping, tools, kind),
};

interface KinesisEvent {
  readonly kinesis: { readonly data: string };
}

const kind: StreamKind<DataRecordDetail> = {
  service: "kinesis",
  batchInfo: "KinesisBatchInfo",
  open: async (host, arn, by) => (await host.bus.to("kinesis")).open(arn, by),
  reading: (arn) => ({
    service: "kinesis",
    operation: arn.includes("/consumer/") ? "SubscribeToShard" : "GetRecords",
    resources: [arn],
  }),
  event: ({ sequenceNumber, arrival, detail }, { mapping, shardId, role }) => ({
    kinesis: {
      kinesisSchemaVersion: "1.0",
      partitionKey: detail.partitionKey,
      sequenceNumber,
      data: detail.data.toString("base64"),
      approximateArrivalTimestamp: arrival / 1000,
    },
    eventSource: "aws:kinesis",
    eventVersion: "1.0",
    eventID: `${shardId}:${sequenceNumber}`,
    eventName: "aws:kinesis:record",
    invokeIdentityArn: role,
    awsRegion: mapping.config.EventSourceArn!.split(":")[3],
    eventSourceARN: mapping.config.EventSourceArn,
  }),
  /** Patterns see the record with its data as text or JSON (https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis-filtering.html). */
  matcher(pattern) {
    const matches = payloadMatcher("data", pattern);
    return (event) => {
      const { kinesis } = event as KinesisEvent;
      return matches({ ...(event as object), ...kinesis, data: Buffer.from(kinesis.data, "base64").toString("utf8") });
    };
  },
  time: (ms) => new Date(ms).toISOString(),
};
