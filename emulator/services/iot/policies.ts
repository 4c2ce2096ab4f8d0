import { limits } from "../../core/limits";
import type { Context } from "../../core/service";
import { byAge, check, largePageRule, page, policyNameRule } from "./checks";
import {
  alreadyExists,
  defaultPolicyVersion,
  policyAttached,
  policyHasVersions,
  policyNotFound,
  policyVersionNotFound,
  policyVersionsLimit,
} from "./errors";
import { readIotPolicy } from "./policy-document";
import type { Policy, PolicyVersion, Region } from "./state";
import type { IotOperations, Store } from "./store";
import { checkTags, setTags } from "./tags";

const mostVersions = limits.iot.policyVersions.value;
const versionRule = { required: true, pattern: /^[0-9]+$/ } as const;

/** The policy of a name. */
export function findPolicy(region: Region, name: string | undefined): Policy {
  check({ policyName: [name, policyNameRule] });
  const policy = region.policies.get(name!);
  if (!policy) throw policyNotFound(name!);
  return policy;
}

/** IoT policies and their versions: what clients of the broker may do. */
export function policyOperations(store: Store): IotOperations {
  const find = (name: string | undefined, context: Context) => findPolicy(store.region(context), name);
  const versionOf = (policy: Policy, id: string | undefined): PolicyVersion => {
    check({ policyVersionId: [id, versionRule] });
    const version = policy.versions.get(id!);
    if (!version) throw policyVersionNotFound(policy.name, id!);
    return version;
  };
  const add = (policy: Policy, version: Omit<PolicyVersion, "id" | "createdAt">): PolicyVersion => {
    const made = { id: String(++policy.lastVersion), createdAt: store.clock.now(), ...version };
    policy.versions.set(made.id, made);
    return made;
  };
  const changed = (context: Context) => {
    store.region(context).generation++;
    return {};
  };
  return {
    CreatePolicy({ policyName, policyDocument, tags }, context) {
      check({ policyName: [policyName, policyNameRule] });
      const document = readIotPolicy(policyDocument);
      checkTags(tags);
      const region = store.region(context);
      const name = policyName!;
      const arn = region.arn(`policy/${name}`);
      if (region.policies.has(name))
        throw alreadyExists(`Policy cannot be created - name already exists (name=${name})`, name, arn);
      const policy: Policy = {
        name,
        arn,
        createdAt: store.clock.now(),
        versions: new Map(),
        lastVersion: 0,
        defaultVersion: "1",
        targets: new Set(),
      };
      add(policy, { text: policyDocument!, document });
      region.policies.set(name, policy);
      setTags(region, arn, tags);
      return { policyName: name, policyArn: arn, policyDocument, policyVersionId: "1" };
    },

    GetPolicy({ policyName }, context) {
      const policy = find(policyName, context);
      const version = policy.versions.get(policy.defaultVersion)!;
      return {
        policyName: policy.name,
        policyArn: policy.arn,
        policyDocument: version.text,
        defaultVersionId: version.id,
        creationDate: new Date(policy.createdAt),
        lastModifiedDate: new Date(version.createdAt),
        generationId: version.id,
      };
    },

    ListPolicies({ marker, pageSize, ascendingOrder }, context) {
      check({ pageSize: [pageSize, largePageRule] });
      const { items, next } = page(byAge(store.region(context).policies.values(), ascendingOrder), marker, pageSize);
      return {
        policies: items.map(({ name, arn }) => ({ policyName: name, policyArn: arn })),
        ...(next && { nextMarker: next }),
      };
    },

    DeletePolicy({ policyName }, context) {
      const policy = find(policyName, context);
      if (policy.versions.size > 1) throw policyHasVersions(policy.name);
      if (policy.targets.size > 0) throw policyAttached(policy.name);
      const region = store.region(context);
      region.policies.delete(policy.name);
      region.tags.delete(policy.arn);
      return changed(context);
    },

    CreatePolicyVersion({ policyName, policyDocument, setAsDefault }, context) {
      const policy = find(policyName, context);
      const document = readIotPolicy(policyDocument);
      if (policy.versions.size >= mostVersions) throw policyVersionsLimit(policy.name);
      const { id } = add(policy, { text: policyDocument!, document });
      if (setAsDefault) policy.defaultVersion = id;
      changed(context);
      return { policyArn: policy.arn, policyDocument, policyVersionId: id, isDefaultVersion: setAsDefault ?? false };
    },

    GetPolicyVersion({ policyName, policyVersionId }, context) {
      const policy = find(policyName, context);
      const { id, text, createdAt } = versionOf(policy, policyVersionId);
      return {
        policyName: policy.name,
        policyArn: policy.arn,
        policyDocument: text,
        policyVersionId: id,
        isDefaultVersion: id === policy.defaultVersion,
        creationDate: new Date(createdAt),
        lastModifiedDate: new Date(createdAt),
        generationId: id,
      };
    },

    ListPolicyVersions({ policyName }, context) {
      const policy = find(policyName, context);
      return {
        policyVersions: [...policy.versions.values()].reverse().map(({ id, createdAt }) => ({
          versionId: id,
          isDefaultVersion: id === policy.defaultVersion,
          createDate: new Date(createdAt),
        })),
      };
    },

    SetDefaultPolicyVersion({ policyName, policyVersionId }, context) {
      const policy = find(policyName, context);
      policy.defaultVersion = versionOf(policy, policyVersionId).id;
      return changed(context);
    },

    DeletePolicyVersion({ policyName, policyVersionId }, context) {
      const policy = find(policyName, context);
      const { id } = versionOf(policy, policyVersionId);
      if (id === policy.defaultVersion) throw defaultPolicyVersion(policy.name, id);
      policy.versions.delete(id);
      return changed(context);
    },
  };
}
