import type { Tag } from "@aws-sdk/client-iam";
import {
  type Access,
  type Accesses,
  type AccessTable,
  passRole,
  requestTags,
  resourceTags,
} from "../../core/access/access";
import type { Context } from "../../core/service";
import { linkedRole } from "./account";
import type { Account, Accounts, Entity, IamContext, InstanceProfile, ManagedPolicy } from "./state";

type Sdk = typeof import("@aws-sdk/client-iam");
type Keys = NonNullable<Access["conditions"]>;
type Kind = "role" | "user" | "group" | "instance-profile" | "policy";
type Named = { readonly arn: string; readonly tags: ReadonlyMap<string, string>; readonly boundary?: string };

const arnOf = (account: string, kind: Kind | "mfa", path: string) => `arn:aws:iam::${account}:${kind}${path}`;

const find: Record<
  Exclude<Kind, "policy">,
  (account: Account, name: string) => Entity | InstanceProfile | undefined
> = {
  role: ({ roles }, name) => roles.get(name),
  user: ({ users }, name) => users.get(name),
  group: ({ groups }, name) => groups.get(name),
  "instance-profile": ({ profiles }, name) => profiles.get(name),
};

const boundaryKey = (arn: string | undefined): Keys => (arn === undefined ? {} : { "iam:PermissionsBoundary": [arn] });

/** What policies see of a resource that is there. */
function keysOf(found: Named | undefined, kind: Kind): Keys {
  if (!found) return {};
  const own = resourceTags(found.tags);
  if (kind !== "role" && kind !== "user") return own;
  const older = Object.entries(own).map(([key, value]) => [key.replace("aws:", "iam:"), value]);
  return { ...own, ...Object.fromEntries(older), ...boundaryKey(found.boundary) };
}

/**
 * What IAM wants allowed (https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html).
 * Resources have their paths in their ARNs; denials name them as requests do.
 */
export const access = (accounts: Accounts, userOfKey: IamContext["userOfKey"]): AccessTable<Sdk> => {
  const named = (action: string, kind: Exclude<Kind, "policy">, name: string, context: Context, more: Keys = {}) => {
    const found = find[kind](accounts.of(context), name.toLowerCase());
    return {
      action: `iam:${action}`,
      resource: found?.arn ?? arnOf(context.account, kind, `/${name || "*"}`),
      shown: `${kind.replace("-", " ")} ${name}`,
      conditions: { ...keysOf(found, kind), ...more },
    };
  };
  const role =
    (action: string) =>
    (input: { RoleName?: string; PolicyArn?: string; Tags?: Tag[]; TagKeys?: string[] }, context: Context) =>
      named(action, "role", input.RoleName ?? "", context, requested(input));
  const group = (action: string) => (input: { GroupName?: string; PolicyArn?: string }, context: Context) =>
    named(action, "group", input.GroupName ?? "", context, requested(input));
  const profile =
    (action: string) => (input: { InstanceProfileName?: string; Tags?: Tag[]; TagKeys?: string[] }, context: Context) =>
      named(action, "instance-profile", input.InstanceProfileName ?? "", context, requested(input));
  /** A user, by default the one who asks; of a session of a role IAM takes the name for a user's. */
  const user =
    (action: string) =>
    (
      input: { UserName?: string; PolicyArn?: string; Tags?: Tag[]; TagKeys?: string[] },
      context: Context,
    ): Accesses => {
      const { type, arn } = context.identity;
      if (input.UserName === undefined && type === "Account") return { action: `iam:${action}`, resource: "*" };
      const own = arn.slice(arn.lastIndexOf("/") + 1);
      return named(action, "user", input.UserName ?? own, context, requested(input));
    };
  const policy =
    (action: string) =>
    (
      { PolicyArn: arn = "*", ...input }: { PolicyArn?: string; Tags?: Tag[]; TagKeys?: string[] },
      context: Context,
    ) => ({
      action: `iam:${action}`,
      resource: arn,
      shown: `policy ${arn}`,
      conditions: { ...keysOf(policyOf(accounts, arn, context), "policy"), ...requested(input) },
    });
  /** Something new, and where it comes with tags, those too. */
  const create = (
    action: string,
    kind: Kind,
    path = "/",
    name = "",
    context: Context,
    tags?: Tag[],
    more: Keys = {},
  ) => {
    const resource = arnOf(context.account, kind, `${path}${name}`);
    const conditions = { ...more, ...requestTags(tags) };
    const made = { action: `iam:Create${action}`, resource, conditions };
    return tags?.length ? [made, { ...made, action: `iam:Tag${action}` }] : [made];
  };
  const bounded = (permission: Access, input: { PermissionsBoundary?: string }) => ({
    ...permission,
    conditions: { ...permission.conditions, ...boundaryKey(input.PermissionsBoundary) },
  });
  const list =
    (action: string, kind: Kind | "mfa") =>
    (input: { PathPrefix?: string }, { account }: Context) => ({
      action: `iam:${action}`,
      resource: arnOf(account, kind, input.PathPrefix ?? "/"),
    });
  const account = (action: string) => () => ({ action: `iam:${action}`, resource: "*", shown: "*" });

  return {
    AddRoleToInstanceProfile: (input, context) => [
      profile("AddRoleToInstanceProfile")(input, context),
      ...passRole(named("PassRole", "role", input.RoleName ?? "", context).resource, "ec2.amazonaws.com"),
    ],
    AddUserToGroup: group("AddUserToGroup"),
    AttachGroupPolicy: group("AttachGroupPolicy"),
    AttachRolePolicy: role("AttachRolePolicy"),
    AttachUserPolicy: user("AttachUserPolicy"),
    CreateAccessKey: user("CreateAccessKey"),
    CreateAccountAlias: account("CreateAccountAlias"),
    CreateGroup: (input, context) => create("Group", "group", input.Path, input.GroupName, context),
    CreateInstanceProfile: (input, context) =>
      create("InstanceProfile", "instance-profile", input.Path, input.InstanceProfileName, context, input.Tags),
    CreateLoginProfile: user("CreateLoginProfile"),
    CreatePolicy: (input, context) =>
      create("Policy", "policy", input.Path, input.PolicyName, context, input.Tags).map((permission) => ({
        ...permission,
        shown: `policy ${input.PolicyName}`,
      })),
    CreatePolicyVersion: policy("CreatePolicyVersion"),
    CreateRole: (input, context) =>
      create("Role", "role", input.Path, input.RoleName, context, input.Tags, boundaryKey(input.PermissionsBoundary)),
    CreateServiceLinkedRole: ({ AWSServiceName: service = "", CustomSuffix }, context) => {
      const { path, name } = linkedRole(service, CustomSuffix);
      const conditions = { "iam:AWSServiceName": [service] };
      return {
        action: "iam:CreateServiceLinkedRole",
        resource: arnOf(context.account, "role", path + name),
        conditions,
      };
    },
    CreateUser: (input, context) =>
      create("User", "user", input.Path, input.UserName, context, input.Tags, boundaryKey(input.PermissionsBoundary)),
    DeleteAccessKey: user("DeleteAccessKey"),
    DeleteAccountAlias: account("DeleteAccountAlias"),
    DeleteGroup: group("DeleteGroup"),
    DeleteGroupPolicy: group("DeleteGroupPolicy"),
    DeleteInstanceProfile: profile("DeleteInstanceProfile"),
    DeleteLoginProfile: user("DeleteLoginProfile"),
    DeletePolicy: policy("DeletePolicy"),
    DeletePolicyVersion: policy("DeletePolicyVersion"),
    DeleteRole: role("DeleteRole"),
    DeleteRolePermissionsBoundary: role("DeleteRolePermissionsBoundary"),
    DeleteRolePolicy: role("DeleteRolePolicy"),
    DeleteServiceLinkedRole: role("DeleteServiceLinkedRole"),
    DeleteUser: user("DeleteUser"),
    DeleteUserPermissionsBoundary: user("DeleteUserPermissionsBoundary"),
    DeleteUserPolicy: user("DeleteUserPolicy"),
    DetachGroupPolicy: group("DetachGroupPolicy"),
    DetachRolePolicy: role("DetachRolePolicy"),
    DetachUserPolicy: user("DetachUserPolicy"),
    GetAccessKeyLastUsed: ({ AccessKeyId = "" }) => {
      const owner = userOfKey(AccessKeyId);
      if (!owner) return { action: "iam:GetAccessKeyLastUsed", resource: "*" };
      const conditions = keysOf(owner, "user");
      return { action: "iam:GetAccessKeyLastUsed", resource: owner.arn, shown: `user ${owner.name}`, conditions };
    },
    GetAccountSummary: account("GetAccountSummary"),
    GetGroup: group("GetGroup"),
    GetGroupPolicy: group("GetGroupPolicy"),
    GetInstanceProfile: profile("GetInstanceProfile"),
    GetLoginProfile: user("GetLoginProfile"),
    GetPolicy: policy("GetPolicy"),
    GetPolicyVersion: policy("GetPolicyVersion"),
    GetRole: role("GetRole"),
    GetRolePolicy: role("GetRolePolicy"),
    GetServiceLinkedRoleDeletionStatus: ({ DeletionTaskId = "" }, context) => ({
      action: "iam:GetServiceLinkedRoleDeletionStatus",
      resource: arnOf(context.account, "role", /^task(\/.+)\/[^/]+$/.exec(DeletionTaskId)?.[1] ?? "/*"),
    }),
    GetUser: user("GetUser"),
    GetUserPolicy: user("GetUserPolicy"),
    ListAccessKeys: user("ListAccessKeys"),
    ListAccountAliases: account("ListAccountAliases"),
    ListAttachedGroupPolicies: group("ListAttachedGroupPolicies"),
    ListAttachedRolePolicies: role("ListAttachedRolePolicies"),
    ListAttachedUserPolicies: user("ListAttachedUserPolicies"),
    ListEntitiesForPolicy: policy("ListEntitiesForPolicy"),
    ListGroupPolicies: group("ListGroupPolicies"),
    ListGroups: list("ListGroups", "group"),
    ListGroupsForUser: user("ListGroupsForUser"),
    ListInstanceProfiles: list("ListInstanceProfiles", "instance-profile"),
    ListInstanceProfilesForRole: role("ListInstanceProfilesForRole"),
    ListInstanceProfileTags: profile("ListInstanceProfileTags"),
    ListMFADevices: user("ListMFADevices"),
    ListPolicies: (input, context) => ({
      ...list("ListPolicies", "policy")(input, context),
      shown: `policy path ${input.PathPrefix ?? "/"}`,
    }),
    ListPolicyTags: policy("ListPolicyTags"),
    ListPolicyVersions: policy("ListPolicyVersions"),
    ListRolePolicies: role("ListRolePolicies"),
    ListRoles: list("ListRoles", "role"),
    ListRoleTags: role("ListRoleTags"),
    ListServiceSpecificCredentials: user("ListServiceSpecificCredentials"),
    ListSigningCertificates: user("ListSigningCertificates"),
    ListSSHPublicKeys: user("ListSSHPublicKeys"),
    ListUserPolicies: user("ListUserPolicies"),
    ListUsers: list("ListUsers", "user"),
    ListUserTags: user("ListUserTags"),
    ListVirtualMFADevices: (_, context) => list("ListVirtualMFADevices", "mfa")({}, context),
    PutGroupPolicy: group("PutGroupPolicy"),
    PutRolePermissionsBoundary: (input, context) => bounded(role("PutRolePermissionsBoundary")(input, context), input),
    PutRolePolicy: role("PutRolePolicy"),
    PutUserPermissionsBoundary: (input, context) =>
      bounded(named("PutUserPermissionsBoundary", "user", input.UserName ?? "", context), input),
    PutUserPolicy: user("PutUserPolicy"),
    RemoveRoleFromInstanceProfile: profile("RemoveRoleFromInstanceProfile"),
    RemoveUserFromGroup: group("RemoveUserFromGroup"),
    SetDefaultPolicyVersion: policy("SetDefaultPolicyVersion"),
    TagInstanceProfile: profile("TagInstanceProfile"),
    TagPolicy: policy("TagPolicy"),
    TagRole: role("TagRole"),
    TagUser: user("TagUser"),
    UntagInstanceProfile: profile("UntagInstanceProfile"),
    UntagPolicy: policy("UntagPolicy"),
    UntagRole: role("UntagRole"),
    UntagUser: user("UntagUser"),
    UpdateAccessKey: user("UpdateAccessKey"),
    UpdateAssumeRolePolicy: role("UpdateAssumeRolePolicy"),
    UpdateRole: role("UpdateRole"),
    UpdateRoleDescription: role("UpdateRoleDescription"),
    UpdateUser: user("UpdateUser"),
  };
};

/** What a request itself brings: the policy to attach, tags to add or to take away. */
const requested = (input: { PolicyArn?: string; Tags?: Tag[]; TagKeys?: string[] }): Keys => ({
  ...(input.PolicyArn !== undefined && { "iam:PolicyARN": [input.PolicyArn] }),
  ...requestTags(input.Tags, input.TagKeys),
});

const policyOf = (accounts: Accounts, arn: string, context: Context): ManagedPolicy | undefined =>
  accounts.of(context).policies.get(arn);
