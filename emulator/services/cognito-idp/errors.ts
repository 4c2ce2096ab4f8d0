import { AwsError } from "../../core/errors";

export const noSuchPool = (id: string) => new AwsError("ResourceNotFoundException", `User pool ${id} does not exist.`);
export const noSuchClient = (id: string) =>
  new AwsError("ResourceNotFoundException", `User pool client ${id} does not exist.`);
export const noSuchGroup = () => new AwsError("ResourceNotFoundException", "Group not found.");
export const noSuchResourceServer = (id: string) =>
  new AwsError("ResourceNotFoundException", `Resource server ${id} does not exist.`);
export const noSuchUser = () => new AwsError("UserNotFoundException", "User does not exist.");
export const invalidParameter = (message: string) => new AwsError("InvalidParameterException", message);
export const notAuthorized = (message: string) => new AwsError("NotAuthorizedException", message);
export const wrongPassword = () => notAuthorized("Incorrect username or password.");
export const invalidSession = () => notAuthorized("Invalid session for the user.");
export const invalidPassword = (message: string) => new AwsError("InvalidPasswordException", message);
export const usernameExists = (message: string) => new AwsError("UsernameExistsException", message);
export const aliasExists = () =>
  new AwsError("AliasExistsException", "An account with the given email already exists.");
export const notConfirmed = () => new AwsError("UserNotConfirmedException", "User is not confirmed.");
export const unsupportedState = (message: string) => new AwsError("UnsupportedUserStateException", message);
export const groupExists = () => new AwsError("GroupExistsException", "A group with the name already exists.");
export const noSuchScope = (scopes: readonly string[]) =>
  new AwsError("ScopeDoesNotExistException", `Invalid scope requested: ${scopes.join(", ")}`);
export const invalidOAuthFlow = (message: string) => new AwsError("InvalidOAuthFlowException", message);
export const revocationOff = () =>
  new AwsError("UnsupportedOperationException", "Token revocation is not enabled for this client.");
export const foreignToken = () => new AwsError("UnauthorizedException", "Invalid client credentials");
export const signUpOff = () => notAuthorized("SignUp is not permitted for this user pool");
