import { createHash, hash } from "node:crypto";
import { crc32 } from "node:zlib";
import { Crc32cJs, Crc64NvmeJs } from "@aws-sdk/checksums/crc";
import { Xxh3_64, Xxh3_128, Xxh64 } from "@aws-sdk/checksums/xxh";
import type { ChecksumAlgorithm, ChecksumType } from "@aws-sdk/client-s3";
import type { RawRequest } from "../../core/service";
import { badChecksum, badMd5, invalidDigest, invalidRequest } from "./errors";

/** A checksum as S3 keeps it with an object or a part. */
export interface Checksum {
  readonly algorithm: ChecksumAlgorithm;
  /** Base64; a composite one ends in `-<parts>`. */
  readonly value: string;
  readonly type: ChecksumType;
}

interface Hasher {
  update(data: Uint8Array): void;
  digest(): Promise<Uint8Array>;
}

/** How long each digest is, in bytes; also the list of what S3 knows. */
const lengths: Record<ChecksumAlgorithm, number> = {
  CRC32: 4,
  CRC32C: 4,
  CRC64NVME: 8,
  SHA1: 20,
  SHA256: 32,
  SHA512: 64,
  MD5: 16,
  XXHASH64: 8,
  XXHASH3: 8,
  XXHASH128: 16,
};

export const algorithms = Object.keys(lengths) as ChecksumAlgorithm[];

const headerNames = algorithms.map((algorithm) => [algorithm, `x-amz-checksum-${algorithm.toLowerCase()}`] as const);

export const isAlgorithm = (text: string): text is ChecksumAlgorithm => text in lengths;

const hashers: Partial<Record<ChecksumAlgorithm, new () => Hasher>> = {
  CRC32C: Crc32cJs,
  CRC64NVME: Crc64NvmeJs,
  XXHASH64: Xxh64,
  XXHASH3: Xxh3_64,
  XXHASH128: Xxh3_128,
};

/**
 * The base64 checksum of some chunks as one body. What Node computes itself comes at once; the others (of the AWS SDK's
 * own checksum package) as a promise.
 */
export function checksumOf(algorithm: ChecksumAlgorithm, chunks: readonly Uint8Array[]): string | Promise<string> {
  if (algorithm === "CRC32") {
    const digest = Buffer.allocUnsafe(4);
    digest.writeUInt32BE(chunks.reduce((value, chunk) => crc32(chunk, value), 0));
    return digest.toString("base64");
  }
  const Hash = hashers[algorithm];
  if (!Hash) {
    const name = algorithm.toLowerCase();
    if (chunks.length === 1) return hash(name, chunks[0]!, "base64");
    const sum = createHash(name);
    for (const chunk of chunks) sum.update(chunk);
    return sum.digest("base64");
  }
  const sum = new Hash();
  for (const chunk of chunks) sum.update(chunk);
  return sum.digest().then((digest) => Buffer.from(digest).toString("base64"));
}

/** The input and output members that carry a checksum: `ChecksumCRC32` ... */
export type ChecksumMembers = { [Name in `Checksum${ChecksumAlgorithm}`]?: string };

const memberNames = Object.fromEntries(algorithms.map((algorithm) => [algorithm, `Checksum${algorithm}`])) as {
  [Name in ChecksumAlgorithm]: `Checksum${Name}`;
};

/** A checksum as output members; nothing when there is none. */
export function checksumMembers(checksum: Checksum | undefined): ChecksumMembers & { ChecksumType?: ChecksumType } {
  return checksum ? { [memberNames[checksum.algorithm]]: checksum.value, ChecksumType: checksum.type } : {};
}

/** The one checksum among an input's members, if any. */
export function checksumMember(input: ChecksumMembers): { algorithm: ChecksumAlgorithm; value: string } | undefined {
  for (const algorithm of algorithms) {
    const value = input[memberNames[algorithm]];
    if (value !== undefined) return { algorithm, value };
  }
  return undefined;
}

/** The checksum that a request declares, in a header or in a trailer. */
export function declaredChecksum({
  headers,
  trailers,
}: Pick<RawRequest, "headers" | "trailers">): { algorithm: ChecksumAlgorithm; value: string } | undefined {
  let found: { algorithm: ChecksumAlgorithm; value: string } | undefined;
  for (const [algorithm, name] of headerNames) {
    const value = headers[name] ?? trailers[name];
    if (value === undefined) continue;
    if (found) {
      throw invalidRequest("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.");
    }
    if (Buffer.from(value, "base64").length !== lengths[algorithm]) {
      throw invalidRequest(`Value for ${name} header is invalid.`);
    }
    found = { algorithm, value };
  }
  const announced = headers["x-amz-sdk-checksum-algorithm"];
  // SDKs announce MD5 and then send Content-MD5.
  const isMd5 = announced === "MD5" && headers["content-md5"] !== undefined;
  if (announced && !found && !isMd5) {
    throw invalidRequest(
      "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.",
    );
  }
  return found;
}

/** Holds a body against the Content-MD5 that came with it. Gives the body's MD5 in hex. */
export function verifiedMd5(body: Buffer, contentMd5: string | undefined): string {
  const md5 = hash("md5", body, "hex");
  if (contentMd5 === undefined) return md5;
  const expected = Buffer.from(contentMd5, "base64");
  if (expected.length !== 16) throw invalidDigest(contentMd5);
  if (expected.toString("hex") !== md5) throw badMd5(contentMd5, Buffer.from(md5, "hex").toString("base64"));
  return md5;
}

/** Holds a body against the checksum that the request declares, and gives it; `otherwise` is computed when there is none. */
export function verifiedChecksum(http: RawRequest, otherwise: ChecksumAlgorithm): Checksum | Promise<Checksum> {
  const declared = declaredChecksum(http);
  const algorithm = declared?.algorithm ?? otherwise;
  const settle = (value: string): Checksum => {
    if (declared && declared.value !== value) throw badChecksum(algorithm);
    return { algorithm, value, type: "FULL_OBJECT" };
  };
  const value = checksumOf(algorithm, [http.body]);
  return typeof value === "string" ? settle(value) : value.then(settle);
}

/** Runs `next` at once when there is nothing to wait for: most requests carry a checksum that Node computes itself. */
export const chain = <T, R>(value: T | Promise<T>, next: (value: T) => R): R | Promise<Awaited<R>> =>
  value instanceof Promise ? (value.then(next) as Promise<Awaited<R>>) : next(value);

/** Verifies the body of a request that carries XML or JSON. `required` is for operations that insist on a checksum. */
export function verifyDocument(http: RawRequest, required = false): void | Promise<void> {
  const md5 = http.headers["content-md5"];
  if (md5 !== undefined) verifiedMd5(http.body, md5);
  const declared = declaredChecksum(http);
  if (!declared) {
    if (required && md5 === undefined) {
      throw invalidRequest("Missing required header for this request: Content-MD5 OR x-amz-checksum-*");
    }
    return;
  }
  return chain(checksumOf(declared.algorithm, [http.body]), (value) => {
    if (value !== declared.value) throw badChecksum(declared.algorithm);
  });
}
