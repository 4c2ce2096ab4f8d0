import type { ObjectEvent } from "./events";
import { requestIdOf, shownObject } from "./notification-record";

/** What EventBridge calls an event, by the name that notifications give it, and what made it happen. */
const names: Record<string, readonly [detailType: string, reason?: string]> = {
  "ObjectCreated:Put": ["Object Created", "PutObject"],
  "ObjectCreated:Post": ["Object Created", "POST Object"],
  "ObjectCreated:Copy": ["Object Created", "CopyObject"],
  "ObjectCreated:CompleteMultipartUpload": ["Object Created", "CompleteMultipartUpload"],
  "ObjectRemoved:Delete": ["Object Deleted", "DeleteObject"],
  "ObjectRemoved:DeleteMarkerCreated": ["Object Deleted", "DeleteObject"],
  "LifecycleExpiration:Delete": ["Object Deleted", "Lifecycle Expiration"],
  "LifecycleExpiration:DeleteMarkerCreated": ["Object Deleted", "Lifecycle Expiration"],
  LifecycleTransition: ["Object Storage Class Changed"],
  "ObjectTagging:Put": ["Object Tags Added"],
  "ObjectTagging:Delete": ["Object Tags Deleted"],
  "ObjectAcl:Put": ["Object ACL Updated"],
};

/**
 * An event as S3 gives it to EventBridge (https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html);
 * undefined for those that it keeps from it.
 */
export function busEvent(event: ObjectEvent, sequencer: string) {
  const { bucket, name, version, origin } = event;
  const [detailType, reason] = names[name] ?? [];
  if (detailType === undefined) return undefined;
  const { size, eTag, versionId, sequencer: order } = shownObject(event, sequencer);
  const deletion = name.endsWith("DeleteMarkerCreated") ? "Delete Marker Created" : "Permanently Deleted";
  const byService = origin.sourceIp === origin.requester;
  const detail = {
    version: "0",
    bucket: { name: bucket.name },
    object: { key: version.key, size, etag: eTag, "version-id": versionId, sequencer: order },
    "request-id": requestIdOf(origin.requestId),
    requester: origin.requester,
    ...(!byService && { "source-ip-address": origin.sourceIp }),
    ...(reason !== undefined && { reason }),
    ...(detailType === "Object Deleted" && { "deletion-type": deletion }),
    ...(name === "LifecycleTransition" &&
      !version.deleteMarker && { "destination-storage-class": version.storageClass }),
  };
  return { source: "aws.s3", detailType, resources: [`arn:aws:s3:::${bucket.name}`], detail };
}
