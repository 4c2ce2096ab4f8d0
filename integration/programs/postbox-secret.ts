import { Postbox } from "../../components";

/** A postbox for those who have a secret; nobody consumes. */

const postbox = new Postbox("secret", {
  auth: { secret: "a-secret-of-the-senders", header: "X-Secret", ttlSeconds: 0 },
  delaySeconds: 0,
  forceDestroy: true,
});

export const url = postbox.url;
export const bucket = postbox.bucket.bucket;
export const queueUrl = postbox.queue.url;
export const arrivalsUrl = postbox.nodes.arrivals.url;
export const unannouncedUrl = postbox.nodes.unannounced.url;
export const announceFunction = postbox.nodes.announce.function.name;
export const reconcileFunction = postbox.reconcile.name;
export const authorizerLogs = postbox.nodes.authorizerFunction?.logGroup.name;
