import type { InstanceProfile as ProfileShape } from "@aws-sdk/client-iam";
import type { Operations } from "../../core/service";
import { addTags, byName, checkName, checkPath, listTags, makeId, page, removeTags } from "./common";
import { alreadyExists, deleteConflict, noSuchEntity, quotaExceeded } from "./errors";
import { roleSummary } from "./roles";
import type { Account, IamContext, InstanceProfile } from "./state";

type Sdk = typeof import("@aws-sdk/client-iam");

const profileShape = (account: Account, profile: InstanceProfile): ProfileShape => ({
  Path: profile.path,
  InstanceProfileName: profile.name,
  InstanceProfileId: profile.id,
  Arn: profile.arn,
  CreateDate: profile.created,
  Roles: profile.role ? [roleSummary(account.role(profile.role))] : [],
  Tags: profile.tags.size ? listTags(profile.tags) : undefined,
});

export const instanceProfileOperations = ({ accounts, now }: IamContext) =>
  ({
    CreateInstanceProfile: (input, context) => {
      const account = accounts.of(context);
      checkName("instanceProfileName", input.InstanceProfileName, 128);
      const path = checkPath(input.Path);
      const tags = new Map<string, string>();
      addTags(tags, input.Tags);
      const key = input.InstanceProfileName.toLowerCase();
      if (account.profiles.has(key)) {
        throw alreadyExists(`Instance Profile ${input.InstanceProfileName} already exists.`);
      }
      const profile: InstanceProfile = {
        name: input.InstanceProfileName,
        path,
        id: makeId("AIPA"),
        arn: `arn:aws:iam::${account.id}:instance-profile${path}${input.InstanceProfileName}`,
        created: now(),
        tags,
      };
      account.profiles.set(key, profile);
      return { InstanceProfile: profileShape(account, profile) };
    },

    GetInstanceProfile: (input, context) => {
      const account = accounts.of(context);
      return { InstanceProfile: profileShape(account, account.profile(input.InstanceProfileName)) };
    },

    ListInstanceProfiles: (input, context) => {
      const account = accounts.of(context);
      const all = byName(account.profiles.values()).filter(({ path }) => path.startsWith(input.PathPrefix ?? "/"));
      const { items, ...rest } = page(all, input);
      return { InstanceProfiles: items.map((profile) => profileShape(account, profile)), ...rest };
    },

    ListInstanceProfilesForRole: (input, context) => {
      const account = accounts.of(context);
      const { name } = account.role(input.RoleName);
      const { items, ...rest } = page(
        byName(account.profiles.values()).filter(({ role }) => role === name),
        input,
      );
      return { InstanceProfiles: items.map((profile) => profileShape(account, profile)), ...rest };
    },

    AddRoleToInstanceProfile: (input, context) => {
      const account = accounts.of(context);
      const profile = account.profile(input.InstanceProfileName);
      const role = account.role(input.RoleName);
      if (profile.role) throw quotaExceeded("InstanceSessionsPerInstanceProfile", 1);
      profile.role = role.name;
      return {};
    },

    RemoveRoleFromInstanceProfile: (input, context) => {
      const account = accounts.of(context);
      const profile = account.profile(input.InstanceProfileName);
      if (profile.role?.toLowerCase() !== input.RoleName?.toLowerCase()) {
        throw noSuchEntity(`Role ${input.RoleName} in Instance Profile ${input.InstanceProfileName} cannot be found.`);
      }
      profile.role = undefined;
      return {};
    },

    DeleteInstanceProfile: (input, context) => {
      const account = accounts.of(context);
      const profile = account.profile(input.InstanceProfileName);
      if (profile.role) throw deleteConflict("remove roles from instance profile");
      account.profiles.delete(profile.name.toLowerCase());
      return {};
    },

    TagInstanceProfile: (input, context) => {
      addTags(accounts.of(context).profile(input.InstanceProfileName).tags, input.Tags);
      return {};
    },

    UntagInstanceProfile: (input, context) => {
      removeTags(accounts.of(context).profile(input.InstanceProfileName).tags, input.TagKeys);
      return {};
    },

    ListInstanceProfileTags: (input, context) => {
      const { tags } = accounts.of(context).profile(input.InstanceProfileName);
      const { items, ...rest } = page(listTags(tags), input);
      return { Tags: items, ...rest };
    },
  }) satisfies Operations<Sdk>;
