import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";

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
