import { createHash } from "node:crypto";
import type {
  ItemCollectionMetrics,
  TransactWriteItem,
  TransactWriteItemsCommandInput,
} from "@aws-sdk/client-dynamodb";
import { AwsError } from "../../../core/errors";
import { limits } from "../../../core/limits";
import type { Scope } from "../../../core/service";
import { readUnits, writeUnits } from "../capacity";
import {
  type CancellationReason,
  isThrottled,
  throttledReason,
  tokenReused,
  transactionCanceled,
  validation,
} from "../errors";
import { checkCommon, checkKeyPaths, checkPlaceholders, type DynamoOperations } from "../requests";
import type { Database, Region } from "../state";
import { checkItem, constrain, length, required } from "../validation";
import type { Item } from "../values";
import {
  admit,
  collectionMetrics,
  commit,
  holds,
  type PreparedWrite,
  prepareCheck,
  prepareDelete,
  preparePut,
  prepareUpdate,
} from "../writes";
import { Meters, NamedItems } from "./batch";

const maxActions = limits.dynamodb.transactionActions.value;
/** Largest sum of item sizes. */
const maxSize = limits.dynamodb.transactionSize.value;
/** How long a token is good after its request. */
const tokenLife = limits.dynamodb.transactionToken.value;

const repeatedItem = () => validation("Transaction request cannot include multiple operations on one item");
const tooLarge = () => validation("The aggregate size of the items in the transaction exceeded 4 MB");

/** Reads and writes of many items that happen together or not at all. */
export const transactionOperations = (database: Database): DynamoOperations => ({
  TransactGetItems: (input, context) => {
    checkCommon(input);
    constrain(["transactItems", input.TransactItems, required, length(1, maxActions)]);
    const named = new NamedItems();
    const reads = input.TransactItems!.map(({ Get: get }, index) => {
      constrain(
        [`transactItems.${index + 1}.member.get`, get, required],
        [`transactItems.${index + 1}.member.get.key`, get?.Key, required],
      );
      const { Key, ProjectionExpression, ExpressionAttributeNames, TableName } = get!;
      checkItem(Key!);
      checkPlaceholders({ ExpressionAttributeNames }, { ProjectionExpression });
      const expressions = database.expressions.of({ ExpressionAttributeNames });
      const projector = expressions.projection(ProjectionExpression);
      expressions.finish();
      const table = database.table(TableName, context);
      checkKeyPaths(table, projector?.paths);
      const key = table.keys.keyOf(Key!);
      if (named.add(table, key)) throw repeatedItem();
      return { table, projector, key, row: table.get(key) };
    });
    if (reads.reduce((size, { row }) => size + (row?.size ?? 0), 0) > maxSize) throw tooLarge();
    const refused = reads.map(({ table, key }) => refusal(() => table.throughputOf().admit("Read", key.hash)));
    if (refused.some((reason) => reason.Code !== "None")) throw transactionCanceled(refused);
    const meters = new Meters(input.ReturnConsumedCapacity, "read", true);
    for (const { table, key, row } of reads) {
      const units = readUnits(row?.size ?? 0, true);
      meters.of(table)?.add(units);
      table.throughputOf().use("Read", 2 * units, key.hash);
    }
    return {
      Responses: reads.map(({ row, projector }) =>
        row ? { Item: projector ? projector.project(row.item) : row.item } : {},
      ),
      ConsumedCapacity: meters.report(),
    };
  },

  TransactWriteItems: (input, context) => {
    checkCommon(input);
    constrain(
      ["transactItems", input.TransactItems, required, length(1, maxActions)],
      ["clientRequestToken", input.ClientRequestToken, length(1, 36)],
    );
    const region = database.regions.of(context);
    const actions = input.TransactItems!;
    const digest = digestOf(input);
    const named = new NamedItems();
    const writes = actions.map((action) => {
      const write = prepare(database, action, context);
      if (named.add(write.table, write.key)) throw repeatedItem();
      return write;
    });
    if (isRepetition(region, input.ClientRequestToken, digest, database.now())) {
      // Nothing is written again; what it costs is to find that out: reads.
      const meters = new Meters(input.ReturnConsumedCapacity, "read", true);
      for (const { table, key } of writes) meters.of(table)?.add(readUnits(table.get(key)?.size ?? 0, true));
      return { ConsumedCapacity: meters.report() };
    }
    const outcomes = outcomesOf(writes, actions);
    const meters = new Meters(input.ReturnConsumedCapacity, "write", true);
    const metrics: Record<string, ItemCollectionMetrics[]> = {};
    for (const [index, write] of writes.entries()) {
      const outcome = outcomes[index]!;
      const old = commit(write, outcome, meters.of(write.table));
      // Once to prepare it, once to commit it.
      const units = writeUnits(Math.max(old?.size ?? 0, typeof outcome === "object" ? outcome.size : 0));
      write.table.throughputOf().use("Write", units, write.key.hash);
      const { Put: put, Update: update, Delete: remove } = actions[index]!;
      const keys = (put?.Item ?? update?.Key ?? remove?.Key) as Item | undefined;
      const metric = input.ReturnItemCollectionMetrics === "SIZE" && keys ? collectionMetrics(write, keys) : undefined;
      if (!metric) continue;
      metrics[write.table.name] ??= [];
      metrics[write.table.name]!.push(metric);
    }
    if (input.ClientRequestToken) region.transactions.set(input.ClientRequestToken, { digest, at: database.now() });
    return {
      ConsumedCapacity: meters.report(),
      ItemCollectionMetrics: Object.keys(metrics).length > 0 ? metrics : undefined,
    };
  },
});

function prepare(database: Database, action: TransactWriteItem, scope: Scope): PreparedWrite {
  const { Put: put, Update: update, Delete: remove, ConditionCheck: check } = action;
  if ([put, update, remove, check].filter(Boolean).length !== 1) {
    throw validation("TransactItems can only contain one of Check, Put, Update or Delete");
  }
  if (put) return preparePut(database, put, scope);
  if (update) {
    constrain(["transactItems.update.updateExpression", update.UpdateExpression, required]);
    return prepareUpdate(database, update, scope);
  }
  return remove ? prepareDelete(database, remove, scope) : prepareCheck(database, check!, scope);
}

/** What each write leaves behind; throws with all reasons when one of them cannot be done. */
function outcomesOf(writes: readonly PreparedWrite[], actions: readonly TransactWriteItem[]) {
  let failed = false;
  let size = 0;
  const reasons: CancellationReason[] = [];
  const outcomes = writes.map((write, index) => {
    const stored = write.table.get(write.key);
    try {
      if (holds(write, stored)) {
        const outcome = write.outcome(stored);
        size += typeof outcome === "object" ? outcome.size : (stored?.size ?? 0);
        const reason = refusal(() => admit(write, outcome));
        if (reason.Code !== "None") failed = true;
        reasons.push(reason);
        return outcome;
      }
      const { Put, Update, Delete, ConditionCheck } = actions[index]!;
      const wanted = (Put ?? Update ?? Delete ?? ConditionCheck)!.ReturnValuesOnConditionCheckFailure;
      reasons.push({
        Code: "ConditionalCheckFailed",
        Message: "The conditional request failed",
        ...(wanted === "ALL_OLD" && stored && { Item: stored.item }),
      });
    } catch (error) {
      if (!(error instanceof AwsError) || error.code !== "ValidationException") throw error;
      reasons.push({ Code: "ValidationError", Message: error.message });
    }
    failed = true;
    return "same" as const;
  });
  if (failed) throw transactionCanceled(reasons);
  if (size > maxSize) throw tooLarge();
  return outcomes;
}

/** Why there is no room for an action in this second, if there is none. */
function refusal(admission: () => void): CancellationReason {
  try {
    admission();
  } catch (error) {
    if (!(error instanceof AwsError && isThrottled(error))) throw error;
    return throttledReason(error);
  }
  return { Code: "None" };
}

function digestOf({ TransactItems }: TransactWriteItemsCommandInput): string {
  return createHash("sha256").update(JSON.stringify(TransactItems)).digest("base64");
}

function isRepetition(region: Region, token: string | undefined, digest: string, now: number): boolean {
  // Tokens are kept in the order of their requests: the old ones are in front.
  for (const [old, { at }] of region.transactions) {
    if (now - at < tokenLife) break;
    region.transactions.delete(old);
  }
  const done = token === undefined ? undefined : region.transactions.get(token);
  if (done && done.digest !== digest) throw tokenReused();
  return done !== undefined;
}
