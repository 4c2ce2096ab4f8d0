import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { consumeStream } from "../handlers/iot/consume";
import type { IoTVariables } from "../handlers/iot/environment";
import { replayLetters } from "../handlers/iot/replay";
import { type AlarmRule, deadLettersWaiting, functionFails, makeAlarms } from "./alarms";
import type { FlespiReceiver } from "./flespi-receiver";
import { InlineFunction } from "./inline-function";
import { type RegisteredDevice, registerDevices } from "./iot-devices";
import { makeFlespi } from "./iot-flespi";
import { makeRules, ruleNamesOf } from "./iot-rules";
import { makeProgressTable, makeSinks } from "./iot-sinks";
import { checkIoTStream, type IoTStreamArgs, topicsOf } from "./iot-stream-args";
import type { PolicyStatement } from "./policy";
import { makeMessageTable, type TableRef } from "./storage";

const DAY = 24 * 60 * 60;
/** Hours that AWS keeps records unless told. */
const RETENTION_HOURS = 24;
/** The functions without callbacks, which all components of a program share. */
const plain = { consume: consumeStream(), replay: replayLetters() };

/**
 * Takes the MQTT messages of devices in: a topic rule puts them on a Kinesis stream, by device, and a function takes
 * them from there to any number of sinks, those of each device in order. Each message gets to every sink, or waits in
 * the dead-letter queue with its reason.
 *
 * ```ts
 * const fleet = new IoTStream("fleet", { topic: "devices/+/telemetry", devices: ["sensor-1"] });
 * export const { endpoint } = fleet;
 * ```
 *
 * @see https://docs.aws.amazon.com/iot/latest/developerguide/iot-rules.html
 * @see https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
 */
export class IoTStream extends pulumi.ComponentResource {
  /** The topic filters. */
  readonly topic: string[];
  /** Where devices connect, on port 8883: AWS IoT's data endpoint of this account and region. */
  readonly endpoint: pulumi.Output<string>;
  /** The stream; undefined with `direct`. */
  readonly stream?: aws.kinesis.Stream;
  /** The first DynamoDB sink's table, or that of `direct`; undefined when there is none. */
  readonly table?: { readonly name: pulumi.Output<string>; readonly arn: pulumi.Output<string> };
  /** The queue with the messages that a sink or the rule did not take, and why. */
  readonly deadLetterQueue: aws.sqs.Queue;
  /** The queue that names the records on which the function died; undefined with `direct`. */
  readonly failureQueue?: aws.sqs.Queue;
  /**
   * The function that takes dead letters through again; undefined with `direct`. Invoke it with `{"max": 100}`, and with
   * `{"from": "failures"}` for what the failure queue names; it answers `{"replayed", "stillFailing", "remaining",
   * "failures"}`.
   */
  readonly replay?: aws.lambda.Function;
  /** The registered devices by their names, with what they need to connect. */
  readonly devices: Record<string, RegisteredDevice>;
  /** What receives the flespi channel; undefined without one. */
  readonly flespi?: FlespiReceiver;
  /** Everything else, for what the arguments do not offer. */
  readonly nodes: {
    readonly rules: aws.iot.TopicRule[];
    readonly ruleRole: aws.iam.Role;
    readonly devicePolicy?: aws.iot.Policy;
    readonly consume?: InlineFunction;
    readonly replay?: InlineFunction;
    readonly trigger?: aws.lambda.EventSourceMapping;
    readonly ownTables: aws.dynamodb.Table[];
    readonly archives: aws.s3.Bucket[];
    readonly progressTable?: aws.dynamodb.Table;
    readonly alarms: aws.cloudwatch.MetricAlarm[];
  };

  constructor(name: string, args: IoTStreamArgs, opts?: pulumi.ComponentResourceOptions) {
    checkIoTStream(name, args);
    super("sensorcast:index:IoTStream", name, {}, opts);
    const child = { parent: this };
    this.topic = topicsOf(args);
    const parts = this.topic.map((topic) => partOf(topic, args));
    this.deadLetterQueue = makeQueue(`${name}-dead-letters`, args, child);

    // Where records end up, and what takes them there.
    const direct = args.direct ? makeDirect(name, args.direct, child) : undefined;
    const devices = parts.map((part) => (part === undefined ? String(args.device) : `topic(${part})`));
    const ruleNames = ruleNamesOf(name, this.topic.length);
    const ruleDevices = Object.fromEntries(ruleNames.map((rule, i) => [rule, devices[i]!]));
    const path = direct
      ? undefined
      : makePath(name, args, { deadLetterQueue: this.deadLetterQueue, ruleDevices }, child);
    this.stream = path?.stream;
    this.failureQueue = path?.failureQueue;
    this.replay = path?.replay.function;
    const table = direct?.table ?? path?.sinks.tables[0];
    this.table = table && { name: pulumi.output(table.name), arn: pulumi.output(table.arn) };

    // What puts them on the stream.
    const { rules, role } = makeRules(
      name,
      {
        topics: this.topic,
        ...{ devices, ruleNames },
        where: args.where,
        to: path ?? direct!,
        deadLetterQueue: this.deadLetterQueue,
      },
      child,
    );

    // Who publishes.
    this.endpoint = aws.iot.getEndpointOutput({ endpointType: "iot:Data-ATS" }, child).endpointAddress;
    const names = args.devices ?? [];
    const near = this.deadLetterQueue.arn;
    const registered =
      names.length > 0 || args.fleet
        ? registerDevices(name, { topics: this.topic, parts, names, endpoint: this.endpoint, near }, child)
        : undefined;
    this.devices = registered?.devices ?? {};
    this.flespi = args.flespi && makeFlespi(name, args.flespi, this.topic, args, { ...child, dependsOn: rules });

    const alarmRules = [
      deadLettersWaiting(this.deadLetterQueue.name),
      ...rules.map((rule, i) => errorActionFails(rule, i)),
      ...(path ? pathAlarms(path) : []),
    ];
    this.nodes = {
      ...{ rules, ruleRole: role, devicePolicy: registered?.policy },
      ...{ consume: path?.consume, replay: path?.replay, trigger: path?.trigger },
      progressTable: path?.progressTable,
      ownTables: direct ? direct.ownTables : (path?.sinks.ownTables ?? []),
      archives: path?.sinks.buckets ?? [],
      alarms: args.alarms ? makeAlarms(name, alarmRules, args.alarms, child) : [],
    };
    this.registerOutputs({
      endpoint: this.endpoint,
      streamName: this.stream?.name,
      tableName: this.table?.name,
      deadLetterQueueUrl: this.deadLetterQueue.url,
      failureQueueUrl: this.failureQueue?.url,
    });
  }
}

/** The part of a topic that names the device, from 1 on; undefined where the payload does. */
function partOf(topic: string, { device }: IoTStreamArgs): number | undefined {
  if (typeof device === "string") return undefined;
  return device ?? topic.split("/").indexOf("+") + 1;
}

function makeQueue(name: string, { deadLetter }: IoTStreamArgs, opts: pulumi.CustomResourceOptions): aws.sqs.Queue {
  const messageRetentionSeconds = (deadLetter?.retentionDays ?? 14) * DAY;
  return new aws.sqs.Queue(
    name,
    // The Pulumi provider would set a maximum of 256 KB of its own.
    { messageRetentionSeconds, maxMessageSize: 1024 * 1024, sqsManagedSseEnabled: true },
    opts,
  );
}

function makeDirect(name: string, direct: IoTStreamArgs["direct"], opts: pulumi.CustomResourceOptions) {
  const args = typeof direct === "object" ? direct : {};
  const ownTable = makeMessageTable(name, "ident", args, opts);
  const table = ownTable ?? (args as { existing: TableRef }).existing;
  return { table, ttlDays: args.ttlDays, ownTables: ownTable ? [ownTable] : [] };
}

/** The stream, and the function that empties it into the sinks. */
function makePath(
  name: string,
  args: IoTStreamArgs,
  { deadLetterQueue, ruleDevices }: { deadLetterQueue: aws.sqs.Queue; ruleDevices: Record<string, string> },
  opts: pulumi.CustomResourceOptions,
) {
  const { logRetentionDays = 14, tracing = true, memorySize = 512, timeout = 60, transform } = args;
  const { shards, retentionHours = RETENTION_HOURS } = args.stream ?? {};
  const stream = new aws.kinesis.Stream(
    `${name}-stream`,
    {
      streamModeDetails: { streamMode: shards === undefined ? "ON_DEMAND" : "PROVISIONED" },
      ...(shards !== undefined && { shardCount: shards }),
      retentionPeriod: retentionHours,
      encryptionType: "KMS",
      kmsKeyId: "alias/aws/kinesis",
    },
    opts,
  );
  const failureQueue = makeQueue(`${name}-failures`, args, opts);
  const sinks = makeSinks(name, args.sinks ?? [{ dynamodb: true }], opts);
  const progressTable = sinks.settings.length > 1 ? makeProgressTable(name, opts) : undefined;
  const variables: { [Name in keyof IoTVariables]: pulumi.Input<string> } = {
    IOT_NAME: name,
    IOT_TIME: args.time ?? (args.flespi ? "timestamp" : ""),
    IOT_SINKS: pulumi.jsonStringify(sinks.settings),
    IOT_PROGRESS_TABLE: progressTable?.name ?? "",
    IOT_DEAD_LETTER_QUEUE: deadLetterQueue.url,
    IOT_FAILURE_QUEUE: failureQueue.url,
    IOT_RULES: JSON.stringify(ruleDevices),
    IOT_GIVE_UP_SECONDS: String(args.giveUpAfterSeconds ?? 300),
  };
  const { callbacks } = sinks;
  const handlers =
    transform || callbacks.length > 0
      ? {
          consume: consumeStream({ transform, onRecords: callbacks }),
          replay: replayLetters({ transform, onRecords: callbacks }),
        }
      : plain;
  const settings = {
    ...{ logRetentionDays, tracing, memorySize, title: `IoTStream "${name}"` },
    environment: { ...args.environment, ...variables },
  };
  const fill = [...sinks.statements, ...(args.statements ?? [])];
  const progress = ["dynamodb:Query", "dynamodb:BatchWriteItem"];
  const consume = new InlineFunction(
    `${name}-consume`,
    {
      ...{ ...settings, timeout, factory: handlers.consume },
      statements: [
        read(stream),
        { actions: ["sqs:SendMessage"], resources: [deadLetterQueue.arn, failureQueue.arn] },
        ...(progressTable ? [{ actions: progress, resources: [progressTable.arn] }] : []),
        ...fill,
      ],
    },
    opts,
  );
  const replay = new InlineFunction(
    `${name}-replay`,
    {
      ...{ ...settings, timeout: 300, factory: handlers.replay },
      statements: [
        { actions: ["kinesis:GetRecords", "kinesis:GetShardIterator"], resources: [stream.arn] },
        {
          actions: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"],
          resources: [deadLetterQueue.arn, failureQueue.arn],
        },
        { actions: ["sqs:SendMessage"], resources: [deadLetterQueue.arn] },
        ...fill,
      ],
    },
    opts,
  );
  const trigger = new aws.lambda.EventSourceMapping(
    `${name}-trigger`,
    {
      eventSourceArn: stream.arn,
      functionName: consume.function.name,
      startingPosition: "TRIM_HORIZON",
      batchSize: args.batch?.size ?? 500,
      maximumBatchingWindowInSeconds: args.batch?.windowSeconds ?? 0,
      functionResponseTypes: ["ReportBatchItemFailures"],
      // A record on which the function dies is looked for by halves, and does not keep the others for long.
      bisectBatchOnFunctionError: true,
      maximumRetryAttempts: args.retries ?? 10,
      maximumRecordAgeInSeconds: Math.min(retentionHours * 3600, 604_800),
      destinationConfig: { onFailure: { destinationArn: failureQueue.arn } },
    },
    opts,
  );
  return { stream, failureQueue, sinks, progressTable, consume, replay, trigger };
}

type Path = ReturnType<typeof makePath>;

/** What an event source needs of its stream (https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-create.html). */
const read = ({ arn }: aws.kinesis.Stream): PolicyStatement => ({
  actions: ["DescribeStream", "DescribeStreamSummary", "GetRecords", "GetShardIterator", "ListShards"].map(
    (action) => `kinesis:${action}`,
  ),
  resources: [arn],
});

/** A message could not even be dead-lettered (https://docs.aws.amazon.com/iot/latest/developerguide/metrics_dimensions.html). */
const errorActionFails = (rule: aws.iot.TopicRule, i: number): AlarmRule => ({
  name: `rule-${i + 1}-errors`,
  description: "The topic rule's error action fails: messages are lost",
  namespace: "AWS/IoT",
  metric: "ErrorActionFailure",
  dimensions: { RuleName: rule.name },
  statistic: "Sum",
});

const pathAlarms = ({ stream, failureQueue, consume, replay }: Path): AlarmRule[] => [
  { ...deadLettersWaiting(failureQueue.name), name: "failures", description: "The function died on records" },
  ...functionFails("consume", consume.function.name),
  ...functionFails("replay", replay.function.name),
  {
    name: "iterator-age",
    description: "Records wait on the stream for more than a minute",
    namespace: "AWS/Lambda",
    metric: "IteratorAge",
    dimensions: { FunctionName: consume.function.name },
    statistic: "Maximum",
    threshold: 60_000,
  },
  {
    name: "stream-full",
    description: "The stream takes no more records",
    namespace: "AWS/Kinesis",
    metric: "WriteProvisionedThroughputExceeded",
    dimensions: { StreamName: stream.name },
    statistic: "Sum",
  },
];
