import type * as pulumi from "@pulumi/pulumi";
import type { AuthorizeConnection } from "../handlers/websocket/authorizer";
import type { OnAction } from "../handlers/websocket/custom";
import type { DeviceOf, IdOf } from "../handlers/websocket/record";
import type { AlarmsArgs } from "./alarms";
import { Checks, isLater } from "./checks";
import { type CommonArgs, checkCommon } from "./common-args";
import type { PolicyStatement } from "./policy";
import { checkWebSocketAuth, type WebSocketAuth } from "./websocket-auth";

/** A route for frames with an `action` of one's own. */
export interface ActionArgs {
  /** Answers them; it runs in Lambda. */
  onAction: OnAction;
  /** Environment variables for it. @default none */
  environment?: Record<string, pulumi.Input<string>>;
  /** What it may do in AWS. @default nothing */
  statements?: PolicyStatement[];
}

/** How much the clients of a stage may send and connect, all of them together. */
export interface ThrottleArgs {
  /** Handshakes and messages a second in the long run. @default 500 */
  rateLimit?: pulumi.Input<number>;
  /** At once, above the rate. @default 1000 */
  burstLimit?: pulumi.Input<number>;
}

/** A domain name of one's own. */
export interface WebSocketDomainArgs {
  /** Such as `live.example.com`. */
  domainName: pulumi.Input<string>;
  /** The ACM certificate for it, in the same region. */
  certificateArn: pulumi.Input<string>;
  /** The path below the domain. @default none */
  path?: string;
}

/** How messages of the queue are taken together: a client gets a batch in one frame where it fits. */
export interface BatchArgs {
  /** Messages at most, 1 to 10000; above 10 it needs a window of a second or more. @default 10 */
  size?: number;
  /** Seconds to wait for more of them, 0 to 300. @default 0 */
  windowSeconds?: number;
}

/** How a broadcast to many connections is split up. */
export interface FanOutArgs {
  /** Receivers of one broadcast above which it is split by shard into several Lambdas. @default 2000 */
  above?: number;
  /** Lambdas that post the parts at a time, 2 to 1000. @default 10 */
  maxConcurrency?: number;
}

export interface WebSocketBroadcastArgs extends CommonArgs {
  /** Decides by the token who may connect: short for `auth: { authorize }`. */
  authorize?: AuthorizeConnection;
  /** Who may connect. @default "token": one is generated, output as the secret `token` */
  auth?: WebSocketAuth;
  /**
   * Also takes a token that is offered alone: `new WebSocket(url, token)`. A browser then insists on getting it back as
   * the answer's subprotocol, so that it is in the answer. @default false
   */
  singleToken?: boolean;
  /** Subscribes each client to everything, or to all that it may see, as it connects. @default false: it says what it wants */
  subscribeAll?: boolean;
  /** Which device a record is about. @default the first of `deviceId`, `device_id`, `tsmTuid` and `ident` */
  deviceOf?: DeviceOf;
  /** What clients tell records apart by. @default a digest of the record */
  idOf?: IdOf;
  /** `"array"` puts as many records into a frame as fit 32 KB, `"single"` one. @default "array" */
  frames?: "array" | "single";
  /** Lets clients send to all others with the action `message`. @default false */
  messages?: boolean;
  /** Actions of one's own, by name. @default none */
  actions?: Record<string, OnAction | ActionArgs>;
  /** The stage, which is the path of the URL. @default "live" */
  stageName?: string;
  /** A domain name of one's own. @default AWS's */
  domain?: WebSocketDomainArgs;
  /** Limits for what clients send. */
  throttle?: ThrottleArgs;
  /**
   * Partitions that connections are spread over, 1 to 64: each takes 1,000 writes a second. Lowering it leaves out
   * clients that are connected, until they connect again. @default 4
   */
  shards?: number;
  /** Posts under way at a time in one Lambda, 1 to 500. @default 100 */
  parallel?: number;
  /** How messages are taken together. */
  batch?: BatchArgs;
  /**
   * Broadcasts at a time, 2 to 1000. All posts of an account share its 10,000 requests a second, which ten of them can
   * use up. @default 10
   */
  maxConcurrency?: number;
  /** Broadcasts to many connections. */
  fanOut?: FanOutArgs;
  /**
   * Memory of the broadcasting functions, in MB, 128 to 10240. They wait for their CPU more than for API Gateway, and
   * cost the same when they are done sooner. @default 1769, which is one whole vCPU
   */
  memorySize?: number;
  /** Seconds that a broadcast may take, 5 to 900. @default 30 */
  timeout?: number;
  /** Alarms for waiting dead letters, failing functions and given-up frames, to an SNS topic. @default off */
  alarms?: AlarmsArgs;
  /**
   * Gives API Gateway its role for writing logs, which is a setting of the whole account in this region. Say false
   * where another stack or person manages it. @default true
   */
  manageAccount?: boolean;
}

const OPTIONS: (keyof WebSocketBroadcastArgs)[] = [
  ...(["authorize", "auth", "singleToken", "subscribeAll", "deviceOf", "idOf", "frames", "messages"] as const),
  ...([
    "actions",
    "stageName",
    "domain",
    "throttle",
    "shards",
    "parallel",
    "batch",
    "maxConcurrency",
    "fanOut",
    "deadLetter",
  ] as const),
  ...(["memorySize", "timeout", "logRetentionDays", "tracing", "alarms", "manageAccount"] as const),
];
/** Actions with a meaning of their own. */
const TAKEN = ["subscribe", "unsubscribe", "ping", "message"];

/** Throws one error with all the mistakes in the arguments. */
export function checkWebSocketBroadcast(name: string, args: WebSocketBroadcastArgs): void {
  const checks = new Checks("WebSocketBroadcast", name);
  checks.names("", args, OPTIONS);
  checks.text(
    "the name",
    name,
    /^[a-z][a-z0-9-]{0,29}$/,
    "be at most 30 lower-case letters, digits and hyphens",
    '"live"',
  );
  if (args.authorize !== undefined && args.auth !== undefined) {
    checks.add("authorize", "not be given together with auth", "one of them");
  }
  checks.callback("authorize", args.authorize, "a function of the token");
  if (args.auth !== undefined) checkWebSocketAuth(checks, args.auth);
  checks.callback("deviceOf", args.deviceOf, "(record) => record.device");
  checks.callback("idOf", args.idOf, "(record) => record.id");
  checks.oneOf("frames", args.frames, ["array", "single"]);
  checks.text("stageName", args.stageName, /^[\w-]{1,128}$/, "be letters, digits, - and _", '"live"');
  checkActions(checks, args);
  const { domain, throttle, batch = {}, fanOut = {} } = args;
  if (domain) {
    checks.names("domain", domain, ["domainName", "certificateArn", "path"]);
    if (!domain.domainName) checks.add("domain.domainName", "be given", '"live.example.com"');
    if (!domain.certificateArn) checks.add("domain.certificateArn", "be given", "certificate.arn");
    checks.text("domain.path", domain.path, /^[\w.-]+(\/[\w.-]+)*$/, "be parts of letters, digits, _ . -", '"live"');
  }
  if (throttle) {
    checks.names("throttle", throttle, ["rateLimit", "burstLimit"]);
    checks.number("throttle.rateLimit", throttle.rateLimit, { min: 0, decimals: true, unit: "a second", use: 500 });
    checks.number("throttle.burstLimit", throttle.burstLimit, { min: 0, use: 1000 });
  }
  checks.number("shards", args.shards, { min: 1, max: 64, use: 4 });
  checks.number("parallel", args.parallel, { min: 1, max: 500, use: 100 });
  checks.names("batch", batch, ["size", "windowSeconds"]);
  checks.number("batch.size", batch.size, { min: 1, max: 10_000, unit: "messages", use: 10 });
  checks.number("batch.windowSeconds", batch.windowSeconds, { min: 0, max: 300, unit: "seconds", use: 0 });
  if ((batch.size ?? 1) > 10 && !batch.windowSeconds) {
    checks.add("batch.windowSeconds", "be 1 or more for batches of more than 10 messages", "1");
  }
  checks.number("maxConcurrency", args.maxConcurrency, { min: 2, max: 1000, unit: "Lambdas", use: 10 });
  checks.names("fanOut", fanOut, ["above", "maxConcurrency"]);
  checks.number("fanOut.above", fanOut.above, { min: 1, unit: "connections", use: 2000 });
  checks.number("fanOut.maxConcurrency", fanOut.maxConcurrency, { min: 2, max: 1000, unit: "Lambdas", use: 10 });
  checkCommon(checks, args, 1769);
  checks.number("timeout", args.timeout, { min: 5, max: 900, unit: "seconds", use: 30 });
  checks.done();
}

function checkActions(checks: Checks, { actions = {} }: WebSocketBroadcastArgs): void {
  for (const [action, value] of Object.entries(actions)) {
    const option = `actions.${action}`;
    if (!/^[A-Za-z][\w-]{0,63}$/.test(action)) {
      checks.add(option, "be named with letters, digits, - and _", '"setPoint"');
    }
    if (TAKEN.includes(action)) checks.add(option, "not be named as one that is built in", `"my-${action}"`);
    if (typeof value === "function" || isLater(value)) continue;
    checks.names(option, value ?? {}, ["onAction", "environment", "statements"]);
    checks.callback(`${option}.onAction`, value?.onAction ?? null, "(frame, client) => reply");
  }
}
