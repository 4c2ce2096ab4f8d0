import type { _Object as ObjectEntry } from "@aws-sdk/client-s3";
import { limits } from "../../core/limits";
import { ownerOf } from "./acl";
import { bucketOf, type S3, type S3Operations, toSecond } from "./common";
import { invalidArgument } from "./errors";
import type { Bucket, StoredObject, Version } from "./model";
import { lines, takePage } from "./page";

/** Names as `encoding-type=url` writes them: form encoding, with the slashes left. */
export const urlEncoded = (name: string): string =>
  encodeURIComponent(name.toWellFormed())
    .replaceAll("%2F", "/")
    .replaceAll("%20", "+")
    .replace(/[!'()~]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

/** How names are written in the answer of a listing. */
export function nameEncoder(encodingType: string | undefined): (name: string) => string {
  if (encodingType === undefined || encodingType === "") return (name) => name;
  if (encodingType !== "url") {
    throw invalidArgument("Invalid Encoding Method specified in Request", "encoding-type", encodingType);
  }
  return urlEncoded;
}

/** A page size: 1,000 at most and unless told. */
export function pageSize(max: number | undefined, parameter: string): number {
  if (max === undefined) return limits.s3.list.value;
  if (!Number.isInteger(max) || max < 0 || max > 2_147_483_647) {
    throw invalidArgument(`Argument ${parameter} must be an integer between 0 and 2147483647`, parameter, max);
  }
  return Math.min(max, limits.s3.list.value);
}

const isCurrentObject = (versions: readonly Version[]) => !versions[0]!.deleteMarker;
const currentOf = (_: string, versions: readonly Version[]) => [versions[0] as StoredObject];

const properties = ({ etag, modified, body, storageClass, checksum }: StoredObject) => ({
  ETag: `"${etag}"`,
  LastModified: toSecond(modified),
  Size: body.length,
  StorageClass: storageClass,
  ChecksumAlgorithm: [checksum.algorithm],
  ChecksumType: checksum.type,
});

const entry = (object: StoredObject, encode: (name: string) => string): ObjectEntry => ({
  Key: encode(object.key),
  ...properties(object),
});

const commonPrefixes = (prefixes: readonly string[], encode: (name: string) => string) =>
  prefixes.length > 0 ? { CommonPrefixes: prefixes.map((prefix) => ({ Prefix: encode(prefix) })) } : {};

/** A continuation token hides the last name of a page. */
const tokenOf = (name: string) => Buffer.from(`\u0001${name}`).toString("base64");

function nameOfToken(token: string): string {
  const name = Buffer.from(token, "base64").toString("utf8");
  if (!name.startsWith("\u0001")) {
    throw invalidArgument("The continuation token provided is incorrect", "continuation-token");
  }
  return name.slice(1);
}

/** ListObjects, ListObjectsV2, ListObjectVersions. */
export const lists = (s3: S3): S3Operations => ({
  ListObjects(input, context) {
    const bucket = bucketOf(s3, input, context);
    const encode = nameEncoder(input.EncodingType);
    const max = pageSize(input.MaxKeys, "max-keys");
    const request = { prefix: input.Prefix, delimiter: input.Delimiter, after: input.Marker };
    const page = takePage(lines(bucket.objects, request, isCurrentObject), max, currentOf);
    return {
      Name: bucket.name,
      Prefix: encode(input.Prefix ?? ""),
      Marker: encode(input.Marker ?? ""),
      MaxKeys: max,
      ...(input.Delimiter && { Delimiter: encode(input.Delimiter) }),
      ...(input.EncodingType && { EncodingType: input.EncodingType }),
      IsTruncated: page.truncated,
      // Without a delimiter the client goes on from the last key itself (API reference: ListObjects, NextMarker).
      ...(page.truncated && input.Delimiter && { NextMarker: encode(page.last?.name ?? "") }),
      Contents: page.items.map((object) => ({ ...entry(object, encode), Owner: ownerOf(bucket.account) })),
      ...commonPrefixes(page.prefixes, encode),
    };
  },

  ListObjectsV2(input, context) {
    const bucket = bucketOf(s3, input, context);
    const encode = nameEncoder(input.EncodingType);
    const max = pageSize(input.MaxKeys, "max-keys");
    const token = input.ContinuationToken;
    if (token === "") throw invalidArgument("The continuation token provided is incorrect", "continuation-token");
    const after = token === undefined ? input.StartAfter : nameOfToken(token);
    const passesPrefix = token !== undefined;
    const request = { prefix: input.Prefix, delimiter: input.Delimiter, after, passesPrefix };
    const page = takePage(lines(bucket.objects, request, isCurrentObject), max, currentOf);
    const owner = input.FetchOwner ? { Owner: ownerOf(bucket.account) } : undefined;
    return {
      Name: bucket.name,
      Prefix: encode(input.Prefix ?? ""),
      ...(input.StartAfter && { StartAfter: encode(input.StartAfter) }),
      ...(token !== undefined && { ContinuationToken: token }),
      ...(page.truncated && page.last && { NextContinuationToken: tokenOf(page.last.name) }),
      KeyCount: page.items.length + page.prefixes.length,
      MaxKeys: max,
      ...(input.Delimiter && { Delimiter: encode(input.Delimiter) }),
      ...(input.EncodingType && { EncodingType: input.EncodingType }),
      IsTruncated: page.truncated,
      ...(page.items.length > 0 && { Contents: page.items.map((object) => ({ ...entry(object, encode), ...owner })) }),
      ...commonPrefixes(page.prefixes, encode),
    };
  },

  ListObjectVersions(input, context) {
    const bucket = bucketOf(s3, input, context);
    const encode = nameEncoder(input.EncodingType);
    const max = pageSize(input.MaxKeys, "max-keys");
    const { KeyMarker: keyMarker = "", VersionIdMarker: versionMarker } = input;
    if (versionMarker === "") {
      throw invalidArgument("A version-id marker cannot be empty.", "version-id-marker", "");
    }
    if (versionMarker !== undefined && keyMarker === "") {
      throw invalidArgument(
        "A version-id marker cannot be specified without a key marker.",
        "version-id-marker",
        versionMarker,
      );
    }
    const request = {
      prefix: input.Prefix,
      delimiter: input.Delimiter,
      after: keyMarker,
      inclusive: versionMarker !== undefined,
    };
    const page = takePage(lines(bucket.objects, request), max, (key, versions) =>
      key === keyMarker ? behind(versions, versionMarker) : versions,
    );
    return {
      Name: bucket.name,
      Prefix: encode(input.Prefix ?? ""),
      KeyMarker: encode(keyMarker),
      VersionIdMarker: versionMarker ?? "",
      MaxKeys: max,
      ...(input.Delimiter && { Delimiter: encode(input.Delimiter) }),
      ...(input.EncodingType && { EncodingType: input.EncodingType }),
      IsTruncated: page.truncated,
      ...(page.truncated &&
        page.last && {
          NextKeyMarker: encode(page.last.name),
          ...(page.last.item && { NextVersionIdMarker: page.last.item.versionId }),
        }),
      ...versionEntries(bucket, page.items, encode),
      ...commonPrefixes(page.prefixes, encode),
    };
  },
});

/** The versions older than the marker. When the marker itself was deleted since, nobody can tell which those are: all. */
function behind(versions: readonly Version[], marker: string | undefined): readonly Version[] {
  return versions.slice(versions.findIndex(({ versionId }) => versionId === marker) + 1);
}

function versionEntries(bucket: Bucket, versions: readonly Version[], encode: (name: string) => string) {
  const Owner = ownerOf(bucket.account);
  const identity = (version: Version) => ({
    Key: encode(version.key),
    VersionId: version.versionId,
    IsLatest: bucket.objects.get(version.key)?.[0] === version,
    LastModified: toSecond(version.modified),
    Owner,
  });
  const markers = versions.filter((version) => version.deleteMarker);
  const objects = versions.filter((version) => !version.deleteMarker);
  return {
    ...(objects.length > 0 && {
      Versions: objects.map((object) => ({
        ...properties(object),
        StorageClass: object.storageClass as "STANDARD",
        ...identity(object),
      })),
    }),
    ...(markers.length > 0 && { DeleteMarkers: markers.map(identity) }),
  };
}
