import { readResourcePolicy } from "../../core/access/resource-policy";
import { checkConstraints } from "../../core/constraint";
import { notEmulated } from "../../core/errors";
import { limits } from "../../core/limits";
import type { PolicyDocument } from "../../core/policy";
import type { Host, Operations, Scoped } from "../../core/service";
import { byName, checkLimit, pageByName } from "./checks";
import { constraintCode, invalidParameter, limitExceeded, policyNotFound } from "./errors";
import type { LogsState } from "./state";

const isJsonObject = (text: string): boolean => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
};

/** What all resource policies of an account say together; undefined where it has none. */
export function accountPolicy({ policies }: LogsState): PolicyDocument | undefined {
  const documents = [...policies.values()].flatMap(({ policyDocument }) => readResourcePolicy(policyDocument) ?? []);
  if (documents.length === 0) return undefined;
  return { version: "2012-10-17", statements: documents.flatMap(({ statements }) => statements) };
}

/** Account-wide resource policies: they say which services may write. */
export const policyOperations = (state: Scoped<LogsState>, host: Host) =>
  ({
    PutResourcePolicy({ policyName, policyDocument, resourceArn }, context) {
      if (resourceArn !== undefined)
        throw notEmulated("logs", "PutResourcePolicy", "resourceArn: only account policies are");
      checkConstraints(constraintCode, {
        policyName: [policyName, { required: true, length: [1, 512] }],
        policyDocument: [policyDocument, { required: true, length: [1, limits.logs.resourcePolicy.value] }],
      });
      if (!isJsonObject(policyDocument!)) throw invalidParameter("The policy document is not valid JSON.");
      const { policies } = state.of(context);
      if (!policies.has(policyName!) && policies.size >= limits.logs.resourcePolicies.value) throw limitExceeded();
      const resourcePolicy = {
        policyName,
        policyDocument,
        lastUpdatedTime: host.clock.now(),
        policyScope: "ACCOUNT" as const,
      };
      policies.set(policyName!, resourcePolicy);
      return { resourcePolicy };
    },

    DescribeResourcePolicies(input, context) {
      checkLimit(input.limit, 1000);
      const found = [...state.of(context).policies.values()];
      const nameOf = ({ policyName = "" }: (typeof found)[number]) => policyName;
      found.sort((a, b) => byName(nameOf(a), nameOf(b)));
      const { items, nextToken } = pageByName(found, nameOf, input);
      return { resourcePolicies: items, nextToken };
    },

    DeleteResourcePolicy({ policyName }, context) {
      checkConstraints(constraintCode, { policyName: [policyName, { required: true }] });
      if (!state.of(context).policies.delete(policyName!)) throw policyNotFound(policyName!);
      return {};
    },
  }) satisfies Operations<typeof import("@aws-sdk/client-cloudwatch-logs")>;
