import { checkConstraints } from "../../core/constraint";
import { notEmulated } from "../../core/errors";
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

/** Account-wide resource policies: they say which services may write. Kept and shown. */
export const policyOperations = (state: Scoped<LogsState>, host: Host) =>
  ({
    PutResourcePolicy({ policyName, policyDocument, resourceArn }, context) {
      if (resourceArn !== undefined)
        throw notEmulated("logs", "PutResourcePolicy", "resourceArn: only account policies are");
      checkConstraints(constraintCode, {
        policyName: [policyName, { required: true, length: [1, 512] }],
        policyDocument: [policyDocument, { required: true, length: [1, 5120] }],
      });
      if (!isJsonObject(policyDocument!)) throw invalidParameter("The policy document is not valid JSON.");
      const { policies } = state.of(context);
      // Ten for an account and region (user guide: CloudWatch Logs quotas).
      if (!policies.has(policyName!) && policies.size >= 10) throw limitExceeded();
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
