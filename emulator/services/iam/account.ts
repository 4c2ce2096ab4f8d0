import { randomUUID } from "node:crypto";
import { checkConstraints } from "../../core/constraint";
import { readTrustPolicy } from "../../core/policy-kinds";
import type { Operations } from "../../core/service";
import { makeId, readDocument } from "./common";
import { deleteConflict, invalidInput, noSuchEntity } from "./errors";
import { roleSummary } from "./roles";
import type { IamContext, Role } from "./state";

type Sdk = typeof import("@aws-sdk/client-iam");

/** Names that AWS gives to its service-linked roles; others are made from the service's name. */
const linkedNames: Record<string, string> = {
  "ops.apigateway.amazonaws.com": "APIGateway",
  "replication.dynamodb.amazonaws.com": "DynamoDBReplication",
  "dynamodb.application-autoscaling.amazonaws.com": "ApplicationAutoScaling_DynamoDBTable",
  "lambda.amazonaws.com": "Lambda",
  "email.cognito-idp.amazonaws.com": "AmazonCognitoIdpEmailService",
  "cognito-idp.amazonaws.com": "AmazonCognitoIdp",
};

/** Path and name of the role of a service. */
export function linkedRole(service: string, suffix?: string): { path: string; name: string } {
  const [first = ""] = service.split(".");
  const name = `AWSServiceRoleFor${linkedNames[service] ?? first.charAt(0).toUpperCase() + first.slice(1)}`;
  return { path: `/aws-service-role/${service}/`, name: suffix ? `${name}_${suffix}` : name };
}

export const accountOperations = ({ accounts, now }: IamContext) =>
  ({
    CreateAccountAlias: (input, context) => {
      checkConstraints("ValidationError", {
        accountAlias: [
          input.AccountAlias,
          { required: true, length: [3, 63], pattern: /^[a-z0-9]([a-z0-9]|-(?!-))*[a-z0-9]$/ },
        ],
      });
      // An account has one alias: a new one replaces it.
      accounts.of(context).alias = input.AccountAlias;
      return {};
    },

    DeleteAccountAlias: (input, context) => {
      const account = accounts.of(context);
      if (account.alias !== input.AccountAlias) {
        throw noSuchEntity(`The account alias ${input.AccountAlias} cannot be found.`);
      }
      account.alias = undefined;
      return {};
    },

    ListAccountAliases: (_input, context) => {
      const { alias } = accounts.of(context);
      return { AccountAliases: alias ? [alias] : [], IsTruncated: false };
    },

    GetAccountSummary: (_input, context) => {
      const account = accounts.of(context);
      return {
        SummaryMap: {
          Users: account.users.size,
          UsersQuota: 5000,
          Groups: account.groups.size,
          GroupsQuota: 300,
          Roles: account.roles.size,
          RolesQuota: 1000,
          Policies: account.policies.size,
          PoliciesQuota: 1500,
          InstanceProfiles: account.profiles.size,
          InstanceProfilesQuota: 1000,
          AccessKeysPerUserQuota: 2,
          AttachedPoliciesPerRoleQuota: 10,
          AttachedPoliciesPerUserQuota: 10,
          AttachedPoliciesPerGroupQuota: 10,
          VersionsPerPolicyQuota: 5,
          PolicySizeQuota: 6144,
          AssumeRolePolicySizeQuota: 2048,
          AccountMFAEnabled: 0,
          AccountAccessKeysPresent: 0,
        },
      };
    },

    CreateServiceLinkedRole: (input, context) => {
      const account = accounts.of(context);
      checkConstraints("ValidationError", {
        aWSServiceName: [input.AWSServiceName, { required: true, length: [1, 128], pattern: /^[\w+=,.@-]+$/ }],
        customSuffix: [input.CustomSuffix, { length: [1, 64], pattern: /^[\w+=,.@-]+$/ }],
        description: [input.Description, { length: [0, 1000] }],
      });
      const service = input.AWSServiceName!;
      const { path, name } = linkedRole(service, input.CustomSuffix);
      if (account.roles.has(name.toLowerCase())) {
        throw invalidInput(`Service role name ${name} has been taken in this account, please try a different suffix.`);
      }
      const trust = JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" }],
      });
      const role: Role = {
        kind: "role",
        name,
        path,
        id: makeId("AROA"),
        arn: `arn:aws:iam::${account.id}:role${path}${name}`,
        created: now(),
        inline: new Map(),
        attached: new Set(),
        tags: new Map(),
        description: input.Description,
        trust: readDocument(trust, readTrustPolicy),
        maxSession: 3600,
      };
      account.roles.set(name.toLowerCase(), role);
      return { Role: roleSummary(role) };
    },

    DeleteServiceLinkedRole: (input, context) => {
      const account = accounts.of(context);
      const role = account.role(input.RoleName);
      if (!role.path.startsWith("/aws-service-role/")) {
        throw invalidInput(`Role ${role.name} is not a service-linked role.`);
      }
      if ([...account.profiles.values()].some((profile) => profile.role === role.name)) {
        throw deleteConflict("remove roles from instance profile");
      }
      account.roles.delete(role.name.toLowerCase());
      return { DeletionTaskId: `task${role.path}${role.name}/${randomUUID()}` };
    },

    // The deletion above is done when it answers.
    GetServiceLinkedRoleDeletionStatus: (input) => {
      if (!/^task\/aws-service-role\/[^/]+\/[^/]+\/[0-9a-f-]{36}$/.test(input.DeletionTaskId ?? "")) {
        throw noSuchEntity(`Deletion task ${input.DeletionTaskId} cannot be found.`);
      }
      return { Status: "SUCCEEDED" };
    },
  }) satisfies Operations<Sdk>;
