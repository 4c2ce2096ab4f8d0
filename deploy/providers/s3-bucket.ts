import type { BucketLocationConstraint, ServerSideEncryptionConfiguration } from "@aws-sdk/client-s3";
import type { Bucket, BucketArgs } from "@pulumi/aws/s3";
import { InvalidInput, PartlyCreated } from "../errors";
import { documentText } from "./json";
import { tagList } from "./tags";
import { type PlainArgs, type ProviderContext, resourceType } from "./types";
import { unlessGone } from "./wait";

type Args = PlainArgs<BucketArgs>;

/** What has resources of its own in version 7 of the provider; the old inline form of the rest is still common. */
const separate = [
  ["lifecycleRules", "aws.s3.BucketLifecycleConfiguration"],
  ["replicationConfiguration", "aws.s3.BucketReplicationConfig"],
  ["website", "aws.s3.BucketWebsiteConfiguration"],
  ["logging", "aws.s3.BucketLogging"],
  ["corsRules", "aws.s3.BucketCorsConfiguration"],
] as const;

const outputs = (bucket: string, region: string) => ({
  bucket,
  arn: `arn:aws:s3:::${bucket}`,
  bucketDomainName: `${bucket}.s3.amazonaws.com`,
  bucketRegionalDomainName: `${bucket}.s3.${region}.amazonaws.com`,
  bucketRegion: region,
  hostedZoneId: "Z1BKCTXD74EZPE",
});

const encryption = (args: Args): ServerSideEncryptionConfiguration | undefined => {
  const rule = args.serverSideEncryptionConfiguration?.rule;
  const settings = rule?.applyServerSideEncryptionByDefault;
  return (
    settings && {
      Rules: [
        {
          BucketKeyEnabled: rule.bucketKeyEnabled,
          ApplyServerSideEncryptionByDefault: {
            SSEAlgorithm: settings.sseAlgorithm as "AES256",
            KMSMasterKeyID: settings.kmsMasterKeyId,
          },
        },
      ],
    }
  );
};

async function applySettings(Bucket: string, args: Args, old: Args | undefined, { clients, tags }: ProviderContext) {
  const { s3 } = clients;
  const policy = documentText("policy", args.policy);
  if (policy !== documentText("policy", old?.policy)) {
    if (policy) await s3.putBucketPolicy({ Bucket, Policy: policy });
    else await s3.deleteBucketPolicy({ Bucket });
  }
  const versioned = args.versioning?.enabled ?? false;
  if (versioned !== (old?.versioning?.enabled ?? false)) {
    await s3.putBucketVersioning({ Bucket, VersioningConfiguration: { Status: versioned ? "Enabled" : "Suspended" } });
  }
  const ServerSideEncryptionConfiguration = encryption(args);
  if (ServerSideEncryptionConfiguration) await s3.putBucketEncryption({ Bucket, ServerSideEncryptionConfiguration });
  else if (old && encryption(old)) await s3.deleteBucketEncryption({ Bucket });
  const TagSet = tagList(tags(args.tags));
  if (TagSet) await s3.putBucketTagging({ Bucket, Tagging: { TagSet } });
  else if (old && tagList(tags(old.tags))) await s3.deleteBucketTagging({ Bucket });
}

/** Deletes every object and version, as `forceDestroy` promises. */
async function empty(Bucket: string, { clients }: ProviderContext) {
  for (;;) {
    const { Versions = [], DeleteMarkers = [] } = await clients.s3.listObjectVersions({ Bucket });
    const Objects = [...Versions, ...DeleteMarkers].map(({ Key, VersionId }) => ({ Key, VersionId }));
    if (Objects.length === 0) return;
    const { Errors = [] } = await clients.s3.deleteObjects({ Bucket, Delete: { Objects, Quiet: true } });
    if (Errors[0]) throw new Error(`${Errors[0].Key} in bucket ${Bucket} cannot be deleted: ${Errors[0].Message}`);
  }
}

const bucket = resourceType<BucketArgs, Bucket>({
  autoname: { property: "bucket", max: 63, lowerCase: true },
  replaceOn: ["bucket", "bucketPrefix", "objectLockEnabled"],
  async create(args, context) {
    for (const [property, resource] of separate) {
      if (args[property]) throw new InvalidInput(`${property} on the bucket is deprecated; use ${resource}`);
    }
    const { region, clients } = context;
    const Bucket = args.bucket!;
    await clients.s3.createBucket({
      Bucket,
      ACL: args.acl as "private",
      ObjectLockEnabledForBucket: args.objectLockEnabled,
      // us-east-1 is the one region that must not be named.
      ...(region !== "us-east-1" && {
        CreateBucketConfiguration: { LocationConstraint: region as BucketLocationConstraint },
      }),
    });
    try {
      await applySettings(Bucket, args, undefined, context);
    } catch (error) {
      throw new PartlyCreated(Bucket, error);
    }
    return { id: Bucket, outputs: outputs(Bucket, region) };
  },
  async read(id, { clients, region }) {
    return (await unlessGone(clients.s3.headBucket({ Bucket: id }))) && outputs(id, region);
  },
  async update(id, args, old, context) {
    await applySettings(id, args, old.inputs, context);
    return outputs(id, context.region);
  },
  async delete(id, { inputs }, context) {
    if (inputs.forceDestroy) await empty(id, context);
    try {
      await context.clients.s3.deleteBucket({ Bucket: id });
    } catch (error) {
      if ((error as Error).name !== "BucketNotEmpty") throw error;
      throw new Error(`bucket ${id} is not empty: empty it, or set forceDestroy: true and deploy before you destroy`);
    }
  },
});

export const types = { "aws:s3/bucket:Bucket": bucket, "aws:s3/bucketV2:BucketV2": bucket };
