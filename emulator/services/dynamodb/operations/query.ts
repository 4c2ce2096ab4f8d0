import type { QueryCommandInput, ScanCommandInput } from "@aws-sdk/client-dynamodb";
import { validation } from "../errors";
import type { Filter } from "../expressions";
import { keyRange, keyTests } from "../expressions/key-condition";
import { checkNotMixed, legacyFilter, legacyKeyTests, legacyProjection } from "../expressions/legacy";
import { inSegment, type Position, type SortRange } from "../item-index";
import { checkCommon, checkKeyPaths, checkPlaceholders, type DynamoOperations } from "../requests";
import type { Database } from "../state";
import { atLeast, atMost, checkItem, constrain, length, oneOf } from "../validation";
import { ReadSource } from "./reads";

const selects = oneOf("SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES");

/** Reads of many items. */
export const queryOperations = (database: Database): DynamoOperations => ({
  Query: (input, context) => {
    checkRead(input);
    const { KeyConditionExpression, FilterExpression, ProjectionExpression } = input;
    const expressionMembers = { ProjectionExpression, FilterExpression, KeyConditionExpression };
    checkNotMixed(expressionMembers, {
      AttributesToGet: input.AttributesToGet,
      QueryFilter: input.QueryFilter,
      ConditionalOperator: input.ConditionalOperator,
      // A filter expression may go with the old key conditions.
      KeyConditions: KeyConditionExpression === undefined ? undefined : input.KeyConditions,
    });
    if (!input.KeyConditions && KeyConditionExpression === undefined) {
      throw validation(
        "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.",
      );
    }
    checkPlaceholders(input, expressionMembers);
    const expressions = database.expressions.of(input);
    const keyCondition = expressions.condition(KeyConditionExpression, "KeyConditionExpression");
    const filter =
      expressions.condition(FilterExpression, "FilterExpression") ??
      oldFilter("queryFilter", input.QueryFilter, input.ConditionalOperator);
    const projector = expressions.projection(ProjectionExpression) ?? legacyProjection(input.AttributesToGet);
    expressions.finish();
    const tests = keyCondition ? keyTests(keyCondition.condition) : legacyKeyTests(input.KeyConditions!);

    const table = database.table(input.TableName, context);
    const source = new ReadSource(table, input);
    const { hash, range } = keyRange(tests, source.keys);
    const start = source.start(input.ExclusiveStartKey);
    checkStart(start, hash, range);
    source.checkSelect({ expression: ProjectionExpression, attributes: input.AttributesToGet }, projector);
    checkKeyPaths(table, projector?.paths);
    checkKeyPaths(table, filter?.paths);
    if (filter) source.checkFilterPaths(filter.paths, FilterExpression ? "Filter Expression" : "QueryFilter");
    const reverse = input.ScanIndexForward === false;
    return source.page(
      (visit) => source.rows.query(hash, range, { reverse, start }, visit),
      hash,
      filter?.condition,
      projector,
    );
  },

  Scan: (input, context) => {
    checkRead(input);
    const { FilterExpression, ProjectionExpression } = input;
    const expressionMembers = { ProjectionExpression, FilterExpression };
    checkNotMixed(expressionMembers, {
      AttributesToGet: input.AttributesToGet,
      ScanFilter: input.ScanFilter,
      ConditionalOperator: input.ConditionalOperator,
    });
    const { segment, segments } = segmentOf(input);
    checkPlaceholders(input, expressionMembers);
    const expressions = database.expressions.of(input);
    const filter =
      expressions.condition(FilterExpression, "FilterExpression") ??
      oldFilter("scanFilter", input.ScanFilter, input.ConditionalOperator);
    const projector = expressions.projection(ProjectionExpression) ?? legacyProjection(input.AttributesToGet);
    expressions.finish();

    const table = database.table(input.TableName, context);
    const source = new ReadSource(table, input);
    const start = source.start(input.ExclusiveStartKey);
    if (start && !inSegment(start.hash, segment, segments)) {
      throw validation(
        "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct " +
          `Segment. TotalSegments: ${segments} Segment: ${segment}`,
      );
    }
    source.checkSelect({ expression: ProjectionExpression, attributes: input.AttributesToGet }, projector);
    checkKeyPaths(table, projector?.paths);
    checkKeyPaths(table, filter?.paths);
    return source.page(
      (visit) => source.rows.scan({ segment, segments, start }, visit),
      undefined,
      filter?.condition,
      projector,
    );
  },
});

function checkRead(input: QueryCommandInput | ScanCommandInput): void {
  checkCommon(input);
  constrain(
    ["limit", input.Limit, atLeast(1)],
    ["select", input.Select, selects],
    ["attributesToGet", input.AttributesToGet, length(1)],
  );
  if (input.ExclusiveStartKey) checkItem(input.ExclusiveStartKey);
}

function oldFilter(
  parameter: string,
  ...filter: Parameters<typeof legacyFilter> extends [string, ...infer Rest] ? Rest : never
) {
  const condition = legacyFilter(parameter, ...filter);
  const paths = Object.keys(filter[0] ?? {}).map((name) => [name]);
  return condition && ({ condition, paths } satisfies Filter);
}

/** A start key must lie where the query can have stopped. */
function checkStart(start: Position | undefined, hash: string, range: SortRange): void {
  if (!start) return;
  if (start.hash !== hash) {
    throw validation("The provided starting key is outside query boundaries based on provided conditions");
  }
  if (range.before(start.sort) || range.after(start.sort)) {
    throw validation("The provided starting key does not match the range key predicate");
  }
}

function segmentOf({ Segment, TotalSegments }: ScanCommandInput): { segment: number; segments: number } {
  constrain(
    ["segment", Segment, atLeast(0), atMost(999_999)],
    ["totalSegments", TotalSegments, atLeast(1), atMost(1_000_000)],
  );
  if (Segment !== undefined && TotalSegments === undefined) {
    throw validation(
      "The TotalSegments parameter is required but was not present in the request when Segment parameter is present",
    );
  }
  if (TotalSegments === undefined || Segment === undefined) {
    if (TotalSegments === undefined) return { segment: 0, segments: 1 };
    throw validation(
      "The Segment parameter is required but was not present in the request when parameter TotalSegments is present",
    );
  }
  if (Segment >= TotalSegments) {
    throw validation(
      "The Segment parameter is zero-based and must be less than parameter TotalSegments: " +
        `Segment: ${Segment} is not less than TotalSegments: ${TotalSegments}`,
    );
  }
  return { segment: Segment, segments: TotalSegments };
}
