import type { Context } from "../../core/service";
import { check, largePageRule, page } from "./checks";
import { invalidRequest, principalNotFound } from "./errors";
import { findPolicy } from "./policies";
import type { Policy, Region } from "./state";
import type { IotOperations, Store } from "./store";

const identityPattern = /^[\w-]+:[0-9a-f-]+$/;

/** Refuses a target of policies that this region does not have: a certificate, a thing group or a Cognito identity. */
function checkTarget(region: Region, target: string | undefined, name: string): string {
  check({ [name]: [target, { required: true, length: [1, 2048] }] });
  const group = /:thinggroup\/(.+)$/.exec(target!)?.[1];
  const isKnown = target!.startsWith("arn:")
    ? region.certificateOf(target!) !== undefined || (group !== undefined && region.groups.get(group)?.arn === target)
    : identityPattern.test(target!);
  if (!isKnown) throw target!.startsWith("arn:") ? principalNotFound(target!) : invalidRequest("Invalid principal");
  return target!;
}

const named = ({ name, arn }: Policy) => ({ policyName: name, policyArn: arn });

/** Which certificates, thing groups and identities have which policies. */
export function attachmentOperations(store: Store): IotOperations {
  const attach = (policyName: string | undefined, target: string | undefined, name: string, context: Context) => {
    const region = store.region(context);
    const policy = findPolicy(region, policyName);
    policy.targets.add(checkTarget(region, target, name));
    region.generation++;
    return {};
  };
  const detach = (policyName: string | undefined, target: string | undefined, name: string, context: Context) => {
    const region = store.region(context);
    const policy = findPolicy(region, policyName);
    policy.targets.delete(checkTarget(region, target, name));
    region.generation++;
    return {};
  };
  /** The policies of a target; of a thing group, when asked for, those of the groups above it, too. */
  const attachedTo = (region: Region, target: string, recursive = false): Policy[] => {
    const found = new Set(region.policiesOf(target));
    if (recursive) {
      let group = [...region.groups.values()].find(({ arn }) => arn === target);
      while (group?.parent !== undefined) {
        group = region.groups.get(group.parent);
        if (group) for (const policy of region.policiesOf(group.arn)) found.add(policy);
      }
    }
    return [...found];
  };
  return {
    AttachPolicy: ({ policyName, target }, context) => attach(policyName, target, "target", context),
    DetachPolicy: ({ policyName, target }, context) => detach(policyName, target, "target", context),
    AttachPrincipalPolicy: ({ policyName, principal }, context) => attach(policyName, principal, "principal", context),
    DetachPrincipalPolicy: ({ policyName, principal }, context) => detach(policyName, principal, "principal", context),

    ListAttachedPolicies({ target, recursive, marker, pageSize }, context) {
      check({ pageSize: [pageSize, largePageRule] });
      const region = store.region(context);
      const all = attachedTo(region, checkTarget(region, target, "target"), recursive);
      const { items, next } = page(all, marker, pageSize);
      return { policies: items.map(named), ...(next && { nextMarker: next }) };
    },

    ListPrincipalPolicies({ principal, marker, pageSize }, context) {
      check({ pageSize: [pageSize, largePageRule] });
      const region = store.region(context);
      const { items, next } = page(attachedTo(region, checkTarget(region, principal, "principal")), marker, pageSize);
      return { policies: items.map(named), ...(next && { nextMarker: next }) };
    },

    ListTargetsForPolicy({ policyName, marker, pageSize }, context) {
      check({ pageSize: [pageSize, largePageRule] });
      const { items, next } = page([...findPolicy(store.region(context), policyName).targets], marker, pageSize);
      return { targets: items, ...(next && { nextMarker: next }) };
    },

    ListPolicyPrincipals({ policyName, marker, pageSize }, context) {
      check({ pageSize: [pageSize, largePageRule] });
      const { items, next } = page([...findPolicy(store.region(context), policyName).targets], marker, pageSize);
      return { principals: items, ...(next && { nextMarker: next }) };
    },

    GetEffectivePolicies({ principal, thingName }, context) {
      const region = store.region(context);
      const found = new Set<Policy>();
      if (principal !== undefined) {
        for (const policy of region.policiesOf(checkTarget(region, principal, "principal"))) found.add(policy);
      }
      if (thingName !== undefined) {
        for (const { arn } of region.groupsOf(thingName))
          for (const policy of region.policiesOf(arn)) found.add(policy);
      }
      return {
        effectivePolicies: [...found].map((policy) => ({
          ...named(policy),
          policyDocument: policy.versions.get(policy.defaultVersion)!.text,
        })),
      };
    },
  };
}
