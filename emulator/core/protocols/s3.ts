import { AwsError } from "../errors";
import type { Match } from "./rest-router";
import type { WireRequest } from "./wire";

/**
 * Operations of S3 that share method and path with another and are told apart by what the model does not mark as part
 * of the address: a required query parameter or header (https://docs.aws.amazon.com/AmazonS3/latest/API).
 */
const requirements: Record<string, { query?: readonly string[]; header?: string }> = {
  UploadPart: { query: ["partNumber", "uploadId"] },
  UploadPartCopy: { query: ["partNumber", "uploadId"], header: "x-amz-copy-source" },
  CopyObject: { header: "x-amz-copy-source" },
  ListParts: { query: ["uploadId"] },
  AbortMultipartUpload: { query: ["uploadId"] },
  CompleteMultipartUpload: { query: ["uploadId"] },
  GetBucketAnalyticsConfiguration: { query: ["id"] },
  GetBucketInventoryConfiguration: { query: ["id"] },
  GetBucketMetricsConfiguration: { query: ["id"] },
  GetBucketIntelligentTieringConfiguration: { query: ["id"] },
};

/** Operations on the account, not on a bucket. */
const withoutBucket = new Set(["ListBuckets", "ListDirectoryBuckets"]);

export const s3Error = {
  invalidUri: () => new AwsError("InvalidURI", "Couldn't parse the specified URI."),
  /** What other REST services call a SerializationException. */
  invalidArgument: (message: string) => new AwsError("InvalidArgument", message),
  methodNotAllowed: () =>
    new AwsError("MethodNotAllowed", "The specified method is not allowed against this resource.", 405),
};

/** Picks the operation whose demands on bucket, query and headers the request meets; the most demanding wins. */
export function chooseS3(matches: Iterable<Match>, request: WireRequest, query: URLSearchParams): Match | undefined {
  let best: { match: Match; score: number } | undefined;
  for (const match of matches) {
    const { name, http } = match.operation;
    if (withoutBucket.has(name) !== (request.bucket === undefined)) continue;
    const { query: wanted = [], header } = requirements[name] ?? {};
    if (!wanted.every((parameter) => query.has(parameter))) continue;
    if (header && request.headers[header] === undefined) continue;
    const score = (http?.query.length ?? 0) * 10 + wanted.length + (header ? 1 : 0);
    if (!best || score > best.score) best = { match, score };
  }
  return best?.match;
}

/**
 * `photos` in `photos.s3.localhost:4566`, `photos.s3.eu-west-1.amazonaws.com` and `photos.localhost:4566` (what SDKs make
 * of the endpoint `http://localhost:4566`); undefined for path-style requests.
 */
export function bucketOfHost(host: string): string | undefined {
  const labelled = /^(.+)\.s3[.-](?:[a-z0-9-]+\.)*(?:localhost|localstack\.cloud|amazonaws\.com)(?::\d+)?$/i.exec(
    host,
  )?.[1];
  return labelled ?? /^((?!s3\.)[a-z0-9][a-z0-9.-]+)\.localhost(?::\d+)?$/.exec(host)?.[1];
}

/**
 * Splits a path-style address into bucket and the rest.
 *
 * @throws AwsError InvalidURI when the bucket is not valid percent-encoding.
 */
export function splitBucket(path: string): { bucket?: string; path: string } {
  const [, bucket = "", ...rest] = path.split("/");
  if (bucket === "") return { path };
  try {
    return { bucket: decodeURIComponent(bucket), path: `/${rest.join("/")}` };
  } catch {
    throw s3Error.invalidUri();
  }
}
