import type { DataRecordDetail } from "../../../core/bus";
import type { SourceKind } from "./mapping";
import { payloadMatcher } from "./payload-filter";
import type { StreamKind } from "./stream-kind";
import { StreamPoller } from "./stream-poller";
import { checkReach, checkStreamSettings, orStreamNotFound } from "./stream-settings";

/** Amazon Kinesis data streams, by their ARN or that of a consumer (https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html). */
export const kinesisSource: SourceKind = {
  service: "kinesis",

  async check(host, source, fn, settings) {
    const config = checkStreamSettings(settings, ["TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"]);
    checkReach(source, fn);
    await orStreamNotFound(source.text, () => kind.open(host, source.text));
    return config;
  },

  start: (mapping, tools) => new StreamPoller(mapping, tools, kind),
};

interface KinesisEvent {
  readonly kinesis: { readonly data: string };
}

const kind: StreamKind<DataRecordDetail> = {
  batchInfo: "KinesisBatchInfo",
  open: async (host, arn) => (await host.bus.to("kinesis")).open(arn),
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
