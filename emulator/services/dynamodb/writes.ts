import type {
  AttributeValueUpdate,
  ConditionalOperator,
  ExpectedAttributeValue,
  ItemCollectionMetrics,
} from "@aws-sdk/client-dynamodb";
import type { Scope } from "../../core/service";
import { type CapacityMeter, writeUnits } from "./capacity";
import { validation } from "./errors";
import type { ExpressionInput } from "./expressions";
import type { Condition } from "./expressions/condition";
import { meets } from "./expressions/evaluate";
import { checkNotMixed, legacyExpected, legacyUpdate } from "./expressions/legacy";
import { Projector } from "./expressions/paths";
import { applyUpdate, type UpdateAction } from "./expressions/update";
import type { Key, Row } from "./item-index";
import { checkKeyPaths, checkPlaceholders } from "./requests";
import type { Database } from "./state";
import type { Table } from "./table";
import { checkedSize, checkItem, constrain, required } from "./validation";
import { type Item, pick } from "./values";

/** What a write leaves behind: a new item, nothing ("gone"), or all as it was ("same"). */
type Outcome = { readonly item: Item; readonly size: number } | "gone" | "same";

/** A write that is checked as far as it can be without the stored item. Single writes and transactions use it alike. */
export interface PreparedWrite {
  readonly table: Table;
  readonly key: Key;
  readonly condition?: Condition;
  /** Of an update: the attributes that it touches. */
  readonly touched?: Projector;
  /** Whether the outcome is the same whatever is stored. */
  readonly blind: boolean;
  outcome(old: Row | undefined): Outcome;
}

/** The members of a request that put a condition on the stored item. */
interface ConditionInput extends ExpressionInput {
  ConditionExpression?: string;
  Expected?: Record<string, ExpectedAttributeValue>;
  ConditionalOperator?: ConditionalOperator;
}

export interface PutInput extends ConditionInput {
  TableName: string | undefined;
  Item: Item | undefined;
}

export interface KeyedInput extends ConditionInput {
  TableName: string | undefined;
  Key: Item | undefined;
}

export interface UpdateInput extends KeyedInput {
  UpdateExpression?: string;
  AttributeUpdates?: Record<string, AttributeValueUpdate>;
}

const noItem: Item = {};

/** Whether the stored item, if any, meets the condition of a write. */
export const holds = (write: PreparedWrite, old: Row | undefined): boolean =>
  !write.condition || meets(old?.item ?? noItem, write.condition);

/** Refuses a write that is too much for its table in this second. */
export const admit = ({ table, key }: PreparedWrite, outcome: Outcome): void =>
  table.admitWrite(key, typeof outcome === "object" ? outcome.item : undefined);

/** Makes the outcome true and returns the row that was there before. */
export function commit({ table, key }: PreparedWrite, outcome: Outcome, meter?: CapacityMeter): Row | undefined {
  if (outcome === "same") {
    const old = table.get(key);
    useSame(table, old, key, meter);
    return old;
  }
  if (outcome === "gone") return table.delete(key, meter);
  return table.put(key, outcome.item, outcome.size, meter);
}

/** A write that leaves all as it was, or whose condition does not hold, costs as much as the item that is there. */
export function useSame(table: Table, old: Row | undefined, { hash }: Key, meter?: CapacityMeter): void {
  const units = writeUnits(old?.size ?? 0);
  meter?.add(units);
  table.throughputOf().use("Write", units, hash);
}

export function preparePut(database: Database, input: PutInput, scope: Scope): PreparedWrite {
  const { Item: item } = input;
  if (!item) constrain(["item", item, required]);
  checkItem(item!);
  const size = checkedSize(item!);
  const condition = resolveCondition(database, input);
  const table = database.table(input.TableName, scope);
  const key = table.keys.keyOfItem(item!);
  table.checkIndexKeys(item!);
  if (condition) checkKeyPaths(table, condition.paths);
  const outcome = { item: item!, size };
  return { table, key, condition: condition?.condition, blind: true, outcome: () => outcome };
}

export function prepareDelete(database: Database, input: KeyedInput, scope: Scope): PreparedWrite {
  return prepareKeyed(database, input, scope, (old) => (old ? "gone" : "same"));
}

/** A condition alone, as transactions have it. */
export function prepareCheck(database: Database, input: KeyedInput, scope: Scope): PreparedWrite {
  constrain(["conditionCheck.conditionExpression", input.ConditionExpression, required]);
  return prepareKeyed(database, input, scope, () => "same");
}

function prepareKeyed(
  database: Database,
  input: KeyedInput,
  scope: Scope,
  outcome: PreparedWrite["outcome"],
): PreparedWrite {
  const given = checkedKey(input.Key);
  const condition = resolveCondition(database, input);
  const table = database.table(input.TableName, scope);
  const key = table.keys.keyOf(given);
  checkKeyPaths(table, condition?.paths);
  return { table, key, condition: condition?.condition, blind: false, outcome };
}

export function prepareUpdate(database: Database, input: UpdateInput, scope: Scope): PreparedWrite {
  const given = checkedKey(input.Key);
  const { UpdateExpression, ConditionExpression, AttributeUpdates, Expected, ConditionalOperator } = input;
  const expressionMembers = { UpdateExpression, ConditionExpression };
  checkNotMixed(expressionMembers, { AttributeUpdates, Expected, ConditionalOperator });
  checkPlaceholders(input, expressionMembers);
  const expressions = database.expressions.of(input);
  const actions = expressions.update(UpdateExpression) ?? legacyUpdate(AttributeUpdates) ?? [];
  const condition = expressions.condition(ConditionExpression, "ConditionExpression");
  expressions.finish();
  const table = database.table(input.TableName, scope);
  const key = table.keys.keyOf(given);
  for (const { path } of actions) table.checkNotKey(path[0] as string);
  const touched = new Projector(actions.map(({ path }) => path));
  checkKeyPaths(table, [...touched.paths, ...(condition?.paths ?? [])]);
  return {
    table,
    key,
    condition: condition?.condition ?? legacyExpected(Expected, ConditionalOperator),
    touched,
    blind: false,
    outcome: (old) => updated(table, old, given, actions),
  };
}

const isRemoval = ({ kind }: UpdateAction) => kind === "REMOVE" || kind === "DELETE";

function updated(table: Table, old: Row | undefined, key: Item, actions: readonly UpdateAction[]): Outcome {
  const item = applyUpdate(old?.item ?? key, actions);
  // To take something from an item that is not there does not make one (as scylladb/scylladb#5862 found out).
  if (!old && actions.length > 0 && actions.every(isRemoval)) return "same";
  table.checkIndexKeys(item);
  return { item, size: checkedSize(item, "Item size to update has exceeded the maximum allowed size") };
}

function checkedKey(key: Item | undefined): Item {
  constrain(["key", key, required]);
  checkItem(key!);
  return key!;
}

function resolveCondition(database: Database, input: ConditionInput) {
  const { ConditionExpression, ExpressionAttributeNames, ExpressionAttributeValues, Expected, ConditionalOperator } =
    input;
  if (Expected || ConditionalOperator) {
    checkNotMixed({ ConditionExpression }, { Expected, ConditionalOperator });
    const condition = legacyExpected(Expected, ConditionalOperator);
    return condition && { condition, paths: [] };
  }
  if (ConditionExpression === undefined && !ExpressionAttributeNames && !ExpressionAttributeValues) return undefined;
  checkPlaceholders(input, { ConditionExpression });
  const expressions = database.expressions.of(input);
  const condition = expressions.condition(ConditionExpression, "ConditionExpression");
  expressions.finish();
  return condition;
}

const gigabyte = 1024 ** 3;

/** The size estimate of the items with one partition key; tables without local indexes have none. */
export function collectionMetrics({ table, key }: PreparedWrite, item: Item): ItemCollectionMetrics | undefined {
  const local = table.indexes.filter(({ global }) => !global);
  if (local.length === 0) return undefined;
  const size = [table, ...local].reduce((sum, { rows }) => sum + rows.partitionSize(key.hash), 0);
  const lower = Math.floor(size / gigabyte);
  return { ItemCollectionKey: pick(item, [table.keys.hash.name]), SizeEstimateRangeGB: [lower, lower + 1] };
}

/** Refuses values of ReturnValues that the operation has no answer for. */
export function checkReturnValues(value: string | undefined): void {
  if (value && value !== "NONE" && value !== "ALL_OLD") throw validation("Return values set to invalid value");
}
