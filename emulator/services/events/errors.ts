import { AwsError } from "../../core/errors";

/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/CommonErrors.html */
export const invalid = (message: string) => new AwsError("ValidationException", message);

export const invalidParameter = (name: string, reason: string) =>
  invalid(`Parameter ${name} is not valid. Reason: ${reason}`);

export const invalidPattern = (reason: string) =>
  new AwsError("InvalidEventPatternException", `Event pattern is not valid. Reason: ${reason}`);

export const noSuchBus = (name: string) =>
  new AwsError("ResourceNotFoundException", `Event bus ${name} does not exist.`);

export const noSuchRule = (name: string, bus: string) =>
  new AwsError("ResourceNotFoundException", `Rule ${name} does not exist on EventBus ${bus}.`);

export const noSuchStatement = () =>
  new AwsError("ResourceNotFoundException", "Statement with the provided id does not exist.");

export const noPolicy = () => new AwsError("ResourceNotFoundException", "EventBus does not have a policy.");

export const noSuchResource = (arn: string) =>
  new AwsError("ResourceNotFoundException", `Resource ${arn} does not exist.`);

export const accessDenied = (arn: string) =>
  new AwsError("AccessDeniedException", `${arn} belongs to another account, which alone may change it.`);

export const busExists = (name: string) =>
  new AwsError("ResourceAlreadyExistsException", `Event bus ${name} already exists.`);

export const tooMany = () =>
  new AwsError("LimitExceededException", "The requested resource exceeds the maximum number allowed.");

/** What an entry of PutEvents fails with when EventBridge itself does (API reference, PutEventsResultEntry). */
export const internalFailure = () => new AwsError("InternalFailure", "Internal Service Failure", 500);

export const policyTooLong = () =>
  new AwsError("PolicyLengthExceededException", "The event bus policy is longer than 10240 characters.");
