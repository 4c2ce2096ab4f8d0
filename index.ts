import * as pulumi from "@pulumi/pulumi";
import { DashboardSite, generatedSecret, IoTStream, Postbox, ThingseeIngest, WebSocketBroadcast } from "./components";
import { buildDashboard, policyHeader } from "./dashboard/build";

/**
 * Settings, all optional (`pulumi config set <name> <value>`):
 * `rateLimit` and `burstLimit`, requests per second and at once that the API key allows; `ttlDays` that messages are
 * kept; `archive` for each request's messages in S3; `deletionProtection` of the table; `liveToken` (set with
 * `--secret`), what live clients connect with, and `postboxToken`, what publishers send, both generated otherwise;
 * `manageAccount`, to be false where something else sets the role with which API Gateway writes logs in this account
 * and region; `dashboard` for the live page as a public website, which asks for the token; `iot`, to be false where no
 * device sends by MQTT, for its stream is the one part that costs money while nothing happens; `devices`, a list of
 * names to register with certificates; `flespiChannel` and `flespiToken` (with `--secret`), a flespi channel to take
 * messages from.
 */
const config = new pulumi.Config();
const manageAccount = config.getBoolean("manageAccount");
const token = config.getSecret("liveToken");

const live = new WebSocketBroadcast("live", { auth: token ? { token } : "token", manageAccount });

const ingest = new ThingseeIngest("ingest", {
  auth: {
    apiKeys: [
      {
        name: "thingsee",
        throttle: {
          rateLimit: config.getNumber("rateLimit") ?? 100,
          burstLimit: config.getNumber("burstLimit") ?? 200,
        },
      },
    ],
  },
  table: { ttlDays: config.getNumber("ttlDays"), deletionProtection: config.getBoolean("deletionProtection") },
  archive: config.getBoolean("archive") ?? false,
  forwardTo: [live.queue],
  manageAccount,
});

const postboxToken = config.getSecret("postboxToken") ?? generatedSecret("postbox-token");
const postbox = new Postbox("postbox", { auth: { secret: postboxToken }, manageAccount });

const flespiChannel = config.getNumber("flespiChannel");
const fleet =
  config.getBoolean("iot") === false
    ? undefined
    : new IoTStream("fleet", {
        topic: "devices/+/telemetry",
        devices: config.getObject<string[]>("devices"),
        sinks: [{ dynamodb: { ttlDays: config.getNumber("ttlDays") } }, { queue: live.queue }],
        flespi: flespiChannel ? { channelId: flespiChannel, token: config.requireSecret("flespiToken") } : undefined,
      });

const site = config.getBoolean("dashboard")
  ? new DashboardSite("dashboard", {
      files: Object.fromEntries(buildDashboard()),
      wsUrl: live.url,
      contentSecurityPolicy: live.url.apply(policyHeader),
    })
  : undefined;

export const url = ingest.url;
export const apiKey = ingest.apiKey;
export const tableName = ingest.table.name;
export const deadLetterQueueUrl = ingest.deadLetterQueue.url;
export const replayFunction = ingest.replay.name;
export const archiveBucket = ingest.archive?.bucket ?? "";
export const liveUrl = live.url;
export const liveToken = live.token;
export const liveQueueUrl = live.queue.url;
export const liveDeadLetterQueueUrl = live.deadLetterQueue.url;
export const dashboardUrl = site?.url ?? "";
export const postboxUrl = postbox.url;
export { postboxToken };
export const postboxQueueUrl = postbox.queue.url;
export const postboxErrorQueueUrl = postbox.errorQueue.url;
export const postboxBucket = postbox.bucket.bucket;
export const postboxReconcileFunction = postbox.reconcile.name;
export const iotEndpoint = fleet?.endpoint ?? "";
export const iotTableName = fleet?.table?.name ?? "";
export const iotDeadLetterQueueUrl = fleet?.deadLetterQueue.url ?? "";
export const iotFailureQueueUrl = fleet?.failureQueue?.url ?? "";
export const devices = Object.fromEntries(
  Object.entries(fleet?.devices ?? {}).map(([name, { certificate, privateKey, topics }]) => [
    name,
    { certificate, privateKey, topics },
  ]),
);
