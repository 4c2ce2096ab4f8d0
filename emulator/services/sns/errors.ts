import { AwsError } from "../../core/errors";

/** SNS names the parameter and, mostly, the reason. https://docs.aws.amazon.com/sns/latest/api/CommonErrors.html */
export const invalidParameter = (what: string) =>
  new AwsError("InvalidParameterException", `Invalid parameter: ${what}`);

/** Of subscription attributes and endpoints, with a reason. */
export const invalidFor = (parameter: string, reason: string) => invalidParameter(`${parameter} Reason: ${reason}`);

export const accessDenied = (message: string) =>
  new AwsError("AuthorizationErrorException", message, 403, { queryCode: "AuthorizationError" });

export const topicNotFound = () => new AwsError("NotFoundException", "Topic does not exist", 404);

export const subscriptionNotFound = () => new AwsError("NotFoundException", "Subscription does not exist", 404);

export const resourceNotFound = () => new AwsError("ResourceNotFoundException", "Resource does not exist", 404);

export const invalidToken = () => invalidParameter("Token");

export const tooManyTags = () =>
  new AwsError("TagLimitExceededException", "Could not complete request: tag quota of per resource exceeded");

export const emptyBatch = () =>
  new AwsError("EmptyBatchRequestException", "The batch request doesn't contain any entries.");

export const tooManyEntries = () =>
  new AwsError("TooManyEntriesInBatchRequestException", "The batch request contains more entries than permissible.");

export const idsNotDistinct = () =>
  new AwsError("BatchEntryIdsNotDistinctException", "Two or more batch entries in the request have the same Id.");

export const invalidEntryId = () =>
  new AwsError(
    "InvalidBatchEntryIdException",
    "The Id of a batch entry in a batch request doesn't abide by the specification.",
  );

export const batchTooLong = () =>
  new AwsError(
    "BatchRequestTooLongException",
    "The length of all the batch messages put together is more than the limit.",
  );

/** What an entry of a batch fails with when SNS itself does. */
export const internalError = () => new AwsError("InternalErrorException", "An internal error occurred.", 500);
