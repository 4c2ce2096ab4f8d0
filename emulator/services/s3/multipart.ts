import { hash, randomBytes } from "node:crypto";
import type { ChecksumAlgorithm, ChecksumType, CompletedPart } from "@aws-sdk/client-s3";
import { limits } from "../../core/limits";
import { ownerOf } from "./acl";
import { attributesOf, checkKey } from "./attributes";
import {
  type Checksum,
  chain,
  checksumMembers,
  checksumOf,
  isAlgorithm,
  verifiedChecksum,
  verifiedMd5,
} from "./checksums";
import { bucketOf, type S3, type S3Operations, shownVersion, toSecond } from "./common";
import { checkCustomerKey, encryptionMembers } from "./encryption";
import { invalidArgument, invalidRequest } from "./errors";
import { originOf } from "./events";
import { expirationHeader } from "./lifecycle-rules";
import { nameEncoder, pageSize } from "./lists";
import type { Upload, UploadedPart } from "./model";
import { completeUpload } from "./multipart-complete";
import { etagFor, sourceOf } from "./objects-write";
import { lines, takePage } from "./page";
import { copyRangeOf } from "./ranges";
import { removeUpload, uploadOf } from "./uploads";

function checkPartNumber(number: number | undefined): number {
  if (
    number !== undefined &&
    Number.isInteger(number) &&
    number >= limits.s3.parts.least &&
    number <= limits.s3.parts.value
  )
    return number;
  throw invalidArgument("Part number must be an integer between 1 and 10000, inclusive", "partNumber", number);
}

/**
 * What checksum an upload will have. CRC64NVME only covers whole objects, the SHA family and the other digests only
 * sets of parts (https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html).
 */
function checksumFor(algorithm: ChecksumAlgorithm | undefined, type: ChecksumType | undefined): Upload["checksum"] {
  if (algorithm === undefined) {
    if (type)
      throw invalidRequest("The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.");
    return undefined;
  }
  if (!isAlgorithm(algorithm)) {
    throw invalidRequest("Checksum algorithm provided is unsupported. Please try again with any of the valid types.");
  }
  const only = algorithm === "CRC64NVME" ? "FULL_OBJECT" : /^CRC32/.test(algorithm) ? undefined : "COMPOSITE";
  if (type && type !== "FULL_OBJECT" && type !== "COMPOSITE") {
    throw invalidRequest("Value for x-amz-checksum-type header is invalid.");
  }
  if (type && only && type !== only) {
    throw invalidRequest(
      `The ${type} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`,
    );
  }
  return { algorithm, type: type ?? only ?? "COMPOSITE" };
}

const uploadChecksumMembers = ({ checksum }: Upload) =>
  checksum && { ChecksumAlgorithm: checksum.algorithm, ChecksumType: checksum.type };

/** Multipart uploads (https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html). */
export const multipart = (s3: S3): S3Operations => ({
  CreateMultipartUpload(input, context) {
    const bucket = bucketOf(s3, input, context);
    const key = input.Key ?? "";
    checkKey(key);
    const checksum = checksumFor(input.ChecksumAlgorithm, input.ChecksumType);
    const upload: Upload = {
      id: randomBytes(72).toString("base64url"),
      key,
      initiated: s3.now(),
      attributes: attributesOf(bucket, input, context.http, s3.now()),
      parts: new Map(),
      ...(checksum && { checksum }),
    };
    bucket.uploads.set(key, [...(bucket.uploads.get(key) ?? []), upload]);
    return {
      Bucket: bucket.name,
      Key: key,
      UploadId: upload.id,
      ...encryptionMembers(upload.attributes.encryption),
      ...uploadChecksumMembers(upload),
    };
  },

  UploadPart(input, context) {
    const bucket = bucketOf(s3, input, context);
    const upload = uploadOf(bucket, input.Key, input.UploadId);
    const number = checkPartNumber(input.PartNumber);
    checkCustomerKey(upload.attributes.encryption, input);
    const md5 = verifiedMd5(context.http.body, input.ContentMD5);
    return chain(verifiedChecksum(context.http, upload.checksum?.algorithm ?? "CRC64NVME"), (checksum) => {
      if (upload.checksum && checksum.algorithm !== upload.checksum.algorithm) {
        throw invalidRequest(
          `Checksum Type mismatch occurred, expected checksum Type: ${upload.checksum.algorithm.toLowerCase()}, actual checksum Type: ${checksum.algorithm.toLowerCase()}`,
        );
      }
      // The upload may be gone when the checksum took its time.
      uploadOf(bucket, input.Key, input.UploadId);
      const part = addPart(s3, upload, number, context.http.body, md5, checksum);
      const { ChecksumType: _, ...members } = checksumMembers(checksum);
      return { ETag: `"${part.etag}"`, ...members, ...encryptionMembers(upload.attributes.encryption) };
    });
  },

  UploadPartCopy(input, context) {
    const bucket = bucketOf(s3, input, context);
    const upload = uploadOf(bucket, input.Key, input.UploadId);
    const number = checkPartNumber(input.PartNumber);
    checkCustomerKey(upload.attributes.encryption, input);
    const source = sourceOf(s3, input);
    const { start, end } = copyRangeOf(input.CopySourceRange, source.object.body.length);
    const body = source.object.body.subarray(start, end);
    const algorithm = upload.checksum?.algorithm ?? "CRC64NVME";
    return chain(checksumOf(algorithm, [body]), (value) => {
      uploadOf(bucket, input.Key, input.UploadId);
      const checksum: Checksum = { algorithm, value, type: "FULL_OBJECT" };
      const part = addPart(s3, upload, number, body, hash("md5", body, "hex"), checksum);
      const { ChecksumType: _, ...members } = checksumMembers(upload.checksum && checksum);
      return {
        CopyPartResult: { ETag: `"${part.etag}"`, LastModified: toSecond(part.modified), ...members },
        ...(source.bucket.config.versioning && { CopySourceVersionId: source.object.versionId }),
        ...encryptionMembers(upload.attributes.encryption),
      };
    });
  },

  CompleteMultipartUpload(input, context) {
    const bucket = bucketOf(s3, input, context);
    const upload = uploadOf(bucket, input.Key, input.UploadId);
    checkCustomerKeyOfCompletion(upload, input);
    return chain(completeUpload(s3, bucket, upload, input, originOf(context)), (object) => {
      const path = object.key.split("/").map(encodeURIComponent).join("/");
      return {
        Location: `http://${context.http.headers.host ?? "localhost"}/${bucket.name}/${path}`,
        Bucket: bucket.name,
        Key: object.key,
        ETag: `"${object.etag}"`,
        ...checksumMembers(object.checksum),
        ...encryptionMembers(object.encryption),
        ...shownVersion(bucket, object),
        ...expirationHeader(bucket, object),
      };
    });
  },

  AbortMultipartUpload(input, context) {
    const bucket = bucketOf(s3, input, context);
    removeUpload(bucket, uploadOf(bucket, input.Key, input.UploadId));
    return {};
  },

  ListParts(input, context) {
    const bucket = bucketOf(s3, input, context);
    const upload = uploadOf(bucket, input.Key, input.UploadId);
    const max = pageSize(input.MaxParts, "max-parts");
    const marker = Number(input.PartNumberMarker ?? 0);
    const parts = [...upload.parts.values()]
      .sort((a, b) => a.number - b.number)
      .filter(({ number }) => number > marker);
    const listed = parts.slice(0, max);
    const owner = ownerOf(bucket.account);
    return {
      Bucket: bucket.name,
      Key: upload.key,
      UploadId: upload.id,
      PartNumberMarker: String(marker),
      NextPartNumberMarker: String(listed.at(-1)?.number ?? 0),
      MaxParts: max,
      IsTruncated: parts.length > listed.length,
      Parts: listed.map((part) => ({
        PartNumber: part.number,
        LastModified: toSecond(part.modified),
        ETag: `"${part.etag}"`,
        Size: part.size,
        ...partChecksum(upload, part),
      })),
      Initiator: owner,
      Owner: owner,
      StorageClass: upload.attributes.storageClass,
      ...uploadChecksumMembers(upload),
    };
  },

  ListMultipartUploads(input, context) {
    const bucket = bucketOf(s3, input, context);
    const encode = nameEncoder(input.EncodingType);
    const max = pageSize(input.MaxUploads, "max-uploads");
    const { KeyMarker: keyMarker = "", UploadIdMarker: idMarker = "" } = input;
    const inclusive = keyMarker !== "" && idMarker !== "";
    const request = { prefix: input.Prefix, delimiter: input.Delimiter, after: keyMarker, inclusive };
    const page = takePage(lines(bucket.uploads, request), max, (key, uploads) =>
      inclusive && key === keyMarker ? uploads.slice(uploads.findIndex(({ id }) => id === idMarker) + 1) : uploads,
    );
    const owner = ownerOf(bucket.account);
    return {
      Bucket: bucket.name,
      KeyMarker: encode(keyMarker),
      UploadIdMarker: idMarker,
      NextKeyMarker: encode((page.truncated && page.last?.name) || ""),
      NextUploadIdMarker: (page.truncated && page.last?.item?.id) || "",
      Prefix: encode(input.Prefix ?? ""),
      ...(input.Delimiter && { Delimiter: encode(input.Delimiter) }),
      ...(input.EncodingType && { EncodingType: input.EncodingType }),
      MaxUploads: max,
      IsTruncated: page.truncated,
      Uploads: page.items.map((upload) => ({
        UploadId: upload.id,
        Key: encode(upload.key),
        Initiated: toSecond(upload.initiated),
        StorageClass: upload.attributes.storageClass,
        Owner: owner,
        Initiator: owner,
        ...uploadChecksumMembers(upload),
      })),
      CommonPrefixes: page.prefixes.map((prefix) => ({ Prefix: encode(prefix) })),
    };
  },
});

/** A completion may leave the customer's key out; a wrong one is refused. */
function checkCustomerKeyOfCompletion(upload: Upload, input: Parameters<typeof checkCustomerKey>[1]): void {
  if (input.SSECustomerKey !== undefined) checkCustomerKey(upload.attributes.encryption, input);
}

function addPart(s3: S3, upload: Upload, number: number, body: Buffer, md5: string, checksum: Checksum): UploadedPart {
  const etag = etagFor(upload.attributes.encryption, md5);
  const part: UploadedPart = { number, size: body.length, body, etag, modified: s3.now(), checksum };
  upload.parts.set(number, part);
  return part;
}

/** Parts show checksums only when the upload was created with one. */
function partChecksum(upload: Upload, part: UploadedPart): Omit<CompletedPart, "PartNumber" | "ETag"> {
  const { ChecksumType: _, ...members } = checksumMembers(upload.checksum && part.checksum);
  return members;
}
