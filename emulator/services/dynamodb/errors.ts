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

export const tableNotFound = (name: string) => resourceNotFound(`Table: ${name} not found`);

export const tableExists = (name: string) => new AwsError("ResourceInUseException", `Table already exists: ${name}`);

export const conditionFailed = (item?: Item) =>
  new AwsError(
    "ConditionalCheckFailedException",
    "The conditional request failed",
    400,
    item && { fields: { Item: item } },
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

/** Why one action of a transaction kept it from happening; `Code: "None"` for the innocent ones. */
export interface CancellationReason {
  Code: string;
  Message?: string;
  Item?: Item;
}
