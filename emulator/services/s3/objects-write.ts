import { hash, randomBytes } from "node:crypto";
import type { Ports } from "../../core/bus";
import { attributesOf, checkedMetadata, checkKey, defaultContentType, systemHeaders } from "./attributes";
import { chain, checksumMembers, checksumOf, isAlgorithm, verifiedChecksum, verifiedMd5 } from "./checksums";
import { bucketOf, checkOwner, objectOf, type S3, type S3Operations, shownVersion, toSecond } from "./common";
import { judgeCopySource, judgeWrite } from "./conditions";
import { checkCustomerKey, encryptionMembers } from "./encryption";
import { invalidArgument, invalidObjectState, invalidRequest, noSuchBucket } from "./errors";
import { originOf } from "./events";
import { expirationHeader } from "./lifecycle-rules";
import type { Attributes, Bucket, Encryption, StoredObject } from "./model";
import type { Store } from "./store";

/** The entity tag is the body's MD5 only where S3 holds the key itself (API reference: Object, ETag). */
export const etagFor = ({ ServerSideEncryption }: Encryption, md5: string): string =>
  ServerSideEncryption === "AES256" ? md5 : randomBytes(16).toString("hex");

/** Stores a body for another service: as PutObject does without any header. */
export function putPlain(
  store: Store,
  bucket: Bucket,
  key: string,
  body: Buffer,
  { contentType, metadata, acl }: NonNullable<Parameters<Ports["s3"]["putObject"]>[3]>,
  now: number,
): StoredObject | Promise<StoredObject> {
  checkKey(key);
  const input = { ContentType: contentType ?? defaultContentType, Metadata: metadata, ACL: acl };
  const attributes = attributesOf(bucket, input, { headers: {} }, now);
  return chain(checksumOf("CRC64NVME", [body]), (value) =>
    store.put(
      bucket,
      {
        ...attributes,
        key,
        body,
        etag: etagFor(attributes.encryption, hash("md5", body, "hex")),
        checksum: { algorithm: "CRC64NVME", value, type: "FULL_OBJECT" },
      },
      "Put",
      { requester: bucket.account, sourceIp: "127.0.0.1" },
    ),
  );
}

/** Where a copy comes from: `bucket/key`, with or without a slash in front, percent-encoded, `?versionId=` behind it. */
export interface CopySource {
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string;
}

/** Reads the header of a copy; undefined for what names no bucket and key. */
export function parseCopySource(text: string): CopySource | undefined {
  const [, path = "", versionId] = /^\/?(.*?)(?:\?versionId=(.*))?$/s.exec(text) ?? [];
  let decoded: string;
  try {
    decoded = decodeURIComponent(path.replaceAll("+", "%20"));
  } catch {
    return undefined;
  }
  const slash = decoded.indexOf("/");
  if (slash < 1 || slash === decoded.length - 1) return undefined;
  return {
    bucket: decoded.slice(0, slash),
    key: decoded.slice(slash + 1),
    ...(versionId !== undefined && { versionId }),
  };
}

function readCopySource(text: string): CopySource {
  const source = parseCopySource(text);
  if (source) return source;
  throw invalidArgument(
    "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
    "x-amz-copy-source",
    text,
  );
}

/** The members of a copy that speak of its source. */
export interface CopySourceInput {
  readonly CopySource?: string;
  readonly CopySourceIfMatch?: string;
  readonly CopySourceIfNoneMatch?: string;
  readonly CopySourceIfModifiedSince?: Date;
  readonly CopySourceIfUnmodifiedSince?: Date;
  readonly CopySourceSSECustomerAlgorithm?: string;
  readonly CopySourceSSECustomerKey?: string;
  readonly CopySourceSSECustomerKeyMD5?: string;
  readonly ExpectedSourceBucketOwner?: string;
}

/** Finds the source of a copy and judges it against the request's conditions. */
export function sourceOf({ store, now }: S3, input: CopySourceInput): { bucket: Bucket; object: StoredObject } {
  const { bucket: name, key, versionId } = readCopySource(input.CopySource ?? "");
  const bucket = store.find(name);
  if (!bucket) throw noSuchBucket(name);
  checkOwner(bucket, input.ExpectedSourceBucketOwner);
  const named =
    versionId === undefined ? undefined : bucket.objects.get(key)?.find((version) => version.versionId === versionId);
  if (named?.deleteMarker) {
    throw invalidRequest("The source of a copy request may not specifically refer to a delete marker by version id.");
  }
  const object = objectOf(bucket, key, versionId, "GET");
  if (object.storageClass === "GLACIER" || object.storageClass === "DEEP_ARCHIVE") {
    throw invalidObjectState(object.storageClass);
  }
  checkCustomerKey(object.encryption, {
    SSECustomerAlgorithm: input.CopySourceSSECustomerAlgorithm,
    SSECustomerKey: input.CopySourceSSECustomerKey,
    SSECustomerKeyMD5: input.CopySourceSSECustomerKeyMD5,
  });
  judgeCopySource(
    object,
    {
      IfMatch: input.CopySourceIfMatch,
      IfNoneMatch: input.CopySourceIfNoneMatch,
      IfModifiedSince: input.CopySourceIfModifiedSince,
      IfUnmodifiedSince: input.CopySourceIfUnmodifiedSince,
    },
    now(),
  );
  return { bucket, object };
}

/** PutObject and CopyObject. */
export const objectWrites = (s3: S3): S3Operations => ({
  PutObject(input, context) {
    const bucket = bucketOf(s3, input, context);
    const key = input.Key ?? "";
    checkKey(key);
    if (input.WriteOffsetBytes !== undefined) {
      throw invalidRequest("Appending to an object is only possible in directory buckets");
    }
    const { http } = context;
    const attributes = attributesOf(bucket, input, http, s3.now());
    const md5 = verifiedMd5(http.body, input.ContentMD5);
    return chain(verifiedChecksum(http, "CRC64NVME"), (checksum) => {
      judgeWrite(key, s3.store.current(bucket, key), input);
      const object = s3.store.put(
        bucket,
        { ...attributes, key, body: http.body, etag: etagFor(attributes.encryption, md5), checksum },
        "Put",
        originOf(context),
      );
      return {
        ETag: `"${object.etag}"`,
        ...checksumMembers(checksum),
        ...encryptionMembers(object.encryption),
        ...shownVersion(bucket, object),
        ...expirationHeader(bucket, object),
      };
    });
  },

  CopyObject(input, context) {
    const bucket = bucketOf(s3, input, context);
    const key = input.Key ?? "";
    checkKey(key);
    const source = sourceOf(s3, input);
    const replacesMetadata = directive(input.MetadataDirective, "x-amz-metadata-directive") === "REPLACE";
    const replacesTags = directive(input.TaggingDirective, "x-amz-tagging-directive") === "REPLACE";
    const changes =
      replacesMetadata ||
      input.StorageClass ||
      input.WebsiteRedirectLocation ||
      input.ServerSideEncryption ||
      input.SSECustomerAlgorithm ||
      readCopySource(input.CopySource ?? "").versionId !== undefined;
    if (source.bucket === bucket && source.object.key === key && !changes) {
      throw invalidRequest(
        "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
      );
    }
    const given = attributesOf(bucket, input, context.http, s3.now());
    const attributes: Attributes = {
      ...given,
      tags: replacesTags ? given.tags : source.object.tags,
      metadata: replacesMetadata ? checkedMetadata(input.Metadata) : source.object.metadata,
      headers: replacesMetadata
        ? systemHeaders(input, context.http)
        : withRedirect(source.object, input.WebsiteRedirectLocation),
    };
    const { body, checksum: old } = source.object;
    if (input.ChecksumAlgorithm && !isAlgorithm(input.ChecksumAlgorithm)) {
      throw invalidRequest("Checksum algorithm provided is unsupported. Please try again with any of the valid types.");
    }
    const algorithm = input.ChecksumAlgorithm ?? old.algorithm;
    const same = algorithm === old.algorithm && old.type === "FULL_OBJECT";
    return chain(same ? old.value : checksumOf(algorithm, [body]), (value) => {
      judgeWrite(key, s3.store.current(bucket, key), input);
      const etag = etagFor(attributes.encryption, hash("md5", body, "hex"));
      const object = s3.store.put(
        bucket,
        { ...attributes, key, body, etag, checksum: { algorithm, value, type: "FULL_OBJECT" } },
        "Copy",
        originOf(context),
      );
      return {
        CopyObjectResult: {
          ETag: `"${object.etag}"`,
          LastModified: toSecond(object.modified),
          ...checksumMembers(object.checksum),
        },
        ...(source.bucket.config.versioning && { CopySourceVersionId: source.object.versionId }),
        ...shownVersion(bucket, object),
        ...encryptionMembers(object.encryption),
        ...expirationHeader(bucket, object),
      };
    });
  },
});

/** A redirect is never copied along (API reference: CopyObject). */
function withRedirect({ headers }: StoredObject, redirect: string | undefined) {
  const { WebsiteRedirectLocation: _, ...rest } = headers;
  return redirect ? { ...rest, WebsiteRedirectLocation: redirect } : rest;
}

function directive(value: string | undefined, header: string): string {
  if (value === undefined || value === "COPY" || value === "REPLACE") return value ?? "COPY";
  throw invalidArgument(`Unknown ${header.replace("x-amz-", "").replace("-", " ")}.`, header, value);
}
