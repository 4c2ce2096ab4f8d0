import { AwsError } from "../../../core/errors";

/** AWS tells nobody whether a rule exists that he may not see. */
export const ruleNotFound = (name: string) =>
  new AwsError("UnauthorizedException", `Access to topic rule '${name}' was denied`, 401);

export const ruleExists = (name: string, arn: string) =>
  new AwsError("ResourceAlreadyExistsException", `Rule with name ${name} already exists`, 409, {
    fields: { resourceId: name, resourceArn: arn },
  });
