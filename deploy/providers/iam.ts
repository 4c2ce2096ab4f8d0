import type {
  AccessKey,
  AccessKeyArgs,
  InstanceProfile,
  InstanceProfileArgs,
  Policy,
  PolicyArgs,
  Role,
  RoleArgs,
  RolePolicy,
  RolePolicyArgs,
  RolePolicyAttachment,
  RolePolicyAttachmentArgs,
  User,
  UserArgs,
  UserPolicy,
  UserPolicyArgs,
  UserPolicyAttachment,
  UserPolicyAttachmentArgs,
} from "@pulumi/aws/iam";
import { PartlyCreated } from "../errors";
import { requiredDocument } from "./json";
import { tagChanges, tagList } from "./tags";
import { type PlainArgs, type ProviderContext, resourceType } from "./types";
import { unlessGone } from "./wait";

type RoleInputs = PlainArgs<RoleArgs>;

const inlinePolicies = (args: RoleInputs | undefined) =>
  new Map(
    (args?.inlinePolicies ?? [])
      .filter(({ name, policy }) => name && policy)
      .map(({ name, policy }) => [name!, requiredDocument(`inlinePolicies["${name}"].policy`, policy)]),
  );

/** Brings a role's own policies and attachments from the old inputs to the new ones. */
async function applyPolicies(
  role: string,
  args: RoleInputs,
  old: RoleInputs | undefined,
  { clients }: ProviderContext,
) {
  const before = inlinePolicies(old);
  const now = inlinePolicies(args);
  for (const [PolicyName, PolicyDocument] of now) {
    if (before.get(PolicyName) !== PolicyDocument) {
      await clients.iam.putRolePolicy({ RoleName: role, PolicyName, PolicyDocument });
    }
  }
  for (const PolicyName of before.keys()) {
    if (!now.has(PolicyName)) await clients.iam.deleteRolePolicy({ RoleName: role, PolicyName });
  }
  const attached = old?.managedPolicyArns ?? [];
  const wanted = args.managedPolicyArns ?? [];
  for (const PolicyArn of wanted) {
    if (!attached.includes(PolicyArn)) await clients.iam.attachRolePolicy({ RoleName: role, PolicyArn });
  }
  for (const PolicyArn of attached) {
    if (!wanted.includes(PolicyArn)) await clients.iam.detachRolePolicy({ RoleName: role, PolicyArn });
  }
}

/** AWS deletes only a role without policies; some may have come from elsewhere. */
async function clearRole(role: string, { clients }: ProviderContext) {
  const { AttachedPolicies = [] } = await clients.iam.listAttachedRolePolicies({ RoleName: role });
  for (const { PolicyArn } of AttachedPolicies) await clients.iam.detachRolePolicy({ RoleName: role, PolicyArn });
  const { PolicyNames = [] } = await clients.iam.listRolePolicies({ RoleName: role });
  for (const PolicyName of PolicyNames) await clients.iam.deleteRolePolicy({ RoleName: role, PolicyName });
}

async function readRole(id: string, { clients }: ProviderContext) {
  const found = await unlessGone(clients.iam.getRole({ RoleName: id }));
  if (!found?.Role) return undefined;
  const { Arn, RoleId, RoleName, CreateDate, Path, MaxSessionDuration } = found.Role;
  return {
    ...{ arn: Arn, uniqueId: RoleId, name: RoleName, path: Path, maxSessionDuration: MaxSessionDuration },
    createDate: CreateDate?.toISOString(),
  };
}

const role = resourceType<RoleArgs, Role>({
  autoname: { property: "name", max: 64 },
  replaceOn: ["name", "namePrefix", "path"],
  async create(args, context) {
    const RoleName = args.name!;
    await context.clients.iam.createRole({
      RoleName,
      AssumeRolePolicyDocument: requiredDocument("assumeRolePolicy", args.assumeRolePolicy),
      Path: args.path,
      Description: args.description,
      MaxSessionDuration: args.maxSessionDuration,
      PermissionsBoundary: args.permissionsBoundary,
      Tags: tagList(context.tags(args.tags)),
    });
    try {
      await applyPolicies(RoleName, args, undefined, context);
    } catch (error) {
      throw new PartlyCreated(RoleName, error);
    }
    return { id: RoleName };
  },
  read: readRole,
  async update(id, args, old, context) {
    const { iam } = context.clients;
    if (old.changed("assumeRolePolicy")) {
      const PolicyDocument = requiredDocument("assumeRolePolicy", args.assumeRolePolicy);
      await iam.updateAssumeRolePolicy({ RoleName: id, PolicyDocument });
    }
    if (old.changed("description", "maxSessionDuration")) {
      await iam.updateRole({
        RoleName: id,
        Description: args.description ?? "",
        MaxSessionDuration: args.maxSessionDuration ?? 3600,
      });
    }
    if (old.changed("permissionsBoundary")) {
      const PermissionsBoundary = args.permissionsBoundary;
      if (PermissionsBoundary) await iam.putRolePermissionsBoundary({ RoleName: id, PermissionsBoundary });
      else await iam.deleteRolePermissionsBoundary({ RoleName: id });
    }
    await applyPolicies(id, args, old.inputs, context);
    const { set, remove } = tagChanges(context.tags(old.inputs.tags), context.tags(args.tags));
    if (Object.keys(set).length > 0) await iam.tagRole({ RoleName: id, Tags: tagList(set) });
    if (remove.length > 0) await iam.untagRole({ RoleName: id, TagKeys: remove });
  },
  async delete(id, _known, context) {
    await clearRole(id, context);
    await context.clients.iam.deleteRole({ RoleName: id });
  },
});

const rolePolicy = resourceType<RolePolicyArgs, RolePolicy>({
  autoname: { property: "name", max: 128 },
  replaceOn: ["name", "namePrefix", "role"],
  async create(args, { clients }) {
    const PolicyDocument = requiredDocument("policy", args.policy);
    await clients.iam.putRolePolicy({ RoleName: args.role, PolicyName: args.name, PolicyDocument });
    return { id: `${args.role}:${args.name}`, outputs: {} };
  },
  async read(id, { clients }) {
    const [RoleName, PolicyName] = id.split(":");
    const found = await unlessGone(clients.iam.getRolePolicy({ RoleName, PolicyName }));
    return found && { name: PolicyName, role: RoleName };
  },
  async update(_id, args, _old, { clients }) {
    const PolicyDocument = requiredDocument("policy", args.policy);
    await clients.iam.putRolePolicy({ RoleName: args.role, PolicyName: args.name, PolicyDocument });
    return {};
  },
  async delete(id, _known, { clients }) {
    const [RoleName, PolicyName] = id.split(":");
    await clients.iam.deleteRolePolicy({ RoleName, PolicyName });
  },
});

const rolePolicyAttachment = resourceType<RolePolicyAttachmentArgs, RolePolicyAttachment>({
  async create(args, { clients }) {
    await clients.iam.attachRolePolicy({ RoleName: args.role, PolicyArn: args.policyArn });
    return { id: `${args.role}/${args.policyArn}`, outputs: {} };
  },
  async read(id, { clients }) {
    const [RoleName = "", ...arn] = id.split("/");
    const found = await unlessGone(clients.iam.listAttachedRolePolicies({ RoleName }));
    return found?.AttachedPolicies?.some(({ PolicyArn }) => PolicyArn === arn.join("/")) ? {} : undefined;
  },
  async delete(_id, { inputs }, { clients }) {
    await clients.iam.detachRolePolicy({ RoleName: inputs.role, PolicyArn: inputs.policyArn });
  },
});

const policy = resourceType<PolicyArgs, Policy>({
  autoname: { property: "name", max: 128 },
  replaceOn: ["name", "namePrefix", "path", "description"],
  async create(args, { clients, tags }) {
    const { Policy } = await clients.iam.createPolicy({
      PolicyName: args.name,
      PolicyDocument: requiredDocument("policy", args.policy),
      Path: args.path,
      Description: args.description,
      Tags: tagList(tags(args.tags)),
    });
    return { id: Policy?.Arn ?? "", outputs: { arn: Policy?.Arn, policyId: Policy?.PolicyId, path: Policy?.Path } };
  },
  async read(id, { clients }) {
    const found = await unlessGone(clients.iam.getPolicy({ PolicyArn: id }));
    return found?.Policy && { arn: id, name: found.Policy.PolicyName, policyId: found.Policy.PolicyId };
  },
  async update(id, args, old, { clients }) {
    if (!old.changed("policy")) return;
    // AWS keeps five versions at most; only the default one counts here.
    const { Versions = [] } = await clients.iam.listPolicyVersions({ PolicyArn: id });
    const oldest = Versions.filter(({ IsDefaultVersion }) => !IsDefaultVersion).at(-1);
    if (Versions.length >= 5) await clients.iam.deletePolicyVersion({ PolicyArn: id, VersionId: oldest?.VersionId });
    const PolicyDocument = requiredDocument("policy", args.policy);
    await clients.iam.createPolicyVersion({ PolicyArn: id, PolicyDocument, SetAsDefault: true });
  },
  async delete(id, _known, { clients }) {
    const { Versions = [] } = await clients.iam.listPolicyVersions({ PolicyArn: id });
    for (const { VersionId, IsDefaultVersion } of Versions) {
      if (!IsDefaultVersion) await clients.iam.deletePolicyVersion({ PolicyArn: id, VersionId });
    }
    await clients.iam.deletePolicy({ PolicyArn: id });
  },
});

const user = resourceType<UserArgs, User>({
  autoname: { property: "name", max: 64 },
  async create(args, { clients, tags }) {
    const Tags = tagList(tags(args.tags));
    const { User } = await clients.iam.createUser({ UserName: args.name, Path: args.path, Tags });
    return { id: args.name!, outputs: { arn: User?.Arn, uniqueId: User?.UserId } };
  },
  async read(id, { clients }) {
    const found = await unlessGone(clients.iam.getUser({ UserName: id }));
    return found?.User && { arn: found.User.Arn, uniqueId: found.User.UserId, name: id };
  },
  async delete(id, { inputs }, { clients }) {
    if (inputs.forceDestroy) {
      const { AccessKeyMetadata = [] } = await clients.iam.listAccessKeys({ UserName: id });
      for (const { AccessKeyId } of AccessKeyMetadata) await clients.iam.deleteAccessKey({ UserName: id, AccessKeyId });
    }
    await clients.iam.deleteUser({ UserName: id });
  },
});

const userPolicy = resourceType<UserPolicyArgs, UserPolicy>({
  autoname: { property: "name", max: 128 },
  replaceOn: ["name", "namePrefix", "user"],
  async create(args, { clients }) {
    const PolicyDocument = requiredDocument("policy", args.policy);
    await clients.iam.putUserPolicy({ UserName: args.user, PolicyName: args.name, PolicyDocument });
    return { id: `${args.user}:${args.name}`, outputs: {} };
  },
  async update(_id, args, _old, { clients }) {
    const PolicyDocument = requiredDocument("policy", args.policy);
    await clients.iam.putUserPolicy({ UserName: args.user, PolicyName: args.name, PolicyDocument });
    return {};
  },
  async delete(_id, { inputs }, { clients }) {
    await clients.iam.deleteUserPolicy({ UserName: inputs.user, PolicyName: inputs.name });
  },
});

const userPolicyAttachment = resourceType<UserPolicyAttachmentArgs, UserPolicyAttachment>({
  async create(args, { clients }) {
    await clients.iam.attachUserPolicy({ UserName: args.user, PolicyArn: args.policyArn });
    return { id: `${args.user}/${args.policyArn}`, outputs: {} };
  },
  async delete(_id, { inputs }, { clients }) {
    await clients.iam.detachUserPolicy({ UserName: inputs.user, PolicyArn: inputs.policyArn });
  },
});

const accessKey = resourceType<AccessKeyArgs, AccessKey>({
  secretOutputs: ["secret", "sesSmtpPasswordV4"],
  replaceOn: ["user", "pgpKey"],
  async create(args, { clients }) {
    const { AccessKey: key } = await clients.iam.createAccessKey({ UserName: args.user });
    return {
      id: key?.AccessKeyId ?? "",
      outputs: { secret: key?.SecretAccessKey, status: key?.Status, createDate: key?.CreateDate?.toISOString() },
    };
  },
  async update(id, args, old, { clients }) {
    const Status = args.status === "Inactive" ? "Inactive" : "Active";
    await clients.iam.updateAccessKey({ UserName: args.user, AccessKeyId: id, Status });
    return { ...old.outputs, status: Status };
  },
  async delete(id, { inputs }, { clients }) {
    await clients.iam.deleteAccessKey({ UserName: inputs.user, AccessKeyId: id });
  },
});

const instanceProfile = resourceType<InstanceProfileArgs, InstanceProfile>({
  autoname: { property: "name", max: 128 },
  async create(args, { clients }) {
    const InstanceProfileName = args.name!;
    const { InstanceProfile: made } = await clients.iam.createInstanceProfile({ InstanceProfileName, Path: args.path });
    if (args.role) await clients.iam.addRoleToInstanceProfile({ InstanceProfileName, RoleName: args.role });
    return { id: InstanceProfileName, outputs: { arn: made?.Arn, uniqueId: made?.InstanceProfileId } };
  },
  async delete(id, { inputs }, { clients }) {
    if (inputs.role) {
      await clients.iam.removeRoleFromInstanceProfile({ InstanceProfileName: id, RoleName: inputs.role });
    }
    await clients.iam.deleteInstanceProfile({ InstanceProfileName: id });
  },
});

export const types = {
  "aws:iam/role:Role": role,
  "aws:iam/rolePolicy:RolePolicy": rolePolicy,
  "aws:iam/rolePolicyAttachment:RolePolicyAttachment": rolePolicyAttachment,
  "aws:iam/policy:Policy": policy,
  "aws:iam/user:User": user,
  "aws:iam/userPolicy:UserPolicy": userPolicy,
  "aws:iam/userPolicyAttachment:UserPolicyAttachment": userPolicyAttachment,
  "aws:iam/accessKey:AccessKey": accessKey,
  "aws:iam/instanceProfile:InstanceProfile": instanceProfile,
};
