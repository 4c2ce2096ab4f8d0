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

/** `photos` in `photos.s3.localhost:4566` or `photos.s3.eu-west-1.amazonaws.com`; undefined for path-style requests. */
export function bucketOfHost(host: string): string | undefined {
  return /^(.+)\.s3[.-](?:[a-z0-9-]+\.)*(?:localhost|amazonaws\.com)(?::\d+)?$/i.exec(host)?.[1];
}
