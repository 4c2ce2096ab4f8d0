import { limit, range } from "./limit";

const quotas = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html";
const tooMany = "`LimitExceededException`";
const invalid = "`ValidationError`";

/** Limits of AWS IAM. */
export const iam = {
  managedPolicy: limit(6_144, "characters", "a managed policy, without white space", tooMany, quotas),
  policyVersions: limit(5, "", "versions of a managed policy", tooMany, quotas),
  userInline: limit(2_048, "characters", "inline policies of a user together, without white space", tooMany, quotas),
  groupInline: limit(5_120, "characters", "inline policies of a group together, without white space", tooMany, quotas),
  roleInline: limit(10_240, "characters", "inline policies of a role together, without white space", tooMany, quotas),
  trustPolicy: limit(2_048, "characters", "trust policy of a role, without white space", tooMany, quotas),
  attached: limit(10, "", "managed policies of a role, a user or a group", tooMany, quotas),
  accessKeys: limit(2, "", "access keys of a user", tooMany, quotas),
  tags: limit(50, "", "tags of a resource", tooMany, quotas),
  roleSession: range(
    3_600,
    43_200,
    "s",
    "`MaxSessionDuration` of a role",
    invalid,
    "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html",
  ),
} as const;

const stsApi = "https://docs.aws.amazon.com/STS/latest/APIReference";

/** Limits of AWS STS. */
export const sts = {
  roleSession: range(900, 43_200, "s", "`DurationSeconds` of `AssumeRole`", invalid, `${stsApi}/API_AssumeRole.html`),
  chainedSession: limit(
    3_600,
    "s",
    "the same, for who has a role's credentials already",
    invalid,
    `${stsApi}/API_AssumeRole.html`,
  ),
  session: range(
    900,
    129_600,
    "s",
    "`DurationSeconds` of `GetSessionToken`",
    invalid,
    `${stsApi}/API_GetSessionToken.html`,
  ),
  policies: limit(10, "", "`PolicyArns` of `AssumeRole`", invalid, `${stsApi}/API_AssumeRole.html`),
  policy: limit(2_048, "characters", "`Policy` of `AssumeRole`", invalid, `${stsApi}/API_AssumeRole.html`),
} as const;

const cognitoQuotas = "https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html";
const cognitoApi = "https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference";
const refused = "`InvalidParameterException`";

/** Limits of Amazon Cognito user pools. */
export const cognito = {
  userName: limit(128, "characters", "name of a user or a group", refused, cognitoQuotas),
  password: limit(256, "characters", "a password", "`InvalidPasswordException`", cognitoQuotas),
  minimumPassword: range(6, 99, "characters", "`MinimumLength` of a password policy", refused, cognitoQuotas),
  token: range(300, 86_400, "s", "life of an access or id token", refused, cognitoQuotas),
  refreshToken: range(3_600, 315_360_000, "s", "life of a refresh token", refused, cognitoQuotas),
  clientName: limit(
    128,
    "characters",
    "name of a pool or a client",
    refused,
    `${cognitoApi}/API_CreateUserPoolClient.html`,
  ),
} as const;
