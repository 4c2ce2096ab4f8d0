import * as aws from "@pulumi/aws";
import { IoTStream } from "../../components";

const { databaseName: database } = new aws.timestreamwrite.Database("fleet", { databaseName: "fleet" });
const readings = new aws.timestreamwrite.Table("readings", { databaseName: database, tableName: "readings" });

/** A stream to Timestream and nothing else; the payload says when it was measured. */
const stream = new IoTStream("fleet", {
  topic: "devices/+/telemetry",
  time: "at",
  stream: { shards: 1 },
  sinks: [{ timestream: { database, table: readings.tableName, arn: readings.arn } }],
});

export const deadLetterQueueUrl = stream.deadLetterQueue.url;
export const streamName = stream.stream?.name;
export const consume = stream.nodes.consume?.function.name;
export const replay = stream.replay?.name;
