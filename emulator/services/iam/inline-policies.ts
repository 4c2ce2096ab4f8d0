import { checkConstraints } from "../../core/constraint";
import { limits } from "../../core/limits";
import { policySize } from "../../core/policy";
import { readIdentityPolicy } from "../../core/policy-kinds";
import type { Operations } from "../../core/service";
import { checkName, encodeDocument, page, readDocument } from "./common";
import { limitExceeded, noSuchEntity } from "./errors";
import { ownRole } from "./roles";
import type { Entity, IamContext } from "./state";

type Sdk = typeof import("@aws-sdk/client-iam");

/** What the inline policies of one entity may have in sum, white space not counted. */
const sizeLimits = {
  user: limits.iam.userInline.value,
  group: limits.iam.groupInline.value,
  role: limits.iam.roleInline.value,
} as const;

function put(entity: Entity, name: string | undefined, text: string | undefined) {
  checkName("policyName", name, 128);
  checkConstraints("ValidationError", { policyDocument: [text, { required: true, length: [1, 131_072] }] });
  const document = readDocument(text!, readIdentityPolicy);
  let size = policySize(text!);
  for (const [other, { text: rest }] of entity.inline) if (other !== name) size += policySize(rest);
  const limit = sizeLimits[entity.kind];
  if (size > limit) {
    throw limitExceeded(`Maximum policy size of ${limit} bytes exceeded for ${entity.kind} ${entity.name}`);
  }
  entity.inline.set(name, document);
  return {};
}

const missing = (entity: Entity, name: string | undefined) =>
  noSuchEntity(`The ${entity.kind} policy with name ${name} cannot be found.`);

function get(entity: Entity, name: string | undefined) {
  const document = entity.inline.get(name ?? "");
  if (!document) throw missing(entity, name);
  return { PolicyName: name, PolicyDocument: encodeDocument(document.text) };
}

function list(entity: Entity, input: { Marker?: string; MaxItems?: number }) {
  const { items, ...rest } = page([...entity.inline.keys()].sort(), input);
  return { PolicyNames: items, ...rest };
}

function remove(entity: Entity, name: string | undefined) {
  if (!entity.inline.delete(name ?? "")) throw missing(entity, name);
  return {};
}

export const inlinePolicyOperations = ({ accounts }: IamContext) =>
  ({
    PutRolePolicy: (input, context) =>
      put(ownRole(accounts.of(context), input.RoleName), input.PolicyName, input.PolicyDocument),
    GetRolePolicy: (input, context) => ({
      RoleName: input.RoleName,
      ...get(accounts.of(context).role(input.RoleName), input.PolicyName),
    }),
    ListRolePolicies: (input, context) => list(accounts.of(context).role(input.RoleName), input),
    DeleteRolePolicy: (input, context) => remove(ownRole(accounts.of(context), input.RoleName), input.PolicyName),

    PutUserPolicy: (input, context) =>
      put(accounts.of(context).user(input.UserName), input.PolicyName, input.PolicyDocument),
    GetUserPolicy: (input, context) => ({
      UserName: input.UserName,
      ...get(accounts.of(context).user(input.UserName), input.PolicyName),
    }),
    ListUserPolicies: (input, context) => list(accounts.of(context).user(input.UserName), input),
    DeleteUserPolicy: (input, context) => remove(accounts.of(context).user(input.UserName), input.PolicyName),

    PutGroupPolicy: (input, context) =>
      put(accounts.of(context).group(input.GroupName), input.PolicyName, input.PolicyDocument),
    GetGroupPolicy: (input, context) => ({
      GroupName: input.GroupName,
      ...get(accounts.of(context).group(input.GroupName), input.PolicyName),
    }),
    ListGroupPolicies: (input, context) => list(accounts.of(context).group(input.GroupName), input),
    DeleteGroupPolicy: (input, context) => remove(accounts.of(context).group(input.GroupName), input.PolicyName),
  }) satisfies Operations<Sdk>;
