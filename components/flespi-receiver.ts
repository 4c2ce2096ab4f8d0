import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { FlespiVariables } from "../handlers/flespi/environment";
import { FLESPI_URL, LIMIT_COUNT, LIMIT_SIZE } from "../handlers/flespi/forms";
import { pollChannel } from "../handlers/flespi/poll";
import { arnPatternOf, DEFAULT_TOPIC } from "../handlers/flespi/topic";
import { METRICS_NAMESPACE } from "../handlers/metrics";
import { type AlarmRule, deadLettersWaiting, functionFails, makeAlarms } from "./alarms";
import { checkFlespiReceiver, type FlespiReceiverArgs } from "./flespi-receiver-args";
import { InlineFunction } from "./inline-function";
import type { PolicyStatement } from "./policy";
import { runOnSchedule } from "./schedule";

const DAY = 24 * 60 * 60;
/** The function without a handler of somebody's own, which all components of a program share. */
const plain = pollChannel();

/**
 * Receives the messages of a flespi channel: every minute a function fetches what is new and hands it on, to topics of
 * AWS IoT Core, a queue, or a handler of your own. Where it is in the channel is kept in a table and moves only when a
 * page is handled, so that nothing is lost however a run ends; what comes twice has the same content.
 *
 * ```ts
 * new FlespiReceiver("trucks", { channelId: 429, token: config.requireSecret("flespiToken"), publishTo: "flespi/${ident}" });
 * ```
 *
 * @see https://flespi.com/kb/channel-gateway-to-accept-connections
 */
export class FlespiReceiver extends pulumi.ComponentResource {
  /** The function that receives. Invoke it with `{}` to look at the channel now. */
  readonly poll: aws.lambda.Function;
  /** The queue with the messages that can never be handled, each with its reason. */
  readonly deadLetterQueue: aws.sqs.Queue;
  /** Where the receiver is in its channel: a row with `nextKey`. A long-running receiver may use the same table. */
  readonly cursorTable: aws.dynamodb.Table;
  /** Everything else, for what the arguments do not offer. */
  readonly nodes: {
    readonly poll: InlineFunction;
    /** Undefined with `schedule: "none"`. */
    readonly schedule?: aws.cloudwatch.EventRule;
    readonly alarms: aws.cloudwatch.MetricAlarm[];
  };

  constructor(name: string, args: FlespiReceiverArgs, opts?: pulumi.ComponentResourceOptions) {
    checkFlespiReceiver(name, args);
    super("sensorcast:index:FlespiReceiver", name, {}, opts);
    const { handler, logRetentionDays = 14, tracing = true, memorySize = 512, timeout = 300 } = args;
    const { publishTo = handler ? undefined : DEFAULT_TOPIC } = args;
    const child = { parent: this };

    this.deadLetterQueue = new aws.sqs.Queue(
      `${name}-dead-letters`,
      // The Pulumi provider would set a maximum of 256 KB of its own.
      {
        ...{ maxMessageSize: 1024 * 1024, sqsManagedSseEnabled: true },
        messageRetentionSeconds: (args.deadLetter?.retentionDays ?? 14) * DAY,
      },
      child,
    );
    this.cursorTable = new aws.dynamodb.Table(
      `${name}-cursor`,
      {
        ...{ billingMode: "PAY_PER_REQUEST", hashKey: "channel" },
        attributes: [{ name: "channel", type: "S" }],
      },
      child,
    );

    const topic = typeof publishTo === "string" ? publishTo : undefined;
    const queue = typeof publishTo === "object" ? publishTo : undefined;
    const variables: { [Name in keyof FlespiVariables]: pulumi.Input<string> } = {
      FLESPI_NAME: name,
      FLESPI_CHANNEL: pulumi.output(args.channelId).apply(String),
      FLESPI_TOKEN: pulumi.secret(args.token),
      FLESPI_URL: args.url ?? FLESPI_URL,
      FLESPI_LIMIT_COUNT: String(args.limitCount ?? LIMIT_COUNT.use),
      FLESPI_LIMIT_SIZE: String(args.limitSize ?? LIMIT_SIZE.use),
      FLESPI_WAIT_SECONDS: String(args.waitSeconds ?? 0),
      FLESPI_TOPIC: topic ?? "",
      FLESPI_QUEUE: queue?.url ?? "",
      FLESPI_CURSOR_TABLE: this.cursorTable.name,
      FLESPI_DEAD_LETTER_QUEUE: this.deadLetterQueue.url,
    };
    const poll = new InlineFunction(
      `${name}-poll`,
      {
        ...{ logRetentionDays, tracing, memorySize, timeout },
        title: handler ? `FlespiReceiver "${name}": handler` : `FlespiReceiver "${name}"`,
        factory: handler ? pollChannel({ handler }) : plain,
        environment: { ...args.environment, ...variables },
        statements: [
          { actions: ["dynamodb:UpdateItem"], resources: [this.cursorTable.arn] },
          { actions: ["sqs:SendMessage"], resources: [this.deadLetterQueue.arn, ...(queue ? [queue.arn] : [])] },
          ...(topic === undefined ? [] : [publishing(topic, this.deadLetterQueue.arn)]),
          ...(args.statements ?? []),
        ],
      },
      child,
    );
    this.poll = poll.function;
    // The next run is the second try: it begins where this one ended.
    new aws.lambda.FunctionEventInvokeConfig(
      `${name}-poll-retries`,
      { functionName: poll.function.name, maximumRetryAttempts: 0, maximumEventAgeInSeconds: 60 },
      child,
    );
    // Messages must not be published before what takes them is there, nor after it is gone.
    const after = { ...child, dependsOn: opts?.dependsOn };
    const schedule = runOnSchedule(`${name}-poll`, poll, args.schedule ?? "rate(1 minute)", after);

    const rules = [
      deadLettersWaiting(this.deadLetterQueue.name),
      ...functionFails("poll", poll.function.name),
      lagging(name),
    ];
    this.nodes = { poll, schedule, alarms: args.alarms ? makeAlarms(name, rules, args.alarms, child) : [] };
    this.registerOutputs({
      functionName: this.poll.name,
      deadLetterQueueUrl: this.deadLetterQueue.url,
      cursorTableName: this.cursorTable.name,
    });
  }
}

/** The right to publish to the topics of a template. The ARN beside it tells partition, region and account. */
function publishing(template: string, near: pulumi.Output<string>): PolicyStatement {
  const resource = near.apply((arn) => {
    const [, partition, , region, account] = arn.split(":");
    return `arn:${partition}:iot:${region}:${account}:topic/${arnPatternOf(template)}`;
  });
  return { actions: ["iot:Publish"], resources: [resource] };
}

const lagging = (name: string): AlarmRule => ({
  name: "lag",
  description: "Messages have been waiting in the flespi channel for more than a quarter of an hour",
  namespace: METRICS_NAMESPACE,
  metric: "Lag",
  dimensions: { FlespiReceiver: name },
  statistic: "Maximum",
  threshold: 15 * 60 * 1000,
});
