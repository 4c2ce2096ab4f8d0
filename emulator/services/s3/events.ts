import type { Bucket, Version } from "./model";

/** What happened to an object, in the words of event notifications. */
export interface ObjectEvent {
  /** Without the `s3:` in front: `ObjectCreated:Put`, `ObjectRemoved:DeleteMarkerCreated` ... */
  readonly name: string;
  readonly bucket: Bucket;
  readonly version: Version;
  /** The account or service that did it. */
  readonly requester: string;
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
