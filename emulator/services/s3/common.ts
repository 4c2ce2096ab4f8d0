import type * as Sdk from "@aws-sdk/client-s3";
import type { Authorizer } from "../../core/access/authorizer";
import type { Context, Operations } from "../../core/service";
import { corsHeaders } from "./cors";
import {
  accessDenied,
  deleteMarkerIsNotReadable,
  invalidArgument,
  noSuchKey,
  noSuchVersion,
  permanentRedirect,
} from "./errors";
import type { Bucket, StoredObject, Version } from "./model";
import type { Store } from "./store";

/** Operations of S3 as a group of this service implements them. */
export type S3Operations = Operations<typeof Sdk>;

/** What every group of operations works with. */
export interface S3 {
  readonly store: Store;
  readonly now: () => number;
  /** Decides about what a request does in many parts. */
  readonly authorizer: Authorizer;
}

interface BucketInput {
  readonly Bucket?: string;
  readonly ExpectedBucketOwner?: string;
}

/** The bucket that a request names, if the request may speak to it from where it comes. */
export function bucketOf({ store }: S3, input: BucketInput, context: Context): Bucket {
  const bucket = store.bucket(input.Bucket ?? "");
  // Unsigned requests name no region.
  if (context.caller.accessKeyId !== "" && context.region !== bucket.region) {
    throw permanentRedirect(bucket.name, bucket.region);
  }
  checkOwner(bucket, input.ExpectedBucketOwner);
  if (bucket.config.cors && context.http.headers.origin) {
    const headers = corsHeaders(bucket.config.cors, context.http.headers.origin, context.http.method);
    if (headers) context.reply.headers = { ...context.reply.headers, ...headers };
  }
  return bucket;
}

export function checkOwner(bucket: Bucket, expected: string | undefined): void {
  if (expected !== undefined && expected !== bucket.account) throw accessDenied();
}

/** Refuses what can be no version id. */
export function checkVersionId(versionId: string): void {
  if (versionId === "") throw invalidArgument("Version id cannot be the empty string", "versionId", "");
  if (versionId !== "null" && !/^[\w.-]{32}$/.test(versionId)) {
    throw invalidArgument("Invalid version id specified", "versionId", versionId);
  }
}

/** A version by its id, delete marker or not. */
export function versionOf(bucket: Bucket, key: string, versionId: string): Version | undefined {
  checkVersionId(versionId);
  return bucket.objects.get(key)?.find((version) => version.versionId === versionId);
}

/** The object that a read means: the named version, else the newest. */
export function objectOf(bucket: Bucket, key: string, versionId: string | undefined, method: string): StoredObject {
  const version = versionId === undefined ? bucket.objects.get(key)?.[0] : versionOf(bucket, key, versionId);
  if (!version) throw versionId === undefined ? noSuchKey(key) : noSuchVersion(key, versionId);
  if (!version.deleteMarker) return version;
  if (versionId !== undefined) {
    throw deleteMarkerIsNotReadable(method, version.versionId, new Date(version.modified).toUTCString());
  }
  throw noSuchKey(key, { "x-amz-delete-marker": "true", "x-amz-version-id": version.versionId });
}

/** The version id as answers show it: only where the bucket is or was versioned. */
export const shownVersion = (bucket: Bucket, { versionId }: Pick<Version, "versionId">) =>
  bucket.config.versioning ? { VersionId: versionId } : {};

/** S3 keeps and shows times in whole seconds. */
export const toSecond = (milliseconds: number) => new Date(milliseconds - (milliseconds % 1000));
