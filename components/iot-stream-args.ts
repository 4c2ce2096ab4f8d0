import type * as pulumi from "@pulumi/pulumi";
import type { Transform } from "../handlers/iot/record";
import type { OnRecords } from "../handlers/iot/sink-callback";
import type { AlarmsArgs } from "./alarms";
import { Checks } from "./checks";
import { type CommonArgs, checkCommon } from "./common-args";
import { checkIoTFlespi, type IoTFlespiArgs } from "./iot-flespi";
import type { PolicyStatement } from "./policy";
import {
  type ArchiveArgs,
  checkArchive,
  checkQueue,
  checkTable,
  type ExistingTableArgs,
  type OwnTableArgs,
  type QueueRef,
} from "./storage";

/** A table of Timestream for LiveAnalytics. */
export interface TimestreamArgs {
  database: pulumi.Input<string>;
  table: pulumi.Input<string>;
  /** The table's ARN. */
  arn: pulumi.Input<string>;
}

/** Somewhere that records go: one of these. */
export type IoTSink =
  /**
   * A DynamoDB table: `ident` (HASH, S), the device; `sortKey` (RANGE, S), which begins with the time as ISO 8601. The
   * key of a table that is there already must be that.
   */
  | { dynamodb: true | OwnTableArgs | ExistingTableArgs }
  /** A queue, such as that of `WebSocketBroadcast`; records come as JSON arrays of as many as fit 1 MiB. */
  | { queue: QueueRef }
  /** A bucket: gzipped NDJSON by date and hour, an object for each batch. */
  | { s3: true | ArchiveArgs }
  /**
   * Timestream for LiveAnalytics, for accounts that have it: it takes no new ones since June 2025
   * (https://docs.aws.amazon.com/timestream/latest/developerguide/AmazonTimestreamForLiveAnalytics-availability-change.html).
   */
  | { timestream: TimestreamArgs }
  /** A callback, which runs in Lambda: make clients and other objects inside of it. */
  | { onRecords: OnRecords };

/** How the stream holds records. */
export interface StreamSettings {
  /** Shards, 1 to 500, each of which takes 1 MB or 1,000 records a second. @default on demand: AWS follows the load */
  shards?: number;
  /** Hours that records stay on the stream, 24 to 8760. @default 24 */
  retentionHours?: number;
}

export interface IoTStreamArgs extends CommonArgs {
  /** MQTT topic filters of the messages to take, such as `devices/+/telemetry`: one, or up to ten that do not overlap. */
  topic: string | string[];
  /** Which messages to take: a condition of AWS IoT SQL, such as `temp > 50`. @default all */
  where?: string;
  /**
   * Where a message names its device: the number of a part of its topic, from 1 on, or a field of its payload, such as
   * `ident` or `device.id`. Records of one device stay in order. @default the part at the first `+` of the topic
   */
  device?: number | string;
  /**
   * The field of the payload with the time of measurement: seconds or milliseconds since 1970, or ISO 8601. Then two
   * messages of a device with the same content are one. @default the time of receipt
   */
  time?: string;
  /** Where records go; each of them goes to all. @default [{ dynamodb: true }] */
  sinks?: IoTSink[];
  /**
   * Sees every valid message before the sinks: returns its payload, changed or not, or `null` to drop it. What it throws
   * sends this one message to the dead-letter queue. @default messages go on as they come
   */
  transform?: Transform;
  /** Environment variables for the callbacks. @default none */
  environment?: Record<string, pulumi.Input<string>>;
  /** What the callbacks may do in AWS. @default nothing */
  statements?: PolicyStatement[];
  /**
   * Lets the rule write to the table itself, without stream and function: cheapest, but a message that is no JSON object
   * is lost, and nothing else than the table can be filled. @default false
   */
  direct?: boolean | OwnTableArgs | ExistingTableArgs;
  /**
   * A flespi channel whose messages come in, too: every minute they are published to topics that `topic` takes. Its
   * messages can come twice, so `time` is then by default `timestamp`, and a message that comes again is the same item.
   * @default none
   */
  flespi?: IoTFlespiArgs;
  /** Names of devices to register, each with a certificate. It must connect with its name as the client id. @default none */
  devices?: string[];
  /** Makes the policy even without `devices`, for a fleet that registers itself. @default false */
  fleet?: boolean;
  stream?: StreamSettings;
  /** How records are taken together. */
  batch?: {
    /** Records of one run at most, 1 to 10000. @default 500 */
    size?: number;
    /** Seconds to wait for more, 0 to 300. @default 0 */
    windowSeconds?: number;
  };
  /**
   * Seconds after its receipt that a record is given up which a sink does not take: it goes to the dead-letter queue, and
   * those behind it go on. 0 to 604800. @default 300
   */
  giveUpAfterSeconds?: number;
  /**
   * Runs again for a batch that kills the function or that a sink does not take, before it goes to the failure queue, 0
   * to 10000. As many as outlast `giveUpAfterSeconds`: a run tries a failing sink for four fifths of `timeout` or more.
   * @default 10
   */
  retries?: number;
  /** Seconds that one run may take, 5 to 900. @default 60 */
  timeout?: number;
  /** Alarms for waiting letters, a failing function, old records and a full stream, to an SNS topic. @default off */
  alarms?: AlarmsArgs;
}

const SINKS = ["dynamodb", "queue", "s3", "timestream", "onRecords"];
const OPTIONS: (keyof IoTStreamArgs)[] = [
  ...(["topic", "where", "device", "time", "sinks", "transform", "environment", "statements", "direct"] as const),
  ...(["flespi", "devices", "fleet", "stream", "batch", "giveUpAfterSeconds", "retries", "deadLetter"] as const),
  ...(["logRetentionDays", "tracing", "memorySize", "timeout", "alarms"] as const),
];
const FIELD = /^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/;

/** The topic filters, however they were given. */
export const topicsOf = ({ topic }: IoTStreamArgs): string[] => (Array.isArray(topic) ? topic : [topic]);

/** Throws one error with all the mistakes in the arguments. */
export function checkIoTStream(name: string, args: IoTStreamArgs): void {
  const checks = new Checks("IoTStream", name);
  checks.names("", args, OPTIONS);
  checks.text(
    "the name",
    name,
    /^[a-z][a-z0-9-]{0,29}$/,
    "be at most 30 lower-case letters, digits and hyphens",
    '"fleet"',
  );
  checkTopics(checks, args);
  if (args.flespi !== undefined) checkIoTFlespi(checks, args.flespi, topicsOf(args));
  checks.text("where", args.where, /\S/, "be a condition", '"temp > 50"');
  checks.text("time", args.time, FIELD, "be a field of the payload", '"timestamp"');
  if (args.direct) checkDirect(checks, args);
  else checkSinks(checks, args.sinks);
  checks.callback("transform", args.transform, "(data) => data");
  for (const variable of Object.keys(args.environment ?? {})) {
    if (/^(IOT|AWS)_/.test(variable)) {
      checks.add(`environment.${variable}`, "not begin with IOT_ or AWS_", `MY_${variable}`);
    }
  }
  checkDevices(checks, args.devices);
  if (args.devices?.length || args.fleet) checkOwnTopics(checks, args);
  const { stream = {}, batch = {} } = args;
  checks.names("stream", stream, ["shards", "retentionHours"]);
  checks.number("stream.shards", stream.shards, { min: 1, max: 500, use: 1 });
  checks.number("stream.retentionHours", stream.retentionHours, { min: 24, max: 8760, unit: "hours", use: 24 });
  checks.names("batch", batch, ["size", "windowSeconds"]);
  checks.number("batch.size", batch.size, { min: 1, max: 10_000, unit: "records", use: 500 });
  checks.number("batch.windowSeconds", batch.windowSeconds, { min: 0, max: 300, unit: "seconds", use: 0 });
  checks.number("giveUpAfterSeconds", args.giveUpAfterSeconds, { min: 0, max: 604_800, unit: "seconds", use: 300 });
  checks.number("retries", args.retries, { min: 0, max: 10_000, use: 10 });
  checkCommon(checks, args);
  checks.number("timeout", args.timeout, { min: 5, max: 900, unit: "seconds", use: 60 });
  checks.done();
}

function checkTopics(checks: Checks, args: IoTStreamArgs): void {
  const topics = topicsOf(args);
  const use = '"devices/+/telemetry"';
  if (topics.length === 0 || topics.length > 10) checks.add("topic", "be 1 to 10 topic filters", use);
  const { device } = args;
  checks.number("device", typeof device === "string" ? undefined : device, { min: 1, max: 8, use: 2 });
  if (typeof device === "string") checks.text("device", device, FIELD, "be a field of the payload", '"ident"');
  topics.forEach((topic, i) => {
    const option = Array.isArray(args.topic) ? `topic[${i}]` : "topic";
    // https://docs.aws.amazon.com/general/latest/gr/iot-core.html: 256 bytes, 7 slashes.
    const form = /^(?=[^']{1,256}$)(?:(?:\+|[^+#/]*)\/){0,7}(?:\+|#|[^+#/]*)$/;
    const must = "be an MQTT topic filter of at most 8 parts, where + and # stand alone, without '";
    if (topic === undefined) checks.add(option, "be given", use);
    else if (typeof topic !== "string" || !form.test(topic)) checks.text(option, topic, form, must, use);
    else if (typeof device === "number" && !topic.includes("#") && topic.split("/").length < device) {
      checks.add("device", `be the number of a part of ${option}, which has ${topic.split("/").length}`, "2");
    } else if (device === undefined && !topic.split("/").includes("+")) {
      checks.add("device", `be given, for ${option} has no + that would stand for the device`, '"ident"');
    }
  });
}

function checkSinks(checks: Checks, sinks: IoTSink[] | undefined): void {
  if (sinks === undefined) return;
  // How far they are is kept by one BatchWriteItem, which takes 25 rows.
  if (!Array.isArray(sinks) || sinks.length === 0 || sinks.length > 25) {
    checks.add("sinks", "be a list of 1 to 25 sinks", "[{ dynamodb: true }]");
    return;
  }
  sinks.forEach((sink, i) => {
    const kinds = typeof sink === "object" && sink !== null ? Object.keys(sink) : [];
    const option = `sinks[${i}]`;
    if (kinds.length !== 1 || !SINKS.includes(kinds[0]!)) {
      checks.add(option, `be an object with one of ${SINKS.join(", ")}`, "{ dynamodb: true }");
    } else if ("dynamodb" in sink) {
      checkSettings(checks, `${option}.dynamodb`, sink.dynamodb, (table) => {
        checkTable(checks, `${option}.dynamodb`, table);
      });
    } else if ("s3" in sink) {
      checkSettings(checks, `${option}.s3`, sink.s3, (archive) => checkArchive(checks, `${option}.s3`, archive));
    } else if ("queue" in sink) checkQueue(checks, `${option}.queue`, sink.queue);
    else if ("onRecords" in sink) {
      if (typeof sink.onRecords !== "function") checks.add(`${option}.onRecords`, "be a function", "(records) => …");
    } else if ("timestream" in sink) {
      const { database, table, arn } = sink.timestream ?? {};
      if (!database || !table || !arn) {
        checks.add(`${option}.timestream`, "have a database, a table and its arn", "those of the table");
      }
    }
  });
}

/** Something that is on by `true`, or by its settings. */
function checkSettings<T extends object>(checks: Checks, option: string, value: T | true, check: (value: T) => void) {
  if (value === true) return;
  if (typeof value === "object" && value !== null) check(value);
  else checks.add(option, "be true, or settings", "true");
}

function checkDirect(checks: Checks, args: IoTStreamArgs): void {
  if (args.direct) checkSettings(checks, "direct", args.direct, (table) => checkTable(checks, "direct", table));
  for (const option of [
    "sinks",
    "transform",
    "time",
    "flespi",
    "stream",
    "batch",
    "environment",
    "statements",
  ] as const) {
    if (args[option] !== undefined) {
      checks.add(option, "not be given with direct, where no function runs", "direct: false");
    }
  }
}

/**
 * In a policy, where a topic filter has +, stands a *, which takes several parts. Before the device's name it would let
 * that name slip to a later part, and the device publish as another one, wherever filters take topics of other lengths.
 */
function checkOwnTopics(checks: Checks, args: IoTStreamArgs): void {
  const { device } = args;
  if (typeof device !== "number") return;
  const topics = topicsOf(args).filter((topic) => typeof topic === "string");
  const lengths = new Set(topics.map((topic) => (topic.includes("#") ? "any" : topic.split("/").length)));
  if (lengths.size <= 1 && !lengths.has("any")) return;
  topics.forEach((topic, i) => {
    const before = topic.split("/").slice(0, device - 1);
    if (!before.some((part) => /[+*?]/.test(part))) return;
    const must = "have no wildcard before the device's part beside filters that take topics of other lengths";
    const why = "with it, a registered device could publish as another one";
    checks.add(Array.isArray(args.topic) ? `topic[${i}]` : "topic", `${must}: ${why}`, '"site/+/#" with device: 2');
  });
}

function checkDevices(checks: Checks, devices: string[] | undefined): void {
  if (devices === undefined) return;
  if (!Array.isArray(devices)) {
    checks.add("devices", "be a list of names", '["sensor-1"]');
    return;
  }
  devices.forEach((device, i) => {
    // A thing's name (https://docs.aws.amazon.com/iot/latest/apireference/API_CreateThing.html).
    checks.text(`devices[${i}]`, device, /^[\w:-]{1,128}$/, "be at most 128 letters, digits and _ - :", '"sensor-1"');
    if (devices.indexOf(device) !== i) checks.add(`devices[${i}]`, "differ from the others", "another name");
  });
}
