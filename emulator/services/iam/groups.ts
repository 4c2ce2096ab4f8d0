import type { Group as GroupShape } from "@aws-sdk/client-iam";
import type { Operations } from "../../core/service";
import { byName, checkName, checkPath, makeId, page } from "./common";
import { alreadyExists, deleteConflict, noSuchEntity } from "./errors";
import type { Group, IamContext } from "./state";

type Sdk = typeof import("@aws-sdk/client-iam");

const groupShape = (group: Group): GroupShape => ({
  Path: group.path,
  GroupName: group.name,
  GroupId: group.id,
  Arn: group.arn,
  CreateDate: group.created,
});

export const groupOperations = ({ accounts, now }: IamContext) =>
  ({
    CreateGroup: (input, context) => {
      const account = accounts.of(context);
      checkName("groupName", input.GroupName, 128);
      const path = checkPath(input.Path);
      const key = input.GroupName.toLowerCase();
      if (account.groups.has(key)) throw alreadyExists(`Group with name ${input.GroupName} already exists.`);
      const group: Group = {
        kind: "group",
        name: input.GroupName,
        path,
        id: makeId("AGPA"),
        arn: `arn:aws:iam::${account.id}:group${path}${input.GroupName}`,
        created: now(),
        inline: new Map(),
        attached: new Set(),
        tags: new Map(),
        members: new Set(),
      };
      account.groups.set(key, group);
      return { Group: groupShape(group) };
    },

    GetGroup: (input, context) => {
      const account = accounts.of(context);
      const group = account.group(input.GroupName);
      const { items, ...rest } = page([...group.members].sort(), input);
      return {
        Group: groupShape(group),
        Users: items.map((name) => {
          const user = account.user(name);
          return {
            Path: user.path,
            UserName: user.name,
            UserId: user.id,
            Arn: user.arn,
            CreateDate: user.created,
          };
        }),
        ...rest,
      };
    },

    ListGroups: (input, context) => {
      const all = byName(accounts.of(context).groups.values());
      const { items, ...rest } = page(
        all.filter(({ path }) => path.startsWith(input.PathPrefix ?? "/")),
        input,
      );
      return { Groups: items.map(groupShape), ...rest };
    },

    ListGroupsForUser: (input, context) => {
      const account = accounts.of(context);
      const user = account.user(input.UserName);
      const { items, ...rest } = page(
        byName(account.groups.values()).filter(({ members }) => members.has(user.name)),
        input,
      );
      return { Groups: items.map(groupShape), ...rest };
    },

    AddUserToGroup: (input, context) => {
      const account = accounts.of(context);
      const group = account.group(input.GroupName);
      group.members.add(account.user(input.UserName).name);
      return {};
    },

    RemoveUserFromGroup: (input, context) => {
      const account = accounts.of(context);
      const group = account.group(input.GroupName);
      const user = account.user(input.UserName);
      if (!group.members.delete(user.name)) {
        throw noSuchEntity(`User ${user.name} is not a member of group ${group.name}.`);
      }
      return {};
    },

    DeleteGroup: (input, context) => {
      const account = accounts.of(context);
      const group = account.group(input.GroupName);
      if (group.members.size) throw deleteConflict("remove users from group");
      if (group.attached.size) throw deleteConflict("detach all policies");
      if (group.inline.size) throw deleteConflict("delete policies");
      account.groups.delete(group.name.toLowerCase());
      return {};
    },
  }) satisfies Operations<Sdk>;
