import type { Event, LifecycleRule, NotificationConfigurationFilter } from "@aws-sdk/client-s3";
import type {
  BucketCorsConfiguration,
  BucketCorsConfigurationArgs,
  BucketLifecycleConfiguration,
  BucketLifecycleConfigurationArgs,
  BucketNotification,
  BucketNotificationArgs,
  BucketOwnershipControls,
  BucketOwnershipControlsArgs,
  BucketPolicy,
  BucketPolicyArgs,
  BucketPublicAccessBlock,
  BucketPublicAccessBlockArgs,
  BucketServerSideEncryptionConfiguration,
  BucketServerSideEncryptionConfigurationArgs,
  BucketVersioning,
  BucketVersioningArgs,
} from "@pulumi/aws/s3";
import { requiredDocument } from "./json";
import { type PlainArgs, type ProviderContext, resourceType } from "./types";
import { unlessGone } from "./wait";

type Bucketed = { bucket: string };

/** A resource that is one setting of a bucket: put to create and update, and taken away again. */
function setting<A, R>(calls: {
  put(args: PlainArgs<A> & Bucketed, context: ProviderContext): Promise<unknown>;
  /** Rejects, or answers undefined, when the bucket does not have it. */
  get(bucket: string, context: ProviderContext): Promise<unknown>;
  remove(bucket: string, context: ProviderContext): Promise<unknown>;
}) {
  return resourceType<A, R>({
    replaceOn: ["bucket"],
    async create(args, context) {
      const { bucket } = args as Bucketed;
      await calls.put(args as PlainArgs<A> & Bucketed, context);
      return { id: bucket, outputs: {} };
    },
    async read(id, context) {
      return (await unlessGone(calls.get(id, context))) ? {} : undefined;
    },
    async update(_id, args, _old, context) {
      await calls.put(args as PlainArgs<A> & Bucketed, context);
      return {};
    },
    async delete(id, _known, context) {
      await calls.remove(id, context);
    },
  });
}

type Rule = NonNullable<PlainArgs<BucketLifecycleConfigurationArgs>["rules"]>[number];

const tagsOf = (tags: Record<string, string> | undefined) =>
  tags && Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

const date = (text: string | undefined) => (text ? new Date(text) : undefined);

const lifecycleRule = (rule: Rule): LifecycleRule => {
  const { filter, expiration, noncurrentVersionExpiration: noncurrent, abortIncompleteMultipartUpload: abort } = rule;
  const and = filter?.and;
  return {
    ID: rule.id,
    Status: rule.status as "Enabled",
    // A rule without filter and prefix counts for all objects, which AWS wants to be said.
    Filter: filter
      ? {
          Prefix: filter.prefix ?? (and || filter.tag || filter.objectSizeGreaterThan ? undefined : ""),
          ObjectSizeGreaterThan: filter.objectSizeGreaterThan,
          ObjectSizeLessThan: filter.objectSizeLessThan,
          Tag: filter.tag && { Key: filter.tag.key, Value: filter.tag.value },
          And: and && {
            Prefix: and.prefix,
            ObjectSizeGreaterThan: and.objectSizeGreaterThan,
            ObjectSizeLessThan: and.objectSizeLessThan,
            Tags: tagsOf(and.tags),
          },
        }
      : { Prefix: rule.prefix ?? "" },
    Expiration: expiration && {
      Days: expiration.days,
      Date: date(expiration.date),
      ExpiredObjectDeleteMarker: expiration.expiredObjectDeleteMarker,
    },
    NoncurrentVersionExpiration: noncurrent && {
      NoncurrentDays: noncurrent.noncurrentDays,
      NewerNoncurrentVersions: noncurrent.newerNoncurrentVersions,
    },
    AbortIncompleteMultipartUpload: abort && { DaysAfterInitiation: abort.daysAfterInitiation },
    Transitions: rule.transitions?.map(({ days, date: at, storageClass }) => ({
      Days: days,
      Date: date(at),
      StorageClass: storageClass as "GLACIER",
    })),
    NoncurrentVersionTransitions: rule.noncurrentVersionTransitions?.map((transition) => ({
      NoncurrentDays: transition.noncurrentDays,
      NewerNoncurrentVersions: transition.newerNoncurrentVersions,
      StorageClass: transition.storageClass as "GLACIER",
    })),
  };
};

const lifecycle = setting<BucketLifecycleConfigurationArgs, BucketLifecycleConfiguration>({
  put: ({ bucket, rules = [] }, { clients }) =>
    clients.s3.putBucketLifecycleConfiguration({
      Bucket: bucket,
      LifecycleConfiguration: { Rules: rules.map(lifecycleRule) },
    }),
  get: (Bucket, { clients }) => clients.s3.getBucketLifecycleConfiguration({ Bucket }),
  remove: (Bucket, { clients }) => clients.s3.deleteBucketLifecycle({ Bucket }),
});

const publicAccess = setting<BucketPublicAccessBlockArgs, BucketPublicAccessBlock>({
  put: (args, { clients }) =>
    clients.s3.putPublicAccessBlock({
      Bucket: args.bucket,
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: args.blockPublicAcls ?? false,
        BlockPublicPolicy: args.blockPublicPolicy ?? false,
        IgnorePublicAcls: args.ignorePublicAcls ?? false,
        RestrictPublicBuckets: args.restrictPublicBuckets ?? false,
      },
    }),
  get: (Bucket, { clients }) => clients.s3.getPublicAccessBlock({ Bucket }),
  remove: (Bucket, { clients }) => clients.s3.deletePublicAccessBlock({ Bucket }),
});

const policy = setting<BucketPolicyArgs, BucketPolicy>({
  put: (args, { clients }) =>
    clients.s3.putBucketPolicy({ Bucket: args.bucket, Policy: requiredDocument("policy", args.policy) }),
  get: (Bucket, { clients }) => clients.s3.getBucketPolicy({ Bucket }),
  remove: (Bucket, { clients }) => clients.s3.deleteBucketPolicy({ Bucket }),
});

const encryption = setting<BucketServerSideEncryptionConfigurationArgs, BucketServerSideEncryptionConfiguration>({
  put: ({ bucket, rules }, { clients }) =>
    clients.s3.putBucketEncryption({
      Bucket: bucket,
      ServerSideEncryptionConfiguration: {
        Rules: rules.map((rule) => ({
          BucketKeyEnabled: rule.bucketKeyEnabled,
          ApplyServerSideEncryptionByDefault: rule.applyServerSideEncryptionByDefault && {
            SSEAlgorithm: rule.applyServerSideEncryptionByDefault.sseAlgorithm as "AES256",
            KMSMasterKeyID: rule.applyServerSideEncryptionByDefault.kmsMasterKeyId,
          },
        })),
      },
    }),
  get: (Bucket, { clients }) => clients.s3.getBucketEncryption({ Bucket }),
  remove: (Bucket, { clients }) => clients.s3.deleteBucketEncryption({ Bucket }),
});

const ownership = setting<BucketOwnershipControlsArgs, BucketOwnershipControls>({
  put: ({ bucket, rule }, { clients }) =>
    clients.s3.putBucketOwnershipControls({
      Bucket: bucket,
      OwnershipControls: { Rules: [{ ObjectOwnership: rule.objectOwnership as "BucketOwnerEnforced" }] },
    }),
  get: (Bucket, { clients }) => clients.s3.getBucketOwnershipControls({ Bucket }),
  remove: (Bucket, { clients }) => clients.s3.deleteBucketOwnershipControls({ Bucket }),
});

const versioning = setting<BucketVersioningArgs, BucketVersioning>({
  async put({ bucket, versioningConfiguration: { status } }, { clients }) {
    // A bucket that was never versioned is "Disabled" to the provider; AWS has no such value.
    if (status === "Disabled") return;
    const VersioningConfiguration = { Status: status as "Enabled" };
    await clients.s3.putBucketVersioning({ Bucket: bucket, VersioningConfiguration });
  },
  get: (Bucket, { clients }) => clients.s3.getBucketVersioning({ Bucket }),
  remove: (Bucket, { clients }) =>
    clients.s3.putBucketVersioning({ Bucket, VersioningConfiguration: { Status: "Suspended" } }),
});

const cors = setting<BucketCorsConfigurationArgs, BucketCorsConfiguration>({
  put: ({ bucket, corsRules }, { clients }) =>
    clients.s3.putBucketCors({
      Bucket: bucket,
      CORSConfiguration: {
        CORSRules: corsRules.map((rule) => ({
          ID: rule.id,
          AllowedHeaders: rule.allowedHeaders,
          AllowedMethods: rule.allowedMethods,
          AllowedOrigins: rule.allowedOrigins,
          ExposeHeaders: rule.exposeHeaders,
          MaxAgeSeconds: rule.maxAgeSeconds,
        })),
      },
    }),
  get: (Bucket, { clients }) => clients.s3.getBucketCors({ Bucket }),
  remove: (Bucket, { clients }) => clients.s3.deleteBucketCors({ Bucket }),
});

const keyFilter = (
  prefix: string | undefined,
  suffix: string | undefined,
): NotificationConfigurationFilter | undefined => {
  const rules = [
    ...(prefix ? [{ Name: "prefix" as const, Value: prefix }] : []),
    ...(suffix ? [{ Name: "suffix" as const, Value: suffix }] : []),
  ];
  return rules.length > 0 ? { Key: { FilterRules: rules } } : undefined;
};

const notification = setting<BucketNotificationArgs, BucketNotification>({
  put: (args, { clients }) =>
    clients.s3.putBucketNotificationConfiguration({
      Bucket: args.bucket,
      NotificationConfiguration: {
        EventBridgeConfiguration: args.eventbridge ? {} : undefined,
        LambdaFunctionConfigurations: args.lambdaFunctions?.map((target) => ({
          Id: target.id,
          LambdaFunctionArn: target.lambdaFunctionArn,
          Events: target.events as Event[],
          Filter: keyFilter(target.filterPrefix, target.filterSuffix),
        })),
        QueueConfigurations: args.queues?.map((target) => ({
          Id: target.id,
          QueueArn: target.queueArn,
          Events: target.events as Event[],
          Filter: keyFilter(target.filterPrefix, target.filterSuffix),
        })),
        TopicConfigurations: args.topics?.map((target) => ({
          Id: target.id,
          TopicArn: target.topicArn,
          Events: target.events as Event[],
          Filter: keyFilter(target.filterPrefix, target.filterSuffix),
        })),
      },
    }),
  get: (Bucket, { clients }) => clients.s3.getBucketNotificationConfiguration({ Bucket }),
  remove: (Bucket, { clients }) =>
    clients.s3.putBucketNotificationConfiguration({ Bucket, NotificationConfiguration: {} }),
});

export const types = {
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": lifecycle,
  "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2": lifecycle,
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": publicAccess,
  "aws:s3/bucketPolicy:BucketPolicy": policy,
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": encryption,
  "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2": encryption,
  "aws:s3/bucketOwnershipControls:BucketOwnershipControls": ownership,
  "aws:s3/bucketVersioning:BucketVersioning": versioning,
  "aws:s3/bucketVersioningV2:BucketVersioningV2": versioning,
  "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration": cors,
  "aws:s3/bucketCorsConfigurationV2:BucketCorsConfigurationV2": cors,
  "aws:s3/bucketNotification:BucketNotification": notification,
};
