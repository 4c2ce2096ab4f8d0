import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { SinkSettings } from "../handlers/iot/environment";
import type { OnRecords } from "../handlers/iot/sink-callback";
import type { IoTSink } from "./iot-stream-args";
import type { PolicyStatement } from "./policy";
import { makeMessageTable, makePrivateBucket, type TableRef } from "./storage";

type Later<T> = { [Field in keyof T]: pulumi.Input<T[Field]> };
/** What the function is told about a sink, some of it known only during the deployment. */
type Settings = SinkSettings extends infer S ? (S extends SinkSettings ? Later<S> : never) : never;

/** What a stream's sinks are made of. */
export interface Sinks {
  readonly settings: Settings[];
  /** What the function needs to be allowed. */
  readonly statements: PolicyStatement[];
  readonly callbacks: OnRecords[];
  readonly tables: TableRef[];
  readonly ownTables: aws.dynamodb.Table[];
  readonly buckets: aws.s3.Bucket[];
}

/** Makes what the sinks need. The first of a kind is named after the kind, others have a number. */
export function makeSinks(name: string, sinks: readonly IoTSink[], opts: pulumi.CustomResourceOptions): Sinks {
  const made: Sinks = { settings: [], statements: [], callbacks: [], tables: [], ownTables: [], buckets: [] };
  const counts: Record<string, number> = {};
  for (const sink of sinks) {
    const kind = Object.keys(sink)[0]!;
    counts[kind] = (counts[kind] ?? 0) + 1;
    const suffix = counts[kind] > 1 ? `-${counts[kind]}` : "";
    add(made, sink, kind + suffix, name + suffix, opts);
  }
  return made;
}

function add(made: Sinks, sink: IoTSink, own: string, prefix: string, opts: pulumi.CustomResourceOptions): void {
  const { settings, statements, callbacks } = made;
  if ("dynamodb" in sink) {
    const args = sink.dynamodb === true ? {} : sink.dynamodb;
    const ownTable = makeMessageTable(prefix, "ident", args, opts);
    const table = ownTable ?? (args as { existing: TableRef }).existing;
    made.tables.push(table);
    if (ownTable) made.ownTables.push(ownTable);
    settings.push({ name: own, kind: "dynamodb", table: table.name, ttlDays: args.ttlDays ?? 0 });
    statements.push({ actions: ["dynamodb:BatchWriteItem"], resources: [table.arn] });
  } else if ("queue" in sink) {
    settings.push({ name: own, kind: "queue", url: sink.queue.url });
    statements.push({ actions: ["sqs:SendMessage"], resources: [sink.queue.arn] });
  } else if ("s3" in sink) {
    const bucket = makePrivateBucket(`${prefix}-archive`, sink.s3 === true ? {} : sink.s3, opts);
    made.buckets.push(bucket);
    settings.push({ name: own, kind: "s3", bucket: bucket.bucket });
    statements.push({ actions: ["s3:PutObject"], resources: [pulumi.interpolate`${bucket.arn}/*`] });
  } else if ("timestream" in sink) {
    const { database, table, arn } = sink.timestream;
    settings.push({ name: own, kind: "timestream", database, table });
    statements.push({ actions: ["timestream:WriteRecords"], resources: [arn] });
    // It knows no resources (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazontimestream.html).
    statements.push({ actions: ["timestream:DescribeEndpoints"], resources: ["*"] });
  } else {
    callbacks.push(sink.onRecords);
    settings.push({ name: own, kind: "onRecords" });
  }
}

/** The table that keeps how far each sink is, where there are several. */
export function makeProgressTable(name: string, opts: pulumi.CustomResourceOptions): aws.dynamodb.Table {
  return new aws.dynamodb.Table(
    `${name}-progress`,
    {
      billingMode: "PAY_PER_REQUEST",
      hashKey: "shardId",
      rangeKey: "sink",
      attributes: [
        { name: "shardId", type: "S" },
        { name: "sink", type: "S" },
      ],
      ttl: { enabled: true, attributeName: "expiresAt" },
    },
    opts,
  );
}
