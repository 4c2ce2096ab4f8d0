import { AwsError } from "../../core/errors";

/** Errors of the AWS model: the query code is the name that the older XML protocol, and the CLI, show. */
const simpleQueue = (code: string, message: string, status = 400, queryCode = `AWS.SimpleQueueService.${code}`) =>
  new AwsError(code, message, status, { queryCode });

/** Not in the model, but what SQS really answers for a bad parameter; SDKs show it as `InvalidParameterValue`. */
export const invalidParameter = (message: string) =>
  new AwsError("InvalidParameterValue", message, 400, { queryCode: "InvalidParameterValue" });

export const invalidValue = (value: unknown, parameter: string, reason: string) =>
  invalidParameter(`Value ${value} for parameter ${parameter} is invalid. Reason: ${reason}`);

export const missingParameter = (parameter: string) =>
  new AwsError("MissingParameter", `The request must contain the parameter ${parameter}.`, 400, {
    queryCode: "MissingParameter",
  });

export const accessDenied = (message: string) =>
  new AwsError("AccessDeniedException", message, 403, { queryCode: "AccessDenied" });

export const queueDoesNotExist = () =>
  simpleQueue(
    "QueueDoesNotExist",
    "The specified queue does not exist.",
    400,
    "AWS.SimpleQueueService.NonExistentQueue",
  );

export const queueNameExists = (attribute: string) =>
  simpleQueue(
    "QueueNameExists",
    `A queue already exists with the same name and a different value for attribute ${attribute}`,
    400,
    "QueueAlreadyExists",
  );

export const invalidAddress = (url: string) =>
  simpleQueue("InvalidAddress", `The address ${url} is not valid for this endpoint.`, 404, "InvalidAddress");

export const unknownAttribute = (name: string) =>
  new AwsError("InvalidAttributeName", `Unknown Attribute ${name}.`, 400, { queryCode: "InvalidAttributeName" });

export const invalidAttributeName = (message: string) =>
  new AwsError("InvalidAttributeName", message, 400, { queryCode: "InvalidAttributeName" });

export const invalidAttributeValue = (name: string) =>
  new AwsError("InvalidAttributeValue", `Invalid value for the parameter ${name}.`, 400, {
    queryCode: "InvalidAttributeValue",
  });

export const invalidMessageContents = () =>
  new AwsError(
    "InvalidMessageContents",
    "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF",
    400,
    { queryCode: "InvalidMessageContents" },
  );

export const receiptHandleIsInvalid = (handle: string) =>
  simpleQueue(
    "ReceiptHandleIsInvalid",
    `The input receipt handle "${handle}" is not a valid receipt handle.`,
    404,
    "ReceiptHandleIsInvalid",
  );

export const receiptHandleExpired = (handle: string) =>
  invalidValue(handle, "ReceiptHandle", "The receipt handle has expired.");

export const notAvailableForVisibilityChange = (handle: string) =>
  invalidValue(handle, "ReceiptHandle", "Message does not exist or is not available for visibility timeout change.");

export const visibilityTooLong = (seconds: number) =>
  invalidValue(
    seconds,
    "VisibilityTimeout",
    "Total VisibilityTimeout for the message is beyond the limit [43200 seconds].",
  );

export const overLimit = () =>
  simpleQueue(
    "OverLimit",
    "Too many messages in flight: a queue holds at most 120000 messages that were received and not deleted.",
    403,
    "OverLimit",
  );

export const purgeInProgress = (queue: string) =>
  simpleQueue("PurgeQueueInProgress", `Only one PurgeQueue operation on ${queue} is allowed every 60 seconds.`, 403);

export const emptyBatch = (entry: string) =>
  simpleQueue("EmptyBatchRequest", `There should be at least one ${entry} in the request.`);

export const tooManyEntries = (sent: number) =>
  simpleQueue("TooManyEntriesInBatchRequest", `Maximum number of entries per request are 10. You have sent ${sent}.`);

export const entryIdsNotDistinct = (id: string) => simpleQueue("BatchEntryIdsNotDistinct", `Id ${id} repeated.`);

export const invalidBatchEntryId = () =>
  simpleQueue(
    "InvalidBatchEntryId",
    "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.",
  );

export const batchTooLong = (limit: number, sent: number) =>
  simpleQueue(
    "BatchRequestTooLong",
    `Batch requests cannot be longer than ${limit} bytes. You have sent ${sent} bytes.`,
  );

/** What an entry of a batch fails with when SQS itself does. */
export const internalError = () =>
  new AwsError("InternalError", "An internal error occurred.", 500, { queryCode: "InternalError" });

export const resourceNotFound = (message: string) =>
  new AwsError("ResourceNotFoundException", message, 404, { queryCode: "ResourceNotFoundException" });
