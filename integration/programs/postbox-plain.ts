import { Postbox } from "../../components";

/** A postbox as most would have it, and one consumer that says what it has read. */

const postbox = new Postbox("plain", {
  auth: {
    authorize: (token) => {
      if (token === "unknown") throw new Error("Unauthorized");
      return token.startsWith("open ") ? { id: token.slice(5) } : undefined;
    },
  },
  forceDestroy: true,
  alarms: { topicArn: "arn:aws:sns:eu-west-1:000000000000:alarms" },
});

export const url = postbox.url;
export const queueUrl = postbox.queue.url;
export const errorQueueUrl = postbox.errorQueue.url;
export const bucket = postbox.bucket.bucket;
export const reconcileFunction = postbox.reconcile.name;
export const announceFunction = postbox.nodes.announce.function.name;
export const arrivalsUrl = postbox.nodes.arrivals.url;
export const unannouncedUrl = postbox.nodes.unannounced.url;
