import { DashboardSite, generatedSecret, IoTStream, Postbox, ThingseeIngest, WebSocketBroadcast } from "./components";
import { buildDashboard, policyHeader } from "./dashboard/build";
import { readConfig } from "./stack-config";

// Every setting with its default stands in stack-config.ts.
const config = readConfig();
const { manageAccount, ttlDays } = config;

const live = new WebSocketBroadcast("live", {
  auth: config.liveToken ? { token: config.liveToken } : "token",
  manageAccount,
});

const ingest = new ThingseeIngest("ingest", {
  auth: {
    apiKeys: [{ name: "thingsee", throttle: { rateLimit: config.rateLimit, burstLimit: config.burstLimit } }],
  },
  table: { ttlDays, deletionProtection: config.deletionProtection },
  archive: config.archive,
  forwardTo: [live.queue],
  manageAccount,
});

const postboxToken = config.postboxToken ?? generatedSecret("postbox-token");
const postbox = new Postbox("postbox", { auth: { secret: postboxToken }, manageAccount });

const fleet = config.iot
  ? new IoTStream("fleet", {
      topic: "devices/+/telemetry",
      devices: config.devices,
      sinks: [{ dynamodb: { ttlDays } }, { queue: live.queue }],
      flespi: config.flespi,
    })
  : undefined;

const site = config.dashboard
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
