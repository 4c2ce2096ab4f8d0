import {
  BatchWriteItemCommand,
  type CreateTableCommandInput,
  QueryCommand,
  type QueryCommandInput,
} from "@aws-sdk/client-dynamodb";
import { beforeAll, describe, expect, it } from "vitest";
import { type Item, invalid, keyed, useDynamo } from "./harness/dynamodb";

const dynamo = useDynamo();

const query = (TableName: string, input: Omit<QueryCommandInput, "TableName">) =>
  dynamo.client.send(new QueryCommand({ TableName, ...input }));
const ofDevice = (condition = "", values: Item = {}) => ({
  KeyConditionExpression: `pk = :pk${condition}`,
  ExpressionAttributeValues: { ":pk": { S: "device" }, ...values },
});
const sortKeys = (items: Item[] | undefined) => items?.map(({ sk }) => sk?.N ?? sk?.S);

describe("a secondary index", () => {
  const definition: Omit<CreateTableCommandInput, "TableName"> = {
    ...keyed("N"),
    AttributeDefinitions: [
      ...keyed("N").AttributeDefinitions!,
      { AttributeName: "site", AttributeType: "S" },
      { AttributeName: "level", AttributeType: "N" },
    ],
    GlobalSecondaryIndexes: [
      {
        IndexName: "by-site",
        KeySchema: [
          { AttributeName: "site", KeyType: "HASH" },
          { AttributeName: "level", KeyType: "RANGE" },
        ],
        Projection: { ProjectionType: "INCLUDE", NonKeyAttributes: ["label"] },
      },
    ],
    LocalSecondaryIndexes: [
      {
        IndexName: "by-level",
        KeySchema: [
          { AttributeName: "pk", KeyType: "HASH" },
          { AttributeName: "level", KeyType: "RANGE" },
        ],
        Projection: { ProjectionType: "KEYS_ONLY" },
      },
    ],
  };
  const atSite = {
    IndexName: "by-site",
    KeyConditionExpression: "site = :s",
    ExpressionAttributeValues: { ":s": { S: "north" } },
  };
  let table = "";
  beforeAll(async () => {
    table = await dynamo.table(definition);
    for (let i = 0; i < 6; i++) {
      await dynamo.put(table, {
        pk: { S: "device" },
        sk: { N: `${i}` },
        site: { S: "north" },
        // Pairs of items have the same index key.
        level: { N: `${10 - Math.floor(i / 2)}` },
        label: { S: `l${i}` },
        hidden: { S: "h" },
      });
    }
    await dynamo.put(table, { pk: { S: "device" }, sk: { N: "100" }, site: { S: "north" } });
  });

  it("has the items that have its keys, in its own order, with the attributes that it projects", async () => {
    const { Items } = await query(table, atSite);
    expect(sortKeys(Items)).toEqual(["4", "5", "2", "3", "0", "1"]);
    expect(Items?.[0]).toEqual({
      pk: { S: "device" },
      sk: { N: "4" },
      site: { S: "north" },
      level: { N: "8" },
      label: { S: "l4" },
    });
  });

  it("pages through items with equal keys without losing or repeating one", async () => {
    for (const ScanIndexForward of [true, false]) {
      const seen: (string | undefined)[] = [];
      let ExclusiveStartKey: Item | undefined;
      do {
        const page = await query(table, { ...atSite, Limit: 1, ExclusiveStartKey, ScanIndexForward });
        seen.push(...sortKeys(page.Items)!);
        ExclusiveStartKey = page.LastEvaluatedKey;
        if (ExclusiveStartKey) expect(Object.keys(ExclusiveStartKey).sort()).toEqual(["level", "pk", "site", "sk"]);
      } while (ExclusiveStartKey);
      expect(seen).toEqual(sortKeys((await query(table, { ...atSite, ScanIndexForward })).Items));
    }
  });

  it("follows updates and deletes", async () => {
    const own = await dynamo.table(definition);
    const item = { pk: { S: "device" }, sk: { N: "1" }, site: { S: "north" }, level: { N: "1" } };
    const count = async () => (await query(own, { ...atSite, Select: "COUNT" })).Count;
    await dynamo.put(own, item);
    expect(await count()).toBe(1);
    await dynamo.put(own, { ...item, site: { S: "south" } });
    expect(await count()).toBe(0);
    await dynamo.put(own, item);
    await dynamo.client.send(
      new BatchWriteItemCommand({
        RequestItems: { [own]: [{ DeleteRequest: { Key: { pk: item.pk, sk: item.sk } } }] },
      }),
    );
    expect(await count()).toBe(0);
  });

  it("of a table gives attributes that it does not keep by reading the table, at a price", async () => {
    const local = {
      ...ofDevice(" AND #l >= :l", { ":l": { N: "10" } }),
      ExpressionAttributeNames: { "#l": "level" },
      IndexName: "by-level",
      ReturnConsumedCapacity: "INDEXES" as const,
    };
    const cheap = await query(table, local);
    expect(Object.keys(cheap.Items?.[0] ?? {}).sort()).toEqual(["level", "pk", "sk"]);
    expect(cheap.ConsumedCapacity).toMatchObject({
      CapacityUnits: 0.5,
      Table: { CapacityUnits: 0 },
      LocalSecondaryIndexes: { "by-level": { CapacityUnits: 0.5 } },
    });
    const whole = await query(table, { ...local, Select: "ALL_ATTRIBUTES" });
    expect(whole.Items?.[0]).toMatchObject({ hidden: { S: "h" } });
    expect(whole.ConsumedCapacity).toMatchObject({ CapacityUnits: 1.5, Table: { CapacityUnits: 1 } });
  });

  it.each<[what: string, input: Omit<QueryCommandInput, "TableName">, message: string]>([
    [
      "a consistent read",
      { ...atSite, ConsistentRead: true },
      "Consistent reads are not supported on global secondary indexes",
    ],
    [
      "all attributes",
      { ...atSite, Select: "ALL_ATTRIBUTES" },
      "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global secondary index by-site because its projection type is not ALL",
    ],
    [
      "an attribute that it does not have",
      { ...atSite, ProjectionExpression: "#h", ExpressionAttributeNames: { "#h": "hidden" } },
      "One or more parameter values were invalid: Global secondary index by-site does not project [hidden]",
    ],
  ])("that is global refuses %s", async (_, input, message) => {
    await expect(query(table, input)).rejects.toEqual(invalid(message));
  });

  it("refuses an item with a key of another type, an empty or a very long one", async () => {
    await expect(dynamo.put(table, { pk: { S: "x" }, sk: { N: "1" }, site: { S: "x".repeat(2_049) } })).rejects.toEqual(
      invalid(/Size of hashkey has exceeded the maximum size limit/),
    );
    await expect(dynamo.put(table, { pk: { S: "x" }, sk: { N: "1" }, site: { N: "1" } })).rejects.toEqual(
      invalid(
        "One or more parameter values were invalid: Type mismatch for Index Key site Expected: S Actual: N IndexName: by-site",
      ),
    );
    await expect(dynamo.put(table, { pk: { S: "x" }, sk: { N: "1" }, site: { S: "" } })).rejects.toEqual(
      invalid(/cannot contain an empty string value. IndexName: by-site, IndexKey: site$/),
    );
  });
});
