import { meterFor, readUnits } from "../capacity";
import { conditionFailed } from "../errors";
import { checkNotMixed, legacyProjection } from "../expressions/legacy";
import type { Row } from "../item-index";
import { checkCommon, checkKeyPaths, checkPlaceholders, type DynamoOperations } from "../requests";
import type { Database } from "../state";
import { checkItem, constrain, required } from "../validation";
import type { Item } from "../values";
import {
  admit,
  checkReturnValues,
  collectionMetrics,
  commit,
  holds,
  type PreparedWrite,
  prepareDelete,
  preparePut,
  prepareUpdate,
  useSame,
} from "../writes";

/** Reads and writes of one item. */
export const itemOperations = (database: Database): DynamoOperations => ({
  GetItem: (input, context) => {
    checkCommon(input);
    const { Key: key, ProjectionExpression, AttributesToGet } = input;
    constrain(["key", key, required]);
    checkItem(key!);
    checkNotMixed({ ProjectionExpression }, { AttributesToGet });
    checkPlaceholders(input, { ProjectionExpression });
    const expressions = database.expressions.of({ ExpressionAttributeNames: input.ExpressionAttributeNames });
    const projector = expressions.projection(ProjectionExpression) ?? legacyProjection(AttributesToGet);
    expressions.finish();
    const table = database.table(input.TableName, context);
    checkKeyPaths(table, projector?.paths);
    const place = table.keys.keyOf(key!);
    const throughput = table.throughputOf();
    throughput.admit("Read", place.hash);
    const row = table.get(place);
    const units = readUnits(row?.size ?? 0, input.ConsistentRead);
    throughput.use("Read", units, place.hash);
    const meter = meterFor(input.ReturnConsumedCapacity, table, "read");
    meter?.add(units);
    return {
      Item: row && (projector ? projector.project(row.item) : row.item),
      ConsumedCapacity: meter?.report(input.ReturnConsumedCapacity!),
    };
  },

  PutItem: (input, context) => {
    checkCommon(input);
    checkReturnValues(input.ReturnValues);
    const write = preparePut(database, input, context);
    const { old, answer } = run(write, input, input.Item!);
    return { ...answer, Attributes: input.ReturnValues === "ALL_OLD" ? old?.item : undefined };
  },

  DeleteItem: (input, context) => {
    checkCommon(input);
    checkReturnValues(input.ReturnValues);
    const write = prepareDelete(database, input, context);
    const { old, answer } = run(write, input, input.Key!);
    return { ...answer, Attributes: input.ReturnValues === "ALL_OLD" ? old?.item : undefined };
  },

  UpdateItem: (input, context) => {
    checkCommon(input);
    const write = prepareUpdate(database, input, context);
    const { old, item, answer } = run(write, input, input.Key!);
    return { ...answer, Attributes: returned(input.ReturnValues, write, old, item) };
  },
});

interface WriteOptions {
  ReturnConsumedCapacity?: "INDEXES" | "TOTAL" | "NONE";
  ReturnItemCollectionMetrics?: "SIZE" | "NONE";
  ReturnValuesOnConditionCheckFailure?: "ALL_OLD" | "NONE";
}

/** Does one write on its own. */
function run(write: PreparedWrite, options: WriteOptions, keys: Item) {
  const { table, key } = write;
  const stored = write.condition || !write.blind ? table.get(key) : undefined;
  if (!holds(write, stored)) {
    admit(write, "same");
    useSame(table, stored, key);
    throw conditionFailed(options.ReturnValuesOnConditionCheckFailure === "ALL_OLD" ? stored?.item : undefined);
  }
  const outcome = write.outcome(stored);
  admit(write, outcome);
  const meter = meterFor(options.ReturnConsumedCapacity, table, "write");
  const old = commit(write, outcome, meter);
  return {
    old,
    item: typeof outcome === "object" ? outcome.item : undefined,
    answer: {
      ConsumedCapacity: meter?.report(options.ReturnConsumedCapacity!),
      ItemCollectionMetrics:
        options.ReturnItemCollectionMetrics === "SIZE" ? collectionMetrics(write, keys) : undefined,
    },
  };
}

/** The Attributes of UpdateItem's answer. */
function returned(
  wanted: string | undefined,
  { touched }: PreparedWrite,
  old: Row | undefined,
  item: Item | undefined,
): Item | undefined {
  const filled = (part: Item | undefined) => (part && Object.keys(part).length > 0 ? part : undefined);
  switch (wanted) {
    case "ALL_OLD":
      return old?.item;
    case "ALL_NEW":
      return item;
    case "UPDATED_OLD":
      return filled(old && touched?.project(old.item));
    case "UPDATED_NEW":
      return filled(item && touched?.project(item));
    default:
      return undefined;
  }
}
