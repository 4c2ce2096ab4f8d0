import { AwsError } from "../../core/errors";
import type { Context } from "../../core/service";
import { defaultGrants, ownerOf, requestedGrants } from "./acl";
import { chain, verifyDocument } from "./checksums";
import { bucketOf, type S3, type S3Operations } from "./common";
import {
  accessDenied,
  invalidArgument,
  invalidBucketState,
  invalidRequest,
  malformedXml,
  type notConfigured,
  notFound,
} from "./errors";
import { checkedRules } from "./lifecycle-rules";
import type { Bucket } from "./model";
import type { Notifications } from "./notification-delivery";
import { checkedNotifications } from "./notifications";
import { isPublic, readBucketPolicy } from "./policy";
import { defaultEncryption } from "./store";
import { checkedTags } from "./tags";

interface BucketInput {
  readonly Bucket?: string;
  readonly ExpectedBucketOwner?: string;
}

/** Runs a change of a bucket's configuration once the request's body has been verified. */
export const change = <Result>(
  s3: S3,
  input: BucketInput,
  context: Context,
  apply: (bucket: Bucket) => Result,
): Result | Promise<Awaited<Result>> => {
  const bucket = bucketOf(s3, input, context);
  return chain(verifyDocument(context.http), () => apply(bucket));
};

/** A sub-resource that must be there to be read. */
const configured = <Value>(value: Value | undefined, what: keyof typeof notConfigured, bucket: Bucket): Value => {
  if (value === undefined) throw notFound(what, bucket.name);
  return value;
};

const canHaveStatus = (status: unknown, allowed: readonly string[]) => {
  if (!allowed.includes(String(status))) throw malformedXml();
};

/** Who may do what with a bucket: policy, ACL, public access, ownership, tags; and the rules of its life. */
export const bucketConfig = (s3: S3, notifications: Notifications, watchLifecycle: () => void): S3Operations => ({
  GetBucketVersioning(input, context) {
    const { versioning } = bucketOf(s3, input, context).config;
    return versioning ? { Status: versioning } : {};
  },
  PutBucketVersioning: (input, context) =>
    change(s3, input, context, ({ config }) => {
      const { Status, MFADelete } = input.VersioningConfiguration ?? {};
      canHaveStatus(Status, ["Enabled", "Suspended"]);
      if (MFADelete === "Enabled") throw invalidRequest("MFA delete is not emulated by Sensorcast.");
      if (Status === "Suspended" && config.objectLock) {
        throw invalidBucketState(
          "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
        );
      }
      config.versioning = Status;
      return {};
    }),

  GetBucketPolicy(input, context) {
    const bucket = bucketOf(s3, input, context);
    return { Policy: configured(bucket.config.policy, "policy", bucket) };
  },
  PutBucketPolicy: (input, context) =>
    change(s3, input, context, (bucket) => {
      const policy = readBucketPolicy(input.Policy ?? "", bucket.name);
      if (bucket.config.publicAccessBlock?.BlockPublicPolicy && isPublic(policy)) {
        throw accessDenied(
          `User is not authorized to perform: s3:PutBucketPolicy on resource: "arn:aws:s3:::${bucket.name}" because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.`,
        );
      }
      bucket.config.policy = input.Policy;
      return {};
    }),
  DeleteBucketPolicy(input, context) {
    delete bucketOf(s3, input, context).config.policy;
    return {};
  },
  GetBucketPolicyStatus(input, context) {
    const bucket = bucketOf(s3, input, context);
    const policy = readBucketPolicy(configured(bucket.config.policy, "policy", bucket), bucket.name);
    return { PolicyStatus: { IsPublic: isPublic(policy) } };
  },

  GetPublicAccessBlock(input, context) {
    const bucket = bucketOf(s3, input, context);
    return {
      PublicAccessBlockConfiguration: configured(bucket.config.publicAccessBlock, "publicAccessBlock", bucket),
    };
  },
  PutPublicAccessBlock: (input, context) =>
    change(s3, input, context, ({ config }) => {
      const wanted = input.PublicAccessBlockConfiguration;
      if (!wanted) throw malformedXml();
      config.publicAccessBlock = {
        BlockPublicAcls: wanted.BlockPublicAcls ?? false,
        IgnorePublicAcls: wanted.IgnorePublicAcls ?? false,
        BlockPublicPolicy: wanted.BlockPublicPolicy ?? false,
        RestrictPublicBuckets: wanted.RestrictPublicBuckets ?? false,
      };
      return {};
    }),
  DeletePublicAccessBlock(input, context) {
    delete bucketOf(s3, input, context).config.publicAccessBlock;
    return {};
  },

  GetBucketOwnershipControls(input, context) {
    const bucket = bucketOf(s3, input, context);
    const ObjectOwnership = configured(bucket.config.ownership, "ownership", bucket);
    return { OwnershipControls: { Rules: [{ ObjectOwnership }] } };
  },
  PutBucketOwnershipControls: (input, context) =>
    change(s3, input, context, ({ config, account }) => {
      const [rule, ...more] = input.OwnershipControls?.Rules ?? [];
      if (more.length > 0) throw malformedXml();
      canHaveStatus(rule?.ObjectOwnership, ["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"]);
      const own = JSON.stringify(defaultGrants(account));
      if (rule?.ObjectOwnership === "BucketOwnerEnforced" && config.grants && JSON.stringify(config.grants) !== own) {
        throw new AwsError(
          "InvalidBucketAclWithObjectOwnership",
          "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
          400,
        );
      }
      config.ownership = rule?.ObjectOwnership;
      return {};
    }),
  DeleteBucketOwnershipControls(input, context) {
    delete bucketOf(s3, input, context).config.ownership;
    return {};
  },

  GetBucketAcl(input, context) {
    const { account, config } = bucketOf(s3, input, context);
    return { Owner: ownerOf(account), Grants: config.grants ?? defaultGrants(account) };
  },
  PutBucketAcl: (input, context) =>
    change(s3, input, context, (bucket) => {
      bucket.config.grants = requestedGrants(bucket, input);
      return {};
    }),

  GetBucketTagging(input, context) {
    const bucket = bucketOf(s3, input, context);
    return { TagSet: configured(bucket.config.tags, "tagging", bucket) };
  },
  PutBucketTagging: (input, context) =>
    change(s3, input, context, ({ config }) => {
      const tags = checkedTags(input.Tagging?.TagSet ?? [], "Bucket");
      // An empty set is none (GetBucketTagging then answers NoSuchTagSet).
      if (tags.length > 0) config.tags = [...tags];
      else delete config.tags;
      return {};
    }),
  DeleteBucketTagging(input, context) {
    delete bucketOf(s3, input, context).config.tags;
    return {};
  },

  GetBucketEncryption(input, context) {
    return { ServerSideEncryptionConfiguration: bucketOf(s3, input, context).config.encryption };
  },
  PutBucketEncryption: (input, context) =>
    change(s3, input, context, ({ config }) => {
      const rules = input.ServerSideEncryptionConfiguration?.Rules;
      if (rules?.length !== 1) throw malformedXml();
      const [rule] = rules;
      const wanted = rule?.ApplyServerSideEncryptionByDefault;
      if (wanted) canHaveStatus(wanted.SSEAlgorithm, ["AES256", "aws:kms", "aws:kms:dsse"]);
      if (wanted?.SSEAlgorithm === "AES256" && wanted.KMSMasterKeyID) {
        throw invalidArgument(
          "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse",
          "ApplyServerSideEncryptionByDefault",
        );
      }
      config.encryption = {
        Rules: [
          {
            ApplyServerSideEncryptionByDefault: wanted ?? { SSEAlgorithm: "AES256" },
            BucketKeyEnabled: rule?.BucketKeyEnabled ?? false,
            ...(rule?.BlockedEncryptionTypes
              ? { BlockedEncryptionTypes: rule.BlockedEncryptionTypes }
              : { BlockedEncryptionTypes: config.encryption.Rules?.[0]?.BlockedEncryptionTypes }),
          },
        ],
      };
      return {};
    }),
  DeleteBucketEncryption(input, context) {
    // What remains is what every bucket has.
    bucketOf(s3, input, context).config.encryption = defaultEncryption();
    return {};
  },

  GetBucketLifecycleConfiguration(input, context) {
    const bucket = bucketOf(s3, input, context);
    return {
      Rules: configured(bucket.config.lifecycle, "lifecycle", bucket),
      TransitionDefaultMinimumObjectSize: bucket.config.transitionMinimum ?? "all_storage_classes_128K",
    };
  },
  PutBucketLifecycleConfiguration: (input, context) =>
    change(s3, input, context, ({ config }) => {
      config.lifecycle = checkedRules(input.LifecycleConfiguration?.Rules);
      config.transitionMinimum = input.TransitionDefaultMinimumObjectSize ?? "all_storage_classes_128K";
      watchLifecycle();
      return { TransitionDefaultMinimumObjectSize: config.transitionMinimum };
    }),
  DeleteBucketLifecycle(input, context) {
    delete bucketOf(s3, input, context).config.lifecycle;
    return {};
  },

  GetBucketNotificationConfiguration(input, context) {
    return bucketOf(s3, input, context).config.notification;
  },
  async PutBucketNotificationConfiguration(input, context) {
    const bucket = bucketOf(s3, input, context);
    await verifyDocument(context.http);
    const config = checkedNotifications(input.NotificationConfiguration ?? {});
    if (!input.SkipDestinationValidation) await notifications.validate(bucket, config);
    bucket.config.notification = config;
    if (!input.SkipDestinationValidation) notifications.test(bucket, config, context.requestId);
    return {};
  },
});
