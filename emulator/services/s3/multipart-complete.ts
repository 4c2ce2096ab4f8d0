import { hash } from "node:crypto";
import type { CompletedPart, CompleteMultipartUploadCommandInput } from "@aws-sdk/client-s3";
import { limits } from "../../core/limits";
import { type Checksum, chain, checksumMember, checksumOf } from "./checksums";
import type { S3 } from "./common";
import { judgeWrite } from "./conditions";
import { badChecksum, entityTooSmall, invalidPart, invalidPartOrder, invalidRequest, malformedXml } from "./errors";
import type { Origin } from "./events";
import type { Bucket, StoredObject, Upload, UploadedPart } from "./model";
import { removeUpload, uploadOf } from "./uploads";

/** Every part but the last has at least 5 MiB (https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html). */
const smallestPart = limits.s3.part.value;

/** Puts the named parts together and stores them as one object. */
export function completeUpload(
  s3: S3,
  bucket: Bucket,
  upload: Upload,
  input: Omit<CompleteMultipartUploadCommandInput, "Bucket">,
  origin: Origin,
): StoredObject | Promise<StoredObject> {
  const parts = chosenParts(upload, input.MultipartUpload?.Parts ?? []);
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  if (input.MpuObjectSize !== undefined && input.MpuObjectSize !== size) {
    throw invalidRequest(
      `The provided 'x-amz-mp-object-size' header value ${input.MpuObjectSize} does not match what was computed: ${size}`,
    );
  }
  if (input.ChecksumType && upload.checksum && input.ChecksumType !== upload.checksum.type) {
    throw invalidRequest(
      `The upload was created using the ${upload.checksum.type} checksum mode. The complete request must use the same checksum mode.`,
    );
  }
  const body =
    parts.length === 1
      ? parts[0]!.body
      : Buffer.concat(
          parts.map((part) => part.body),
          size,
        );
  return chain(checksumOfUpload(upload, parts, body), (checksum) => {
    const given = checksumMember(input);
    if (
      given &&
      given.algorithm === checksum.algorithm &&
      given.value.replace(/-\d+$/, "") !== checksum.value.replace(/-\d+$/, "")
    ) {
      throw badChecksum(given.algorithm);
    }
    uploadOf(bucket, upload.key, upload.id);
    judgeWrite(upload.key, s3.store.current(bucket, upload.key), input);
    removeUpload(bucket, upload);
    const digests = parts.map((part) => Buffer.from(part.etag, "hex"));
    return s3.store.put(
      bucket,
      {
        ...upload.attributes,
        key: upload.key,
        body,
        etag: `${hash("md5", Buffer.concat(digests), "hex")}-${parts.length}`,
        checksum,
        // Parts are numbered anew from 1, as GetObject's partNumber counts them.
        parts: parts.map((part, index) => ({ number: index + 1, size: part.size, ...partChecksum(upload, part) })),
      },
      "CompleteMultipartUpload",
      origin,
    );
  });
}

const partChecksum = (upload: Upload, { checksum }: UploadedPart) => upload.checksum && checksum && { checksum };

function chosenParts(upload: Upload, listed: readonly CompletedPart[]): readonly UploadedPart[] {
  if (listed.length === 0) throw malformedXml();
  let previous = 0;
  const parts = listed.map((wanted) => {
    const { PartNumber = 0, ETag } = wanted;
    if (PartNumber <= previous) throw invalidPartOrder(upload.id);
    previous = PartNumber;
    const part = upload.parts.get(PartNumber);
    if (!part || ETag?.replaceAll('"', "") !== part.etag) throw invalidPart(upload.id, PartNumber, ETag);
    checkPart(upload, part, wanted);
    return part;
  });
  for (const part of parts.slice(0, -1)) {
    if (part.size < smallestPart) throw entityTooSmall(part.size, part.number, part.etag);
  }
  return parts;
}

function checkPart(upload: Upload, part: UploadedPart, wanted: CompletedPart): void {
  const given = checksumMember(wanted);
  if (given && part.checksum && given.algorithm === part.checksum.algorithm && given.value !== part.checksum.value) {
    throw invalidPart(upload.id, part.number, wanted.ETag);
  }
  if (!given && upload.checksum?.type === "COMPOSITE") {
    throw invalidRequest(
      `The upload was created using a ${upload.checksum.algorithm.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${part.number} in the request.`,
    );
  }
}

/** A composite checksum is one over the checksums of the parts; a full one is over the bytes. */
function checksumOfUpload(
  { checksum }: Upload,
  parts: readonly UploadedPart[],
  body: Buffer,
): Checksum | Promise<Checksum> {
  const { algorithm, type } = checksum ?? { algorithm: "CRC64NVME" as const, type: "FULL_OBJECT" as const };
  if (type === "FULL_OBJECT") {
    return chain(checksumOf(algorithm, [body]), (value) => ({ algorithm, type, value }));
  }
  const digests = parts.map((part) => Buffer.from(part.checksum?.value ?? "", "base64"));
  return chain(checksumOf(algorithm, [Buffer.concat(digests)]), (value) => ({
    algorithm,
    type,
    value: `${value}-${parts.length}`,
  }));
}
