import { type Access, type AccessTable, passRole, requestTags, resourceTags } from "../../core/access/access";
import { formatArn } from "../../core/arn";
import type { Context } from "../../core/service";
import type { Pools } from "./state";

type Sdk = typeof import("@aws-sdk/client-cognito-identity-provider");
type Keys = NonNullable<Access["conditions"]>;
type Sms = { readonly SnsCallerArn?: string | undefined } | undefined;

/**
 * What Cognito wants allowed (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncognitouserpools.html).
 * What users do by themselves, with a password or a token, needs no credentials of AWS
 * (https://docs.aws.amazon.com/cognito/latest/developerguide/authentication-flows-public-server-side.html).
 */
export function access(pools: Pools): AccessTable<Sdk> {
  const at = (action: string, arn: string, more: Keys = {}) => ({
    action: `cognito-idp:${action}`,
    resource: arn,
    conditions: { ...resourceTags(pools.byArn(arn)?.tags), ...more },
  });
  const arnOf = ({ account, region }: Context, id = "*") => formatArn("cognito-idp", region, account, `userpool/${id}`);
  const pool = (action: string) => (input: { UserPoolId: string | undefined }, context: Context) =>
    at(action, arnOf(context, input.UserPoolId));
  const tagged =
    (action: string) =>
    (input: { ResourceArn: string | undefined; Tags?: Record<string, string>; TagKeys?: string[] }) =>
      at(action, input.ResourceArn ?? "*", requestTags(input.Tags, input.TagKeys));
  const all = (action: string) => () => ({ ...at(action, "*"), shown: "*" });
  /** The role that sends text messages. */
  const sender = (sms: Sms) => passRole(sms?.SnsCallerArn, "cognito-idp.amazonaws.com");
  const open = () => "public" as const;

  return {
    AddCustomAttributes: pool("AddCustomAttributes"),
    AdminAddUserToGroup: pool("AdminAddUserToGroup"),
    AdminConfirmSignUp: pool("AdminConfirmSignUp"),
    AdminCreateUser: pool("AdminCreateUser"),
    AdminDeleteUser: pool("AdminDeleteUser"),
    AdminDeleteUserAttributes: pool("AdminDeleteUserAttributes"),
    AdminDisableUser: pool("AdminDisableUser"),
    AdminEnableUser: pool("AdminEnableUser"),
    AdminGetUser: pool("AdminGetUser"),
    AdminInitiateAuth: pool("AdminInitiateAuth"),
    AdminListGroupsForUser: pool("AdminListGroupsForUser"),
    AdminRemoveUserFromGroup: pool("AdminRemoveUserFromGroup"),
    AdminRespondToAuthChallenge: pool("AdminRespondToAuthChallenge"),
    AdminSetUserPassword: pool("AdminSetUserPassword"),
    AdminUpdateUserAttributes: pool("AdminUpdateUserAttributes"),
    AdminUserGlobalSignOut: pool("AdminUserGlobalSignOut"),
    ChangePassword: open,
    CreateGroup: pool("CreateGroup"),
    CreateResourceServer: pool("CreateResourceServer"),
    CreateUserPool: (input) => [
      { ...at("CreateUserPool", "*", requestTags(input.UserPoolTags)), shown: "*" },
      ...sender(input.SmsConfiguration),
    ],
    CreateUserPoolClient: pool("CreateUserPoolClient"),
    CreateUserPoolDomain: pool("CreateUserPoolDomain"),
    DeleteGroup: pool("DeleteGroup"),
    DeleteResourceServer: pool("DeleteResourceServer"),
    DeleteUser: open,
    DeleteUserPool: pool("DeleteUserPool"),
    DeleteUserPoolClient: pool("DeleteUserPoolClient"),
    DeleteUserPoolDomain: pool("DeleteUserPoolDomain"),
    DescribeResourceServer: pool("DescribeResourceServer"),
    DescribeUserPool: pool("DescribeUserPool"),
    DescribeUserPoolClient: pool("DescribeUserPoolClient"),
    DescribeUserPoolDomain: all("DescribeUserPoolDomain"),
    GetGroup: pool("GetGroup"),
    GetTokensFromRefreshToken: open,
    GetUICustomization: pool("GetUICustomization"),
    GetUser: open,
    GetUserPoolMfaConfig: pool("GetUserPoolMfaConfig"),
    GlobalSignOut: open,
    InitiateAuth: open,
    ListGroups: pool("ListGroups"),
    ListResourceServers: pool("ListResourceServers"),
    ListTagsForResource: tagged("ListTagsForResource"),
    ListUserPoolClients: pool("ListUserPoolClients"),
    ListUserPools: all("ListUserPools"),
    ListUsers: pool("ListUsers"),
    ListUsersInGroup: pool("ListUsersInGroup"),
    RespondToAuthChallenge: open,
    RevokeToken: open,
    SetUserPoolMfaConfig: (input, context) => [
      pool("SetUserPoolMfaConfig")(input, context),
      ...sender(input.SmsMfaConfiguration?.SmsConfiguration),
    ],
    SignUp: open,
    TagResource: tagged("TagResource"),
    UntagResource: tagged("UntagResource"),
    UpdateGroup: pool("UpdateGroup"),
    UpdateResourceServer: pool("UpdateResourceServer"),
    UpdateUserAttributes: open,
    UpdateUserPool: (input, context) => [
      at("UpdateUserPool", arnOf(context, input.UserPoolId), requestTags(input.UserPoolTags)),
      ...sender(input.SmsConfiguration),
    ],
    UpdateUserPoolClient: pool("UpdateUserPoolClient"),
    UpdateUserPoolDomain: pool("UpdateUserPoolDomain"),
  };
}
