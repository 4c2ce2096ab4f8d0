import type * as pulumi from "@pulumi/pulumi";
import type { Authorize } from "../handlers/authorizer";
import type { OnPublish } from "../handlers/postbox/receive";
import type { AlarmsArgs } from "./alarms";
import { Checks, isLater, RETENTION_DAYS } from "./checks";
import { checkVpc, type VpcOption } from "./network";
import type { PolicyStatement } from "./policy";
import { checkSchedule } from "./schedule";

interface PostboxAuthCommon {
  /** The header that carries the token. A request without it is answered by 401. @default "AuthDetails" */
  header?: string;
  /** Seconds that an answer counts for the same token, 0 to 3600; 0 asks each time. @default 10 */
  ttlSeconds?: number;
}

/** Lets in whom a callback lets in. */
export interface PostboxAuthorizeArgs extends PostboxAuthCommon {
  /**
   * Decides by the token, and by the rest of the request. The principal's id is kept with the object, and is in the
   * queue's message.
   */
  authorize: Authorize;
  /** Environment variables for the callback. @default none */
  environment?: Record<string, pulumi.Input<string>>;
  /** What the callback may do in AWS. @default nothing */
  statements?: PolicyStatement[];
}

/** Lets in who has one shared secret; compared in constant time, and known to the function as a hash only. */
export interface PostboxSecretArgs extends PostboxAuthCommon {
  /** The secret, of 16 characters or more; better from a secret of the configuration. */
  secret: pulumi.Input<string>;
}

/** Who may publish: `"none"` is everyone, and must be said. */
export type PostboxAuth = "none" | PostboxAuthorizeArgs | PostboxSecretArgs;

/** How objects are looked for that are stored and were not announced. */
export interface ReconcileArgs {
  /** When it is done by itself: `rate(...)` or `cron(...)`, or "none". @default "rate(1 hour)" */
  schedule?: string;
  /** Minutes that an object may be on its way to the queue before it counts as not announced. @default 15 */
  graceMinutes?: number;
}

export interface PostboxArgs {
  /** Who may publish. */
  auth: PostboxAuth;
  /** What the API is for. @default "Takes data in at /publish and announces it on a queue" */
  description?: string;
  /** The stage, which is the first part of the path. @default "beta" */
  stageName?: string;
  /**
   * How bodies get into the bucket: `"s3"` straight from API Gateway, up to 10 MB; `"lambda"` through a function, which
   * `onPublish` needs, up to 6 MB, or about 4.5 MB where API Gateway takes them for binary.
   * @default "s3"
   */
  mode?: "s3" | "lambda";
  /**
   * Sees each body before it is stored, with `mode: "lambda"`: takes it, with notes for the consumers, or refuses it.
   * It runs in Lambda: make clients and other objects inside of it. @default everything is taken
   */
  onPublish?: OnPublish;
  /** Environment variables for `onPublish`. @default none */
  environment?: Record<string, pulumi.Input<string>>;
  /** What `onPublish` may do in AWS. @default nothing */
  statements?: PolicyStatement[];
  /**
   * Content types that API Gateway hands to the function as bytes, with `mode: "lambda"`. Text of other types may be
   * 6 MB long; other data of other types is answered by 415. @default all types
   */
  binaryMediaTypes?: string[];
  /** Days that objects are kept; at least as long as messages are. @default 14 */
  expiryDays?: number;
  /** Deletes the bucket with all that is in it when the stack is destroyed. @default false */
  forceDestroy?: boolean;
  /** Seconds before a message can be received, 0 to 900. @default 3 */
  delaySeconds?: number;
  /** Seconds that receivers wait for a message, 0 to 20. @default 20 */
  waitSeconds?: number;
  /** Days that messages are kept, 1 to 14, in the queue and in the error queue. @default 14 */
  retentionDays?: number;
  /** Deliveries before a message moves to the error queue, 1 to 100. @default 5 */
  maxReceiveCount?: number;
  /** Seconds that a received message is hidden, 1 to 43200; six times the timeout of consumers. @default 180 */
  visibilityTimeoutSeconds?: number;
  /** How objects are looked for that are stored and were not announced. */
  reconcile?: ReconcileArgs;
  /** Days that logs are kept; one of the numbers that CloudWatch knows, 0 is for ever. @default 7 */
  logRetentionDays?: number;
  /** Traces in AWS X-Ray. @default true */
  tracing?: boolean;
  /**
   * Runs the functions in a VPC without a way to the internet: `true` for a new one, or one that is there.
   * @default no VPC
   */
  vpc?: VpcOption;
  /** Alarms for the error queue, failing functions, objects not announced and server errors, to an SNS topic. @default off */
  alarms?: AlarmsArgs;
  /**
   * Gives API Gateway its role for writing logs, which is a setting of the whole account in this region. Say false
   * where another stack or person manages it. @default true
   */
  manageAccount?: boolean;
}

/** Settings of a function that consumes messages. */
export interface ConsumerArgs {
  /** Messages in a batch, 1 to 10; they are worked on at the same time. @default 10 */
  batchSize?: number;
  /** Functions that run at a time, 2 to 1000. @default as many as there is work for */
  maxConcurrency?: number;
  /** Seconds for a batch; at most a sixth of the postbox's `visibilityTimeoutSeconds`. @default that sixth */
  timeout?: number;
  /** Memory in MB, 128 to 10240. @default 512 */
  memorySize?: number;
  /** Environment variables. @default none */
  environment?: Record<string, pulumi.Input<string>>;
  /** What the callback may do in AWS, beside reading the object. @default nothing */
  statements?: PolicyStatement[];
}

const OPTIONS: Record<keyof PostboxArgs, true> = {
  auth: true,
  description: true,
  stageName: true,
  mode: true,
  onPublish: true,
  environment: true,
  statements: true,
  binaryMediaTypes: true,
  expiryDays: true,
  forceDestroy: true,
  delaySeconds: true,
  waitSeconds: true,
  retentionDays: true,
  maxReceiveCount: true,
  visibilityTimeoutSeconds: true,
  reconcile: true,
  logRetentionDays: true,
  tracing: true,
  vpc: true,
  alarms: true,
  manageAccount: true,
};

/** Throws one error with all the mistakes in the arguments. */
export function checkPostbox(name: string, args: PostboxArgs): void {
  const checks = new Checks("Postbox", name);
  checks.names("", args, Object.keys(OPTIONS));
  // Buckets are named after the component, and their names have 63 lower-case characters.
  checks.text(
    "the name",
    name,
    /^[a-z][a-z0-9-]{0,29}$/,
    "be at most 30 lower-case letters, digits and hyphens",
    '"postbox"',
  );
  checkAuth(checks, args.auth);
  checks.text("description", args.description, /^.{0,1024}$/s, "be at most 1024 characters", "a shorter one");
  checks.text("stageName", args.stageName, /^\w{1,128}$/, "be letters, digits and _", '"beta"');
  checkMode(checks, args);
  checkQueues(checks, args);
  const { reconcile } = args;
  if (reconcile !== undefined) {
    checks.names("reconcile", reconcile, ["schedule", "graceMinutes"]);
    checkSchedule(checks, "reconcile.schedule", reconcile.schedule, '"rate(1 hour)"');
    // Not below the time that a request and its announcement can take.
    checks.number("reconcile.graceMinutes", reconcile.graceMinutes, { min: 1, max: 1440, unit: "minutes", use: 15 });
  }
  checks.oneOf("logRetentionDays", args.logRetentionDays, RETENTION_DAYS);
  checkVpc(checks, args.vpc);
  if (args.alarms && !args.alarms.topicArn) checks.add("alarms.topicArn", "be an SNS topic's ARN", "topic.arn");
  checks.done();
}

const TAKEN_HEADERS =
  /^(content-.+|host|connection|expect|te|trailer|upgrade|transfer-encoding|via|x-forwarded-.+|x-amzn-.+)$/i;

function checkAuth(checks: Checks, auth: PostboxAuth | undefined): void {
  if (auth === "none") return;
  if (typeof auth !== "object" || auth === null || "authorize" in auth === "secret" in auth) {
    checks.add(
      "auth",
      'be an object with authorize or secret, or "none"',
      '{ authorize: (token) => ... }, { secret }, or "none" to let everyone publish',
    );
    return;
  }
  if ("secret" in auth) {
    checks.names("auth", auth, ["header", "ttlSeconds", "secret"]);
    // The value is never shown: it is a secret.
    if (!isLater(auth.secret) && !(typeof auth.secret === "string" && auth.secret.length >= 16)) {
      checks.add("auth.secret", "be 16 characters or more", "a longer one");
    }
  } else {
    checks.names("auth", auth, ["header", "ttlSeconds", "authorize", "environment", "statements"]);
    checks.callback("auth.authorize", auth.authorize ?? null, "a function of the token");
    checkEnvironment(checks, "auth.environment", auth.environment);
  }
  const must = 'be the name of a header, or auth must be "none"';
  checks.text("auth.header", auth.header, /^[!#$%&'*+.^_`|~\w-]+$/, must, '"AuthDetails"');
  // Its value would be another thing as well, such as the type that is kept with the object.
  if (typeof auth.header === "string" && TAKEN_HEADERS.test(auth.header)) {
    checks.add("auth.header", "not be a header that HTTP or API Gateway sets", '"AuthDetails"');
  }
  checks.number("auth.ttlSeconds", auth.ttlSeconds, { min: 0, max: 3600, unit: "seconds", use: 10 });
}

function checkMode(checks: Checks, args: PostboxArgs): void {
  checks.oneOf("mode", args.mode, ["s3", "lambda"]);
  checks.callback("onPublish", args.onPublish, "(publication) => undefined");
  checkEnvironment(checks, "environment", args.environment);
  if (args.mode !== "lambda") {
    for (const option of ["onPublish", "environment", "statements", "binaryMediaTypes"] as const) {
      if (args[option] === undefined) continue;
      checks.add(option, 'not be given with mode "s3", where no function sees the body', 'mode: "lambda"');
    }
  }
  for (const [i, type] of (args.binaryMediaTypes ?? []).entries()) {
    const form = /^(\*|[\w.+-]+)\/(\*|[\w.+-]+)$/;
    checks.text(`binaryMediaTypes[${i}]`, type, form, "be a content type", '"application/octet-stream"');
  }
}

function checkEnvironment(checks: Checks, option: string, variables: Record<string, unknown> = {}): void {
  for (const variable of Object.keys(variables)) {
    if (!/^(POSTBOX|AWS)_/.test(variable)) continue;
    checks.add(`${option}.${variable}`, "not begin with POSTBOX_ or AWS_", `MY_${variable}`);
  }
}

function checkQueues(checks: Checks, args: PostboxArgs): void {
  const { expiryDays, delaySeconds, waitSeconds, retentionDays, maxReceiveCount, visibilityTimeoutSeconds } = args;
  checks.number("delaySeconds", delaySeconds, { min: 0, max: 900, unit: "seconds", use: 3 });
  checks.number("waitSeconds", waitSeconds, { min: 0, max: 20, unit: "seconds", use: 20 });
  checks.number("retentionDays", retentionDays, { min: 1, max: 14, unit: "days", use: 14 });
  checks.number("maxReceiveCount", maxReceiveCount, { min: 1, max: 100, unit: "deliveries", use: 5 });
  checks.number("expiryDays", expiryDays, { min: 1, unit: "days", use: 14 });
  checks.number("visibilityTimeoutSeconds", visibilityTimeoutSeconds, {
    min: 1,
    max: 43_200,
    unit: "seconds",
    use: 180,
  });
  const kept = retentionDays ?? 14;
  if (typeof expiryDays === "number" && expiryDays < kept) {
    const must = `be at least retentionDays, ${kept}: a message must not outlive its object`;
    checks.add("expiryDays", must, `expiryDays: ${kept}, or a smaller retentionDays`);
  }
}

const OWN_FUNCTIONS = ["announce", "authorizer", "receive", "reconcile"];

/** Throws one error with all the mistakes in the arguments of `onMessage`. `most`: seconds that a consumer may take. */
export function checkConsumer(
  postbox: string,
  name: string,
  callback: unknown,
  args: ConsumerArgs,
  most: number,
): void {
  const checks = new Checks("Postbox", postbox);
  const option = `onMessage "${name}"`;
  checks.text(`${option}: the name`, name, /^[a-z][a-z0-9-]{0,29}$/, "be lower-case letters, digits, -", '"consumer"');
  if (OWN_FUNCTIONS.includes(name)) {
    checks.add(`${option}: the name`, "not be that of a function of the postbox itself", '"consumer"');
  }
  checks.callback(`${option}: the callback`, callback ?? null, "async ({ body }) => ...");
  const known = ["batchSize", "maxConcurrency", "timeout", "memorySize", "environment", "statements"];
  checks.names(option, args, known);
  checks.number(`${option}.batchSize`, args.batchSize, { min: 1, max: 10, unit: "messages", use: 10 });
  checks.number(`${option}.maxConcurrency`, args.maxConcurrency, { min: 2, max: 1000, unit: "functions", use: 10 });
  checks.number(`${option}.timeout`, args.timeout, { min: 1, max: most, unit: "seconds", use: most });
  checks.number(`${option}.memorySize`, args.memorySize, { min: 128, max: 10_240, unit: "MB", use: 512 });
  checkEnvironment(checks, `${option}.environment`, args.environment);
  checks.done();
}
