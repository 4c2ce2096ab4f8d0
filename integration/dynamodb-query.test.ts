import {
  BatchWriteItemCommand,
  QueryCommand,
  type QueryCommandInput,
  ScanCommand,
  type ScanCommandInput,
} from "@aws-sdk/client-dynamodb";
import { beforeAll, describe, expect, it } from "vitest";
import { type Item, invalid, keyed, useDynamo } from "./harness/dynamodb";

const dynamo = useDynamo();

const query = (TableName: string, input: Omit<QueryCommandInput, "TableName">) =>
  dynamo.client.send(new QueryCommand({ TableName, ...input }));
const scan = (TableName: string, input: Omit<ScanCommandInput, "TableName"> = {}) =>
  dynamo.client.send(new ScanCommand({ TableName, ...input }));
const ofDevice = (condition = "", values: Item = {}) => ({
  KeyConditionExpression: `pk = :pk${condition}`,
  ExpressionAttributeValues: { ":pk": { S: "device" }, ...values },
});
const sortKeys = (items: Item[] | undefined) => items?.map(({ sk }) => sk?.N ?? sk?.S);

/** Numbers whose order as text is another. */
const numbers = ["-100", "-9.5", "0", "0.001", "1", "2", "10", "99", "1000"];
let readings = "";

beforeAll(async () => {
  readings = await dynamo.table(keyed("N"));
  for (const [index, sk] of [...numbers].reverse().entries()) {
    await dynamo.put(readings, {
      pk: { S: "device" },
      sk: { N: sk },
      even: { BOOL: index % 2 === 0 },
      v: { S: `v${sk}` },
    });
  }
  await dynamo.put(readings, { pk: { S: "other" }, sk: { N: "1" } });
});

describe("Query", () => {
  it("gives the items of one partition in the order of their sort keys, or backwards", async () => {
    expect(sortKeys((await query(readings, ofDevice())).Items)).toEqual(numbers);
    expect(sortKeys((await query(readings, { ...ofDevice(), ScanIndexForward: false })).Items)).toEqual(
      [...numbers].reverse(),
    );
  });

  it.each<[condition: string, values: Item, expected: string[]]>([
    ["sk = :a", { ":a": { N: "1.0" } }, ["1"]],
    ["sk < :a", { ":a": { N: "0" } }, ["-100", "-9.5"]],
    ["sk <= :a", { ":a": { N: "0" } }, ["-100", "-9.5", "0"]],
    ["sk > :a", { ":a": { N: "10" } }, ["99", "1000"]],
    [":a <= sk", { ":a": { N: "10" } }, ["10", "99", "1000"]],
    ["sk BETWEEN :a AND :b", { ":a": { N: "-9.5" }, ":b": { N: "1" } }, ["-9.5", "0", "0.001", "1"]],
    ["sk BETWEEN :a AND :b", { ":a": { N: "3" }, ":b": { N: "4" } }, []],
  ])("takes the range %s forwards and backwards", async (condition, values, expected) => {
    const input = ofDevice(` AND ${condition}`, values);
    expect(sortKeys((await query(readings, input)).Items)).toEqual(expected);
    expect(sortKeys((await query(readings, { ...input, ScanIndexForward: false })).Items)).toEqual(expected.reverse());
  });

  it("sorts texts by their UTF-8 bytes, and finds them by their beginning", async () => {
    const table = await dynamo.table(keyed("S"));
    const texts = ["a", "ab", "abc", "b", "ä", "\uffee", "\u{1f600}"];
    for (const sk of [...texts].reverse()) await dynamo.put(table, { pk: { S: "device" }, sk: { S: sk } });
    expect(sortKeys((await query(table, ofDevice())).Items)).toEqual(texts);
    const begins = ofDevice(" AND begins_with(sk, :a)", { ":a": { S: "ab" } });
    expect(sortKeys((await query(table, begins)).Items)).toEqual(["ab", "abc"]);
    expect(sortKeys((await query(table, { ...begins, ScanIndexForward: false })).Items)).toEqual(["abc", "ab"]);
  });

  it("sorts binary keys byte by byte", async () => {
    const table = await dynamo.table(keyed("B"));
    const keys = [[0], [0, 1], [127], [128], [255, 0]].map((bytes) => new Uint8Array(bytes));
    for (const B of [...keys].reverse()) await dynamo.put(table, { pk: { S: "device" }, sk: { B } });
    expect((await query(table, ofDevice())).Items?.map(({ sk }) => sk?.B)).toEqual(keys);
  });

  it("filters after reading: the count is of what matched, the scanned count of what was read", async () => {
    const page = await query(readings, {
      ...ofDevice("", { ":t": { BOOL: true } }),
      FilterExpression: "even = :t",
      Limit: 5,
      ProjectionExpression: "sk",
    });
    expect(page).toMatchObject({ Count: 3, ScannedCount: 5 });
    expect(page.Items).toEqual([{ sk: { N: "-100" } }, { sk: { N: "0" } }, { sk: { N: "1" } }]);
    expect(page.LastEvaluatedKey).toEqual({ pk: { S: "device" }, sk: { N: "1" } });
  });

  it("gives only the count with Select COUNT", async () => {
    const page = await query(readings, { ...ofDevice(), Select: "COUNT" });
    expect(page).toMatchObject({ Count: 9, ScannedCount: 9 });
    expect(page.Items).toBeUndefined();
  });

  it("ends a page at 1 MB and goes on from its last key", async () => {
    const table = await dynamo.table(keyed("N"));
    const text = "x".repeat(300 * 1024);
    for (let i = 0; i < 6; i++) await dynamo.put(table, { pk: { S: "device" }, sk: { N: `${i}` }, text: { S: text } });
    const first = await query(table, { ...ofDevice(), ReturnConsumedCapacity: "TOTAL" });
    expect(sortKeys(first.Items)).toEqual(["0", "1", "2", "3"]);
    expect(first.ConsumedCapacity?.CapacityUnits).toBe(150.5);
    const second = await query(table, { ...ofDevice(), ExclusiveStartKey: first.LastEvaluatedKey });
    expect(sortKeys(second.Items)).toEqual(["4", "5"]);
    expect(second.LastEvaluatedKey).toBeUndefined();
  });

  it("goes on behind a start key whose item is gone", async () => {
    const start = { pk: { S: "device" }, sk: { N: "5" } };
    expect(sortKeys((await query(readings, { ...ofDevice(), ExclusiveStartKey: start })).Items)).toEqual([
      "10",
      "99",
      "1000",
    ]);
  });

  it("still takes KeyConditions and QueryFilter", async () => {
    const page = await query(readings, {
      KeyConditions: {
        pk: { ComparisonOperator: "EQ", AttributeValueList: [{ S: "device" }] },
        sk: { ComparisonOperator: "GE", AttributeValueList: [{ N: "10" }] },
      },
      QueryFilter: { v: { ComparisonOperator: "NE", AttributeValueList: [{ S: "v99" }] } },
      AttributesToGet: ["sk"],
    });
    expect(page.Items).toEqual([{ sk: { N: "10" } }, { sk: { N: "1000" } }]);
  });

  it.each<[what: string, input: Omit<QueryCommandInput, "TableName">, message: string]>([
    [
      "no key condition",
      {},
      "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.",
    ],
    [
      "a condition without the partition key",
      { KeyConditionExpression: "sk = :a", ExpressionAttributeValues: { ":a": { N: "1" } } },
      "Query condition missed key schema element: pk",
    ],
    [
      "a range of partition keys",
      { KeyConditionExpression: "pk > :a", ExpressionAttributeValues: { ":a": { S: "1" } } },
      "Query key condition not supported",
    ],
    ["OR", ofDevice(" OR sk = :a", { ":a": { N: "1" } }), "Invalid operator used in KeyConditionExpression: OR"],
    ["NE", ofDevice(" AND sk <> :a", { ":a": { N: "1" } }), "Invalid operator used in KeyConditionExpression: <>"],
    [
      "two conditions on one key",
      ofDevice(" AND pk = :a", { ":a": { S: "1" } }),
      "KeyConditionExpressions must only contain one condition per key",
    ],
    [
      "a value of another type",
      ofDevice(" AND sk = :a", { ":a": { S: "1" } }),
      "One or more parameter values were invalid: Condition parameter type does not match schema type",
    ],
    [
      "the beginning of a number",
      ofDevice(" AND begins_with(sk, :a)", { ":a": { N: "1" } }),
      "Invalid KeyConditionExpression: Incorrect operand type for operator or function; operator or function: begins_with, operand type: N",
    ],
    [
      "a filter on the key",
      { ...ofDevice("", { ":a": { N: "1" } }), FilterExpression: "sk = :a" },
      "Filter Expression can only contain non-primary key attributes: Primary key attribute: sk",
    ],
    [
      "an index that is not there",
      { ...ofDevice(), IndexName: "by-name" },
      "The table does not have the specified index: by-name",
    ],
    [
      "a start key of another partition",
      { ...ofDevice(), ExclusiveStartKey: { pk: { S: "other" }, sk: { N: "1" } } },
      "The provided starting key is outside query boundaries based on provided conditions",
    ],
    [
      "a start key outside of the range",
      { ...ofDevice(" AND sk > :a", { ":a": { N: "5" } }), ExclusiveStartKey: { pk: { S: "device" }, sk: { N: "1" } } },
      "The provided starting key does not match the range key predicate",
    ],
    [
      "a start key without the sort key",
      { ...ofDevice(), ExclusiveStartKey: { pk: { S: "device" } } },
      "The provided starting key is invalid: The provided key element does not match the schema",
    ],
    [
      "a limit of none",
      { ...ofDevice(), Limit: 0 },
      "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1",
    ],
    [
      "overlapping projections",
      { ...ofDevice(), ProjectionExpression: "v, v.x" },
      "Invalid ProjectionExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [v], path two: [v, x]",
    ],
    [
      "a projection of everything",
      { ...ofDevice(), ProjectionExpression: "v", Select: "ALL_ATTRIBUTES" },
      "Cannot specify the ProjectionExpression when choosing to get ALL_ATTRIBUTES",
    ],
  ])("refuses %s", async (_, input, message) => {
    await expect(query(readings, input)).rejects.toEqual(invalid(message));
  });
});

describe("Scan", () => {
  it("visits every item once, page by page, whatever is deleted on the way", async () => {
    const table = await dynamo.table();
    const all = Array.from({ length: 40 }, (_, i) => `k${i}`);
    for (const pk of all) await dynamo.put(table, { pk: { S: pk } });
    const seen: string[] = [];
    let ExclusiveStartKey: Item | undefined;
    do {
      const page = await scan(table, { Limit: 7, ExclusiveStartKey });
      seen.push(...page.Items!.map(({ pk }) => pk!.S!));
      ExclusiveStartKey = page.LastEvaluatedKey;
      if (ExclusiveStartKey) {
        await dynamo.client.send(
          new BatchWriteItemCommand({ RequestItems: { [table]: [{ DeleteRequest: { Key: ExclusiveStartKey } }] } }),
        );
      }
    } while (ExclusiveStartKey);
    expect(seen.sort()).toEqual(all.sort());
  });

  it("in segments splits the table among them", async () => {
    const table = await dynamo.table();
    const all = Array.from({ length: 60 }, (_, i) => `key-${i}`);
    for (const pk of all) await dynamo.put(table, { pk: { S: pk } });
    const parts = await Promise.all([0, 1, 2].map((Segment) => scan(table, { Segment, TotalSegments: 3 })));
    const keys = parts.map(({ Items }) => Items!.map(({ pk }) => pk!.S!));
    expect(keys.every((part) => part.length > 0)).toBe(true);
    expect(keys.flat().sort()).toEqual(all.sort());
  });

  it("filters on any attribute, also the key", async () => {
    const page = await scan(readings, {
      FilterExpression: "sk > :a AND NOT contains(v, :b)",
      ExpressionAttributeValues: { ":a": { N: "5" }, ":b": { S: "99" } },
    });
    expect(sortKeys(page.Items)).toEqual(["10", "1000"]);
    expect(page).toMatchObject({ Count: 2, ScannedCount: 10 });
  });

  it.each<[what: string, input: Omit<ScanCommandInput, "TableName">, message: string]>([
    [
      "a segment without their number",
      { Segment: 1 },
      "The TotalSegments parameter is required but was not present in the request when Segment parameter is present",
    ],
    [
      "a segment past the last",
      { Segment: 2, TotalSegments: 2 },
      "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: 2 is not less than TotalSegments: 2",
    ],
  ])("refuses %s", async (_, input, message) => {
    await expect(scan(readings, input)).rejects.toEqual(invalid(message));
  });
});
