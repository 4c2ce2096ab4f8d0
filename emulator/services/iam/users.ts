import type { User as UserShape } from "@aws-sdk/client-iam";
import type { Operations } from "../../core/service";
import { addTags, byName, checkName, checkPath, listTags, makeId, page, removeTags } from "./common";
import { alreadyExists, deleteConflict, nameNeeded, noSuchEntity } from "./errors";
import { boundaryShape } from "./roles";
import type { IamContext, User } from "./state";

type Sdk = typeof import("@aws-sdk/client-iam");

const userSummary = (user: User): UserShape => ({
  Path: user.path,
  UserName: user.name,
  UserId: user.id,
  Arn: user.arn,
  CreateDate: user.created,
});

const userShape = (user: User): UserShape => ({
  ...userSummary(user),
  PermissionsBoundary: boundaryShape(user.boundary),
  Tags: user.tags.size ? listTags(user.tags) : undefined,
});

const noLogin = (name: string | undefined) => noSuchEntity(`Login Profile for User ${name} cannot be found.`);

export const userOperations = ({ accounts, now, userOfKey }: IamContext) => {
  const emptyList = (input: { UserName?: string }, context: { account: string }) => {
    if (input.UserName) accounts.of(context).user(input.UserName);
  };
  return {
    CreateUser: (input, context) => {
      const account = accounts.of(context);
      checkName("userName", input.UserName, 64);
      const path = checkPath(input.Path);
      if (input.PermissionsBoundary) account.policy(input.PermissionsBoundary);
      const tags = new Map<string, string>();
      addTags(tags, input.Tags);
      const key = input.UserName.toLowerCase();
      if (account.users.has(key)) throw alreadyExists(`User with name ${input.UserName} already exists.`);
      const user: User = {
        kind: "user",
        name: input.UserName,
        path,
        id: makeId("AIDA"),
        arn: `arn:aws:iam::${account.id}:user${path}${input.UserName}`,
        created: now(),
        inline: new Map(),
        attached: new Set(),
        tags,
        boundary: input.PermissionsBoundary,
        keys: new Map(),
      };
      account.users.set(key, user);
      return { User: userShape(user) };
    },

    GetUser: (input, context) => {
      const account = accounts.of(context);
      if (input.UserName) return { User: userShape(account.user(input.UserName)) };
      const caller = userOfKey(context.caller.accessKeyId);
      if (caller) return { User: userShape(caller) };
      if (context.identity.type !== "Account") throw nameNeeded();
      // Without a name and signed by the account itself, IAM describes the root user.
      const root = { Path: "/", UserName: "root", UserId: account.id, Arn: `arn:aws:iam::${account.id}:root` };
      return { User: { ...root, CreateDate: now() } };
    },

    ListUsers: (input, context) => {
      const all = byName(accounts.of(context).users.values());
      const { items, ...rest } = page(
        all.filter((user) => user.path.startsWith(input.PathPrefix ?? "/")),
        input,
      );
      return { Users: items.map(userSummary), ...rest };
    },

    UpdateUser: (input, context) => {
      const account = accounts.of(context);
      const user = account.user(input.UserName);
      const name = input.NewUserName ?? user.name;
      checkName("newUserName", name, 64);
      const path = input.NewPath ? checkPath(input.NewPath) : user.path;
      const other = account.users.get(name.toLowerCase());
      if (other && other !== user) throw alreadyExists(`User with name ${name} already exists.`);
      for (const group of account.groups.values()) {
        if (group.members.delete(user.name)) group.members.add(name);
      }
      for (const key of user.keys.values()) key.userName = name;
      account.users.delete(user.name.toLowerCase());
      Object.assign(user, { name, path, arn: `arn:aws:iam::${account.id}:user${path}${name}` });
      account.users.set(name.toLowerCase(), user);
      return {};
    },

    DeleteUser: (input, context) => {
      const account = accounts.of(context);
      const user = account.user(input.UserName);
      if (user.keys.size) throw deleteConflict("delete access keys");
      if (user.loginProfile) throw deleteConflict("delete login profile");
      if (user.attached.size) throw deleteConflict("detach all policies");
      if (user.inline.size) throw deleteConflict("delete policies");
      if ([...account.groups.values()].some(({ members }) => members.has(user.name))) {
        throw deleteConflict("remove users from group");
      }
      account.users.delete(user.name.toLowerCase());
      return {};
    },

    PutUserPermissionsBoundary: (input, context) => {
      const account = accounts.of(context);
      account.user(input.UserName).boundary = account.policy(input.PermissionsBoundary).arn;
      return {};
    },
    DeleteUserPermissionsBoundary: (input, context) => {
      accounts.of(context).user(input.UserName).boundary = undefined;
      return {};
    },

    TagUser: (input, context) => {
      addTags(accounts.of(context).user(input.UserName).tags, input.Tags);
      return {};
    },
    UntagUser: (input, context) => {
      removeTags(accounts.of(context).user(input.UserName).tags, input.TagKeys);
      return {};
    },
    ListUserTags: (input, context) => {
      const { items, ...rest } = page(listTags(accounts.of(context).user(input.UserName).tags), input);
      return { Tags: items, ...rest };
    },

    GetLoginProfile: (input, context) => {
      const { name, loginProfile } = accounts.of(context).user(input.UserName);
      if (!loginProfile) throw noLogin(name);
      return {
        LoginProfile: {
          UserName: name,
          CreateDate: loginProfile.created,
          PasswordResetRequired: loginProfile.resetRequired,
        },
      };
    },
    CreateLoginProfile: (input, context) => {
      const user = accounts.of(context).user(input.UserName);
      if (user.loginProfile) throw alreadyExists(`Login Profile for user ${user.name} already exists.`);
      // Not emulated: the console sign-in itself; the password is not kept.
      user.loginProfile = { created: now(), resetRequired: input.PasswordResetRequired ?? false };
      return {
        LoginProfile: {
          UserName: user.name,
          CreateDate: user.loginProfile.created,
          PasswordResetRequired: user.loginProfile.resetRequired,
        },
      };
    },
    DeleteLoginProfile: (input, context) => {
      const user = accounts.of(context).user(input.UserName);
      if (!user.loginProfile) throw noLogin(user.name);
      user.loginProfile = undefined;
      return {};
    },

    // What nobody can add here is empty; tools list it before they delete a user.
    ListMFADevices: (input, context) => {
      emptyList(input, context);
      return { MFADevices: [], IsTruncated: false };
    },
    ListSSHPublicKeys: (input, context) => {
      emptyList(input, context);
      return { SSHPublicKeys: [], IsTruncated: false };
    },
    ListSigningCertificates: (input, context) => {
      emptyList(input, context);
      return { Certificates: [], IsTruncated: false };
    },
    ListServiceSpecificCredentials: (input, context) => {
      emptyList(input, context);
      return { ServiceSpecificCredentials: [] };
    },
    ListVirtualMFADevices: () => ({ VirtualMFADevices: [], IsTruncated: false }),
  } satisfies Operations<Sdk>;
};
