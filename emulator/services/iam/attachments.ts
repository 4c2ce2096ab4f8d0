import { limits } from "../../core/limits";
import type { Operations } from "../../core/service";
import { byName, page } from "./common";
import { noSuchEntity, noSuchPolicy, quotaExceeded } from "./errors";
import { ownRole } from "./roles";
import type { Account, Entity, IamContext } from "./state";

type Sdk = typeof import("@aws-sdk/client-iam");

const quotas = { role: "PoliciesPerRole", user: "PoliciesPerUser", group: "PoliciesPerGroup" } as const;

function attach(account: Account, entity: Entity, arn = "") {
  try {
    account.policy(arn);
  } catch {
    throw noSuchEntity(`Policy ${arn} does not exist or is not attachable.`);
  }
  // Attaching what is attached is no error (API reference: AttachRolePolicy is idempotent).
  const { value: most } = limits.iam.attached;
  if (entity.attached.size >= most && !entity.attached.has(arn)) throw quotaExceeded(quotas[entity.kind], most);
  entity.attached.add(arn);
  return {};
}

function detach(entity: Entity, arn = "") {
  if (!entity.attached.delete(arn)) throw noSuchPolicy(arn);
  return {};
}

function list(account: Account, entity: Entity, input: { PathPrefix?: string; Marker?: string; MaxItems?: number }) {
  const policies = [...entity.attached].map((arn) => account.policy(arn));
  const { items, ...rest } = page(
    policies.filter(({ path }) => path.startsWith(input.PathPrefix ?? "/")),
    input,
  );
  return { AttachedPolicies: items.map(({ name, arn }) => ({ PolicyName: name, PolicyArn: arn })), ...rest };
}

export const attachmentOperations = ({ accounts }: IamContext) =>
  ({
    AttachRolePolicy: (input, context) => {
      const account = accounts.of(context);
      return attach(account, ownRole(account, input.RoleName), input.PolicyArn);
    },
    DetachRolePolicy: (input, context) => detach(ownRole(accounts.of(context), input.RoleName), input.PolicyArn),
    ListAttachedRolePolicies: (input, context) => {
      const account = accounts.of(context);
      return list(account, account.role(input.RoleName), input);
    },

    AttachUserPolicy: (input, context) => {
      const account = accounts.of(context);
      return attach(account, account.user(input.UserName), input.PolicyArn);
    },
    DetachUserPolicy: (input, context) => detach(accounts.of(context).user(input.UserName), input.PolicyArn),
    ListAttachedUserPolicies: (input, context) => {
      const account = accounts.of(context);
      return list(account, account.user(input.UserName), input);
    },

    AttachGroupPolicy: (input, context) => {
      const account = accounts.of(context);
      return attach(account, account.group(input.GroupName), input.PolicyArn);
    },
    DetachGroupPolicy: (input, context) => detach(accounts.of(context).group(input.GroupName), input.PolicyArn),
    ListAttachedGroupPolicies: (input, context) => {
      const account = accounts.of(context);
      return list(account, account.group(input.GroupName), input);
    },

    ListEntitiesForPolicy: (input, context) => {
      const account = accounts.of(context);
      const { arn } = account.policy(input.PolicyArn);
      const wanted = { User: "user", Role: "role", Group: "group" }[input.EntityFilter as string];
      const users = (entity: Entity) =>
        (input.PolicyUsageFilter !== "PermissionsBoundary" && entity.attached.has(arn)) ||
        (input.PolicyUsageFilter !== "PermissionsPolicy" && entity.boundary === arn);
      const all = byName(account.entities()).filter(
        (entity) =>
          (!wanted || entity.kind === wanted) && entity.path.startsWith(input.PathPrefix ?? "/") && users(entity),
      );
      const { items, ...rest } = page(all, input);
      const of = (kind: Entity["kind"]) => items.filter((entity) => entity.kind === kind);
      return {
        PolicyGroups: of("group").map(({ name, id }) => ({ GroupName: name, GroupId: id })),
        PolicyUsers: of("user").map(({ name, id }) => ({ UserName: name, UserId: id })),
        PolicyRoles: of("role").map(({ name, id }) => ({ RoleName: name, RoleId: id })),
        ...rest,
      };
    },
  }) satisfies Operations<Sdk>;
