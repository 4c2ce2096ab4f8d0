import { parseArn } from "../../core/arn";
import type { Context } from "../../core/service";
import { allowsAccount, notAuthorized } from "../../core/service-caller";
import { defaultPolicy } from "./attributes";
import { invalidParameter } from "./errors";
import type { Store } from "./state";
import type { SnsOperations } from "./topics";

type Operation = (input: Record<string, unknown>, context: Context) => unknown;

/** Members of requests that name a topic or a subscription, wherever it is. */
const references = ["TopicArn", "TargetArn", "ResourceArn", "SubscriptionArn"];

/**
 * Keeps topics to their own account and region: other accounts do what the topic's policy allows them, and what they
 * want with their own subscriptions
 * (https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html). A token confirms whoever has it.
 */
export function guarded(store: Store, operations: SnsOperations): SnsOperations {
  const { ConfirmSubscription, ...others } = operations;
  const entries = Object.entries(others as Record<string, Operation>).map(([name, run]): [string, Operation] => [
    name,
    (input, context) => {
      for (const reference of references) check(store, reference, input[reference], name, context);
      return run(input, context);
    },
  ]);
  return { ...(Object.fromEntries(entries) as SnsOperations), ConfirmSubscription };
}

function check(
  store: Store,
  reference: string,
  text: unknown,
  operation: string,
  { account, region }: Pick<Context, "account" | "region">,
): void {
  const arn = typeof text === "string" ? parseArn(text) : undefined;
  // What is no ARN of a topic at all is the operation's own to refuse.
  if (arn?.service !== "sns" || (arn.account === account && arn.region === region)) return;
  if (arn.region !== region) throw invalidParameter(reference);
  const [name = ""] = arn.resource.split(":");
  const topic = store.topicsOf(arn).get(name);
  if (topic?.subscriptions.get(text as string)?.owner === account) return;
  const action = `SNS:${operation === "PublishBatch" ? "Publish" : operation}`;
  const resource = `arn:${arn.partition}:sns:${region}:${arn.account}:${name}`;
  const policy = topic && (topic.attributes.Policy ?? defaultPolicy(resource, arn.account));
  if (allowsAccount(policy, account, action, resource)) return;
  throw notAuthorized("AuthorizationErrorException", account, action, resource);
}
