import { createHash, randomBytes } from "node:crypto";
import type { ObjectEvent } from "./events";
import type { Bucket } from "./model";

/** What of an object an event shows: `versionId` only where the bucket is or was versioned. */
interface ShownObject {
  readonly key: string;
  readonly size?: number;
  readonly eTag?: string;
  readonly versionId?: string;
  readonly sequencer?: string;
}

const emptyMd5 = "d41d8cd98f00b204e9800998ecf8427e";

/** Keys come as HTML forms encode them: spaces as `+`, everything but letters, digits and `-_.*` and `/` as percent. */
const encodedKey = (key: string) =>
  encodeURIComponent(key)
    .replace(/%20/g, "+")
    .replace(/%2F/g, "/")
    .replace(/[!'()~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

/** The customer id of an account, as old as S3 itself: 14 capitals and digits, `A` in front. */
const customerOf = (account: string) =>
  `A${BigInt(`0x${createHash("sha256").update(`customer ${account}`).digest("hex").slice(0, 20)}`)
    .toString(36)
    .toUpperCase()
    .padStart(13, "0")
    .slice(0, 13)}`;

/** What S3 calls the host that served a request: random, of the usual length. */
export const hostId = () => randomBytes(57).toString("base64");

/** Request ids as S3 writes them: 16 capitals and digits. */
export const requestIdOf = (id: string | undefined) =>
  (id ?? randomBytes(8).toString("hex")).replace(/-/g, "").slice(0, 16).toUpperCase();

/** The object of an event. */
export function shownObject({ name, version, bucket, named }: ObjectEvent, sequencer: string): ShownObject {
  const [family, kind] = name.split(":");
  const key = encodedKey(version.key);
  const shown = bucket.config.versioning && { versionId: version.versionId };
  if (kind === "DeleteMarkerCreated") return { key, eTag: emptyMd5, ...shown, sequencer };
  if (version.deleteMarker) return { key, ...shown, sequencer };
  if (family === "ObjectRemoved" || family === "LifecycleExpiration") return { key, ...(named && shown), sequencer };
  // Only what adds or removes an object has an order (user guide, event message structure).
  if (family !== "ObjectCreated") return { key, eTag: version.etag, ...shown };
  return { key, size: version.body.length, eTag: version.etag, ...shown, sequencer };
}

/** 2.3 for the newer kinds of events (user guide, event message structure). */
const schemaVersion = (name: string) => (/^Object(Created|Removed):/.test(name) ? "2.1" : "2.3");

const principalOf = (requester: string) => (/^\d+$/.test(requester) ? `AWS:${customerOf(requester)}` : requester);

/**
 * The record of an event (https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html),
 * but for the id of the configuration that asks for it.
 *
 * @param time milliseconds since the epoch.
 */
export function eventRecord(event: ObjectEvent, time: number, sequencer: string): (configurationId: string) => object {
  const { bucket, name, origin } = event;
  const responseElements = { "x-amz-request-id": requestIdOf(origin.requestId), "x-amz-id-2": hostId() };
  const object = shownObject(event, sequencer);
  return (configurationId) => ({
    eventVersion: schemaVersion(name),
    eventSource: "aws:s3",
    awsRegion: bucket.region,
    eventTime: new Date(time).toISOString(),
    eventName: name,
    userIdentity: { principalId: principalOf(origin.requester) },
    requestParameters: { sourceIPAddress: origin.sourceIp },
    responseElements,
    s3: {
      s3SchemaVersion: "1.0",
      configurationId,
      bucket: {
        name: bucket.name,
        ownerIdentity: { principalId: customerOf(bucket.account) },
        arn: `arn:aws:s3:::${bucket.name}`,
      },
      object,
    },
    ...(name === "LifecycleTransition" &&
      !event.version.deleteMarker && {
        lifecycleEventData: { transitionEventData: { destinationStorageClass: event.version.storageClass } },
      }),
  });
}

/** What S3 sends to queues and topics when a configuration is put. */
export const testEvent = (bucket: Bucket, time: number, requestId: string) => ({
  Service: "Amazon S3",
  Event: "s3:TestEvent",
  Time: new Date(time).toISOString(),
  Bucket: bucket.name,
  RequestId: requestIdOf(requestId),
  HostId: hostId(),
});
