import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { Checks } from "./checks";

/** A queue, such as an `aws.sqs.Queue`. */
export interface QueueRef {
  url: pulumi.Input<string>;
  arn: pulumi.Input<string>;
}

/** A table, such as an `aws.dynamodb.Table`. */
export interface TableRef {
  name: pulumi.Input<string>;
  arn: pulumi.Input<string>;
}

/** The table that the component makes. */
export interface OwnTableArgs {
  /** Days after its receipt that a message may be deleted. @default never */
  ttlDays?: number;
  /** Restores to any second of the last 35 days. @default true */
  pointInTimeRecovery?: pulumi.Input<boolean>;
  /** Refuses to delete the table. @default false */
  deletionProtection?: pulumi.Input<boolean>;
}

/** A table that is there already. */
export interface ExistingTableArgs {
  existing: TableRef;
  /** Days after its receipt that a message may be deleted, if the table's TTL attribute is `expiresAt`. @default never */
  ttlDays?: number;
}

/** The archive of everything that came in, as it came. */
export interface ArchiveArgs {
  /** Days that the archive is kept. @default for ever */
  expiryDays?: number;
  /** Deletes the bucket with all that is in it when the stack is destroyed. @default false */
  forceDestroy?: boolean;
}

/**
 * A bucket that nobody but the account's own roles can reach, encrypted as S3 encrypts all buckets.
 * @see https://www.pulumi.com/registry/packages/aws/api-docs/s3/bucket/
 */
export function makePrivateBucket(
  name: string,
  { expiryDays, forceDestroy = false }: { expiryDays?: number; forceDestroy?: boolean },
  opts: pulumi.CustomResourceOptions,
): aws.s3.Bucket {
  const bucket = new aws.s3.Bucket(`${name}-bucket`, { forceDestroy }, opts);
  new aws.s3.BucketPublicAccessBlock(
    `${name}-access`,
    {
      bucket: bucket.bucket,
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    },
    opts,
  );
  if (expiryDays !== undefined) {
    new aws.s3.BucketLifecycleConfiguration(
      `${name}-expiry`,
      {
        bucket: bucket.bucket,
        rules: [
          {
            id: "expire",
            status: "Enabled",
            filter: { prefix: "" },
            expiration: { days: expiryDays },
            abortIncompleteMultipartUpload: { daysAfterInitiation: 1 },
          },
        ],
      },
      opts,
    );
  }
  return bucket;
}

/** Notes the mistakes in a table's settings. */
export function checkTable(checks: Checks, option: string, table: OwnTableArgs | ExistingTableArgs): void {
  checks.number(`${option}.ttlDays`, table.ttlDays, { min: 1, unit: "days", use: 365 });
  if ("existing" in table) {
    checks.names(option, table, ["existing", "ttlDays"]);
    if (!table.existing?.name || !table.existing.arn)
      checks.add(`${option}.existing`, "have a name and an arn", "a Table");
  } else checks.names(option, table, ["ttlDays", "pointInTimeRecovery", "deletionProtection"]);
}

/** Notes the mistakes in an archive's settings. */
export function checkArchive(checks: Checks, option: string, archive: ArchiveArgs): void {
  checks.names(option, archive, ["expiryDays", "forceDestroy"]);
  checks.number(`${option}.expiryDays`, archive.expiryDays, { min: 1, unit: "days", use: 365 });
}

/** Notes that something is no queue. */
export function checkQueue(checks: Checks, option: string, queue: QueueRef | undefined): void {
  if (!queue?.url || !queue.arn) checks.add(option, "have a url and an arn", "an aws.sqs.Queue");
}

/**
 * A table of messages: by device, and by a key that sorts by time. Undefined where one is there already.
 * @see https://www.pulumi.com/registry/packages/aws/api-docs/dynamodb/table/
 */
export function makeMessageTable(
  name: string,
  hashKey: string,
  table: OwnTableArgs | ExistingTableArgs = {},
  opts: pulumi.CustomResourceOptions,
): aws.dynamodb.Table | undefined {
  if ("existing" in table) return undefined;
  const { ttlDays, pointInTimeRecovery = true, deletionProtection = false } = table;
  return new aws.dynamodb.Table(
    `${name}-table`,
    {
      billingMode: "PAY_PER_REQUEST",
      hashKey,
      rangeKey: "sortKey",
      attributes: [
        { name: hashKey, type: "S" },
        { name: "sortKey", type: "S" },
      ],
      pointInTimeRecovery: { enabled: pointInTimeRecovery },
      deletionProtectionEnabled: deletionProtection,
      ...(ttlDays !== undefined && { ttl: { enabled: true, attributeName: "expiresAt" } }),
    },
    opts,
  );
}
