import type { GroupType } from "@aws-sdk/client-cognito-identity-provider";
import { limits } from "../../core/limits";
import type { Operations } from "../../core/service";
import { check, page } from "./common";
import { groupExists } from "./errors";
import { type Group, groupOf, type Pool, type Pools, userOf } from "./state";
import { userShape } from "./users";

type Sdk = typeof import("@aws-sdk/client-cognito-identity-provider");

const groupShape = (pool: Pool, group: Group): GroupType => ({
  GroupName: group.name,
  UserPoolId: pool.id,
  Description: group.description,
  RoleArn: group.roleArn,
  Precedence: group.precedence,
  CreationDate: group.created,
  LastModifiedDate: group.modified,
});

export const groupOperations = (pools: Pools, now: () => Date) =>
  ({
    CreateGroup: (input, context) => {
      const pool = pools.get(context, input.UserPoolId);
      check({
        groupName: [
          input.GroupName,
          { required: true, length: [1, limits.cognito.userName.value], pattern: /^[\p{L}\p{M}\p{S}\p{N}\p{P}]+$/u },
        ],
        description: [input.Description, { length: [0, 2048] }],
        roleArn: [input.RoleArn, { length: [20, 2048] }],
        precedence: [input.Precedence, { range: [0, 2 ** 31 - 1] }],
      });
      if (pool.groups.has(input.GroupName!)) throw groupExists();
      const group: Group = {
        name: input.GroupName!,
        description: input.Description,
        roleArn: input.RoleArn,
        precedence: input.Precedence,
        created: now(),
        modified: now(),
        members: new Set(),
      };
      pool.groups.set(group.name, group);
      return { Group: groupShape(pool, group) };
    },

    GetGroup: (input, context) => {
      const pool = pools.get(context, input.UserPoolId);
      return { Group: groupShape(pool, groupOf(pool, input.GroupName)) };
    },

    UpdateGroup: (input, context) => {
      const pool = pools.get(context, input.UserPoolId);
      const group = groupOf(pool, input.GroupName);
      group.description = input.Description ?? group.description;
      group.roleArn = input.RoleArn ?? group.roleArn;
      group.precedence = input.Precedence ?? group.precedence;
      group.modified = now();
      return { Group: groupShape(pool, group) };
    },

    DeleteGroup: (input, context) => {
      const pool = pools.get(context, input.UserPoolId);
      pool.groups.delete(groupOf(pool, input.GroupName).name);
      return {};
    },

    ListGroups: (input, context) => {
      const pool = pools.get(context, input.UserPoolId);
      const { items, next } = page([...pool.groups.values()], input.Limit || 60, input.NextToken);
      return { Groups: items.map((group) => groupShape(pool, group)), NextToken: next };
    },

    AdminAddUserToGroup: (input, context) => {
      const pool = pools.get(context, input.UserPoolId);
      const group = groupOf(pool, input.GroupName);
      group.members.add(userOf(pool, input.Username).username);
      return {};
    },

    AdminRemoveUserFromGroup: (input, context) => {
      const pool = pools.get(context, input.UserPoolId);
      const group = groupOf(pool, input.GroupName);
      group.members.delete(userOf(pool, input.Username).username);
      return {};
    },

    AdminListGroupsForUser: (input, context) => {
      const pool = pools.get(context, input.UserPoolId);
      const { username } = userOf(pool, input.Username);
      const mine = [...pool.groups.values()].filter(({ members }) => members.has(username));
      const { items, next } = page(mine, input.Limit || 60, input.NextToken);
      return { Groups: items.map((group) => groupShape(pool, group)), NextToken: next };
    },

    ListUsersInGroup: (input, context) => {
      const pool = pools.get(context, input.UserPoolId);
      const members = [...groupOf(pool, input.GroupName).members].map((name) => userOf(pool, name));
      const { items, next } = page(members, input.Limit || 60, input.NextToken);
      return { Users: items.map(userShape), NextToken: next };
    },
  }) satisfies Operations<Sdk>;
