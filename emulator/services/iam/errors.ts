import { AwsError } from "../../core/errors";

/** IAM's shapes are named `...Exception`, its query protocol shows the codes without that. */
const error = (name: string, message: string, status: number) =>
  new AwsError(`${name}Exception`, message, status, { queryCode: name });

export const noSuchEntity = (message: string) => error("NoSuchEntity", message, 404);
export const alreadyExists = (message: string) => error("EntityAlreadyExists", message, 409);
export const deleteConflict = (what: string) =>
  error("DeleteConflict", `Cannot delete entity, must ${what} first.`, 409);
export const policyInUse = (message: string) => error("DeleteConflict", message, 409);
export const quotaExceeded = (quota: string, limit: number) =>
  error("LimitExceeded", `Cannot exceed quota for ${quota}: ${limit}`, 409);
export const limitExceeded = (message: string) => error("LimitExceeded", message, 409);
export const malformedPolicy = (message: string) => error("MalformedPolicyDocument", message, 400);
export const invalidInput = (message: string) => error("InvalidInput", message, 400);
export const validationError = (message: string) => new AwsError("ValidationError", message, 400);
export const nameNeeded = () => validationError("Must specify userName when calling with non-User credentials");
export const protectedRole = (roleName: string) =>
  error(
    "UnmodifiableEntity",
    `Cannot perform the operation on the protected role '${roleName}' - this role is only modifiable by AWS`,
    400,
  );

export const noSuchRole = (name: string) => noSuchEntity(`The role with name ${name} cannot be found.`);
export const noSuchUser = (name: string) => noSuchEntity(`The user with name ${name} cannot be found.`);
export const noSuchGroup = (name: string) => noSuchEntity(`The group with name ${name} cannot be found.`);
export const noSuchPolicy = (arn: string) => noSuchEntity(`Policy ${arn} was not found.`);
export const noSuchProfile = (name: string) => noSuchEntity(`Instance Profile ${name} cannot be found.`);
