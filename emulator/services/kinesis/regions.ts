import { parseArn } from "../../core/arn";
import type { Context } from "../../core/service";
import { streamNotFound } from "./errors";
import type { KinesisOperations } from "./store";

type Operation = (input: Record<string, unknown>, context: Context) => unknown;

/** Members of requests that name a stream or a consumer, wherever it is. */
const references = ["StreamARN", "ConsumerARN", "ResourceARN"];

/** Keeps streams to their own region: no request reaches one of another, whatever its ARN says. */
export function guarded(operations: KinesisOperations): KinesisOperations {
  const entries = Object.entries(operations as Record<string, Operation>).map(([name, run]): [string, Operation] => [
    name,
    (input, context) => {
      for (const reference of references) {
        const arn = input[reference];
        if (typeof arn === "string") check(arn, context);
      }
      return run(input, context);
    },
  ]);
  return Object.fromEntries(entries) as KinesisOperations;
}

function check(text: string, { region }: Context): void {
  const arn = parseArn(text);
  // What is no ARN at all is the operation's own to refuse.
  if (arn?.service !== "kinesis" || arn.region === region) return;
  throw streamNotFound(arn.resource.split("/")[1] ?? "", arn.account);
}
