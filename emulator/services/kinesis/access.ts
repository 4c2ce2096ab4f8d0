import { parseArn } from "../../core/arn";
import type { Context } from "../../core/service";
import { allowsAccount, notAuthorized } from "../../core/service-caller";
import { streamNotFound } from "./errors";
import type { KinesisOperations, Store } from "./store";

type Operation = (input: Record<string, unknown>, context: Context) => unknown;

/** Members of requests that name a stream or a consumer, wherever it is. */
const references = ["StreamARN", "ConsumerARN", "ResourceARN"];

/**
 * Keeps streams to their own account and region: other accounts do what the policy of the stream or consumer allows them
 * (https://docs.aws.amazon.com/streams/latest/dev/resource-based-policy-examples.html).
 */
export function guarded(store: Store, operations: KinesisOperations): KinesisOperations {
  const entries = Object.entries(operations as Record<string, Operation>).map(([name, run]): [string, Operation] => [
    name,
    (input, context) => {
      for (const reference of references) {
        const arn = input[reference];
        if (typeof arn === "string") check(store, arn, `kinesis:${name}`, context);
      }
      return run(input, context);
    },
  ]);
  return Object.fromEntries(entries) as KinesisOperations;
}

function check(store: Store, text: string, action: string, { account, region }: Context): void {
  const arn = parseArn(text);
  // What is no ARN at all is the operation's own to refuse.
  if (arn?.service !== "kinesis" || (arn.account === account && arn.region === region)) return;
  const name = arn.resource.split("/")[1] ?? "";
  if (arn.region !== region) throw streamNotFound(name, arn.account);
  const policy = store.region(arn).streams.get(name)?.policies.get(text);
  if (!allowsAccount(policy, account, action, text)) {
    throw notAuthorized("AccessDeniedException", account, action, text);
  }
}
