import { ThingseeIngest, WebSocketBroadcast } from "../../components";

/** A broadcast behind an ingest, as the stack has it, and one for a few clients a shard. */

const live = new WebSocketBroadcast("live", {
  messages: true,
  actions: {
    set: (frame, { connectionId }) => ({ type: "set", value: frame.value, knows: connectionId.length > 0 }),
  },
});
const ingest = new ThingseeIngest("ingest", { auth: "none", forwardTo: [live.queue] });
const split = new WebSocketBroadcast("split", {
  auth: "none",
  stageName: "public",
  subscribeAll: true,
  frames: "single",
  shards: 2,
  fanOut: { above: 3, maxConcurrency: 2 },
  deviceOf: ({ robot }) => robot as string | undefined,
});

export const { url, token, managementEndpoint } = live;
export const postUrl = ingest.url;
export const queueUrl = live.queue.url;
export const tableName = live.table.name;
export const deadLetterQueueUrl = live.deadLetterQueue.url;
export const accessLogs = live.nodes.accessLogs.name;
export const authorizerLogs = live.nodes.authorizerFunction?.logGroup.name;
export const connectLogs = live.nodes.connect.logGroup.name;
export const splitUrl = split.url;
export const splitQueueUrl = split.queue.url;
