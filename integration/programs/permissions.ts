import * as aws from "@pulumi/aws";
import { IoTStream, Postbox, ThingseeIngest, WebSocketBroadcast } from "../../components";

/** The four components as they hang together, with all that takes a permission. */

const authorize = (token: string) => (token === "a-token" ? { id: "somebody" } : undefined);

const live = new WebSocketBroadcast("live", {
  authorize,
  messages: true,
  actions: { hello: () => ({ type: "welcome" }) },
  fanOut: { above: 1 },
});

const ingest = new ThingseeIngest("ingest", {
  auth: { lambda: { authorize, ttlSeconds: 0 } },
  forwardTo: [live.queue],
  archive: { forceDestroy: true },
});

const postbox = new Postbox("postbox", {
  auth: { authorize, ttlSeconds: 0 },
  delaySeconds: 0,
  forceDestroy: true,
  // So seldom that it is in no test's way.
  reconcile: { schedule: "rate(1 day)" },
});
postbox.onMessage("consume", ({ requestId }) => console.log(`consumed ${requestId}`));

const table = new aws.dynamodb.Table("theirs", {
  billingMode: "PAY_PER_REQUEST",
  hashKey: "ident",
  rangeKey: "sortKey",
  attributes: [
    { name: "ident", type: "S" },
    { name: "sortKey", type: "S" },
  ],
});
const fleet = new IoTStream("fleet", {
  topic: "devices/+/telemetry",
  sinks: [{ dynamodb: true }, { dynamodb: { existing: table } }, { s3: { forceDestroy: true } }, { queue: live.queue }],
  stream: { shards: 1 },
  // A sink that may not be filled is not tried again.
  giveUpAfterSeconds: 0,
  retries: 5,
});
const meters = new IoTStream("meters", { topic: "meters/+/data", direct: true });

export const url = ingest.url;
export const liveUrl = live.url;
export const liveQueueUrl = live.queue.url;
export const postboxUrl = postbox.url;
export const endpoint = fleet.endpoint;
export const metersTable = meters.table?.name;
