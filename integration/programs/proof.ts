import { IoTStream, Postbox, ThingseeIngest, WebSocketBroadcast } from "../../components";

/** All four components as they hang together, for programs that are made up: everything that comes in is shown live. */

const live = new WebSocketBroadcast("live", {
  // A token names its holder, and the devices that the holder may see: `ann` sees all, `ben.p1-d0.p1-d1` these two.
  authorize: (token) => {
    const [id = "", ...devices] = token.split(".");
    return devices.length > 0 ? { id, devices } : { id };
  },
});

const ingest = new ThingseeIngest("ingest", { forwardTo: [live.queue] });

const postbox = new Postbox("postbox", {
  auth: { secret: "a-secret-of-the-senders" },
  delaySeconds: 0,
  forceDestroy: true,
  reconcile: { schedule: "none" },
});

const fleet = new IoTStream("fleet", {
  topic: "devices/+/telemetry",
  devices: ["sensor-1", "sensor-2"],
  sinks: [{ dynamodb: true }, { queue: live.queue }],
  stream: { shards: 2 },
});

export const url = ingest.url;
export const apiKey = ingest.apiKey;
export const tableName = ingest.table.name;
export const liveUrl = live.url;
export const liveQueueUrl = live.queue.url;
export const postboxUrl = postbox.url;
export const postboxBucket = postbox.bucket.bucket;
export const postboxQueueUrl = postbox.queue.url;
export const reconcileFunction = postbox.reconcile.name;
export const iotEndpoint = fleet.endpoint;
export const iotTableName = fleet.table?.name;
export const devices = Object.fromEntries(
  Object.entries(fleet.devices).map(([name, { certificate, privateKey }]) => [name, { certificate, privateKey }]),
);
/** Where what fails for good has to be found. */
export const deadLetterQueueUrls = [
  ingest.deadLetterQueue.url,
  live.deadLetterQueue.url,
  postbox.errorQueue.url,
  fleet.deadLetterQueue.url,
];
/** Whose execution environments can be ended. */
export const functionNames = {
  receive: ingest.nodes.receive.function.name,
  connect: live.nodes.connect.function.name,
  actions: live.nodes.actions.function.name,
  broadcast: live.nodes.broadcast.function.name,
  announce: postbox.nodes.announce.function.name,
  consume: fleet.nodes.consume?.function.name,
};
