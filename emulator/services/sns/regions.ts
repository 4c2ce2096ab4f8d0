import { parseArn } from "../../core/arn";
import type { Context } from "../../core/service";
import { invalidParameter } from "./errors";
import type { SnsOperations } from "./topics";

type Operation = (input: Record<string, unknown>, context: Context) => unknown;

/** Members of requests that name a topic or a subscription, wherever it is. */
const references = ["TopicArn", "TargetArn", "ResourceArn", "SubscriptionArn"];

/** Keeps topics to their own region: no request reaches one of another. A token confirms whoever has it. */
export function guarded(operations: SnsOperations): SnsOperations {
  const { ConfirmSubscription, ...others } = operations;
  const entries = Object.entries(others as Record<string, Operation>).map(([name, run]): [string, Operation] => [
    name,
    (input, context) => {
      for (const reference of references) check(reference, input[reference], context);
      return run(input, context);
    },
  ]);
  return { ...(Object.fromEntries(entries) as SnsOperations), ConfirmSubscription };
}

function check(reference: string, text: unknown, { region }: Pick<Context, "region">): void {
  const arn = typeof text === "string" ? parseArn(text) : undefined;
  // What is no ARN of a topic at all is the operation's own to refuse.
  if (arn?.service === "sns" && arn.region !== region) throw invalidParameter(reference);
}
