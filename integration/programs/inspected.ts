import { ThingseeIngest, WebSocketBroadcast } from "../../components";

/** A way that messages go through several services, up to browsers, for what looks on. */

const live = new WebSocketBroadcast("live", { auth: "none" });
const ingest = new ThingseeIngest("ingest", { auth: "none", forwardTo: [live.queue] });

export const { url } = ingest;
export const liveUrl = live.url;
export const deadLetterQueueUrl = ingest.deadLetterQueue.url;
export const liveDeadLetterQueueUrl = live.deadLetterQueue.url;
