import { AwsError } from "../../core/errors";
import { limits } from "../../core/limits";

export const invalidRequest = (message: string) => new AwsError("InvalidRequestException", message, 400);

export const unauthorized = (message: string) => new AwsError("UnauthorizedException", message, 401);

export const payloadTooLarge = () =>
  new AwsError("RequestEntityTooLargeException", "The payload is larger than 131072 bytes.", 413);

/** What a device hears over HTTPS that its policies do not allow. */
export const forbidden = () => new AwsError("ForbiddenException", "Forbidden", 403);

export const notFound = (message: string) => new AwsError("ResourceNotFoundException", message, 404);

const conflict = (message: string) => new AwsError("DeleteConflictException", message, 409);

export const thingNotFound = (name: string) => notFound(`Thing ${name} cannot be found.`);

export const thingTypeNotFound = (name: string) => notFound(`ThingType ${name} cannot be found.`);

export const groupNotFound = (name: string) => notFound(`Thing Group ${name} cannot be found.`);

export const billingGroupNotFound = (name: string) => notFound(`Billing Group ${name} cannot be found.`);

export const certificateNotFound = (id: string) => notFound(`The certificate given by the ID ${id} doesn't exist.`);

export const principalNotFound = (principal: string) => notFound(`The principal ${principal} does not exist.`);

export const policyNotFound = (name: string) => notFound(`Policy not found (name=${name})`);

export const policyVersionNotFound = (name: string, version: string) =>
  notFound(`Policy version not found (name=${name}, version=${version})`);

export const alreadyExists = (message: string, id: string, arn: string) =>
  new AwsError("ResourceAlreadyExistsException", message, 409, { fields: { resourceId: id, resourceArn: arn } });

export const versionConflict = (kind: string, name: string, expected: number, actual: number) =>
  new AwsError(
    "VersionConflictException",
    `The version for ${kind} ${name} does not match the expected version: expected ${expected}, found ${actual}.`,
    409,
  );

export const thingHasPrincipals = (name: string) =>
  invalidRequest(`Cannot delete. Thing ${name} is still attached to one or more principals`);

export const thingTypeInUse = (name: string) =>
  invalidRequest(`Cannot delete thing type ${name}: it is still associated with one or more things`);

export const thingTypeNotDeprecated = (name: string) =>
  invalidRequest(`Cannot delete thing type ${name}: it must be deprecated first`);

export const thingTypeDeprecated = (name: string) =>
  invalidRequest(`Cannot associate a thing with the deprecated thing type ${name}`);

export const groupHasChildren = (name: string) =>
  invalidRequest(`Cannot delete. Thing group ${name} still has child groups`);

export const certificateActive = (id: string) =>
  new AwsError(
    "CertificateStateException",
    `Certificate must be deactivated (not ACTIVE) before deletion. Certificate ID: ${id}`,
    406,
  );

export const certificateHasPolicies = (arn: string) =>
  conflict(`Certificate policies must be detached before deletion (arn: ${arn})`);

export const certificateHasThings = (arn: string) => conflict(`Things must be detached before deletion (arn: ${arn})`);

export const caCertificateNotFound = (id: string) =>
  notFound(`The CA certificate given by the ID ${id} doesn't exist.`);

export const caCertificateActive = (id: string) =>
  new AwsError(
    "CertificateStateException",
    `CA certificate must be deactivated (not ACTIVE) before deletion. Certificate ID: ${id}`,
    406,
  );

export const registrationCodeInvalid = (message: string) =>
  new AwsError("RegistrationCodeValidationException", message, 400);

export const certificateInvalid = (message: string) => new AwsError("CertificateValidationException", message, 400);

export const policyAttached = (name: string) =>
  conflict(`The policy cannot be deleted as the policy is attached to one or more principals (name=${name})`);

export const policyHasVersions = (name: string) =>
  conflict(`Cannot delete the policy because it has one or more policy versions attached to it (name=${name})`);

export const defaultPolicyVersion = (name: string, version: string) =>
  conflict(`Cannot delete the default version of a policy (name=${name}, version=${version})`);

export const policyVersionsLimit = (name: string) =>
  new AwsError(
    "VersionsLimitExceededException",
    `The policy ${name} already has the maximum number of versions (${limits.iot.policyVersions.value})`,
    409,
  );

export const malformedPolicy = (message: string) => new AwsError("MalformedPolicyException", message, 400);

export const limitExceeded = (message: string) => new AwsError("LimitExceededException", message, 410);

/** The listener could not have its port; the cure is in the message. */
export const noListener = (port: number, code: string) =>
  new AwsError(
    "ServiceUnavailableException",
    `The MQTT port ${port} cannot be listened on (${code}): free it, or start the emulator with another mqttPort (0 takes a free one).`,
    503,
  );
