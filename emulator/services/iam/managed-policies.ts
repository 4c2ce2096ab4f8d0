import type { Policy as PolicyShape } from "@aws-sdk/client-iam";
import { checkConstraints } from "../../core/constraint";
import { limits } from "../../core/limits";
import { policySize } from "../../core/policy";
import { readIdentityPolicy } from "../../core/policy-kinds";
import type { Operations } from "../../core/service";
import { awsManagedPolicies } from "./aws-managed";
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
import { alreadyExists, limitExceeded, noSuchEntity, noSuchPolicy, policyInUse, quotaExceeded } from "./errors";
import type { Account, Document, IamContext, ManagedPolicy, PolicyVersion } from "./state";

type Sdk = typeof import("@aws-sdk/client-iam");

function managedDocument(text: string | undefined): Document {
  checkConstraints("ValidationError", { policyDocument: [text, { required: true, length: [1, 131_072] }] });
  const document = readDocument(text!, readIdentityPolicy);
  const { value: most } = limits.iam.managedPolicy;
  if (policySize(text!) > most) throw quotaExceeded("PolicySize", most);
  return document;
}

const attachments = (account: Account, arn: string) =>
  [...account.entities()].filter((entity) => entity.attached.has(arn)).length;
const boundaries = (account: Account, arn: string) =>
  [...account.entities()].filter((entity) => entity.boundary === arn).length;

/** As lists show it; GetPolicy adds description and tags. */
const policySummary = (account: Account, policy: ManagedPolicy): PolicyShape => ({
  PolicyName: policy.name,
  PolicyId: policy.id,
  Arn: policy.arn,
  Path: policy.path,
  DefaultVersionId: policy.defaultVersion,
  AttachmentCount: attachments(account, policy.arn),
  PermissionsBoundaryUsageCount: boundaries(account, policy.arn),
  IsAttachable: true,
  CreateDate: policy.created,
  UpdateDate: policy.updated,
});

const policyShape = (account: Account, policy: ManagedPolicy): PolicyShape => ({
  ...policySummary(account, policy),
  Description: policy.description,
  Tags: listTags(policy.tags),
});

const versionShape = (policy: ManagedPolicy, version: PolicyVersion) => ({
  VersionId: version.id,
  IsDefaultVersion: version.id === policy.defaultVersion,
  CreateDate: version.created,
});

/** A policy that its account may change; AWS's own it may not. */
function ownPolicy(account: Account, arn: string | undefined): ManagedPolicy {
  const policy = account.policies.get(arn ?? "");
  if (!policy) throw noSuchPolicy(arn ?? "");
  return policy;
}

function versionOf(policy: ManagedPolicy, id: string | undefined): PolicyVersion {
  const version = policy.versions.get(id ?? "");
  if (!version) {
    throw noSuchEntity(`Policy ${policy.arn} version ${id} does not exist or is not attachable.`);
  }
  return version;
}

export const managedPolicyOperations = ({ accounts, now }: IamContext) =>
  ({
    CreatePolicy: (input, context) => {
      const account = accounts.of(context);
      checkName("policyName", input.PolicyName, 128);
      const path = checkPath(input.Path);
      checkConstraints("ValidationError", { description: [input.Description, { length: [0, 1000] }] });
      const document = managedDocument(input.PolicyDocument);
      const tags = new Map<string, string>();
      addTags(tags, input.Tags);
      const lower = input.PolicyName.toLowerCase();
      if ([...account.policies.values()].some(({ name }) => name.toLowerCase() === lower)) {
        throw alreadyExists(`A policy called ${input.PolicyName} already exists. Duplicate names are not allowed.`);
      }
      const created = now();
      const policy: ManagedPolicy = {
        arn: `arn:aws:iam::${account.id}:policy${path}${input.PolicyName}`,
        id: makeId("ANPA"),
        name: input.PolicyName,
        path,
        description: input.Description,
        created,
        updated: created,
        versions: new Map([["v1", { id: "v1", document, created }]]),
        defaultVersion: "v1",
        versionCount: 1,
        tags,
      };
      account.policies.set(policy.arn, policy);
      return { Policy: policyShape(account, policy) };
    },

    GetPolicy: (input, context) => {
      const account = accounts.of(context);
      return { Policy: policyShape(account, account.policy(input.PolicyArn)) };
    },

    ListPolicies: (input, context) => {
      const account = accounts.of(context);
      const scope = input.Scope ?? "All";
      const all = [
        ...(scope === "AWS" ? [] : account.policies.values()),
        ...(scope === "Local" ? [] : awsManagedPolicies()),
      ].filter(
        ({ arn, path }) =>
          path.startsWith(input.PathPrefix ?? "/") &&
          (!input.OnlyAttached || attachments(account, arn) > 0) &&
          (input.PolicyUsageFilter !== "PermissionsBoundary" || boundaries(account, arn) > 0),
      );
      const { items, ...rest } = page(byName(all), input);
      return { Policies: items.map((policy) => policySummary(account, policy)), ...rest };
    },

    DeletePolicy: (input, context) => {
      const account = accounts.of(context);
      const policy = ownPolicy(account, input.PolicyArn);
      if (attachments(account, policy.arn) || boundaries(account, policy.arn)) {
        throw policyInUse("Cannot delete a policy attached to entities.");
      }
      if (policy.versions.size > 1) {
        throw policyInUse(
          "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
        );
      }
      account.policies.delete(policy.arn);
      return {};
    },

    CreatePolicyVersion: (input, context) => {
      const policy = ownPolicy(accounts.of(context), input.PolicyArn);
      const document = managedDocument(input.PolicyDocument);
      const { value: most } = limits.iam.policyVersions;
      if (policy.versions.size >= most) {
        throw limitExceeded(
          `A managed policy can have up to ${most} versions. Before you create a new version, you must delete an existing version.`,
        );
      }
      policy.versionCount++;
      const version = { id: `v${policy.versionCount}`, document, created: now() };
      policy.versions.set(version.id, version);
      if (input.SetAsDefault) policy.defaultVersion = version.id;
      policy.updated = version.created;
      return { PolicyVersion: versionShape(policy, version) };
    },

    GetPolicyVersion: (input, context) => {
      const policy = accounts.of(context).policy(input.PolicyArn);
      const version = versionOf(policy, input.VersionId);
      return {
        PolicyVersion: { ...versionShape(policy, version), Document: encodeDocument(version.document.text) },
      };
    },

    ListPolicyVersions: (input, context) => {
      const policy = accounts.of(context).policy(input.PolicyArn);
      const { items, ...rest } = page([...policy.versions.values()].reverse(), input);
      return { Versions: items.map((version) => versionShape(policy, version)), ...rest };
    },

    SetDefaultPolicyVersion: (input, context) => {
      const policy = ownPolicy(accounts.of(context), input.PolicyArn);
      policy.defaultVersion = versionOf(policy, input.VersionId).id;
      policy.updated = now();
      return {};
    },

    DeletePolicyVersion: (input, context) => {
      const policy = ownPolicy(accounts.of(context), input.PolicyArn);
      const version = versionOf(policy, input.VersionId);
      if (version.id === policy.defaultVersion) throw policyInUse("Cannot delete the default version of a policy.");
      policy.versions.delete(version.id);
      return {};
    },

    TagPolicy: (input, context) => {
      addTags(ownPolicy(accounts.of(context), input.PolicyArn).tags, input.Tags);
      return {};
    },

    UntagPolicy: (input, context) => {
      removeTags(ownPolicy(accounts.of(context), input.PolicyArn).tags, input.TagKeys);
      return {};
    },

    ListPolicyTags: (input, context) => {
      const { items, ...rest } = page(listTags(accounts.of(context).policy(input.PolicyArn).tags), input);
      return { Tags: items, ...rest };
    },
  }) satisfies Operations<Sdk>;
