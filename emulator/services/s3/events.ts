import type { Context } from "../../core/service";
import type { Bucket, Version } from "./model";

/** Who changed an object, and by which request. */
export interface Origin {
  /** The account that asked for it, or `s3.amazonaws.com` for what S3 does itself. */
  readonly requester: string;
  readonly sourceIp: string;
  readonly requestId?: string;
}

/** What S3 does itself: lifecycle rules. */
export const byS3: Origin = { requester: "s3.amazonaws.com", sourceIp: "s3.amazonaws.com" };

/** A request as the origin of a change. */
export const originOf = ({ account, requestId, http }: Context): Origin => ({
  requester: account,
  sourceIp: http.sourceIp,
  requestId,
});

/** What happened to an object, in the words of event notifications. */
export interface ObjectEvent {
  /** Without the `s3:` in front: `ObjectCreated:Put`, `ObjectRemoved:DeleteMarkerCreated` ... */
  readonly name: string;
  readonly bucket: Bucket;
  readonly version: Version;
  /** Whether the request named the version, as a delete for good does. */
  readonly named?: boolean;
  readonly origin: Origin;
}

/**
 * Where every change of an object is told, after it was made. The delivery of bucket notifications listens here
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventNotifications.html).
 */
export class ObjectEvents {
  private readonly listeners: ((event: ObjectEvent) => void)[] = [];

  listen(listener: (event: ObjectEvent) => void): void {
    this.listeners.push(listener);
  }

  emit(event: ObjectEvent): void {
    for (const listener of this.listeners) listener(event);
  }
}
