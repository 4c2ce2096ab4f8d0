import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  CreateTableCommand,
  type CreateTableCommandInput,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type Item, keyed } from "./harness/dynamodb";
import { settings, useEmulator } from "./harness/emulator";

const emulator = useEmulator();
let client: DynamoDBClient;
beforeAll(() => {
  client = new DynamoDBClient(settings(emulator.current));
});

// Real time stands still, however slow this machine is: seconds pass where a test says so.
beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

let count = 0;
async function table(more: Partial<CreateTableCommandInput> = {}): Promise<string> {
  const TableName = `throughput-${++count}`;
  await client.send(new CreateTableCommand({ TableName, ...keyed("N"), ...more }));
  return TableName;
}

/** An item of so many write units, a KB each. */
const item = (pk: string, sk: number, units = 1): Item => ({
  pk: { S: pk },
  sk: { N: `${sk}` },
  text: { S: "x".repeat(units * 1024 - 40) },
});
const put = (TableName: string, Item: Item) => client.send(new PutItemCommand({ TableName, Item }));
const failure = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error) => error,
  );

/** Uses up what one key takes in this second. */
async function heat(TableName: string, pk: string): Promise<void> {
  for (const sk of [1, 2, 3]) await put(TableName, item(pk, sk, 330));
  await put(TableName, item(pk, 4, 10));
}

describe("a partition key of a table on demand", () => {
  it("takes 1,000 write units a second, and no more until the next one", async () => {
    const name = await table();
    await heat(name, "hot");
    expect(await failure(put(name, item("hot", 5)))).toMatchObject({
      name: "ThrottlingException",
      message: expect.stringMatching(
        /^Throughput exceeds the current capacity of your table or index\. .* hot key: https/,
      ),
      throttlingReasons: [
        {
          reason: "TableWriteKeyRangeThroughputExceeded",
          resource: `arn:aws:dynamodb:eu-west-1:000000000000:table/${name}`,
        },
      ],
    });
    await put(name, item("cold", 5));
    await emulator.current.clock.advance("1 second");
    await put(name, item("hot", 5));
  });

  it("gives 3,000 read units a second", async () => {
    const name = await table();
    for (let sk = 0; sk < 3; sk++) await put(name, item("hot", sk, 330));
    const query = () =>
      client.send(
        new QueryCommand({
          TableName: name,
          KeyConditionExpression: "pk = :pk",
          ExpressionAttributeValues: { ":pk": { S: "hot" } },
          ConsistentRead: true,
        }),
      );
    // 248 units each.
    for (let i = 0; i < 13; i++) await query();
    for (const call of [
      () => query(),
      () => client.send(new GetItemCommand({ TableName: name, Key: { pk: { S: "hot" }, sk: { N: "1" } } })),
    ]) {
      expect(await failure(call())).toMatchObject({
        name: "ThrottlingException",
        throttlingReasons: [{ reason: "TableReadKeyRangeThroughputExceeded" }],
      });
    }
    // What goes across the keys is not held up by one of them.
    await client.send(new ScanCommand({ TableName: name, Limit: 1 }));
  });

  it("leaves the rest of a batch unprocessed, and fails it where nothing is left", async () => {
    const name = await table();
    await heat(name, "hot");
    const request = (pk: string) => ({ PutRequest: { Item: item(pk, 9) } });
    const batch = (...keys: string[]) =>
      client.send(new BatchWriteItemCommand({ RequestItems: { [name]: keys.map(request) } }));
    expect((await batch("cold", "hot")).UnprocessedItems).toEqual({ [name]: [request("hot")] });
    expect((await failure(batch("hot")))?.name).toBe("ThrottlingException");
    const reading = await table();
    for (let sk = 0; sk < 13; sk++) await put(reading, item(`${sk}`, 0));
    const Keys = [{ pk: { S: "1" }, sk: { N: "0" } }];
    const read = await client.send(new BatchGetItemCommand({ RequestItems: { [reading]: { Keys } } }));
    expect(read.UnprocessedKeys).toEqual({});
  });

  it("lets no transaction happen that it has no room for", async () => {
    const name = await table();
    await heat(name, "hot");
    const Put = (pk: string) => ({ Put: { TableName: name, Item: item(pk, 9) } });
    const error = await failure(
      client.send(new TransactWriteItemsCommand({ TransactItems: [Put("cold"), Put("hot")] })),
    );
    expect(error).toMatchObject({
      name: "TransactionCanceledException",
      CancellationReasons: [
        { Code: "None" },
        { Code: "ThrottlingError", Message: expect.stringContaining("current capacity") },
      ],
    });
    const Key = { pk: { S: "cold" }, sk: { N: "9" } };
    expect((await client.send(new GetItemCommand({ TableName: name, Key }))).Item).toBeUndefined();
  });
});

describe("provisioned capacity", () => {
  const provisioned = (read: number, write: number) => ({
    BillingMode: "PROVISIONED" as const,
    ProvisionedThroughput: { ReadCapacityUnits: read, WriteCapacityUnits: write },
  });

  it("may be used for five minutes at once, and then as fast as it comes", async () => {
    const name = await table(provisioned(1, 1));
    await put(name, item("a", 1, 299));
    await put(name, item("a", 2));
    expect(await failure(put(name, item("a", 3)))).toMatchObject({
      name: "ProvisionedThroughputExceededException",
      message:
        "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API.",
      ThrottlingReasons: [{ reason: "TableWriteProvisionedThroughputExceeded" }],
    });
    await emulator.current.clock.advance("2 seconds");
    await put(name, item("a", 3));
    // The time that passed is worth two units: one is left.
    const update = new UpdateItemCommand({ TableName: name, Key: { pk: { S: "b" }, sk: { N: "1" } } });
    await client.send(update);
    expect((await failure(client.send(update)))?.name).toBe("ProvisionedThroughputExceededException");
  });

  it("counts reads by itself, and for scans, too", async () => {
    const name = await table(provisioned(1, 400));
    await put(name, item("a", 1, 399));
    const scan = () => client.send(new ScanCommand({ TableName: name, ConsistentRead: true }));
    for (let i = 0; i < 3; i++) await scan();
    expect(await failure(scan())).toMatchObject({
      name: "ProvisionedThroughputExceededException",
      ThrottlingReasons: [{ reason: "TableReadProvisionedThroughputExceeded" }],
    });
  });

  it("of a global index holds writes to its table up", async () => {
    const name = await table({
      ...provisioned(100, 100),
      AttributeDefinitions: [...keyed("N").AttributeDefinitions!, { AttributeName: "kind", AttributeType: "S" }],
      GlobalSecondaryIndexes: [
        {
          IndexName: "by-kind",
          KeySchema: [{ AttributeName: "kind", KeyType: "HASH" }],
          Projection: { ProjectionType: "ALL" },
          ProvisionedThroughput: { ReadCapacityUnits: 1, WriteCapacityUnits: 1 },
        },
      ],
    });
    const indexed = (sk: number, units: number) => ({ ...item("a", sk, units), kind: { S: "k" } });
    await put(name, indexed(1, 301));
    expect(await failure(put(name, indexed(2, 1)))).toMatchObject({
      name: "ProvisionedThroughputExceededException",
      ThrottlingReasons: [
        { reason: "IndexWriteProvisionedThroughputExceeded", resource: expect.stringMatching(/\/index\/by-kind$/) },
      ],
    });
    // An item that is not in the index does not need it.
    await put(name, item("a", 3));
  });

  it("is not what a table on demand has, unless it sets a maximum", async () => {
    const name = await table({ OnDemandThroughput: { MaxReadRequestUnits: 10, MaxWriteRequestUnits: 1 } });
    await put(name, item("a", 1));
    expect(await failure(put(name, item("b", 1)))).toMatchObject({
      name: "ThrottlingException",
      message: "Throughput exceeds the maximum OnDemandThroughput configured on table or index",
      throttlingReasons: [{ reason: "TableWriteMaxOnDemandThroughputExceeded" }],
    });
  });
});
