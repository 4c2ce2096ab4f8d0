import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { METRICS_NAMESPACE } from "../handlers/metrics";
import { actions as answerActions } from "../handlers/websocket/actions";
import { broadcast } from "../handlers/websocket/broadcast";
import { connect, disconnect } from "../handlers/websocket/connections";
import { customAction } from "../handlers/websocket/custom";
import type { WebSocketVariables } from "../handlers/websocket/environment";
import { fanOut } from "../handlers/websocket/fan-out";
import { type AlarmRule, deadLettersWaiting, functionFails, makeAlarms } from "./alarms";
import { InlineFunction, type InlineFunctionArgs } from "./inline-function";
import type { PolicyStatement } from "./policy";
import { consuming, triggerByQueue } from "./queue-trigger";
import { makeDomain, makeRoutes, makeWebSocketStage, type RouteTarget } from "./websocket-api";
import { makeConnectAuth } from "./websocket-auth";
import { checkWebSocketBroadcast, type WebSocketBroadcastArgs } from "./websocket-broadcast-args";

const DAY = 24 * 60 * 60;
/** Deliveries before a message that never gets through moves to the dead-letter queue. */
const MAX_RECEIVES = 5;
/** They have to be said: a stage with any route setting takes those that are left out for 0, and answers nothing but 429
 * (https://github.com/pulumi/pulumi-aws/issues/2363). */
const THROTTLE = { rateLimit: 500, burstLimit: 1000 };
/** The broadcast without callbacks, which all components of a program share. */
const plainBroadcast = broadcast();

type Variables = { [Name in keyof WebSocketVariables]?: pulumi.Input<string> };

/**
 * Passes what is sent to a queue on to browsers and other WebSocket clients, each getting what it subscribed to. A
 * message of the queue is a JSON object, or an array of them.
 *
 * ```ts
 * const live = new WebSocketBroadcast("live");
 * const ingest = new ThingseeIngest("ingest", { forwardTo: [live.queue] });
 * export const { url, token } = live;
 * ```
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api.html
 */
export class WebSocketBroadcast extends pulumi.ComponentResource {
  /** Where clients connect: `wss://...`. */
  readonly url: pulumi.Output<string>;
  /** The shared token, a secret; undefined with another `auth`. */
  readonly token?: pulumi.Output<string>;
  /** What clients need to be allowed `execute-api:Invoke` on, with `auth: "iam"`. */
  readonly invokeArn: pulumi.Output<string>;
  /** Send records here. */
  readonly queue: aws.sqs.Queue;
  /** Where a connection is posted to, looked up or closed: `https://.../<stage>`, for the API's `@connections`. */
  readonly managementEndpoint: pulumi.Output<string>;
  /** The table of connections and subscriptions. */
  readonly table: aws.dynamodb.Table;
  /** The queue with what could not be broadcast, and why. */
  readonly deadLetterQueue: aws.sqs.Queue;
  /** Everything else, for what the arguments do not offer. */
  readonly nodes: {
    readonly api: aws.apigatewayv2.Api;
    readonly stage: aws.apigatewayv2.Stage;
    readonly routes: Record<string, aws.apigatewayv2.Route>;
    readonly authorizer?: aws.apigatewayv2.Authorizer;
    readonly authorizerFunction?: InlineFunction;
    readonly connect: InlineFunction;
    readonly disconnect: InlineFunction;
    readonly actions: InlineFunction;
    readonly customActions: Record<string, InlineFunction>;
    readonly broadcast: InlineFunction;
    readonly fanOut: InlineFunction;
    readonly fanOutQueue: aws.sqs.Queue;
    readonly domain?: aws.apigatewayv2.DomainName;
    readonly accessLogs: aws.cloudwatch.LogGroup;
    readonly alarms: aws.cloudwatch.MetricAlarm[];
  };

  constructor(name: string, args: WebSocketBroadcastArgs = {}, opts?: pulumi.ComponentResourceOptions) {
    checkWebSocketBroadcast(name, args);
    super("sensorcast:index:WebSocketBroadcast", name, {}, opts);
    const { auth = args.authorize ? { authorize: args.authorize } : "token", stageName = "live" } = args;
    const { logRetentionDays = 14, tracing = true, memorySize = 1769, timeout = 30, shards = 4, parallel = 100 } = args;
    const { singleToken = false, messages = false, fanOut: many = {} } = args;
    const child = { parent: this };
    const title = `WebSocketBroadcast "${name}"`;
    const settings = { logRetentionDays, tracing };

    // Connections, and what is on its way to them.
    this.table = makeTable(name, child);
    const { queue, fanOutQueue, deadLetterQueue } = makeQueues(name, timeout, args.deadLetter?.retentionDays, child);
    this.queue = queue;
    this.deadLetterQueue = deadLetterQueue;

    // What clients reach.
    const api = new aws.apigatewayv2.Api(
      `${name}-api`,
      {
        protocolType: "WEBSOCKET",
        routeSelectionExpression: "$request.body.action",
        description: `Passes on what is sent to the queue of ${name}`,
      },
      child,
    );
    const handler = (part: string, factory: InlineFunctionArgs["factory"], more: HandlerSettings) =>
      new InlineFunction(
        `${name}-${part}`,
        { ...settings, timeout: 10, title, factory, ...more, environment: { ...more.environment } },
        child,
      );
    const onTable = (...operations: string[]): PolicyStatement => ({
      actions: operations.map((operation) => `dynamodb:${operation}`),
      resources: [this.table.arn],
    });
    const common: Variables = { WEBSOCKET_NAME: name, WEBSOCKET_TABLE: this.table.name, WEBSOCKET_SHARDS: `${shards}` };
    const connectFunction = handler("connect", connect, {
      environment: {
        ...common,
        WEBSOCKET_SUBSCRIBE: args.subscribeAll ? "all" : "none",
        WEBSOCKET_SINGLE_TOKEN: singleToken ? "yes" : "",
      },
      statements: [onTable("BatchWriteItem")],
    });
    const disconnectFunction = handler("disconnect", disconnect, {
      environment: common,
      statements: [onTable("Query", "BatchWriteItem")],
    });
    const toQueue: PolicyStatement = { actions: ["sqs:SendMessage"], resources: [queue.arn] };
    const actions = handler("actions", answerActions, {
      environment: { ...common, WEBSOCKET_QUEUE: messages ? queue.url : "" },
      statements: [onTable("Query", "BatchWriteItem"), ...(messages ? [toQueue] : [])],
    });
    const customActions = Object.fromEntries(
      Object.entries(args.actions ?? {}).map(([action, value]) => {
        const { onAction, ...more } = typeof value === "function" ? { onAction: value } : value;
        const factory = customAction({ onAction });
        return [action, handler(`action-${action}`, factory, { ...more, title: `${title}: actions.${action}` })];
      }),
    );
    const builtIn = ["subscribe", "unsubscribe", "ping", ...(messages ? ["message"] : []), "$default"];
    const targets: RouteTarget[] = [
      { routeKey: "$connect", handler: connectFunction, replies: false },
      { routeKey: "$disconnect", handler: disconnectFunction, replies: false },
      ...builtIn.map((routeKey) => ({ routeKey, handler: actions, replies: true })),
      ...Object.entries(customActions).map(([routeKey, own]) => ({ routeKey, handler: own, replies: true })),
    ];
    const connectAuth = makeConnectAuth(name, auth, api, { ...settings, title, singleToken }, child);
    const { routes, definition, dependencies } = makeRoutes(name, api, targets, connectAuth, child);
    const manageAccount = args.manageAccount ?? true;
    const { stage, logGroup } = makeWebSocketStage(
      name,
      {
        ...{ api, stageName, definition, dependencies, logRetentionDays, manageAccount },
        throttle: { ...THROTTLE, ...args.throttle },
      },
      this,
    );
    const domain = args.domain && makeDomain(name, args.domain, stage, child);
    this.url = domain?.url ?? stage.invokeUrl;
    this.token = connectAuth.token;
    this.invokeArn = pulumi.interpolate`${api.executionArn}/${stageName}/$connect`;
    this.managementEndpoint = stage.invokeUrl.apply((url) => url.replace(/^ws/, "http"));

    // What posts to them.
    const posting = {
      ...{ memorySize, timeout },
      environment: {
        ...common,
        WEBSOCKET_ENDPOINT: this.managementEndpoint,
        WEBSOCKET_PARALLEL: `${parallel}`,
        WEBSOCKET_FRAMES: args.frames ?? "array",
      },
      statements: [
        onTable("Query", "BatchWriteItem"),
        {
          actions: ["execute-api:ManageConnections"],
          resources: [pulumi.interpolate`${api.executionArn}/${stageName}/POST/@connections/*`],
        },
      ],
    };
    const { deviceOf, idOf } = args;
    const factory = deviceOf || idOf ? broadcast({ deviceOf, idOf }) : plainBroadcast;
    const broadcastFunction = handler("broadcast", factory, {
      ...posting,
      title: deviceOf || idOf ? `${title}: deviceOf and idOf` : title,
      environment: {
        ...posting.environment,
        WEBSOCKET_DEAD_LETTER_QUEUE: deadLetterQueue.url,
        WEBSOCKET_FAN_OUT_QUEUE: fanOutQueue.url,
        WEBSOCKET_FAN_OUT_ABOVE: `${many.above ?? 2000}`,
      },
      statements: [
        ...posting.statements,
        { actions: ["sqs:SendMessage"], resources: [deadLetterQueue.arn, fanOutQueue.arn] },
        consuming(queue),
      ],
    });
    const fanOutFunction = handler("fan-out", fanOut, {
      ...posting,
      statements: [...posting.statements, consuming(fanOutQueue)],
    });
    triggerByQueue(
      `${name}-broadcast`,
      queue,
      broadcastFunction,
      {
        batchSize: args.batch?.size ?? 10,
        maximumBatchingWindowInSeconds: args.batch?.windowSeconds ?? 0,
        scalingConfig: { maximumConcurrency: args.maxConcurrency ?? 10 },
      },
      child,
    );
    triggerByQueue(
      `${name}-fan-out`,
      fanOutQueue,
      fanOutFunction,
      // One shard a Lambda: they run in parallel, as many as may.
      { batchSize: 1, scalingConfig: { maximumConcurrency: many.maxConcurrency ?? 10 } },
      child,
    );

    const functions = { connect: connectFunction, disconnect: disconnectFunction, actions, fanOut: fanOutFunction };
    const rules: AlarmRule[] = [
      deadLettersWaiting(deadLetterQueue.name),
      ...Object.entries({ ...functions, broadcast: broadcastFunction }).flatMap(([part, { function: made }]) =>
        functionFails(part, made.name),
      ),
      {
        name: "given-up",
        description: "Frames could not be posted to connections that are there",
        namespace: METRICS_NAMESPACE,
        metric: "GivenUp",
        dimensions: { Broadcast: name },
        statistic: "Sum",
      },
    ];
    const alarms = args.alarms ? makeAlarms(name, rules, args.alarms, child) : [];
    const { authorizer, authorizerFunction } = connectAuth;
    this.nodes = {
      ...{ api, stage, routes, authorizer, authorizerFunction, ...functions, broadcast: broadcastFunction },
      ...{ customActions, fanOutQueue, domain: domain?.domain, accessLogs: logGroup, alarms },
    };
    this.registerOutputs({
      url: this.url,
      token: this.token,
      queueUrl: queue.url,
      deadLetterQueueUrl: deadLetterQueue.url,
    });
  }
}

interface HandlerSettings {
  environment?: Record<string, pulumi.Input<string>>;
  statements?: readonly PolicyStatement[];
  title?: string;
  memorySize?: number;
  timeout?: number;
}

function makeTable(name: string, opts: pulumi.CustomResourceOptions): aws.dynamodb.Table {
  return new aws.dynamodb.Table(
    `${name}-connections`,
    {
      billingMode: "PAY_PER_REQUEST",
      hashKey: "pk",
      rangeKey: "sk",
      attributes: [
        { name: "pk", type: "S" },
        { name: "sk", type: "S" },
      ],
      ttl: { enabled: true, attributeName: "expiresAt" },
    },
    opts,
  );
}

function makeQueues(name: string, timeout: number, retentionDays = 14, opts: pulumi.CustomResourceOptions) {
  // The Pulumi provider would set a maximum of 256 KB of its own.
  const common = { maxMessageSize: 1024 * 1024, sqsManagedSseEnabled: true };
  const deadLetterQueue = new aws.sqs.Queue(
    `${name}-dead-letters`,
    { ...common, messageRetentionSeconds: retentionDays * DAY },
    opts,
  );
  const source = {
    ...common,
    // As AWS advises, so that a message does not come again while it is being worked on
    // (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html).
    visibilityTimeoutSeconds: 6 * timeout,
    redrivePolicy: pulumi.jsonStringify({ deadLetterTargetArn: deadLetterQueue.arn, maxReceiveCount: MAX_RECEIVES }),
  };
  const queue = new aws.sqs.Queue(`${name}-queue`, source, opts);
  const fanOutQueue = new aws.sqs.Queue(`${name}-fan-out`, source, opts);
  return { queue, fanOutQueue, deadLetterQueue };
}
