import type { Operations } from "../../core/service";
import { validation } from "./errors";
import type { Path } from "./expressions/paths";
import type { Table } from "./table";
import { constrain, oneOf } from "./validation";

export type DynamoSdk = typeof import("@aws-sdk/client-dynamodb");
export type DynamoOperations = Operations<DynamoSdk>;

/** Members that many requests have. */
interface CommonMembers {
  ReturnConsumedCapacity?: string;
  ReturnItemCollectionMetrics?: string;
  ReturnValues?: string;
  ReturnValuesOnConditionCheckFailure?: string;
}

const capacities = oneOf("INDEXES", "TOTAL", "NONE");
const metrics = oneOf("SIZE", "NONE");
const returnValues = oneOf("ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW");
const onFailure = oneOf("ALL_OLD", "NONE");

/** Checks the enumerations among the members that many requests have. */
export function checkCommon(input: CommonMembers): void {
  const { ReturnConsumedCapacity, ReturnItemCollectionMetrics, ReturnValues, ReturnValuesOnConditionCheckFailure } =
    input;
  // Most requests have none of them.
  if (
    !ReturnConsumedCapacity &&
    !ReturnItemCollectionMetrics &&
    !ReturnValues &&
    !ReturnValuesOnConditionCheckFailure
  ) {
    return;
  }
  constrain(
    ["returnConsumedCapacity", ReturnConsumedCapacity, capacities],
    ["returnItemCollectionMetrics", ReturnItemCollectionMetrics, metrics],
    ["returnValues", ReturnValues, returnValues],
    ["returnValuesOnConditionCheckFailure", ReturnValuesOnConditionCheckFailure, onFailure],
  );
}

/** Refuses placeholders in a request that has no expression to use them. */
export function checkPlaceholders(
  input: { ExpressionAttributeNames?: unknown; ExpressionAttributeValues?: unknown },
  expressions: Readonly<Record<string, unknown>>,
): void {
  const names = Object.keys(expressions);
  if (input.ExpressionAttributeNames && names.every((name) => expressions[name] === undefined)) {
    throw validation("ExpressionAttributeNames can only be specified when using expressions");
  }
  if (!input.ExpressionAttributeValues) return;
  const withValues = names.filter((name) => name !== "ProjectionExpression");
  if (withValues.some((name) => expressions[name] !== undefined)) return;
  throw validation(
    "ExpressionAttributeValues can only be specified when using expressions: " +
      `${withValues.join(" and ")} ${withValues.length > 1 ? "are" : "is"} null`,
  );
}

/** Refuses paths into key attributes, which have no parts. */
export function checkKeyPaths(table: Table, paths: readonly Path[] | undefined): void {
  for (const path of paths ?? []) {
    if (path.length === 1) continue;
    const name = path[0] as string;
    const kind = table.keys.has(name)
      ? "Key"
      : table.indexes.some(({ keys }) => keys.has(name))
        ? "IndexKey"
        : undefined;
    if (!kind) continue;
    throw validation(
      `Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: ${kind}: ${name}`,
    );
  }
}
