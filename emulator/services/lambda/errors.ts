import { AwsError } from "../../core/errors";

const user = { fields: { Type: "User" } };

export const invalidParameter = (message: string) => new AwsError("InvalidParameterValueException", message, 400, user);

export const accessDenied = (message: string) => new AwsError("AccessDeniedException", message, 403, user);

export const roleNotAssumable = () =>
  invalidParameter("The role defined for the function cannot be assumed by Lambda.");

/** `sqs:SendMessage` as Lambda says it: `SendMessage on SQS`. */
const inWords = (action: string) =>
  action.replace(/^([^:]+):(.*)$/, (_, service, name) => `${name} on ${service.toUpperCase()}`);

/** Functions and event source mappings call the role differently. */
export const roleLacks = (which: "provided" | "function", action: string) =>
  invalidParameter(`The ${which} execution role does not have permissions to call ${inWords(action)}`);

export const destinationForbidden = (action: string, destination: string) =>
  invalidParameter(
    `The function's execution role does not have permissions to call ${action.split(":")[1]} on ${destination}`,
  );

export const streamForbidden = (arn: string, actions: string) =>
  invalidParameter(
    `Cannot access stream ${arn}. Please ensure the role can perform the ${actions} Actions on your stream in IAM.`,
  );

export const notFound = (message: string) => new AwsError("ResourceNotFoundException", message, 404, user);

export const functionNotFound = (arn: string) => notFound(`Function not found: ${arn}`);

export const noSuchResource = () => notFound("The resource you requested does not exist.");

export const aliasNotFound = (arn: string) => notFound(`Cannot find alias arn: ${arn}`);

export const conflict = (message: string) => new AwsError("ResourceConflictException", message, 409, user);

export const revisionMismatch = () =>
  new AwsError(
    "PreconditionFailedException",
    "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id",
    412,
    user,
  );

export const packageTooLarge = (limit: number, operation: string) =>
  new AwsError(
    "RequestEntityTooLargeException",
    `Request must be smaller than ${limit} bytes for the ${operation} operation`,
    413,
  );

export const payloadTooLarge = (size: number, type: string, limit: number) =>
  new AwsError(
    "RequestTooLargeException",
    `${size} byte payload is too large for the ${type} invocation type (limit ${limit} bytes)`,
    413,
    user,
  );

export const payloadNotJson = (why: string) =>
  new AwsError(
    "InvalidRequestContentException",
    `Could not parse request body into json: Could not parse payload into json: ${why}`,
    400,
    user,
  );

export type ThrottleReason = "ReservedFunctionConcurrentInvocationLimitExceeded" | "ConcurrentInvocationLimitExceeded";

export const throttled = (Reason: ThrottleReason) =>
  new AwsError("TooManyRequestsException", "Rate Exceeded.", 429, { fields: { Type: "User", Reason } });

export const noProvisionedConcurrency = () =>
  new AwsError(
    "ProvisionedConcurrencyConfigNotFoundException",
    "No Provisioned Concurrency Config found for this function",
    404,
    user,
  );

export const badArn = (arn: string) => invalidParameter(`The resource ARN is not valid: ${arn}`);
