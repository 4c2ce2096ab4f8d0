import type { Access } from "../../core/access/access";
import type { Context } from "../../core/service";
import { policyFor } from "./access-policy";
import type { Bucket, Version } from "./model";
import type { Store } from "./store";

/** Condition keys with their values. */
export type Keys = Record<string, readonly string[] | undefined>;

/** What a permission is for, beside the bucket. */
export interface Subject {
  readonly key?: string;
  /** The version that is there: its ACL counts. */
  readonly version?: Version;
  /** Whether conditions see the version's tags. @default true */
  readonly seesTags?: boolean;
  readonly conditions?: () => Keys;
}

/** Permission for something on a bucket or, with a key, on an object. */
export function permission(action: string, bucket: Bucket, context: Context, subject: Subject = {}): Access {
  const { key, version, seesTags = true, conditions } = subject;
  return {
    action: `s3:${action}`,
    resource: key === undefined ? `arn:aws:s3:::${bucket.name}` : `arn:aws:s3:::${bucket.name}/${key}`,
    owner: bucket.account,
    policy: policyFor(bucket, version, context.identity),
    get conditions() {
      const tags = seesTags && version && !version.deleteMarker ? version.tags : [];
      return {
        ...requestKeys(context),
        ...bucketKeys(bucket),
        ...tagKeys("ExistingObjectTag", tags),
        ...conditions?.(),
      };
    },
  };
}

/** The version that a request means, or undefined. */
export function findVersion(bucket: Bucket, key: string, versionId: string | undefined): Version | undefined {
  const versions = bucket.objects.get(key);
  return versionId === undefined ? versions?.[0] : versions?.find((version) => version.versionId === versionId);
}

/** What a request asks to be deleted. */
export interface Deletion {
  readonly key: string;
  readonly versionId?: string;
  readonly ifMatch?: string;
  readonly bypass: boolean;
}

/** What it takes to delete an object or a version of it. */
export function toDelete(store: Store, bucket: Bucket, deletion: Deletion, context: Context): Access[] {
  const { key, versionId, ifMatch, bypass } = deletion;
  const version = findVersion(bucket, key, versionId);
  const conditions = () => ({ "s3:versionid": one(versionId), "s3:if-match": one(ifMatch) });
  const subject: Subject = { key, version, seesTags: false, conditions };
  if (versionId === undefined) return [permission("DeleteObject", bucket, context, subject)];
  return [
    permission("DeleteObjectVersion", bucket, context, subject),
    ...(bypass ? toBypass(store, bucket, key, version, context) : []),
  ];
}

/** What it takes to pass by a lock in governance mode. Nothing, where none is in the way. */
export function toBypass(
  store: Store,
  bucket: Bucket,
  key: string,
  version: Version | undefined,
  context: Context,
): Access[] {
  if (!version || !store.isLocked(version, false) || store.isLocked(version, true)) return [];
  return [permission("BypassGovernanceRetention", bucket, context, { key, version })];
}

export const one = (value: string | undefined): readonly string[] | undefined =>
  value === undefined ? undefined : [value];

/** A key for each of some tags, `s3:<name>/<tag>`. */
export const tagKeys = (name: string, tags: readonly { readonly Key?: string; readonly Value?: string }[]): Keys =>
  Object.fromEntries(tags.map(({ Key, Value = "" }) => [`s3:${name}/${Key}`, [Value]]));

/** The keys that every request to S3 has; those of its headers have the headers' names. */
export function requestKeys({ http, caller }: Context): Keys {
  const { headers } = http;
  const keys: Keys = {
    "s3:if-match": one(headers["if-match"]),
    "s3:if-none-match": one(headers["if-none-match"]),
  };
  for (const name in headers) if (name.startsWith("x-amz-")) keys[`s3:${name}`] = one(headers[name]);
  if (caller.accessKeyId === "") return keys;
  keys["s3:signatureversion"] = ["AWS4-HMAC-SHA256"];
  keys["s3:authType"] = [headers.authorization === undefined ? "REST-QUERY-STRING" : "REST-HEADER"];
  return keys;
}

/** Conditions see a bucket's tags once attribute-based access control is on (https://docs.aws.amazon.com/AmazonS3/latest/userguide/buckets-tagging-enable-abac.html). */
function bucketKeys({ account, config }: Bucket): Keys {
  const keys: Keys = { "s3:ResourceAccount": [account] };
  if (config.abac !== "Enabled") return keys;
  for (const { Key, Value = "" } of config.tags ?? []) {
    keys[`aws:ResourceTag/${Key}`] = [Value];
    keys[`s3:BucketTag/${Key}`] = [Value];
  }
  return keys;
}
