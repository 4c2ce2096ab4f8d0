import { randomBytes } from "node:crypto";
import { ownBytes } from "../../core/own-bytes";
import { accessDenied, bucketNotEmpty, noSuchBucket } from "./errors";
import type { ObjectEvent, ObjectEvents, Origin } from "./events";
import type { Bucket, DeleteMarker, StoredObject, Version } from "./model";
import { SortedKeys } from "./sorted-keys";

/** 32 characters, as S3's version ids have. */
export const newVersionId = () => randomBytes(24).toString("base64url").replaceAll("-", ".");

/** The block on SSE-C that new buckets have since April 2026 (https://docs.aws.amazon.com/AmazonS3/latest/userguide/blocking-unblocking-s3-c-encryption-gpb.html). */
export const defaultEncryption = () => ({
  Rules: [
    {
      ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" as const },
      BucketKeyEnabled: false,
      BlockedEncryptionTypes: { EncryptionType: ["SSE-C" as const] },
    },
  ],
});

/** All buckets of one emulator: their names are one namespace over accounts and regions, as on AWS. */
export class Store {
  private readonly buckets = new SortedKeys<Bucket>();

  constructor(
    private readonly now: () => number,
    private readonly events: ObjectEvents,
  ) {}

  find(name: string): Bucket | undefined {
    return this.buckets.get(name);
  }

  bucket(name: string): Bucket {
    const bucket = this.buckets.get(name);
    if (!bucket) throw noSuchBucket(name);
    return bucket;
  }

  all(): Iterable<[name: string, bucket: Bucket]> {
    return this.buckets.entries();
  }

  create(name: string, account: string, region: string): Bucket {
    const bucket: Bucket = {
      name,
      account,
      region,
      created: this.now(),
      objects: new SortedKeys(),
      uploads: new SortedKeys(),
      // New buckets block public access and have ACLs disabled since April 2023
      // (https://docs.aws.amazon.com/AmazonS3/latest/userguide/create-bucket-faq.html).
      config: {
        encryption: defaultEncryption(),
        notification: {},
        ownership: "BucketOwnerEnforced",
        payer: "BucketOwner",
        publicAccessBlock: {
          BlockPublicAcls: true,
          IgnorePublicAcls: true,
          BlockPublicPolicy: true,
          RestrictPublicBuckets: true,
        },
        analytics: new Map(),
        intelligentTiering: new Map(),
        inventory: new Map(),
        metrics: new Map(),
      },
    };
    this.buckets.set(name, bucket);
    return bucket;
  }

  remove(bucket: Bucket): void {
    if (bucket.objects.size > 0) throw bucketNotEmpty(bucket.name, bucket.config.versioning !== undefined);
    this.buckets.delete(bucket.name);
  }

  clear(): void {
    for (const name of [...this.buckets.entries()].map(([name]) => name)) this.buckets.delete(name);
  }

  /** The newest version if it is an object. */
  current(bucket: Bucket, key: string): StoredObject | undefined {
    const version = bucket.objects.get(key)?.[0];
    return version?.deleteMarker ? undefined : version;
  }

  /** Adds an object as the newest version, or in place of the one without version. */
  put(
    bucket: Bucket,
    object: Omit<StoredObject, "versionId" | "modified">,
    event: "Put" | "Copy" | "CompleteMultipartUpload",
    origin: Origin,
  ): StoredObject {
    const added = { body: ownBytes(object.body), versionId: this.nextVersion(bucket), modified: this.now() };
    const stored: StoredObject = { ...object, ...added };
    this.push(bucket, stored);
    this.events.emit({ name: `ObjectCreated:${event}`, bucket, version: stored, origin });
    return stored;
  }

  /** Deletes without version id: leaves a marker where the bucket is or was versioned. */
  delete(bucket: Bucket, key: string, origin: Origin, lifecycle = false): DeleteMarker | undefined {
    const source = lifecycle ? "LifecycleExpiration" : "ObjectRemoved";
    if (bucket.config.versioning) {
      const marker: DeleteMarker = {
        key,
        versionId: this.nextVersion(bucket),
        modified: this.now(),
        deleteMarker: true,
      };
      this.push(bucket, marker);
      this.events.emit({ name: `${source}:DeleteMarkerCreated`, bucket, version: marker, origin });
      return marker;
    }
    const version = bucket.objects.get(key)?.[0];
    if (!version) return undefined;
    bucket.objects.delete(key);
    this.events.emit({ name: `${source}:Delete`, bucket, version, origin });
    return undefined;
  }

  /**
   * Deletes one version for good.
   *
   * @param bypass removes also what is retained in GOVERNANCE mode.
   */
  deleteVersion(
    bucket: Bucket,
    key: string,
    versionId: string,
    origin: Origin,
    { bypass = false, lifecycle = false } = {},
  ): Version | undefined {
    const versions = bucket.objects.get(key);
    const index = versions?.findIndex((version) => version.versionId === versionId) ?? -1;
    if (!versions || index < 0) return undefined;
    const version = versions[index]!;
    if (this.isLocked(version, bypass)) throw accessDenied("Access Denied because object protected by object lock.");
    versions.splice(index, 1);
    if (versions.length === 0) bucket.objects.delete(key);
    const source = lifecycle ? "LifecycleExpiration" : "ObjectRemoved";
    this.events.emit({ name: `${source}:Delete`, bucket, version, named: true, origin });
    return version;
  }

  /** Tells of a change that made or removed no version: of tags, ACL or storage class. */
  tell(event: ObjectEvent): void {
    this.events.emit(event);
  }

  isLocked(version: Version, bypass: boolean): boolean {
    if (version.deleteMarker) return false;
    const { retention, legalHold } = version;
    if (legalHold === "ON") return true;
    if (!retention?.RetainUntilDate || retention.RetainUntilDate.getTime() <= this.now()) return false;
    return !(bypass && retention.Mode === "GOVERNANCE");
  }

  private nextVersion({ config }: Bucket): string {
    return config.versioning === "Enabled" ? newVersionId() : "null";
  }

  private push(bucket: Bucket, version: Version): void {
    const versions = bucket.objects.get(version.key);
    if (!versions) {
      bucket.objects.set(version.key, [version]);
      return;
    }
    if (version.versionId === "null") {
      const replaced = versions.findIndex(({ versionId }) => versionId === "null");
      if (replaced >= 0) versions.splice(replaced, 1);
    }
    versions.unshift(version);
  }
}
