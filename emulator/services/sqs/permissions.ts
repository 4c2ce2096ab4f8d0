import type { Operations } from "../../core/service";
import { invalidValue, missingParameter } from "./errors";
import type { Store, StoredQueue } from "./store";

interface Statement {
  readonly Sid?: string;
  readonly [member: string]: unknown;
}

interface Policy {
  readonly Version: string;
  readonly Id: string;
  readonly Statement: readonly Statement[];
}

const actions = new Set([
  "*",
  "SendMessage",
  "ReceiveMessage",
  "DeleteMessage",
  "ChangeMessageVisibility",
  "GetQueueAttributes",
  "GetQueueUrl",
  "ListDeadLetterSourceQueues",
  "PurgeQueue",
]);

function policyOf(queue: StoredQueue): Policy {
  if (!queue.attributes.Policy) return { Version: "2008-10-17", Id: `${queue.arn}/SQSDefaultPolicy`, Statement: [] };
  const policy = JSON.parse(queue.attributes.Policy) as Policy;
  const statement: unknown = policy.Statement ?? [];
  return { ...policy, Statement: (Array.isArray(statement) ? statement : [statement]) as Statement[] };
}

/** One value stands alone in a policy, several make a list. */
const oneOrMany = (values: readonly string[]) => (values.length === 1 ? values[0] : values);

function keep(queue: StoredQueue, policy: Policy): void {
  const { Policy: _, ...rest } = queue.attributes;
  queue.configure(policy.Statement.length ? { ...rest, Policy: JSON.stringify(policy) } : rest);
}

/** AddPermission and RemovePermission: statements of the queue's Policy attribute. */
export const permissionOperations = (store: Store) =>
  ({
    AddPermission({ QueueUrl, Label, AWSAccountIds, Actions }, context) {
      const queue = store.byUrl(QueueUrl, context);
      if (!Label) throw missingParameter("Label");
      if (!/^[A-Za-z0-9_-]{1,80}$/.test(Label))
        throw invalidValue(
          Label,
          "Label",
          "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
        );
      if (!AWSAccountIds?.length) throw missingParameter("AWSAccountIds");
      if (!Actions?.length) throw missingParameter("Actions");
      for (const account of AWSAccountIds)
        if (!/^\d{12}$/.test(account)) throw invalidValue(account, "PrincipalId", "Unable to verify.");
      for (const action of Actions)
        if (!actions.has(action))
          throw invalidValue(
            `SQS:${action}`,
            "ActionName",
            "Please refer to the appropriate WSDL for a list of valid actions.",
          );
      const policy = policyOf(queue);
      if (policy.Statement.some(({ Sid }) => Sid === Label)) throw invalidValue(Label, "Label", "Already exists.");
      const statement = {
        Sid: Label,
        Effect: "Allow",
        Principal: { AWS: oneOrMany(AWSAccountIds.map((account) => `arn:aws:iam::${account}:root`)) },
        Action: oneOrMany(Actions.map((action) => `SQS:${action}`)),
        Resource: queue.arn,
      };
      keep(queue, { ...policy, Statement: [...policy.Statement, statement] });
      return {};
    },

    RemovePermission({ QueueUrl, Label }, context) {
      const queue = store.byUrl(QueueUrl, context);
      if (!Label) throw missingParameter("Label");
      const policy = policyOf(queue);
      const rest = policy.Statement.filter(({ Sid }) => Sid !== Label);
      if (rest.length === policy.Statement.length) throw invalidValue(Label, "Label", "can't find label.");
      keep(queue, { ...policy, Statement: rest });
      return {};
    },
  }) satisfies Operations<typeof import("@aws-sdk/client-sqs")>;
