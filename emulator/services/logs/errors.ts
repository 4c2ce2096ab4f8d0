import { AwsError } from "../../core/errors";

export const invalidParameter = (message: string) => new AwsError("InvalidParameterException", message);

/** The code of the model's own checks in this service. */
export const constraintCode = "InvalidParameterException";

export const accessDenied = (message: string) => new AwsError("AccessDeniedException", message);

/** What a destination of a subscription filter is refused with, by its service. */
export const destinationFails = (vendor: string) =>
  invalidParameter(
    vendor === "lambda"
      ? "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your function."
      : "Could not deliver test message to specified Kinesis stream. Check if the given kinesis stream is in ACTIVE state.",
  );

const notFound = (message: string) => new AwsError("ResourceNotFoundException", message);

export const groupNotFound = () => notFound("The specified log group does not exist.");
export const streamNotFound = () => notFound("The specified log stream does not exist.");
export const metricFilterNotFound = () => notFound("The specified metric filter does not exist.");
export const subscriptionFilterNotFound = () => notFound("The specified subscription filter does not exist.");
export const policyNotFound = (name: string) => notFound(`Policy with name [${name}] does not exist.`);
export const resourceNotFound = (arn: string) => notFound(`The specified resource ${arn} does not exist.`);

const alreadyExists = (what: string) =>
  new AwsError("ResourceAlreadyExistsException", `The specified ${what} already exists`);

export const groupExists = () => alreadyExists("log group");
export const streamExists = () => alreadyExists("log stream");

export const limitExceeded = () => new AwsError("LimitExceededException", "Resource limit exceeded.");

export const invalidToken = () => invalidParameter("The specified nextToken is invalid.");

export const validation = (message: string) => new AwsError("ValidationException", message);

export const deletionProtected = () =>
  validation("The log group is protected from deletion. Disable deletion protection before deleting it.");
