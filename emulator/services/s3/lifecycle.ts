import type { LifecycleRule } from "@aws-sdk/client-s3";
import type { Clock, Timer } from "../../core/clock";
import { byS3 } from "./events";
import { applies, daysAfter, expiryOf, filteredObject } from "./lifecycle-rules";
import type { Bucket, StoredObject, Version } from "./model";
import type { Store } from "./store";
import { removeUpload } from "./uploads";

const day = 86_400_000;

/** Applies lifecycle rules once a day, at midnight UTC, where S3 queues what has expired. */
export class Lifecycle {
  private timer: Timer | undefined;

  constructor(
    private readonly store: Store,
    private readonly clock: Clock,
    private readonly report: (error: unknown) => void,
  ) {}

  /** Begins to look every day; called when a bucket gets rules. */
  watch(): void {
    if (this.timer) return;
    const now = this.clock.now();
    this.timer = this.clock.after((Math.floor(now / day) + 1) * day - now, () => {
      this.timer = undefined;
      let goesOn = true;
      try {
        goesOn = this.run();
      } catch (error) {
        this.report(error);
      }
      if (goesOn) this.watch();
    });
  }

  stop(): void {
    this.timer?.cancel();
    this.timer = undefined;
  }

  /** Applies the rules of all buckets now. Gives whether any bucket has rules. */
  private run(): boolean {
    let any = false;
    for (const [, bucket] of this.store.all()) {
      const rules = bucket.config.lifecycle?.filter(({ Status }) => Status === "Enabled");
      if (!rules?.length) continue;
      any = true;
      this.abortUploads(bucket, rules);
      // The walk must not see its own deletes.
      for (const [key, versions] of [...bucket.objects.entries()]) this.expire(bucket, key, [...versions], rules);
    }
    return any;
  }

  private abortUploads(bucket: Bucket, rules: readonly LifecycleRule[]): void {
    const now = this.clock.now();
    for (const [key, uploads] of [...bucket.uploads.entries()]) {
      for (const upload of uploads) {
        if (rules.some((rule) => isOverdue(rule, key, upload.initiated, now))) removeUpload(bucket, upload);
      }
    }
  }

  private expire(bucket: Bucket, key: string, versions: Version[], rules: readonly LifecycleRule[]): void {
    const now = this.clock.now();
    const remove = (version: Version) => {
      if (this.store.isLocked(version, false)) return;
      this.store.deleteVersion(bucket, key, version.versionId, byS3, { lifecycle: true });
    };
    for (const rule of rules) {
      versions.slice(1).forEach((version, index) => {
        // A version is noncurrent since the one after it came.
        const since = versions[index]!.modified;
        if (isNoncurrentExpired(rule, version, since, index, now)) remove(version);
        else this.moveNoncurrent(bucket, rule, version, since, now);
      });
      const current = bucket.objects.get(key)?.[0];
      if (!current) return;
      if (current.deleteMarker) {
        if (bucket.objects.get(key)!.length === 1 && isLoneMarkerExpired(rule, current, now)) remove(current);
      } else if (applies(rule, filteredObject(current))) {
        if ((expiryOf(rule, current.modified) ?? Number.POSITIVE_INFINITY) > now)
          move(this.store, bucket, rule.Transitions, current, now);
        else if (bucket.config.versioning || !this.store.isLocked(current, false)) {
          this.store.delete(bucket, key, byS3, true);
        }
      }
    }
  }

  private moveNoncurrent(bucket: Bucket, rule: LifecycleRule, version: Version, since: number, now: number): void {
    if (version.deleteMarker || !applies(rule, filteredObject(version))) return;
    for (const { NoncurrentDays = 0, StorageClass } of rule.NoncurrentVersionTransitions ?? []) {
      if (StorageClass && daysAfter(since, NoncurrentDays) <= now) replace(this.store, bucket, version, StorageClass);
    }
  }
}

function isOverdue(rule: LifecycleRule, key: string, initiated: number, now: number): boolean {
  const days = rule.AbortIncompleteMultipartUpload?.DaysAfterInitiation;
  return days !== undefined && applies(rule, { key }) && daysAfter(initiated, days) <= now;
}

function isNoncurrentExpired(
  rule: LifecycleRule,
  version: Version,
  since: number,
  newer: number,
  now: number,
): boolean {
  const { NoncurrentDays, NewerNoncurrentVersions = 0 } = rule.NoncurrentVersionExpiration ?? {};
  if (NoncurrentDays === undefined || newer < NewerNoncurrentVersions) return false;
  return (
    applies(rule, version.deleteMarker ? version : filteredObject(version)) && daysAfter(since, NoncurrentDays) <= now
  );
}

/** A marker with no version below it goes by its own rule, or when it is as old as the rule's days. */
function isLoneMarkerExpired(rule: LifecycleRule, marker: Version, now: number): boolean {
  if (!applies(rule, marker)) return false;
  if (rule.Expiration?.ExpiredObjectDeleteMarker) return true;
  return rule.Expiration?.Days !== undefined && daysAfter(marker.modified, rule.Expiration.Days) <= now;
}

function move(
  store: Store,
  bucket: Bucket,
  transitions: LifecycleRule["Transitions"],
  object: StoredObject,
  now: number,
): void {
  const due = (transitions ?? [])
    .map(({ Days, Date: date, StorageClass }) => ({
      at: date?.getTime() ?? daysAfter(object.modified, Days ?? 0),
      StorageClass,
    }))
    .filter(({ at }) => at <= now)
    .sort((a, b) => a.at - b.at)
    .at(-1);
  if (due?.StorageClass) replace(store, bucket, object, due.StorageClass);
}

/** Small objects stay where they are (https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html). */
const smallestMoved = 128 * 1024;

function replace(store: Store, bucket: Bucket, object: StoredObject, storageClass: StoredObject["storageClass"]): void {
  if (object.storageClass === storageClass || object.body.length < smallestMoved) return;
  const versions = bucket.objects.get(object.key)!;
  const index = versions.indexOf(object);
  if (index < 0) return;
  const moved = { ...object, storageClass };
  versions[index] = moved;
  store.tell({ name: "LifecycleTransition", bucket, version: moved, origin: byS3 });
}
