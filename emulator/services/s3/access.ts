import type * as Sdk from "@aws-sdk/client-s3";
import { type Access, type Accesses, type AccessTable, requestTags } from "../../core/access/access";
import type { Context, InputOf } from "../../core/service";
import { objectAccess } from "./access-objects";
import type { S3 } from "./common";
import type { Bucket } from "./model";
import { one, permission, requestKeys } from "./permission";

type Table = AccessTable<typeof Sdk>;

interface BucketInput {
  readonly Bucket?: string | undefined;
}

interface ListInput extends BucketInput {
  readonly Prefix?: string;
  readonly Delimiter?: string;
  readonly MaxKeys?: number;
}

/**
 * Operations on buckets by the actions that they need, which are seldom called as they are
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html).
 */
const bucketActions = {
  HeadBucket: "ListBucket",
  DeleteBucket: "DeleteBucket",
  GetBucketLocation: "GetBucketLocation",
  GetBucketVersioning: "GetBucketVersioning",
  PutBucketVersioning: "PutBucketVersioning",
  GetBucketPolicyStatus: "GetBucketPolicyStatus",
  GetPublicAccessBlock: "GetBucketPublicAccessBlock",
  PutPublicAccessBlock: "PutBucketPublicAccessBlock",
  DeletePublicAccessBlock: "PutBucketPublicAccessBlock",
  GetBucketOwnershipControls: "GetBucketOwnershipControls",
  PutBucketOwnershipControls: "PutBucketOwnershipControls",
  DeleteBucketOwnershipControls: "PutBucketOwnershipControls",
  GetBucketAcl: "GetBucketAcl",
  PutBucketAcl: "PutBucketAcl",
  GetBucketTagging: "GetBucketTagging",
  PutBucketTagging: "PutBucketTagging",
  DeleteBucketTagging: "PutBucketTagging",
  GetBucketEncryption: "GetEncryptionConfiguration",
  PutBucketEncryption: "PutEncryptionConfiguration",
  DeleteBucketEncryption: "PutEncryptionConfiguration",
  GetBucketLifecycleConfiguration: "GetLifecycleConfiguration",
  PutBucketLifecycleConfiguration: "PutLifecycleConfiguration",
  DeleteBucketLifecycle: "PutLifecycleConfiguration",
  GetBucketNotificationConfiguration: "GetBucketNotification",
  PutBucketNotificationConfiguration: "PutBucketNotification",
  GetBucketCors: "GetBucketCORS",
  PutBucketCors: "PutBucketCORS",
  DeleteBucketCors: "PutBucketCORS",
  GetBucketWebsite: "GetBucketWebsite",
  PutBucketWebsite: "PutBucketWebsite",
  DeleteBucketWebsite: "DeleteBucketWebsite",
  GetBucketLogging: "GetBucketLogging",
  PutBucketLogging: "PutBucketLogging",
  GetBucketReplication: "GetReplicationConfiguration",
  DeleteBucketReplication: "PutReplicationConfiguration",
  GetBucketAccelerateConfiguration: "GetAccelerateConfiguration",
  PutBucketAccelerateConfiguration: "PutAccelerateConfiguration",
  GetBucketRequestPayment: "GetBucketRequestPayment",
  PutBucketRequestPayment: "PutBucketRequestPayment",
  GetBucketAbac: "GetBucketAbac",
  PutBucketAbac: "PutBucketAbac",
  GetObjectLockConfiguration: "GetBucketObjectLockConfiguration",
  PutObjectLockConfiguration: "PutBucketObjectLockConfiguration",
  GetBucketAnalyticsConfiguration: "GetAnalyticsConfiguration",
  PutBucketAnalyticsConfiguration: "PutAnalyticsConfiguration",
  DeleteBucketAnalyticsConfiguration: "PutAnalyticsConfiguration",
  ListBucketAnalyticsConfigurations: "GetAnalyticsConfiguration",
  GetBucketInventoryConfiguration: "GetInventoryConfiguration",
  PutBucketInventoryConfiguration: "PutInventoryConfiguration",
  DeleteBucketInventoryConfiguration: "PutInventoryConfiguration",
  ListBucketInventoryConfigurations: "GetInventoryConfiguration",
  GetBucketMetricsConfiguration: "GetMetricsConfiguration",
  PutBucketMetricsConfiguration: "PutMetricsConfiguration",
  DeleteBucketMetricsConfiguration: "PutMetricsConfiguration",
  ListBucketMetricsConfigurations: "GetMetricsConfiguration",
  GetBucketIntelligentTieringConfiguration: "GetIntelligentTieringConfiguration",
  PutBucketIntelligentTieringConfiguration: "PutIntelligentTieringConfiguration",
  DeleteBucketIntelligentTieringConfiguration: "PutIntelligentTieringConfiguration",
  ListBucketIntelligentTieringConfigurations: "GetIntelligentTieringConfiguration",
  ListMultipartUploads: "ListBucketMultipartUploads",
} as const satisfies { [Name in keyof Table]?: string };

/** What S3 wants allowed (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html). */
export function access(s3: S3): Table {
  /** Of a bucket that is not there is nothing to protect: the operation says so. */
  const at =
    <Given extends BucketInput>(needs: (bucket: Bucket, input: Given, context: Context) => Accesses) =>
    (input: Given, context: Context): Accesses => {
      const bucket = s3.store.find(input.Bucket ?? "");
      return bucket ? needs(bucket, input, context) : "public";
    };
  const plain = (action: string) => at((bucket, _, context) => permission(action, bucket, context));
  /** No bucket policy locks its own account out (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html). */
  const onPolicy = (action: string) =>
    at((bucket, _, context) => {
      const { type, account } = context.identity;
      return type === "Account" && account === bucket.account ? "public" : permission(action, bucket, context);
    });
  const listing = (action: string) =>
    at((bucket, { Prefix, Delimiter, MaxKeys }: ListInput, context) =>
      permission(action, bucket, context, {
        conditions: () => ({
          "s3:prefix": one(Prefix),
          "s3:delimiter": one(Delimiter),
          "s3:max-keys": one(MaxKeys?.toString()),
        }),
      }),
    );
  return {
    ...Object.fromEntries(Object.entries(bucketActions).map(([name, action]) => [name, plain(action)])),
    ListBuckets: () => ({ action: "s3:ListAllMyBuckets", resource: "*" }),
    CreateBucket: creation,
    GetBucketPolicy: onPolicy("GetBucketPolicy"),
    PutBucketPolicy: onPolicy("PutBucketPolicy"),
    DeleteBucketPolicy: onPolicy("DeleteBucketPolicy"),
    ListObjects: listing("ListBucket"),
    ListObjectsV2: listing("ListBucket"),
    ListObjectVersions: listing("ListBucketVersions"),
    ...objectAccess(s3),
  };
}

/** A new bucket, with what its request asks for besides (API reference: CreateBucket, Permissions). */
function creation(input: InputOf<typeof Sdk, "CreateBucket">, context: Context): Access[] {
  const { ACL, GrantFullControl, GrantRead, GrantReadACP, GrantWrite, GrantWriteACP } = input;
  const { Tags = [], LocationConstraint } = input.CreateBucketConfiguration ?? {};
  const hasGrants = !!(GrantFullControl ?? GrantRead ?? GrantReadACP ?? GrantWrite ?? GrantWriteACP);
  const actions = [
    "CreateBucket",
    ...((ACL !== undefined && ACL !== "private") || hasGrants ? ["PutBucketAcl"] : []),
    ...(input.ObjectLockEnabledForBucket ? ["PutBucketObjectLockConfiguration", "PutBucketVersioning"] : []),
    ...(input.ObjectOwnership ? ["PutBucketOwnershipControls"] : []),
    ...(Tags.length > 0 ? ["TagResource"] : []),
  ];
  return actions.map((action) => ({
    action: `s3:${action}`,
    resource: `arn:aws:s3:::${input.Bucket || "*"}`,
    get conditions() {
      return {
        "s3:locationconstraint": one(LocationConstraint),
        ...requestKeys(context),
        ...requestTags(Object.fromEntries(Tags.map(({ Key = "", Value = "" }) => [Key, Value]))),
      };
    },
  }));
}
