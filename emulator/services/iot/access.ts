import type { Action, RegistrationConfig, TopicRulePayload } from "@aws-sdk/client-iot";
import {
  type Access,
  type AccessTable,
  passRole,
  type RequestTags,
  requestTags,
  resourceTags,
} from "../../core/access/access";
import { parseArn } from "../../core/arn";
import type { Context } from "../../core/service";
import type { Region } from "./state";
import type { Sdk, Store } from "./store";

type Keys = NonNullable<Access["conditions"]>;

const roleOf = (action: Action | undefined): string | undefined =>
  Object.values(action ?? {}).find((config) => typeof config?.roleArn === "string")?.roleArn;

const rolesOf = (payload: TopicRulePayload | undefined): readonly (string | undefined)[] => [
  ...new Set([...(payload?.actions ?? []), payload?.errorAction].map(roleOf)),
];

/**
 * What AWS IoT wants allowed (https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsiot.html). A role
 * of another account is the operation's to refuse.
 */
export function access(store: Store): AccessTable<Sdk> {
  const on = (action: string, arn: string, region: Region, more: Keys = {}): Access => ({
    action: `iot:${action}`,
    resource: arn,
    conditions: { ...resourceTags(region.tags.get(arn)), ...more },
  });
  const at = (action: string, kind: string, name: string | undefined, context: Context, more: Keys = {}): Access => {
    const region = store.region(context);
    return on(action, region.arn(`${kind}/${name ?? "*"}`), region, more);
  };
  const thing = (action: string) => (input: { thingName?: string }, context: Context) =>
    at(action, "thing", input.thingName, context);
  const group = (action: string) => (input: { thingGroupName?: string; tags?: RequestTags }, context: Context) =>
    at(action, "thinggroup", input.thingGroupName, context, requestTags(input.tags));
  const billing = (action: string) => (input: { billingGroupName?: string; tags?: RequestTags }, context: Context) =>
    at(action, "billinggroup", input.billingGroupName, context, requestTags(input.tags));
  const type = (action: string) => (input: { thingTypeName?: string; tags?: RequestTags }, context: Context) =>
    at(action, "thingtype", input.thingTypeName, context, requestTags(input.tags));
  const policy = (action: string) => (input: { policyName?: string; tags?: RequestTags }, context: Context) =>
    at(action, "policy", input.policyName, context, requestTags(input.tags));
  const rule = (action: string) => (input: { ruleName?: string }, context: Context) =>
    at(action, "rule", input.ruleName, context);
  const certificate = (action: string) => (input: { certificateId?: string }, context: Context) =>
    at(action, "cert", input.certificateId, context);
  const authority = (action: string) => (input: { certificateId?: string }, context: Context) =>
    at(action, "cacert", input.certificateId, context);
  /** A certificate or thing group by its ARN; a Cognito identity has none, and is only named. */
  const named = (action: string, name: string | undefined, context: Context, more: Keys = {}): Access =>
    name?.startsWith("arn:")
      ? on(action, name, store.region(context), more)
      : { action: `iot:${action}`, resource: "*", shown: name, conditions: more };
  const principal = (action: string) => (input: { principal?: string }, context: Context) =>
    named(action, input.principal, context);
  const target = (action: string) => (input: { target?: string }, context: Context) =>
    named(action, input.target, context);
  const ofThing = (action: string) => (input: { principal?: string; thingName?: string }, context: Context) =>
    named(action, input.principal, context, {
      "iot:thingArn": [store.region(context).arn(`thing/${input.thingName ?? "*"}`)],
    });
  type Membership = { thingName?: string; thingArn?: string };
  const member = (action: string, { thingName, thingArn }: Membership, context: Context) =>
    thingArn ? named(action, thingArn, context) : at(action, "thing", thingName, context);
  const inGroup =
    (action: string) => (input: Membership & { thingGroupName?: string; thingGroupArn?: string }, context: Context) => [
      member(action, input, context),
      input.thingGroupArn
        ? named(action, input.thingGroupArn, context)
        : at(action, "thinggroup", input.thingGroupName, context),
    ];
  const inBillingGroup =
    (action: string) =>
    (input: Membership & { billingGroupName?: string; billingGroupArn?: string }, context: Context) => [
      member(action, input, context),
      input.billingGroupArn
        ? named(action, input.billingGroupArn, context)
        : at(action, "billinggroup", input.billingGroupName, context),
    ];
  const tagged =
    (action: string) => (input: { resourceArn?: string; tags?: RequestTags; tagKeys?: string[] }, context: Context) =>
      named(action, input.resourceArn, context, requestTags(input.tags, input.tagKeys));
  const pass = (role: string | undefined, { account }: Context) =>
    parseArn(role ?? "")?.account === account ? passRole(role, "iot.amazonaws.com") : [];
  const passAll = (payload: TopicRulePayload | undefined, context: Context) =>
    rolesOf(payload).flatMap((role) => pass(role, context));
  const registration = (config: RegistrationConfig | undefined, context: Context) => pass(config?.roleArn, context);
  const all = (action: string) => () => ({ action: `iot:${action}`, resource: "*" });

  return {
    AddThingToBillingGroup: inBillingGroup("AddThingToBillingGroup"),
    AddThingToThingGroup: inGroup("AddThingToThingGroup"),
    AttachPolicy: target("AttachPolicy"),
    AttachPrincipalPolicy: principal("AttachPrincipalPolicy"),
    AttachThingPrincipal: ofThing("AttachThingPrincipal"),
    CreateBillingGroup: billing("CreateBillingGroup"),
    CreateCertificateFromCsr: all("CreateCertificateFromCsr"),
    CreateKeysAndCertificate: all("CreateKeysAndCertificate"),
    CreatePolicy: policy("CreatePolicy"),
    CreatePolicyVersion: policy("CreatePolicyVersion"),
    CreateThing: (input, context) => [
      thing("CreateThing")(input, context),
      ...(input.billingGroupName ? [at("CreateThing", "billinggroup", input.billingGroupName, context)] : []),
    ],
    CreateThingGroup: group("CreateThingGroup"),
    CreateThingType: type("CreateThingType"),
    CreateTopicRule: ({ ruleName, tags, topicRulePayload }, context) => [
      at("CreateTopicRule", "rule", ruleName, context, requestTags(Object.fromEntries(new URLSearchParams(tags)))),
      ...passAll(topicRulePayload, context),
    ],
    DeleteBillingGroup: billing("DeleteBillingGroup"),
    DeleteCACertificate: authority("DeleteCACertificate"),
    DeleteCertificate: certificate("DeleteCertificate"),
    DeletePolicy: policy("DeletePolicy"),
    DeletePolicyVersion: policy("DeletePolicyVersion"),
    DeleteRegistrationCode: all("DeleteRegistrationCode"),
    DeleteThing: thing("DeleteThing"),
    DeleteThingGroup: group("DeleteThingGroup"),
    DeleteThingType: type("DeleteThingType"),
    DeleteTopicRule: rule("DeleteTopicRule"),
    DeprecateThingType: type("DeprecateThingType"),
    DescribeBillingGroup: billing("DescribeBillingGroup"),
    DescribeCACertificate: authority("DescribeCACertificate"),
    DescribeCertificate: certificate("DescribeCertificate"),
    DescribeEndpoint: all("DescribeEndpoint"),
    DescribeThing: thing("DescribeThing"),
    DescribeThingGroup: group("DescribeThingGroup"),
    DescribeThingType: type("DescribeThingType"),
    DetachPolicy: target("DetachPolicy"),
    DetachPrincipalPolicy: principal("DetachPrincipalPolicy"),
    DetachThingPrincipal: ofThing("DetachThingPrincipal"),
    DisableTopicRule: rule("DisableTopicRule"),
    EnableTopicRule: rule("EnableTopicRule"),
    GetEffectivePolicies: principal("GetEffectivePolicies"),
    GetPolicy: policy("GetPolicy"),
    GetPolicyVersion: policy("GetPolicyVersion"),
    GetRegistrationCode: all("GetRegistrationCode"),
    GetTopicRule: rule("GetTopicRule"),
    GetV2LoggingOptions: all("GetV2LoggingOptions"),
    ListAttachedPolicies: all("ListAttachedPolicies"),
    ListBillingGroups: all("ListBillingGroups"),
    ListCACertificates: all("ListCACertificates"),
    ListCertificates: all("ListCertificates"),
    ListCertificatesByCA: all("ListCertificatesByCA"),
    ListPolicies: all("ListPolicies"),
    ListPolicyPrincipals: all("ListPolicyPrincipals"),
    ListPolicyVersions: policy("ListPolicyVersions"),
    ListPrincipalPolicies: all("ListPrincipalPolicies"),
    ListPrincipalThings: principal("ListPrincipalThings"),
    ListPrincipalThingsV2: principal("ListPrincipalThingsV2"),
    ListTagsForResource: tagged("ListTagsForResource"),
    ListTargetsForPolicy: policy("ListTargetsForPolicy"),
    ListThingGroups: all("ListThingGroups"),
    ListThingGroupsForThing: thing("ListThingGroupsForThing"),
    ListThingPrincipals: thing("ListThingPrincipals"),
    ListThingPrincipalsV2: thing("ListThingPrincipalsV2"),
    ListThings: all("ListThings"),
    ListThingsInBillingGroup: billing("ListThingsInBillingGroup"),
    ListThingsInThingGroup: group("ListThingsInThingGroup"),
    ListThingTypes: all("ListThingTypes"),
    ListTopicRules: all("ListTopicRules"),
    RegisterCACertificate: ({ tags, registrationConfig }, context) => [
      { action: "iot:RegisterCACertificate", resource: "*", conditions: requestTags(tags) },
      ...registration(registrationConfig, context),
    ],
    RegisterCertificate: all("RegisterCertificate"),
    RegisterCertificateWithoutCA: all("RegisterCertificateWithoutCA"),
    RemoveThingFromBillingGroup: inBillingGroup("RemoveThingFromBillingGroup"),
    RemoveThingFromThingGroup: inGroup("RemoveThingFromThingGroup"),
    ReplaceTopicRule: (input, context) => [
      rule("ReplaceTopicRule")(input, context),
      ...passAll(input.topicRulePayload, context),
    ],
    SetDefaultPolicyVersion: policy("SetDefaultPolicyVersion"),
    SetV2LoggingOptions: ({ roleArn }, context) => [
      { action: "iot:SetV2LoggingOptions", resource: "*" },
      ...pass(roleArn, context),
    ],
    TagResource: tagged("TagResource"),
    TestAuthorization: principal("TestAuthorization"),
    UntagResource: tagged("UntagResource"),
    UpdateBillingGroup: billing("UpdateBillingGroup"),
    UpdateCACertificate: (input, context) => [
      authority("UpdateCACertificate")(input, context),
      ...registration(input.registrationConfig, context),
    ],
    UpdateCertificate: certificate("UpdateCertificate"),
    UpdateThing: thing("UpdateThing"),
    UpdateThingGroup: group("UpdateThingGroup"),
    UpdateThingGroupsForThing: ({ thingName, thingGroupsToAdd = [], thingGroupsToRemove = [] }, context) => [
      at("UpdateThingGroupsForThing", "thing", thingName, context),
      ...[...thingGroupsToAdd, ...thingGroupsToRemove].map((name) =>
        at("UpdateThingGroupsForThing", "thinggroup", name, context),
      ),
    ],
    UpdateThingType: type("UpdateThingType"),
  };
}
