import type * as pulumi from "@pulumi/pulumi";
import type { OnMessage } from "../handlers/thingsee/message";
import type { AlarmsArgs } from "./alarms";
import { type ApiAuth, checkAuth } from "./api-auth";
import { Checks } from "./checks";
import { type CommonArgs, checkCommon } from "./common-args";
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

export interface ThingseeIngestArgs extends CommonArgs {
  /** Who may post. @default "apiKey": one key is generated, output as the secret `apiKey` */
  auth?: ApiAuth;
  /** The path to post to, of one or more parts. @default "thingsee" */
  path?: string;
  /** The stage, which is the first part of the path. @default "prod" */
  stageName?: string;
  /**
   * Sees every valid message before it is stored: returns it, changed or not, or `null` to drop it. What it throws
   * sends this one message to the dead-letter queue. It runs in Lambda: make clients and other objects inside of it.
   * @default messages are stored as they come
   */
  onMessage?: OnMessage;
  /** Environment variables for `onMessage`. @default none */
  environment?: Record<string, pulumi.Input<string>>;
  /** What `onMessage` may do in AWS. @default nothing */
  statements?: PolicyStatement[];
  /**
   * Where messages are stored; the key of a table that is there already must be `tuid` (HASH, S) and `sortKey` (RANGE,
   * S). @default a table of its own, billed on demand, with point-in-time recovery
   * @see https://www.pulumi.com/registry/packages/aws/api-docs/dynamodb/table/
   */
  table?: OwnTableArgs | ExistingTableArgs;
  /** Keeps each request's messages in S3 as gzipped NDJSON, by date and hour. @default off */
  archive?: boolean | ArchiveArgs;
  /** Queues that get every stored message; those of one request come as one JSON array where they fit 1 MiB. @default none */
  forwardTo?: QueueRef[];
  /** Seconds that a request may take, 3 to 29. @default 29 */
  timeout?: number;
  /** Alarms for waiting dead letters, failing functions and server errors, to an SNS topic. @default off */
  alarms?: AlarmsArgs;
  /**
   * Gives API Gateway its role for writing logs, which is a setting of the whole account in this region. Say false
   * where another stack or person manages it. @default true
   */
  manageAccount?: boolean;
}

const OPTIONS: (keyof ThingseeIngestArgs)[] = [
  "auth",
  "path",
  "stageName",
  "onMessage",
  "environment",
  "statements",
  "table",
  "archive",
  "forwardTo",
  "deadLetter",
  "logRetentionDays",
  "tracing",
  "memorySize",
  "timeout",
  "alarms",
  "manageAccount",
];

/** Throws one error with all the mistakes in the arguments. */
export function checkThingseeIngest(name: string, args: ThingseeIngestArgs): void {
  const checks = new Checks("ThingseeIngest", name);
  checks.names("", args, OPTIONS);
  // Buckets are named after the component, and their names have 63 lower-case characters.
  checks.text(
    "the name",
    name,
    /^[a-z][a-z0-9-]{0,29}$/,
    "be at most 30 lower-case letters, digits and hyphens",
    '"ingest"',
  );
  if (args.auth !== undefined) checkAuth(checks, args.auth);
  checks.text(
    "path",
    args.path,
    /^[\w.-]+(\/[\w.-]+)*$/,
    "be parts of letters, digits, _ . -, with / between",
    '"thingsee"',
  );
  checks.text("stageName", args.stageName, /^\w{1,128}$/, "be letters, digits and _", '"prod"');
  checks.callback("onMessage", args.onMessage, "(message) => message");
  for (const variable of Object.keys(args.environment ?? {})) {
    if (/^(THINGSEE|AWS)_/.test(variable)) {
      checks.add(`environment.${variable}`, "not begin with THINGSEE_ or AWS_", `MY_${variable}`);
    }
  }
  checkStores(checks, args);
  checkCommon(checks, args);
  // API Gateway waits 29 s for an integration (https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html).
  checks.number("timeout", args.timeout, { min: 3, max: 29, unit: "seconds", use: 29 });
  checks.done();
}

function checkStores(checks: Checks, { table, archive, forwardTo = [] }: ThingseeIngestArgs): void {
  if (table !== undefined) checkTable(checks, "table", table);
  if (typeof archive === "object") checkArchive(checks, "archive", archive);
  forwardTo.forEach((queue, i) => void checkQueue(checks, `forwardTo[${i}]`, queue));
}
