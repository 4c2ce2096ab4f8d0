import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { ThingseeVariables } from "../handlers/thingsee/environment";
import { receiveMessages } from "../handlers/thingsee/receive";
import { replayDeadLetters } from "../handlers/thingsee/replay";
import { apiFails, deadLettersWaiting, functionFails, makeAlarms } from "./alarms";
import { type MethodAuth, makeApiKeys, makeMethodAuth } from "./api-auth";
import { InlineFunction } from "./inline-function";
import type { PolicyStatement } from "./policy";
import { makeRestStage } from "./rest-stage";
import { makeMessageTable, makePrivateBucket, type TableRef } from "./storage";
import { checkThingseeIngest, type ThingseeIngestArgs } from "./thingsee-ingest-args";

const DAY = 24 * 60 * 60;
/** The handlers without a callback, which all components of a program share. */
const plain = { receive: receiveMessages(), replay: replayDeadLetters() };

/**
 * Takes Thingsee messages in by HTTPS POST and keeps them in DynamoDB. Each message of a request is stored, or waits in
 * the dead-letter queue with its reason; a 2xx answer says that one of the two is done.
 *
 * ```ts
 * const ingest = new ThingseeIngest("ingest");
 * export const { url, apiKey } = ingest;
 * ```
 */
export class ThingseeIngest extends pulumi.ComponentResource {
  /** The URL to post to. */
  readonly url: pulumi.Output<string>;
  /** The first API key, for the header `x-api-key`; a secret. Undefined with another `auth`. */
  readonly apiKey?: pulumi.Output<string>;
  /** All API keys by their names; secrets. */
  readonly apiKeys: Record<string, pulumi.Output<string>>;
  /** What callers need to be allowed `execute-api:Invoke` on, with `auth: "iam"`. */
  readonly invokeArn: pulumi.Output<string>;
  /** The table with the messages. */
  readonly table: { readonly name: pulumi.Output<string>; readonly arn: pulumi.Output<string> };
  /** The queue with what could not be stored or forwarded. */
  readonly deadLetterQueue: aws.sqs.Queue;
  /** The bucket with the archive, if there is one. */
  readonly archive?: aws.s3.Bucket;
  /**
   * The function that takes dead letters through again. Invoke it with `{"max": 100}`; it answers
   * `{"replayed", "stillFailing", "remaining", "failures"}`.
   */
  readonly replay: aws.lambda.Function;
  /** Everything else, for what the arguments do not offer. */
  readonly nodes: {
    readonly api: aws.apigateway.RestApi;
    readonly method: aws.apigateway.Method;
    readonly stage: aws.apigateway.Stage;
    readonly receive: InlineFunction;
    readonly replay: InlineFunction;
    readonly authorizer?: aws.apigateway.Authorizer;
    readonly authorizerFunction?: InlineFunction;
    readonly ownTable?: aws.dynamodb.Table;
    readonly deadLetterBucket: aws.s3.Bucket;
    readonly accessLogs: aws.cloudwatch.LogGroup;
    readonly alarms: aws.cloudwatch.MetricAlarm[];
  };

  constructor(name: string, args: ThingseeIngestArgs = {}, opts?: pulumi.ComponentResourceOptions) {
    checkThingseeIngest(name, args);
    super("sensorcast:index:ThingseeIngest", name, {}, opts);
    const { auth = "apiKey", path = "thingsee", stageName = "prod", onMessage } = args;
    const { logRetentionDays = 14, tracing = true, memorySize = 512, timeout = 29 } = args;
    const retentionDays = args.deadLetter?.retentionDays ?? 14;
    const child = { parent: this };
    const title = `ThingseeIngest "${name}"`;
    const settings = { logRetentionDays, tracing };

    // Where messages end up.
    const ownTable = makeMessageTable(name, "tuid", args.table, child);
    const table = ownTable ?? (args.table as { existing: TableRef }).existing;
    this.table = { name: pulumi.output(table.name), arn: pulumi.output(table.arn) };
    this.deadLetterQueue = new aws.sqs.Queue(
      `${name}-dead-letters`,
      { messageRetentionSeconds: retentionDays * DAY, maxMessageSize: 1024 * 1024, sqsManagedSseEnabled: true },
      child,
    );
    const deadLetterBucket = makePrivateBucket(
      `${name}-dead-letters`,
      // One more day: a letter in the queue must not outlive what it points to.
      { expiryDays: retentionDays + 1, forceDestroy: true },
      child,
    );
    if (args.archive) {
      this.archive = makePrivateBucket(`${name}-archive`, args.archive === true ? {} : args.archive, child);
    }

    // The functions.
    const surroundings = { table: this.table, deadLetterQueue: this.deadLetterQueue, deadLetterBucket };
    const { environment, store, bury, dig } = access(args, { ...surroundings, archive: this.archive });
    const handlers = onMessage
      ? { receive: receiveMessages({ onMessage }), replay: replayDeadLetters({ onMessage }) }
      : plain;
    const receive = new InlineFunction(
      `${name}-receive`,
      {
        ...settings,
        memorySize,
        timeout,
        title: onMessage ? `${title}: onMessage` : title,
        factory: handlers.receive,
        environment,
        statements: [...store, ...bury, ...(args.statements ?? [])],
      },
      child,
    );
    const replay = new InlineFunction(
      `${name}-replay`,
      {
        ...settings,
        memorySize,
        timeout: 300,
        title: onMessage ? `${title}: onMessage` : title,
        factory: handlers.replay,
        environment,
        statements: [...store, ...dig, ...(args.statements ?? [])],
      },
      child,
    );
    this.replay = replay.function;

    // The way in.
    const api = new aws.apigateway.RestApi(
      `${name}-api`,
      { description: `Takes Thingsee messages in at /${path}`, endpointConfiguration: { types: "REGIONAL" } },
      child,
    );
    const methodAuth = makeMethodAuth(name, auth, api, { ...settings, title }, child);
    const { method, dependencies, definition } = makePost(name, path, api, methodAuth, receive, child);
    const { stage, logGroup } = makeRestStage(
      name,
      { api, stageName, definition, dependencies, ...settings, manageAccount: args.manageAccount ?? true },
      this,
    );
    this.invokeArn = pulumi.interpolate`${api.executionArn}/${stageName}/POST/${path}`;
    new aws.lambda.Permission(
      `${name}-receive-permission`,
      {
        action: "lambda:InvokeFunction",
        function: receive.function.name,
        principal: "apigateway.amazonaws.com",
        sourceArn: this.invokeArn,
      },
      child,
    );
    this.apiKeys = makeApiKeys(name, methodAuth.apiKeys, stage, child);
    this.apiKey = Object.values(this.apiKeys)[0];
    this.url = pulumi.interpolate`${stage.invokeUrl}/${path}`;

    const rules = [
      deadLettersWaiting(this.deadLetterQueue.name),
      ...functionFails("receive", receive.function.name),
      ...functionFails("replay", replay.function.name),
      apiFails(api.name, stageName),
    ];
    const alarms = args.alarms ? makeAlarms(name, rules, args.alarms, child) : [];
    const { authorizer, authorizerFunction } = methodAuth;
    this.nodes = {
      ...{ api, method, stage, receive, replay, authorizer, authorizerFunction },
      ...{ ownTable, deadLetterBucket, accessLogs: logGroup, alarms },
    };
    this.registerOutputs({ url: this.url, apiKeys: this.apiKeys, deadLetterQueueUrl: this.deadLetterQueue.url });
  }
}

/** What the functions are told, and what they may do: to store and forward, to write dead letters, to take them back. */
function access(
  { table: tableArgs, forwardTo = [], environment: extra = {} }: ThingseeIngestArgs,
  at: { table: TableRef; archive?: aws.s3.Bucket; deadLetterQueue: aws.sqs.Queue; deadLetterBucket: aws.s3.Bucket },
) {
  const { table, archive, deadLetterQueue, deadLetterBucket } = at;
  const variables: { [Name in keyof ThingseeVariables]: pulumi.Input<string> } = {
    THINGSEE_TABLE: table.name,
    THINGSEE_TTL_DAYS: String(tableArgs?.ttlDays ?? 0),
    THINGSEE_FORWARD_QUEUES: pulumi.jsonStringify(forwardTo.map(({ url }) => url)),
    THINGSEE_ARCHIVE_BUCKET: archive?.bucket ?? "",
    THINGSEE_DEAD_LETTER_QUEUE: deadLetterQueue.url,
    THINGSEE_DEAD_LETTER_BUCKET: deadLetterBucket.bucket,
  };
  const letters = pulumi.interpolate`${deadLetterBucket.arn}/dead-letters/*`;
  const store: PolicyStatement[] = [{ actions: ["dynamodb:BatchWriteItem"], resources: [table.arn] }];
  if (forwardTo.length > 0) store.push({ actions: ["sqs:SendMessage"], resources: forwardTo.map(({ arn }) => arn) });
  if (archive) store.push({ actions: ["s3:PutObject"], resources: [pulumi.interpolate`${archive.arn}/*`] });
  const bury: PolicyStatement[] = [
    { actions: ["sqs:SendMessage"], resources: [deadLetterQueue.arn] },
    { actions: ["s3:PutObject"], resources: [letters] },
  ];
  const take = ["ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes"];
  const dig: PolicyStatement[] = [
    { actions: take.map((action) => `sqs:${action}`), resources: [deadLetterQueue.arn] },
    { actions: ["s3:GetObject", "s3:DeleteObject"], resources: [letters] },
  ];
  return { environment: { ...extra, ...variables }, store, bury, dig };
}

/** The path, and POST on it. */
function makePost(
  name: string,
  path: string,
  api: aws.apigateway.RestApi,
  auth: MethodAuth,
  receive: InlineFunction,
  opts: pulumi.CustomResourceOptions,
) {
  let parentId = api.rootResourceId;
  path.split("/").forEach((pathPart, i, parts) => {
    const part = parts.length === 1 ? "resource" : `resource-${i + 1}`;
    parentId = new aws.apigateway.Resource(`${name}-${part}`, { restApi: api.id, parentId, pathPart }, opts).id;
  });
  const method = new aws.apigateway.Method(
    `${name}-post`,
    { restApi: api.id, resourceId: parentId, httpMethod: "POST", ...auth.method },
    opts,
  );
  const integration = new aws.apigateway.Integration(
    `${name}-integration`,
    {
      restApi: api.id,
      resourceId: parentId,
      httpMethod: method.httpMethod,
      type: "AWS_PROXY",
      // How API Gateway calls Lambda, whatever the method of the request.
      integrationHttpMethod: "POST",
      uri: receive.function.invokeArn,
    },
    opts,
  );
  const { type, providerArns, authorizerUri, identitySource, authorizerResultTtlInSeconds } = auth.authorizer ?? {};
  const definition = {
    ...{ path, resource: parentId, uri: receive.function.invokeArn, method: auth.method },
    authorizer: { type, providerArns, authorizerUri, identitySource, authorizerResultTtlInSeconds },
  };
  return { method, definition, dependencies: [method, integration, ...auth.dependencies] };
}
