import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { announceArrivals } from "../handlers/postbox/announce";
import { consumeMessages, type OnPostboxMessage } from "../handlers/postbox/consume";
import type { PostboxVariables } from "../handlers/postbox/environment";
import { ANNOUNCED, CHECKPOINT, PUBLISHED } from "../handlers/postbox/keys";
import { receivePublications } from "../handlers/postbox/receive";
import { reconcile } from "../handlers/postbox/reconcile";
import { type AlarmRule, apiFails, deadLettersWaiting, functionFails, makeAlarms } from "./alarms";
import { type FunctionSettings, InlineFunction } from "./inline-function";
import { type FunctionNetwork, networkFor } from "./network";
import type { PolicyStatement } from "./policy";
import { makeBucketWay, makeFunctionWay, makePostboxAuth, makeTooLarge, PATH } from "./postbox-api";
import { type ConsumerArgs, checkConsumer, checkPostbox, type PostboxArgs } from "./postbox-args";
import { ANNOUNCE_TIMEOUT, makeAnnouncements, makeArrivals, makeBodies } from "./postbox-storage";
import { consuming, triggerByQueue } from "./queue-trigger";
import { makeRestStage } from "./rest-stage";
import { runOnSchedule } from "./schedule";

/** The handler without a callback, which all components of a program share. */
const plainReceive = receivePublications();

/**
 * Takes data of up to 10 MB in by HTTPS POST, keeps it in S3 and announces it on a queue. A 200 answer says that it is
 * stored; it is announced at least once.
 *
 * ```ts
 * const postbox = new Postbox("postbox", { auth: { secret: config.requireSecret("postboxSecret") } });
 * postbox.onMessage("print", async ({ requestId, body }) => { for await (const part of body) console.log(requestId, part.length); });
 * export const url = postbox.url;
 * ```
 */
export class Postbox extends pulumi.ComponentResource {
  /** The URL to post to. */
  readonly url: pulumi.Output<string>;
  /** The queue with a message for each object, {@link PostboxMessage} as JSON. */
  readonly queue: aws.sqs.Queue;
  /** The queue with the messages that consumers failed on. */
  readonly errorQueue: aws.sqs.Queue;
  /** The bucket with what was published. */
  readonly bucket: aws.s3.Bucket;
  /**
   * The function that announces what was stored and never announced. Invoke it with `{}`; it answers
   * `{"checked", "announced", "complete", "from", "until"}`.
   */
  readonly reconcile: aws.lambda.Function;
  /** Everything else, for what the arguments do not offer. */
  readonly nodes: {
    readonly api: aws.apigateway.RestApi;
    readonly method: aws.apigateway.Method;
    readonly stage: aws.apigateway.Stage;
    readonly authorizer?: aws.apigateway.Authorizer;
    readonly authorizerFunction?: InlineFunction;
    /** With `mode: "lambda"`. */
    readonly receive?: InlineFunction;
    /** What API Gateway stores bodies as, with `mode: "s3"`. */
    readonly storeRole?: aws.iam.Role;
    readonly announce: InlineFunction;
    readonly reconcile: InlineFunction;
    /** What S3 says about new objects. */
    readonly arrivals: aws.sqs.Queue;
    /** Arrivals that could not be announced; the reconciliation does it. */
    readonly unannounced: aws.sqs.Queue;
    readonly schedule?: aws.cloudwatch.EventRule;
    readonly accessLogs: aws.cloudwatch.LogGroup;
    readonly alarms: aws.cloudwatch.MetricAlarm[];
  };

  private readonly settings: FunctionSettings & { vpc?: FunctionNetwork };
  private readonly visibilityTimeout: number;
  private readonly alarmsTo: PostboxArgs["alarms"];
  private readonly title: string;
  private readonly prefix: string;

  constructor(name: string, args: PostboxArgs, opts?: pulumi.ComponentResourceOptions) {
    checkPostbox(name, args);
    super("sensorcast:index:Postbox", name, {}, opts);
    const { auth, stageName = "beta", mode = "s3", logRetentionDays = 7, tracing = true } = args;
    const { expiryDays = 14, retentionDays = 14, visibilityTimeoutSeconds = 180 } = args;
    const { schedule = "rate(1 hour)", graceMinutes = 15 } = args.reconcile ?? {};
    const child = { parent: this };
    this.prefix = name;
    this.title = `Postbox "${name}"`;
    this.settings = { logRetentionDays, tracing, vpc: networkFor(name, args.vpc, ["s3", "sqs"], child) };
    this.visibilityTimeout = visibilityTimeoutSeconds;
    this.alarmsTo = args.alarms;
    const settings = { ...this.settings, title: this.title };

    // What is kept.
    this.bucket = makeBodies(name, { expiryDays, forceDestroy: args.forceDestroy }, child);
    const { queue, errorQueue } = makeAnnouncements(
      name,
      {
        ...{ retentionDays, visibilityTimeoutSeconds, maxReceiveCount: args.maxReceiveCount ?? 5 },
        ...{ delaySeconds: args.delaySeconds ?? 3, waitSeconds: args.waitSeconds ?? 20 },
      },
      child,
    );
    this.queue = queue;
    this.errorQueue = errorQueue;

    // The way in.
    const description = args.description ?? `Takes data in at /${PATH} and announces it on a queue`;
    const binaryMediaTypes = (mode === "lambda" && args.binaryMediaTypes) || ["*/*"];
    const endpointConfiguration = { types: "REGIONAL" };
    const api = new aws.apigateway.RestApi(
      `${name}-api`,
      { description, binaryMediaTypes, endpointConfiguration },
      child,
    );
    const authed = makePostboxAuth(name, auth, api, settings, child);
    const { receive, way, storeRole } = this.makeWay(api, authed, args);
    const tooLarge = makeTooLarge(name, api, mode, child);
    const manageAccount = args.manageAccount ?? true;
    const { stage, logGroup } = makeRestStage(
      name,
      {
        ...{ api, stageName, logRetentionDays, tracing, manageAccount },
        definition: { ...way.definition, binaryMediaTypes, tooLarge: tooLarge.responseTemplates },
        dependencies: [...way.dependencies, tooLarge],
      },
      this,
    );
    if (receive) {
      new aws.lambda.Permission(
        `${name}-receive-permission`,
        {
          ...{ action: "lambda:InvokeFunction", function: receive.function.name },
          principal: "apigateway.amazonaws.com",
          sourceArn: pulumi.interpolate`${api.executionArn}/${stageName}/POST/${PATH}`,
        },
        child,
      );
    }
    this.url = pulumi.interpolate`${stage.invokeUrl}/${PATH}`;

    // From the bucket to the queue.
    const account = api.executionArn.apply((arn) => arn.split(":")[4]!);
    const { arrivals, unannounced } = makeArrivals(name, this.bucket, account, child);
    const toAnnounce = this.announcing();
    const announce = new InlineFunction(
      `${name}-announce`,
      {
        ...{ ...settings, timeout: ANNOUNCE_TIMEOUT, factory: announceArrivals, environment: toAnnounce.environment },
        statements: [...toAnnounce.statements, consuming(arrivals)],
      },
      child,
    );
    // So many that a burst takes no functions away from the rest of the account; what is more waits in the queue.
    triggerByQueue(`${name}-announce`, arrivals, announce, { scalingConfig: { maximumConcurrency: 10 } }, child);
    const reconciling = this.makeReconcile({ arrivals, unannounced, graceMinutes, schedule }, toAnnounce, child);
    this.reconcile = reconciling.handler.function;

    const rules: AlarmRule[] = [
      deadLettersWaiting(errorQueue.name),
      {
        ...deadLettersWaiting(unannounced.name),
        ...{ name: "unannounced", description: "Stored objects could not be announced" },
      },
      {
        ...{
          name: "arrivals",
          description: "Stored objects have been waiting for a quarter of an hour to be announced",
        },
        ...{ namespace: "AWS/SQS", metric: "ApproximateAgeOfOldestMessage", threshold: 15 * 60 },
        ...{ dimensions: { QueueName: arrivals.name }, statistic: "Maximum" },
      },
      ...functionFails("announce", announce.function.name),
      ...functionFails("reconcile", this.reconcile.name),
      ...(receive ? functionFails("receive", receive.function.name) : []),
      apiFails(api.name, stageName),
    ];
    const alarms = args.alarms ? makeAlarms(name, rules, args.alarms, child) : [];
    const { authorizer, authorizerFunction } = authed;
    this.nodes = {
      ...{ api, method: way.method, stage, authorizer, authorizerFunction, receive, storeRole, announce },
      ...{ reconcile: reconciling.handler, arrivals, unannounced, schedule: reconciling.rule },
      ...{ accessLogs: logGroup, alarms },
    };
    this.registerOutputs({
      url: this.url,
      queueUrl: queue.url,
      errorQueueUrl: errorQueue.url,
      bucketName: this.bucket.bucket,
    });
  }

  /**
   * Attaches a function that takes the queue's messages, each with its object's body. The callback runs in Lambda: make
   * clients and other objects inside of it. Each consumer takes messages away from the others: for several that see
   * everything, send the messages on to an SNS topic.
   */
  onMessage(name: string, callback: OnPostboxMessage, args: ConsumerArgs = {}): InlineFunction {
    const most = Math.floor(this.visibilityTimeout / 6);
    checkConsumer(this.prefix, name, callback, args, most);
    const child = { parent: this };
    const read = { actions: ["s3:GetObject"], resources: [pulumi.interpolate`${this.bucket.arn}/${PUBLISHED}*`] };
    const consumer = new InlineFunction(
      `${this.prefix}-${name}`,
      {
        ...this.settings,
        title: `${this.title}: onMessage "${name}"`,
        factory: consumeMessages({ onMessage: callback }),
        timeout: args.timeout ?? Math.min(most, 900),
        memorySize: args.memorySize,
        environment: args.environment,
        statements: [read, consuming(this.queue), ...(args.statements ?? [])],
      },
      child,
    );
    const { batchSize = 10, maxConcurrency } = args;
    const scaling = maxConcurrency === undefined ? {} : { scalingConfig: { maximumConcurrency: maxConcurrency } };
    triggerByQueue(`${this.prefix}-${name}`, this.queue, consumer, { batchSize, ...scaling }, child);
    if (this.alarmsTo) makeAlarms(this.prefix, functionFails(name, consumer.function.name), this.alarmsTo, child);
    return consumer;
  }

  /** The method with what is behind it. */
  private makeWay(api: aws.apigateway.RestApi, auth: ReturnType<typeof makePostboxAuth>, args: PostboxArgs) {
    const { mode, onPublish, environment, statements = [] } = args;
    const name = this.prefix;
    const child = { parent: this };
    if (mode !== "lambda") {
      const { role, ...way } = makeBucketWay(name, { api, auth, bucket: this.bucket }, child);
      return { way, storeRole: role };
    }
    const put = { actions: ["s3:PutObject"], resources: [pulumi.interpolate`${this.bucket.arn}/${PUBLISHED}*`] };
    const receive = new InlineFunction(
      `${name}-receive`,
      {
        ...{ ...this.settings, memorySize: 1024, title: onPublish ? `${this.title}: onPublish` : this.title },
        factory: onPublish ? receivePublications({ onPublish }) : plainReceive,
        environment: { ...environment, POSTBOX_BUCKET: this.bucket.bucket },
        statements: [put, ...statements],
      },
      child,
    );
    return { way: makeFunctionWay(name, { api, auth, receive }, child), receive };
  }

  /** What a function is told, and may do, to announce. */
  private announcing() {
    const environment: Variables = { POSTBOX_BUCKET: this.bucket.bucket, POSTBOX_QUEUE: this.queue.url };
    const { arn } = this.bucket;
    const statements: PolicyStatement[] = [
      {
        actions: ["s3:GetObject"],
        resources: [pulumi.interpolate`${arn}/${PUBLISHED}*`, pulumi.interpolate`${arn}/${ANNOUNCED}*`],
      },
      { actions: ["s3:PutObject"], resources: [pulumi.interpolate`${arn}/${ANNOUNCED}*`] },
      // Without it, S3 says of an object that is not there that it may not be read.
      { actions: ["s3:ListBucket"], resources: [arn] },
      { actions: ["sqs:SendMessage"], resources: [this.queue.arn] },
    ];
    return { environment, statements };
  }

  /** The function that announces what was not, and when it runs by itself. */
  private makeReconcile(
    at: { arrivals: aws.sqs.Queue; unannounced: aws.sqs.Queue; graceMinutes: number; schedule: string },
    { environment, statements }: { environment: Variables; statements: PolicyStatement[] },
    child: pulumi.CustomResourceOptions,
  ) {
    const { arrivals, unannounced, graceMinutes, schedule } = at;
    const name = `${this.prefix}-reconcile`;
    const variables: Variables = {
      ...environment,
      POSTBOX_GRACE_MINUTES: `${graceMinutes}`,
      POSTBOX_UNANNOUNCED: unannounced.url,
      POSTBOX_UNANNOUNCED_ARN: unannounced.arn,
      POSTBOX_ARRIVALS_ARN: arrivals.arn,
    };
    const checkpoint = pulumi.interpolate`${this.bucket.arn}/${CHECKPOINT}`;
    const handler = new InlineFunction(
      name,
      {
        ...{ ...this.settings, title: this.title, timeout: 900, factory: reconcile },
        environment: { ...variables },
        statements: [
          ...statements,
          { actions: ["s3:GetObject", "s3:PutObject"], resources: [checkpoint] },
          { actions: ["sqs:SendMessage"], resources: [arrivals.arn] },
          {
            // What StartMessageMoveTask needs (SQS API reference).
            actions: ["StartMessageMoveTask", "ReceiveMessage", "DeleteMessage", "GetQueueAttributes"].map(
              (action) => `sqs:${action}`,
            ),
            resources: [unannounced.arn],
          },
        ],
      },
      child,
    );
    return { handler, rule: runOnSchedule(name, handler, schedule, child) };
  }
}

type Variables = { [Name in keyof PostboxVariables]?: pulumi.Input<string> };
