import { AwsError } from "../../core/errors";
import { limits } from "../../core/limits";

/** S3's error codes, statuses and extra XML members: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
type Fields = Record<string, string | number | undefined>;

const error = (code: string, status: number, message: string, fields?: Fields, headers?: Record<string, string>) =>
  new AwsError(code, message, status, { fields, headers });

export const internalError = () => error("InternalError", 500, "We encountered an internal error. Please try again.");

export const noSuchBucket = (BucketName: string) =>
  error("NoSuchBucket", 404, "The specified bucket does not exist", { BucketName });

export const bucketAlreadyExists = (BucketName: string) =>
  error(
    "BucketAlreadyExists",
    409,
    "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.",
    { BucketName },
  );

export const bucketAlreadyOwnedByYou = (BucketName: string) =>
  error(
    "BucketAlreadyOwnedByYou",
    409,
    "Your previous request to create the named bucket succeeded and you already own it.",
    { BucketName },
  );

export const bucketNotEmpty = (BucketName: string, versioned: boolean) =>
  error(
    "BucketNotEmpty",
    409,
    `The bucket you tried to delete is not empty${versioned ? ". You must delete all versions in the bucket." : ""}`,
    { BucketName },
  );

export const invalidBucketName = (BucketName: string) =>
  error("InvalidBucketName", 400, "The specified bucket is not valid.", { BucketName });

export const illegalLocation = (constraint: string | undefined) =>
  error(
    "IllegalLocationConstraintException",
    400,
    `The ${constraint ?? "unspecified"} location constraint is incompatible for the region specific endpoint this request was sent to.`,
  );

export const invalidLocation = (LocationConstraint: string) =>
  error("InvalidLocationConstraint", 400, "The specified location-constraint is not valid", { LocationConstraint });

export const permanentRedirect = (Bucket: string, region: string) =>
  error(
    "PermanentRedirect",
    301,
    "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.",
    { Endpoint: `s3.${region}.amazonaws.com`, Bucket },
    { "x-amz-bucket-region": region },
  );

export const invalidBucketState = (message: string) => error("InvalidBucketState", 409, message);

export const noSuchKey = (Key: string, headers?: Record<string, string>) =>
  error("NoSuchKey", 404, "The specified key does not exist.", { Key }, headers);

export const noSuchVersion = (Key: string, VersionId: string) =>
  error("NoSuchVersion", 404, "The specified version does not exist.", { Key, VersionId });

export const deleteMarkerIsNotReadable = (Method: string, versionId: string, lastModified: string) =>
  error(
    "MethodNotAllowed",
    405,
    "The specified method is not allowed against this resource.",
    { Method, ResourceType: "DeleteMarker" },
    { "x-amz-delete-marker": "true", "x-amz-version-id": versionId, allow: "DELETE", "last-modified": lastModified },
  );

export const keyTooLong = (Size: number) =>
  error("KeyTooLongError", 400, "Your key is too long", { Size, MaxSizeAllowed: limits.s3.key.value });

export const metadataTooLarge = (Size: number) =>
  error("MetadataTooLarge", 400, "Your metadata headers exceed the maximum allowed metadata size", {
    Size,
    MaxSizeAllowed: limits.s3.metadata.value,
  });

export const invalidArgument = (message: string, ArgumentName: string, ArgumentValue?: string | number) =>
  error("InvalidArgument", 400, message, { ArgumentName, ArgumentValue });

export const invalidRequest = (message: string) => error("InvalidRequest", 400, message);

export const malformedXml = () =>
  error(
    "MalformedXML",
    400,
    "The XML you provided was not well-formed or did not validate against our published schema",
  );

export const invalidRange = (RangeRequested: string, ActualObjectSize: number) =>
  error(
    "InvalidRange",
    416,
    "The requested range is not satisfiable",
    { RangeRequested, ActualObjectSize },
    { "content-range": `bytes */${ActualObjectSize}` },
  );

export const invalidPartNumber = (PartNumberRequested: number, ActualPartCount: number) =>
  error("InvalidPartNumber", 416, "The requested partnumber is not satisfiable", {
    PartNumberRequested,
    ActualPartCount,
  });

export const preconditionFailed = (Condition: string) =>
  error("PreconditionFailed", 412, "At least one of the pre-conditions you specified did not hold", { Condition });

export const notImplementedHeader = (Header: string, additionalMessage: string) =>
  error("NotImplemented", 501, "A header you provided implies functionality that is not implemented", {
    Header,
    additionalMessage,
  });

export const invalidDigest = (digest: string) =>
  error("InvalidDigest", 400, "The Content-MD5 you specified was invalid.", { "Content-MD5": digest });

export const badMd5 = (ExpectedDigest: string, CalculatedDigest: string) =>
  error("BadDigest", 400, "The Content-MD5 you specified did not match what we received.", {
    ExpectedDigest,
    CalculatedDigest,
  });

export const badChecksum = (algorithm: string) =>
  error("BadDigest", 400, `The ${algorithm} you specified did not match the calculated checksum.`);

export const noSuchUpload = (UploadId: string) =>
  error(
    "NoSuchUpload",
    404,
    "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
    { UploadId },
  );

export const invalidPart = (UploadId: string, PartNumber: number, ETag: string | undefined) =>
  error(
    "InvalidPart",
    400,
    "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
    { UploadId, PartNumber, ETag },
  );

export const invalidPartOrder = (UploadId: string) =>
  error(
    "InvalidPartOrder",
    400,
    "The list of parts was not in ascending order. Parts must be ordered by part number.",
    { UploadId },
  );

export const entityTooSmall = (ProposedSize: number, PartNumber: number, ETag: string) =>
  error("EntityTooSmall", 400, "Your proposed upload is smaller than the minimum allowed size", {
    ProposedSize,
    MinSizeAllowed: limits.s3.part.value,
    PartNumber,
    ETag,
  });

export const accessDenied = (message = "Access Denied") => error("AccessDenied", 403, message);

export const aclsNotSupported = () => error("AccessControlListNotSupported", 400, "The bucket does not allow ACLs");

export const aclsWithEnforcedOwnership = () =>
  error(
    "InvalidBucketAclWithObjectOwnership",
    400,
    "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
  );

export const invalidTag = (message: string, TagKey?: string) => error("InvalidTag", 400, message, { TagKey });

export const tooManyTags = (what: "Object" | "Bucket", limit: number) =>
  error("BadRequest", 400, `${what} tags cannot be greater than ${limit}`);

export const malformedPolicy = (message: string) => error("MalformedPolicy", 400, message);

export const invalidObjectState = (StorageClass: string) =>
  error("InvalidObjectState", 403, "The operation is not valid for the object's storage class", { StorageClass });

/** What a bucket answers for a sub-resource that nobody has set. */
export const notConfigured = {
  lifecycle: ["NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"],
  cors: ["NoSuchCORSConfiguration", "The CORS configuration does not exist"],
  policy: ["NoSuchBucketPolicy", "The bucket policy does not exist"],
  tagging: ["NoSuchTagSet", "The TagSet does not exist"],
  website: ["NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration"],
  replication: ["ReplicationConfigurationNotFoundError", "The replication configuration was not found"],
  publicAccessBlock: ["NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found"],
  ownership: ["OwnershipControlsNotFoundError", "The bucket ownership controls were not found"],
  objectLock: ["ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket"],
  listed: ["NoSuchConfiguration", "The specified configuration does not exist."],
} as const;

export const notFound = (what: keyof typeof notConfigured, BucketName: string) =>
  error(notConfigured[what][0], 404, notConfigured[what][1], { BucketName });

export const noObjectLock = () =>
  error("NoSuchObjectLockConfiguration", 404, "The specified object does not have a ObjectLock configuration");

/** Destinations that are not there or let the bucket not send; each with its reason. */
export const unableToValidate = (refused: readonly { arn: string; reason: string }[]) =>
  error(
    "InvalidArgument",
    400,
    "Unable to validate the following destination configurations",
    Object.fromEntries(
      refused.flatMap(({ arn, reason }, index) => [
        [`ArgumentName${index + 1}`, arn],
        [`ArgumentValue${index + 1}`, reason],
      ]),
    ),
  );
