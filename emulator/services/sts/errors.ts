import { AwsError } from "../../core/errors";

export const accessDenied = (caller: string, action: string, resource: string) =>
  new AwsError("AccessDenied", `User: ${caller} is not authorized to perform: ${action} on resource: ${resource}`, 403);
export const noSessionTokens = () =>
  new AwsError("AccessDenied", "Cannot call GetSessionToken with session credentials", 403);
export const validationError = (message: string) => new AwsError("ValidationError", message, 400);
export const malformedPolicy = (message: string) =>
  new AwsError("MalformedPolicyDocumentException", message, 400, { queryCode: "MalformedPolicyDocument" });
export const packedPolicyTooLarge = (percent: number) =>
  new AwsError(
    "PackedPolicyTooLargeException",
    `Packed size of session tags and policies consumes ${percent}% of allotted space.`,
    400,
    { queryCode: "PackedPolicyTooLarge" },
  );
export const expiredToken = () =>
  new AwsError("ExpiredToken", "The security token included in the request is expired", 403);
export const invalidToken = () =>
  new AwsError("InvalidClientTokenId", "The security token included in the request is invalid.", 403);
export const missingToken = () =>
  new AwsError("MissingAuthenticationToken", "Request is missing Authentication Token", 403);
