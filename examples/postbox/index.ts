import { Postbox } from "sensorcast";

const postbox = new Postbox("inbox", {
  auth: { secret: "change-me: use config.requireSecret" },
  delaySeconds: 0,
  retentionDays: 1,
  expiryDays: 2,
});

postbox.onMessage("measure", async ({ requestId, body }) => {
  let bytes = 0;
  for await (const part of body) bytes += part.length;
  console.log(JSON.stringify({ requestId, bytes }));
});

export const url = postbox.url;
export const queueUrl = postbox.queue.url;
export const errorQueueUrl = postbox.errorQueue.url;
export const bucket = postbox.bucket.bucket;
