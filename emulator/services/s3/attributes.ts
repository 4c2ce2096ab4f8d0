import type { Grant, ObjectCannedACL, StorageClass } from "@aws-sdk/client-s3";
import { limits } from "../../core/limits";
import type { RawRequest } from "../../core/service";
import { type AclInput, grantsFor } from "./acl";
import { encryptionFor } from "./encryption";
import { invalidArgument, invalidRequest, keyTooLong, metadataTooLarge } from "./errors";
import type { Attributes, Bucket, SystemHeaders } from "./model";
import { tagsOfHeader } from "./tags";

/** The members that PutObject, CopyObject and CreateMultipartUpload have in common. */
export interface AttributeInput extends Omit<AclInput, "ACL"> {
  readonly ACL?: ObjectCannedACL;
  readonly CacheControl?: string;
  readonly ContentDisposition?: string;
  readonly ContentEncoding?: string;
  readonly ContentLanguage?: string;
  readonly ContentType?: string;
  readonly Metadata?: Record<string, string>;
  readonly StorageClass?: StorageClass;
  readonly WebsiteRedirectLocation?: string;
  readonly Tagging?: string;
  readonly ObjectLockMode?: "GOVERNANCE" | "COMPLIANCE";
  readonly ObjectLockRetainUntilDate?: Date;
  readonly ObjectLockLegalHoldStatus?: "ON" | "OFF";
  readonly ServerSideEncryption?: "AES256" | "aws:backup" | "aws:fsx" | "aws:kms" | "aws:kms:dsse";
  readonly SSEKMSKeyId?: string;
  readonly BucketKeyEnabled?: boolean;
  readonly SSECustomerAlgorithm?: string;
  readonly SSECustomerKey?: string;
  readonly SSECustomerKeyMD5?: string;
}

const storageClasses = new Set<string>([
  "STANDARD",
  "REDUCED_REDUNDANCY",
  "STANDARD_IA",
  "ONEZONE_IA",
  "INTELLIGENT_TIERING",
  "GLACIER",
  "DEEP_ARCHIVE",
  "GLACIER_IR",
]);

/** Keys have at most 1,024 bytes in UTF-8. */
export function checkKey(key: string): void {
  const size = Buffer.byteLength(key);
  if (size > limits.s3.key.value) throw keyTooLong(size);
}

/** The framing of a streamed upload is no property of the object. */
const withoutChunking = (encoding: string | undefined): string | undefined =>
  encoding
    ?.split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "aws-chunked" && part !== "")
    .join(",") || undefined;

export const defaultContentType = "binary/octet-stream";

/** The system headers of a write. */
export function systemHeaders(input: AttributeInput, http: Pick<RawRequest, "headers">): SystemHeaders {
  const headers: { -readonly [Name in keyof SystemHeaders]: SystemHeaders[Name] } = {
    ContentType: input.ContentType || defaultContentType,
  };
  if (input.CacheControl) headers.CacheControl = input.CacheControl;
  if (input.ContentDisposition) headers.ContentDisposition = input.ContentDisposition;
  if (input.ContentLanguage) headers.ContentLanguage = input.ContentLanguage;
  if (input.WebsiteRedirectLocation) headers.WebsiteRedirectLocation = checkedRedirect(input.WebsiteRedirectLocation);
  const encoding = withoutChunking(input.ContentEncoding);
  if (encoding) headers.ContentEncoding = encoding;
  if (http.headers.expires) headers.expires = http.headers.expires;
  return headers;
}

function checkedRedirect(location: string): string {
  if (/^(\/|https?:\/\/)/.test(location)) return location;
  throw invalidArgument(
    "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.",
    "x-amz-website-redirect-location",
    location,
  );
}

/** User metadata: 2 KB of names and values together. */
export function checkedMetadata(metadata: Record<string, string> = {}): Record<string, string> {
  let size = 0;
  for (const name in metadata) size += Buffer.byteLength(name) + Buffer.byteLength(metadata[name]!);
  if (size > limits.s3.metadata.value) throw metadataTooLarge(size);
  return metadata;
}

/** What an input says about the object to write; `now` decides whether a retention date has passed. */
export function attributesOf(
  bucket: Bucket,
  input: AttributeInput,
  http: Pick<RawRequest, "headers">,
  now: number,
): Attributes {
  const storageClass = input.StorageClass ?? "STANDARD";
  if (!storageClasses.has(storageClass)) throw invalidStorageClass(storageClass);
  return {
    headers: systemHeaders(input, http),
    metadata: checkedMetadata(input.Metadata),
    encryption: encryptionFor(bucket, input),
    storageClass,
    tags: tagsOfHeader(input.Tagging),
    ...grantsMember(grantsFor(bucket, input)),
    ...lockOf(bucket, input, now),
  };
}

const grantsMember = (grants: Grant[] | undefined) => grants && { grants };

const invalidStorageClass = (value: string) =>
  invalidArgument("The storage class you specified is not valid", "x-amz-storage-class", value);

/** Retention and legal hold of a new object: the request's, else the bucket's default retention. */
function lockOf(bucket: Bucket, input: AttributeInput, now: number): Pick<Attributes, "retention" | "legalHold"> {
  const { ObjectLockMode: Mode, ObjectLockRetainUntilDate: RetainUntilDate, ObjectLockLegalHoldStatus } = input;
  const { objectLock } = bucket.config;
  if (!objectLock) {
    if (Mode || RetainUntilDate || ObjectLockLegalHoldStatus) {
      throw invalidRequest("Bucket is missing Object Lock Configuration");
    }
    return {};
  }
  const hold = ObjectLockLegalHoldStatus && { legalHold: ObjectLockLegalHoldStatus };
  if (Mode || RetainUntilDate) {
    if (!Mode || !RetainUntilDate) {
      throw invalidArgument(
        "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied",
        Mode ? "x-amz-object-lock-retain-until-date" : "x-amz-object-lock-mode",
      );
    }
    if (RetainUntilDate.getTime() <= now) {
      throw invalidArgument("The retain until date must be in the future!", "x-amz-object-lock-retain-until-date");
    }
    return { retention: { Mode, RetainUntilDate }, ...hold };
  }
  const byDefault = objectLock.Rule?.DefaultRetention;
  if (!byDefault?.Mode) return { ...hold };
  const days = byDefault.Days ?? (byDefault.Years ?? 0) * 365;
  return { retention: { Mode: byDefault.Mode, RetainUntilDate: new Date(now + days * 86_400_000) }, ...hold };
}
