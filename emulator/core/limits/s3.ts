import { limit, range } from "./limit";

const guide = "https://docs.aws.amazon.com/AmazonS3/latest/userguide";
const api = "https://docs.aws.amazon.com/AmazonS3/latest/API";
const tagging = `${guide}/object-tagging.html`;
const invalidTag = "`InvalidTag`";
const malformed = "`MalformedXML`";

/** Limits of Amazon S3. */
export const s3 = {
  key: limit(1_024, "bytes", "key of an object", "`KeyTooLongError`", `${guide}/object-keys.html`),
  metadata: limit(2_048, "bytes", "user metadata of an object", "`MetadataTooLarge`", `${guide}/UsingMetadata.html`),
  parts: range(1, 10_000, "", "number of a part of an upload", "`InvalidArgument`", `${guide}/qfacts.html`),
  part: limit(
    5 * 1024 * 1024,
    "bytes",
    "a part of an upload, at least; the last one may be smaller",
    "`EntityTooSmall`",
    `${guide}/qfacts.html`,
  ),
  list: limit(1_000, "", "entries of a page of a list", "`IsTruncated`", `${guide}/qfacts.html`),
  deletes: limit(1_000, "", "keys of `DeleteObjects`", malformed, `${api}/API_DeleteObjects.html`),
  lifecycleRules: limit(1_000, "", "lifecycle rules of a bucket", malformed, `${guide}/object-lifecycle-mgmt.html`),
  lifecycleRuleId: limit(
    255,
    "characters",
    "id of a lifecycle rule",
    "`InvalidArgument`",
    `${api}/API_LifecycleRule.html`,
  ),
  corsRules: limit(100, "", "CORS rules of a bucket", malformed, `${guide}/cors.html`),
  bucketPolicy: limit(20 * 1024, "bytes", "policy of a bucket", "`MalformedPolicy`", `${guide}/bucket-policies.html`),
  objectTags: limit(10, "", "tags of an object", "`BadRequest`", tagging),
  bucketTags: limit(50, "", "tags of a bucket", "`BadRequest`", `${guide}/CostAllocTagging.html`),
  tagKey: limit(128, "characters", "key of a tag", invalidTag, tagging),
  tagValue: limit(256, "characters", "value of a tag", invalidTag, tagging),
  presigned: limit(
    604_800,
    "s",
    "life of a presigned URL",
    "`AuthorizationQueryParametersError`",
    `${api}/sigv4-query-string-auth.html`,
  ),
} as const;
