import type { ThrottlingReason } from "@aws-sdk/client-dynamodb";
import { AwsError } from "../../core/errors";
import type { Item } from "./values";

/** Most refusals of DynamoDB are this one. */
export const validation = (message: string) => new AwsError("ValidationException", message);

/** A refusal about the value of a parameter. */
export const invalidParameter = (detail: string) => validation(`One or more parameter values were invalid: ${detail}`);

/** A refusal about an expression; `parameter` is the request member that holds it. */
export const invalidExpression = (parameter: string, detail: string) => validation(`Invalid ${parameter}: ${detail}`);

export const resourceNotFound = (detail = "") =>
  new AwsError("ResourceNotFoundException", `Requested resource not found${detail && `: ${detail}`}`);

export const accessDenied = (message: string) => new AwsError("AccessDeniedException", message);

export const tableNotFound = (name: string) => resourceNotFound(`Table: ${name} not found`);

export const tableExists = (name: string) => new AwsError("ResourceInUseException", `Table already exists: ${name}`);

export const conditionFailed = (item?: Item) =>
  new AwsError(
    "ConditionalCheckFailedException",
    "The conditional request failed",
    400,
    item && { fields: { Item: item } },
  );

/** What a batch is answered with of which nothing could be done (API reference, BatchWriteItem). */
export const throughputExceeded = () =>
  new AwsError(
    "ProvisionedThroughputExceededException",
    "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API.",
  );

export const keyMismatch = () => validation("The provided key element does not match the schema");

export const policyNotFound = (arn: string) =>
  new AwsError("PolicyNotFoundException", `Resource-based policy not found for the provided ResourceArn: ${arn}`);

export const transactionCanceled = (reasons: readonly CancellationReason[]) =>
  new AwsError(
    "TransactionCanceledException",
    `Transaction cancelled, please refer cancellation reasons for specific reasons [${reasons.map(({ Code }) => Code).join(", ")}]`,
    400,
    { fields: { CancellationReasons: reasons } },
  );

export const tokenReused = () =>
  new AwsError(
    "IdempotentParameterMismatchException",
    "The request uses the same client token as a previous, but non-identical request.",
  );

const exceeded = {
  Table:
    "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API.",
  Index:
    "The level of configured provisioned throughput for one or more global secondary indexes of the table was exceeded. Consider increasing your provisioning level for the under-provisioned global secondary indexes with the UpdateTable API",
  KeyRange:
    "Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling your table or index so please try again shortly. If exceptions persist, check if you have a hot key: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html",
  Maximum: "Throughput exceeds the maximum OnDemandThroughput configured on table or index",
};

/**
 * Too much at a time
 * (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/throttling-diagnosing-workflow.html): of a table with
 * provisioned capacity the one error, of one with capacity on demand the other.
 */
export function throttled(reason: Required<ThrottlingReason>, isProvisioned: boolean): AwsError {
  const name = reason.reason;
  if (isProvisioned) {
    const message = name.startsWith("Index") ? exceeded.Index : exceeded.Table;
    const fields = { ThrottlingReasons: [reason] };
    return new AwsError("ProvisionedThroughputExceededException", message, 400, { fields });
  }
  const message = name.includes("KeyRange") ? exceeded.KeyRange : exceeded.Maximum;
  return new AwsError("ThrottlingException", message, 400, { fields: { throttlingReasons: [reason] } });
}

/** Whether an error says that waiting helps. */
export const isThrottled = ({ code }: AwsError): boolean => code in reasonCodes;

const reasonCodes: Record<string, string> = {
  ProvisionedThroughputExceededException: "ProvisionedThroughputExceeded",
  ThrottlingException: "ThrottlingError",
};

/** The same as one of the reasons why a transaction did not happen. */
export const throttledReason = ({ code, message }: AwsError): CancellationReason => ({
  Code: reasonCodes[code]!,
  Message: message,
});

/** Why one action of a transaction kept it from happening; `Code: "None"` for the innocent ones. */
export interface CancellationReason {
  Code: string;
  Message?: string;
  Item?: Item;
}
