import type { Role as RoleShape } from "@aws-sdk/client-iam";
import { checkConstraints } from "../../core/constraint";
import { endsOf, limits } from "../../core/limits";
import { readTrustPolicy } from "../../core/policy-kinds";
import type { Operations } from "../../core/service";
import {
  addTags,
  byName,
  checkName,
  checkPath,
  encodeDocument,
  listTags,
  makeId,
  page,
  readDocument,
  removeTags,
} from "./common";
import { alreadyExists, deleteConflict, malformedPolicy, protectedRole, quotaExceeded } from "./errors";
import type { Account, Document, IamContext, Role } from "./state";

type Sdk = typeof import("@aws-sdk/client-iam");

const serviceRolePath = "/aws-service-role/";

export const boundaryShape = (arn: string | undefined) =>
  arn ? { PermissionsBoundaryType: "PermissionsBoundaryPolicy" as const, PermissionsBoundaryArn: arn } : undefined;

/** As lists show it; GetRole and CreateRole add tags, boundary and last use. */
export const roleSummary = (role: Role): RoleShape => ({
  Path: role.path,
  RoleName: role.name,
  RoleId: role.id,
  Arn: role.arn,
  CreateDate: role.created,
  AssumeRolePolicyDocument: encodeDocument(role.trust.text),
  Description: role.description,
  MaxSessionDuration: role.maxSession,
});

const roleShape = (role: Role): RoleShape => ({
  ...roleSummary(role),
  PermissionsBoundary: boundaryShape(role.boundary),
  Tags: role.tags.size ? listTags(role.tags) : undefined,
});

/** Reads a trust policy; roles and users of this account that it names must exist, as on AWS. */
function trustDocument(account: Account, text: string): Document {
  checkConstraints("ValidationError", { assumeRolePolicyDocument: [text, { required: true, length: [1, 131_072] }] });
  const document = readDocument(text, readTrustPolicy);
  const { value: most } = limits.iam.trustPolicy;
  if (text.replace(/\s/g, "").length > most) throw quotaExceeded("ACLSizePerRole", most);
  for (const name of document.parsed.statements.flatMap((statement) => statement.principals?.AWS ?? [])) {
    const [, owner, kind, path] = /^arn:aws:iam::(\d{12}):(role|user)\/(.+)$/.exec(name) ?? [];
    if (owner !== account.id) continue;
    const there = (kind === "role" ? account.roles : account.users).get(path!.split("/").at(-1)!.toLowerCase());
    if (there?.arn !== name) throw malformedPolicy(`Invalid principal in policy: "AWS":"${name}"`);
  }
  return document;
}

const checkSession = (seconds: number | undefined, description: string | undefined) =>
  checkConstraints("ValidationError", {
    maxSessionDuration: [seconds, { range: endsOf(limits.iam.roleSession) }],
    description: [description, { length: [0, 1000] }],
  });

/** A role that users change; service-linked ones belong to AWS. */
export function ownRole(account: Account, name: string | undefined): Role {
  const role = account.role(name);
  if (role.path.startsWith(serviceRolePath)) throw protectedRole(role.name);
  return role;
}

export const roleOperations = ({ accounts, now }: IamContext) =>
  ({
    CreateRole: (input, context) => {
      const account = accounts.of(context);
      checkName("roleName", input.RoleName, 64);
      const path = checkPath(input.Path);
      checkSession(input.MaxSessionDuration, input.Description);
      const trust = trustDocument(account, input.AssumeRolePolicyDocument!);
      if (input.PermissionsBoundary) account.policy(input.PermissionsBoundary);
      const tags = new Map<string, string>();
      addTags(tags, input.Tags);
      if (account.roles.has(input.RoleName.toLowerCase())) {
        throw alreadyExists(`Role with name ${input.RoleName} already exists.`);
      }
      const role: Role = {
        kind: "role",
        name: input.RoleName,
        path,
        id: makeId("AROA"),
        arn: `arn:aws:iam::${account.id}:role${path}${input.RoleName}`,
        created: now(),
        inline: new Map(),
        attached: new Set(),
        tags,
        boundary: input.PermissionsBoundary,
        description: input.Description,
        trust,
        maxSession: input.MaxSessionDuration ?? 3600,
      };
      account.roles.set(role.name.toLowerCase(), role);
      return { Role: roleShape(role) };
    },

    // RoleLastUsed stays empty as for a role that was never used: nothing follows its use yet.
    GetRole: (input, context) => ({
      Role: { ...roleShape(accounts.of(context).role(input.RoleName)), RoleLastUsed: {} },
    }),

    ListRoles: (input, context) => {
      const all = byName(accounts.of(context).roles.values());
      const { items, ...rest } = page(
        all.filter((role) => role.path.startsWith(input.PathPrefix ?? "/")),
        input,
      );
      return { Roles: items.map(roleSummary), ...rest };
    },

    UpdateRole: (input, context) => {
      const role = ownRole(accounts.of(context), input.RoleName);
      checkSession(input.MaxSessionDuration, input.Description);
      // A session length that is left out goes back to one hour (API reference: UpdateRole).
      role.description = input.Description ?? role.description;
      role.maxSession = input.MaxSessionDuration ?? 3600;
      return {};
    },

    UpdateRoleDescription: (input, context) => {
      const role = ownRole(accounts.of(context), input.RoleName);
      checkSession(undefined, input.Description);
      role.description = input.Description;
      return { Role: roleShape(role) };
    },

    UpdateAssumeRolePolicy: (input, context) => {
      const account = accounts.of(context);
      const role = ownRole(account, input.RoleName);
      role.trust = trustDocument(account, input.PolicyDocument!);
      return {};
    },

    DeleteRole: (input, context) => {
      const account = accounts.of(context);
      const role = ownRole(account, input.RoleName);
      if ([...account.profiles.values()].some((profile) => profile.role === role.name)) {
        throw deleteConflict("remove roles from instance profile");
      }
      if (role.attached.size) throw deleteConflict("detach all policies");
      if (role.inline.size) throw deleteConflict("delete policies");
      account.roles.delete(role.name.toLowerCase());
      return {};
    },

    PutRolePermissionsBoundary: (input, context) => {
      const account = accounts.of(context);
      const role = ownRole(account, input.RoleName);
      role.boundary = account.policy(input.PermissionsBoundary).arn;
      return {};
    },

    DeleteRolePermissionsBoundary: (input, context) => {
      ownRole(accounts.of(context), input.RoleName).boundary = undefined;
      return {};
    },

    TagRole: (input, context) => {
      addTags(accounts.of(context).role(input.RoleName).tags, input.Tags);
      return {};
    },

    UntagRole: (input, context) => {
      removeTags(accounts.of(context).role(input.RoleName).tags, input.TagKeys);
      return {};
    },

    ListRoleTags: (input, context) => {
      const { items, ...rest } = page(listTags(accounts.of(context).role(input.RoleName).tags), input);
      return { Tags: items, ...rest };
    },
  }) satisfies Operations<Sdk>;
