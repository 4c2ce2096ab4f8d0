import type { AttributeValue, Select } from "@aws-sdk/client-dynamodb";
import { equatedValue, namedAttributes } from "./expressions/named";
import type { Table } from "./table";
import { type Item, member } from "./values";

/** The members of requests that condition keys speak of. */
export interface ConditionInput {
  readonly Key?: Item;
  readonly Item?: Item;
  readonly Keys?: readonly Item[];
  readonly ExclusiveStartKey?: Item;
  readonly IndexName?: string;
  readonly Select?: Select;
  readonly ReturnValues?: string;
  readonly ReturnConsumedCapacity?: string;
  readonly ExpressionAttributeNames?: Record<string, string>;
  readonly ExpressionAttributeValues?: Item;
  readonly KeyConditionExpression?: string;
  readonly ConditionExpression?: string;
  readonly FilterExpression?: string;
  readonly ProjectionExpression?: string;
  readonly UpdateExpression?: string;
  readonly AttributesToGet?: readonly string[];
  readonly KeyConditions?: Record<string, { readonly AttributeValueList?: readonly AttributeValue[] }>;
  readonly Expected?: object;
  readonly AttributeUpdates?: object;
  readonly QueryFilter?: object;
  readonly ScanFilter?: object;
}

/**
 * What fine-grained access control sees of a request
 * (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html).
 */
export function itemConditions(
  table: Table | undefined,
  inputs: readonly ConditionInput[],
  reads: boolean,
): Record<string, readonly string[] | undefined> {
  const [input = {}] = inputs;
  const leading = table && inputs.flatMap((one) => leadingKeys(table, one));
  return {
    "dynamodb:LeadingKeys": leading?.length ? leading : undefined,
    "dynamodb:Attributes": [...new Set(inputs.flatMap(attributes))],
    "dynamodb:Select": reads ? [selectOf(input)] : undefined,
    "dynamodb:ReturnValues": reads ? undefined : [input.ReturnValues ?? "NONE"],
    "dynamodb:ReturnConsumedCapacity": [input.ReturnConsumedCapacity ?? "NONE"],
  };
}

/** What a read without Select gives (API reference: Query, Select). */
function selectOf({ Select, ProjectionExpression, AttributesToGet, IndexName }: ConditionInput): string {
  if (Select) return Select;
  if (ProjectionExpression !== undefined || AttributesToGet) return "SPECIFIC_ATTRIBUTES";
  return IndexName === undefined ? "ALL_ATTRIBUTES" : "ALL_PROJECTED_ATTRIBUTES";
}

/** The partition key values of the items that a request names. */
function leadingKeys(table: Table, input: ConditionInput): string[] {
  const keys = (input.IndexName === undefined ? undefined : table.index(input.IndexName)?.keys) ?? table.keys;
  const { name } = keys.hash;
  const items = [input.Key, input.Item, ...(input.Keys ?? [])];
  const values = items.map((item) => item && member(item, name));
  const placeholder =
    input.KeyConditionExpression && equatedValue(input.KeyConditionExpression, input.ExpressionAttributeNames, name);
  if (placeholder) values.push(member(input.ExpressionAttributeValues ?? {}, placeholder));
  const { KeyConditions = {} } = input;
  if (Object.hasOwn(KeyConditions, name)) values.push(KeyConditions[name]?.AttributeValueList?.[0]);
  return values.flatMap((value) => (value ? text(value) : []));
}

const text = ({ S, N, B }: AttributeValue): string | [] =>
  S ?? N ?? (B === undefined ? [] : Buffer.from(B).toString("base64"));

/** The names of all attributes that a request speaks of, at the top of items. */
function attributes(input: ConditionInput): string[] {
  const maps = [
    ...[input.Key, input.Item, ...(input.Keys ?? []), input.ExclusiveStartKey],
    ...[input.KeyConditions, input.Expected, input.AttributeUpdates, input.QueryFilter, input.ScanFilter],
  ];
  const expressions = [
    ...[input.KeyConditionExpression, input.ConditionExpression, input.FilterExpression],
    ...[input.ProjectionExpression, input.UpdateExpression],
  ];
  return [
    ...maps.flatMap((map) => Object.keys(map ?? {})),
    ...(input.AttributesToGet ?? []),
    ...expressions.flatMap((one) => (one ? namedAttributes(one, input.ExpressionAttributeNames) : [])),
  ];
}
