import type { GetObjectCommandOutput, HeadObjectCommandInput, HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import { limits } from "../../core/limits";
import type { Context } from "../../core/service";
import { checksumMembers } from "./checksums";
import { bucketOf, objectOf, type S3, type S3Operations, shownVersion, toSecond } from "./common";
import { judgeRead } from "./conditions";
import { checkCustomerKey, encryptionMembers } from "./encryption";
import { invalidArgument, invalidObjectState, invalidPartNumber, invalidRequest } from "./errors";
import { expirationHeader } from "./lifecycle-rules";
import type { Bucket, StoredObject } from "./model";
import { rangeOf, type Slice } from "./ranges";

/** GetObject, HeadObject, GetObjectAttributes. */
export const objectReads = (s3: S3): S3Operations => ({
  GetObject(input, context) {
    const bucket = bucketOf(s3, input, context);
    const object = objectOf(bucket, input.Key ?? "", input.VersionId, "GET");
    if (object.storageClass === "GLACIER" || object.storageClass === "DEEP_ARCHIVE") {
      throw invalidObjectState(object.storageClass);
    }
    const { members, slice } = read(s3, bucket, object, input, context);
    if (context.reply.status === 304) return members;
    const { start, end } = slice ?? { start: 0, end: object.body.length };
    return { ...members, Body: payload(slice ? object.body.subarray(start, end) : object.body) };
  },

  HeadObject(input, context) {
    const bucket = bucketOf(s3, input, context);
    return read(s3, bucket, objectOf(bucket, input.Key ?? "", input.VersionId, "HEAD"), input, context).members;
  },

  GetObjectAttributes(input, context) {
    const bucket = bucketOf(s3, input, context);
    const object = objectOf(bucket, input.Key ?? "", input.VersionId, "GET");
    checkCustomerKey(object.encryption, input);
    const wanted = new Set<string>(input.ObjectAttributes);
    if (wanted.size === 0) {
      throw invalidArgument(
        "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty",
        "x-amz-object-attributes",
      );
    }
    return {
      LastModified: toSecond(object.modified),
      ...shownVersion(bucket, object),
      ...(wanted.has("ETag") && { ETag: object.etag }),
      ...(wanted.has("Checksum") && { Checksum: checksumMembers(object.checksum) }),
      ...(wanted.has("StorageClass") && { StorageClass: object.storageClass }),
      ...(wanted.has("ObjectSize") && { ObjectSize: object.body.length }),
      ...(wanted.has("ObjectParts") && object.parts && { ObjectParts: partsOf(object, input) }),
    };
  },
});

/** The SDK types the body as its own stream; the protocol layer takes the bytes. */
const payload = (body: Buffer) => body as unknown as GetObjectCommandOutput["Body"];

function partsOf({ parts = [], checksum }: StoredObject, input: { MaxParts?: number; PartNumberMarker?: string }) {
  const marker = Number(input.PartNumberMarker ?? 0);
  const max = Math.min(input.MaxParts ?? limits.s3.list.value, limits.s3.list.value);
  const rest = parts.filter(({ number }) => number > marker);
  const listed = rest.slice(0, max);
  const truncated = rest.length > listed.length;
  return {
    TotalPartsCount: parts.length,
    PartNumberMarker: String(marker),
    NextPartNumberMarker: String(listed.at(-1)?.number ?? marker),
    MaxParts: max,
    IsTruncated: truncated,
    // The parts themselves are only given where they have checksums of their own (GetObjectAttributes, API reference).
    ...(checksum.type === "COMPOSITE" && {
      Parts: listed.map(({ number, size, checksum: sum }) => {
        const { ChecksumType: _, ...members } = checksumMembers(sum);
        return { PartNumber: number, Size: size, ...members };
      }),
    }),
  };
}

/** What GET and HEAD have in common: conditions, range, headers. Sets 206 and 304 as the answer's status. */
function read(
  { now }: S3,
  bucket: Bucket,
  object: StoredObject,
  input: HeadObjectCommandInput,
  { caller, reply }: Context,
): { members: Omit<HeadObjectCommandOutput, "$metadata">; slice?: Slice } {
  checkCustomerKey(object.encryption, input);
  const members = {
    ETag: `"${object.etag}"`,
    LastModified: toSecond(object.modified),
    ...shownVersion(bucket, object),
  };
  if (judgeRead(object, input, now()) === "same") {
    reply.status = 304;
    return { members };
  }
  const slice = sliceOf(object, input);
  const size = object.body.length;
  if (slice) reply.status = 206;
  if (object.headers.expires && !input.ResponseExpires) {
    reply.headers = { ...reply.headers, expires: object.headers.expires };
  }
  const { expires: _, ...headers } = object.headers;
  return {
    slice,
    members: {
      ...members,
      AcceptRanges: "bytes",
      ContentLength: slice ? slice.end - slice.start : size,
      ...(slice && size > 0 && { ContentRange: `bytes ${slice.start}-${slice.end - 1}/${size}` }),
      ...headers,
      ...overrides(input, caller.accessKeyId === ""),
      Metadata: object.metadata,
      ...encryptionMembers(object.encryption),
      ...(object.storageClass !== "STANDARD" && { StorageClass: object.storageClass }),
      ...(object.tags.length > 0 && { TagCount: object.tags.length }),
      ...(input.PartNumber !== undefined && object.parts && { PartsCount: object.parts.length }),
      ...(input.ChecksumMode === "ENABLED" && checksumsOf(object, input, slice)),
      ...expirationHeader(bucket, object),
      ...(object.legalHold && { ObjectLockLegalHoldStatus: object.legalHold }),
      ...(object.retention && {
        ObjectLockMode: object.retention.Mode,
        ObjectLockRetainUntilDate: object.retention.RetainUntilDate,
      }),
    },
  };
}

/** A range gets no checksum, for it could not be verified; a part gets its own. */
function checksumsOf(object: StoredObject, { PartNumber, Range }: HeadObjectCommandInput, slice: Slice | undefined) {
  if (PartNumber !== undefined && object.parts) {
    return checksumMembers(object.parts[PartNumber - 1]?.checksum);
  }
  return slice && Range !== undefined ? {} : checksumMembers(object.checksum);
}

function sliceOf({ body, parts }: StoredObject, { Range, PartNumber }: HeadObjectCommandInput): Slice | undefined {
  if (PartNumber === undefined) return rangeOf(Range, body.length);
  if (Range !== undefined) throw invalidRequest("Cannot specify both Range header and partNumber query parameter");
  if (!Number.isInteger(PartNumber) || PartNumber < limits.s3.parts.least || PartNumber > limits.s3.parts.value) {
    throw invalidArgument("Part number must be an integer between 1 and 10000, inclusive", "partNumber", PartNumber);
  }
  const count = parts?.length ?? 1;
  if (PartNumber > count) throw invalidPartNumber(PartNumber, count);
  if (!parts) return { start: 0, end: body.length };
  const start = parts.slice(0, PartNumber - 1).reduce((sum, part) => sum + part.size, 0);
  return { start, end: start + parts[PartNumber - 1]!.size };
}

/** The response-* parameters, which only signed requests may use. */
function overrides(input: HeadObjectCommandInput, anonymous: boolean) {
  const wanted = {
    CacheControl: input.ResponseCacheControl,
    ContentDisposition: input.ResponseContentDisposition,
    ContentEncoding: input.ResponseContentEncoding,
    ContentLanguage: input.ResponseContentLanguage,
    ContentType: input.ResponseContentType,
    Expires: input.ResponseExpires,
  };
  const found = Object.entries(wanted).filter(([, value]) => value !== undefined);
  if (found.length > 0 && anonymous) {
    throw invalidRequest("Request specific response headers cannot be used for anonymous GET requests.");
  }
  for (const [name, value] of found) {
    if (typeof value !== "string" || !notInHeader.test(value)) continue;
    const parameter = `response${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw invalidArgument("Header value cannot be represented using ISO-8859-1.", parameter, value);
  }
  return Object.fromEntries(found);
}

/** What a header cannot carry: control characters, and what is beyond ISO-8859-1. */
const notInHeader = /[^\t\x20-\x7e\x80-\xff]/;
