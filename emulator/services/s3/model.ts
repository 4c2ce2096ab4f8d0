import type {
  AnalyticsConfiguration,
  BucketVersioningStatus,
  ChecksumAlgorithm,
  ChecksumType,
  CORSRule,
  Grant,
  IntelligentTieringConfiguration,
  InventoryConfiguration,
  LifecycleRule,
  LoggingEnabled,
  MetricsConfiguration,
  NotificationConfiguration,
  ObjectLockConfiguration,
  ObjectLockRetention,
  ObjectOwnership,
  Payer,
  PublicAccessBlockConfiguration,
  ReplicationConfiguration,
  ServerSideEncryption,
  ServerSideEncryptionConfiguration,
  StorageClass,
  Tag,
  TransitionDefaultMinimumObjectSize,
  WebsiteConfiguration,
} from "@aws-sdk/client-s3";
import type { Checksum } from "./checksums";
import type { SortedKeys } from "./sorted-keys";

/** Headers that S3 keeps with an object and gives back with it. */
export interface SystemHeaders {
  readonly CacheControl?: string;
  readonly ContentDisposition?: string;
  readonly ContentEncoding?: string;
  readonly ContentLanguage?: string;
  readonly ContentType: string;
  readonly WebsiteRedirectLocation?: string;
  /** As sent: S3 keeps even what is no date. */
  readonly expires?: string;
}

/** How an object is encrypted, or said to be: the emulator keeps bytes as they are. */
export interface Encryption {
  readonly ServerSideEncryption?: ServerSideEncryption;
  readonly SSEKMSKeyId?: string;
  readonly BucketKeyEnabled?: boolean;
  /** MD5 of the customer's key (SSE-C), base64. */
  readonly customerKeyMd5?: string;
}

/** What a writer says about an object besides its bytes; a multipart upload keeps it from its first request on. */
export interface Attributes {
  readonly headers: SystemHeaders;
  readonly metadata: Readonly<Record<string, string>>;
  readonly encryption: Encryption;
  readonly storageClass: StorageClass;
  readonly tags: readonly Tag[];
  readonly retention?: ObjectLockRetention;
  readonly legalHold?: "ON" | "OFF";
  readonly grants?: readonly Grant[];
}

/** A part of an object that was uploaded in parts. */
export interface ObjectPart {
  readonly number: number;
  readonly size: number;
  readonly checksum?: Checksum;
}

/** One version of an object. */
export interface StoredObject extends Attributes {
  readonly key: string;
  /** "null" where the bucket was not versioned when it was written. */
  readonly versionId: string;
  readonly body: Buffer;
  /** Without the quotes. */
  readonly etag: string;
  /** Milliseconds since the epoch. */
  readonly modified: number;
  readonly checksum: Checksum;
  readonly parts?: readonly ObjectPart[];
  readonly deleteMarker?: false;
}

/** What a delete without version id leaves in a versioned bucket. */
export interface DeleteMarker {
  readonly key: string;
  readonly versionId: string;
  readonly modified: number;
  readonly deleteMarker: true;
}

export type Version = StoredObject | DeleteMarker;

/** A part that was uploaded to a multipart upload. */
export interface UploadedPart extends ObjectPart {
  readonly body: Buffer;
  readonly etag: string;
  readonly modified: number;
}

export interface Upload {
  readonly id: string;
  readonly key: string;
  readonly initiated: number;
  readonly attributes: Attributes;
  /** Undefined when the creator named none: then parts may carry any, and the object gets a CRC64NVME. */
  readonly checksum?: { readonly algorithm: ChecksumAlgorithm; readonly type: ChecksumType };
  readonly parts: Map<number, UploadedPart>;
}

/** The sub-resources of a bucket. Absent means that the bucket never had it or that it was deleted. */
export interface BucketConfig {
  accelerate?: "Enabled" | "Suspended";
  abac?: "Enabled" | "Disabled";
  cors?: CORSRule[];
  encryption: ServerSideEncryptionConfiguration;
  grants?: Grant[];
  lifecycle?: LifecycleRule[];
  transitionMinimum?: TransitionDefaultMinimumObjectSize;
  logging?: LoggingEnabled;
  notification: NotificationConfiguration;
  objectLock?: ObjectLockConfiguration;
  ownership?: ObjectOwnership;
  payer: Payer;
  policy?: string;
  publicAccessBlock?: PublicAccessBlockConfiguration;
  replication?: ReplicationConfiguration;
  tags?: Tag[];
  versioning?: BucketVersioningStatus;
  website?: WebsiteConfiguration;
  analytics: Map<string, AnalyticsConfiguration>;
  intelligentTiering: Map<string, IntelligentTieringConfiguration>;
  inventory: Map<string, InventoryConfiguration>;
  metrics: Map<string, MetricsConfiguration>;
}

export interface Bucket {
  readonly name: string;
  readonly account: string;
  readonly region: string;
  readonly created: number;
  /** Every key with its versions, newest first; never an empty list. */
  readonly objects: SortedKeys<Version[]>;
  /** Multipart uploads in progress, by key, oldest first. */
  readonly uploads: SortedKeys<Upload[]>;
  readonly config: BucketConfig;
}
