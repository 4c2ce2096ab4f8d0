import type { BucketLocationConstraint } from "@aws-sdk/client-s3";
import type { Context } from "../../core/service";
import { grantsFor, ownerOf } from "./acl";
import { bucketOf, checkOwner, type S3, type S3Operations, toSecond } from "./common";
import {
  aclsWithEnforcedOwnership,
  bucketAlreadyExists,
  bucketAlreadyOwnedByYou,
  illegalLocation,
  invalidArgument,
  invalidBucketName,
  invalidLocation,
  invalidRequest,
} from "./errors";
import type { Bucket } from "./model";
import { checkedTags } from "./tags";

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
export function checkBucketName(name: string): void {
  const valid =
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) &&
    !/\.\.|^\d+\.\d+\.\d+\.\d+$/.test(name) &&
    !/^(xn--|sthree-|amzn-s3-demo-)/.test(name) &&
    !/(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$/.test(name);
  if (!valid) throw invalidBucketName(name);
}

/** The region that a CreateBucket request asks for, given the region it was sent to. */
function regionFor(constraint: string | undefined, { region }: Context): string {
  if (constraint === undefined || constraint === "") {
    if (region !== "us-east-1") throw illegalLocation(undefined);
    return region;
  }
  if (constraint === "us-east-1") throw invalidLocation(constraint);
  const wanted = constraint === "EU" ? "eu-west-1" : constraint;
  if (!/^[a-z]{2}(-[a-z]+)+-\d$/.test(wanted)) throw invalidLocation(constraint);
  // The endpoint of us-east-1 makes buckets anywhere; the others only at home.
  if (region !== "us-east-1" && wanted !== region) throw illegalLocation(constraint);
  return wanted;
}

/** Buckets themselves: create, look, list, delete. */
export const buckets = (s3: S3): S3Operations => ({
  CreateBucket(input, context) {
    const name = input.Bucket ?? "";
    checkBucketName(name);
    const { LocationConstraint, Tags, Location, Bucket: kind } = input.CreateBucketConfiguration ?? {};
    if (Location || kind?.Type) throw invalidRequest("Directory buckets are not emulated by Sensorcast.");
    const region = regionFor(LocationConstraint, context);
    const old = s3.store.find(name);
    if (old && old.account !== context.account) throw bucketAlreadyExists(name);
    // Only us-east-1 lets its owner create a bucket again (API reference: CreateBucket, BucketAlreadyOwnedByYou).
    if (old && !(region === "us-east-1" && old.region === region)) throw bucketAlreadyOwnedByYou(name);
    if (old) return { Location: `/${name}` };
    const ownership = input.ObjectOwnership ?? "BucketOwnerEnforced";
    if (!["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"].includes(ownership)) {
      throw invalidArgument("Invalid x-amz-object-ownership header: ", "x-amz-object-ownership", ownership);
    }
    const plainAcl = input.ACL === undefined || input.ACL === "private";
    if (!plainAcl && ownership === "BucketOwnerEnforced") throw aclsWithEnforcedOwnership();
    const tags = Tags?.length ? checkedTags(Tags, "Bucket") : undefined;
    const bucket = s3.store.create(name, context.account, region);
    bucket.config.ownership = ownership;
    if (tags) bucket.config.tags = [...tags];
    if (input.ObjectLockEnabledForBucket) {
      bucket.config.objectLock = { ObjectLockEnabled: "Enabled" };
      bucket.config.versioning = "Enabled";
    }
    try {
      const grants = plainAcl ? undefined : grantsFor(bucket, input);
      if (grants) bucket.config.grants = grants;
    } catch (error) {
      s3.store.remove(bucket);
      throw error;
    }
    return {
      Location: region === "us-east-1" ? `/${name}` : `http://${name}.s3.${region}.amazonaws.com/`,
      BucketArn: `arn:aws:s3:::${name}`,
    };
  },

  HeadBucket(input, context) {
    const bucket = bucketOf(s3, input, context);
    return { BucketRegion: bucket.region, BucketArn: `arn:aws:s3:::${bucket.name}`, AccessPointAlias: false };
  },

  ListBuckets(input, context) {
    const max = input.MaxBuckets ?? 10_000;
    if (!Number.isInteger(max) || max < 1 || max > 10_000) {
      throw invalidArgument("Argument max-buckets must be an integer between 1 and 10000", "max-buckets", max);
    }
    const after = input.ContinuationToken ? Buffer.from(input.ContinuationToken, "base64").toString("utf8") : "";
    const found: Bucket[] = [];
    let truncated = false;
    for (const [name, bucket] of s3.store.all()) {
      if (bucket.account !== context.account || name <= after || !name.startsWith(input.Prefix ?? "")) continue;
      if (input.BucketRegion && input.BucketRegion !== bucket.region) continue;
      truncated = found.length >= max;
      if (truncated) break;
      found.push(bucket);
    }
    const last = found.at(-1);
    return {
      Buckets: found.map(({ name, region, created }) => ({
        Name: name,
        CreationDate: toSecond(created),
        BucketRegion: region,
        BucketArn: `arn:aws:s3:::${name}`,
      })),
      Owner: ownerOf(context.account),
      ...(input.Prefix && { Prefix: input.Prefix }),
      ...(truncated && last && { ContinuationToken: Buffer.from(last.name).toString("base64") }),
    };
  },

  DeleteBucket(input, context) {
    s3.store.remove(bucketOf(s3, input, context));
    return {};
  },

  GetBucketLocation(input) {
    // Answers for buckets of every region: that is what it is for.
    const bucket = s3.store.bucket(input.Bucket ?? "");
    checkOwner(bucket, input.ExpectedBucketOwner);
    return bucket.region === "us-east-1" ? {} : { LocationConstraint: bucket.region as BucketLocationConstraint };
  },
});
