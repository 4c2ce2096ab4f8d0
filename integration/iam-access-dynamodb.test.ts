import * as Dynamo from "@aws-sdk/client-dynamodb";
import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListStreamsCommand,
} from "@aws-sdk/client-dynamodb-streams";
import { beforeAll, describe, expect, it, test } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { expectNeeds, makeSession, makeUser, policyOf, type User } from "./harness/identities";

const emulator = useEmulator();
const arn = (name: string) => `arn:aws:dynamodb:eu-west-1:000000000000:table/${name}`;
const item = (pk: string, more: Record<string, string> = {}) =>
  Object.fromEntries(Object.entries({ pk, ...more }).map(([name, S]) => [name, { S }]));
const Key = item("a");

let admin: Dynamo.DynamoDB;
let user: User;
let db: Dynamo.DynamoDB;
let streams: DynamoDBStreamsClient;
let StreamArn: string;

beforeAll(async () => {
  admin = new Dynamo.DynamoDB(settings(emulator.current));
  for (const TableName of ["orders", "customers"]) {
    const { TableDescription } = await admin.createTable({
      TableName,
      BillingMode: "PAY_PER_REQUEST",
      KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
      AttributeDefinitions: [
        { AttributeName: "pk", AttributeType: "S" },
        { AttributeName: "day", AttributeType: "S" },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: "by-day",
          KeySchema: [{ AttributeName: "day", KeyType: "HASH" }],
          Projection: { ProjectionType: "ALL" },
        },
      ],
      StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_IMAGE" },
    });
    StreamArn = TableDescription!.LatestStreamArn!;
  }
  await admin.putItem({ TableName: "orders", Item: item("a", { day: "monday", secret: "x" }) });
  user = await makeUser(emulator.current);
  db = new Dynamo.DynamoDB(user.settings);
  streams = new DynamoDBStreamsClient(user.settings);
});

const condition = { KeyConditionExpression: "pk = :a", ExpressionAttributeValues: { ":a": { S: "a" } } };
const onIndex = { IndexName: "by-day", KeyConditionExpression: "#d = :d", ExpressionAttributeNames: { "#d": "day" } };
const both = { orders: { Keys: [Key] }, customers: { Keys: [Key] } };
const updated = {
  TableName: "orders",
  Key,
  UpdateExpression: "SET n = :n",
  ExpressionAttributeValues: { ":n": { N: "1" } },
};
const exists = { TableName: "customers", Key, ConditionExpression: "attribute_not_exists(pk)" };

describe("what a user may not do with tables is said in AWS's words, and the suggested statement allows it", () => {
  test.each<[string, () => Promise<unknown>, [action: string, resource: string][]]>([
    ["ListTables", () => db.listTables(), [["ListTables", arn("*")]]],
    ["DescribeTable", () => db.describeTable({ TableName: "orders" }), [["DescribeTable", arn("orders")]]],
    ["DescribeTable by ARN", () => db.describeTable({ TableName: arn("orders") }), [["DescribeTable", arn("orders")]]],
    ["DescribeLimits", () => db.describeLimits(), [["DescribeLimits", "*"]]],
    ["GetItem", () => db.getItem({ TableName: "orders", Key }), [["GetItem", arn("orders")]]],
    ["PutItem", () => db.putItem({ TableName: "orders", Item: item("p") }), [["PutItem", arn("orders")]]],
    ["UpdateItem", () => db.updateItem(updated), [["UpdateItem", arn("orders")]]],
    ["DeleteItem", () => db.deleteItem({ TableName: "customers", Key }), [["DeleteItem", arn("customers")]]],
    ["Query", () => db.query({ TableName: "orders", ...condition }), [["Query", arn("orders")]]],
    [
      "Query of an index",
      () => db.query({ TableName: "orders", ...onIndex, ExpressionAttributeValues: { ":d": { S: "monday" } } }),
      [["Query", arn("orders/index/by-day")]],
    ],
    ["Scan", () => db.scan({ TableName: "orders" }), [["Scan", arn("orders")]]],
    [
      "Scan of an index",
      () => db.scan({ TableName: "orders", IndexName: "by-day" }),
      [["Scan", arn("orders/index/by-day")]],
    ],
    [
      "BatchGetItem",
      () => db.batchGetItem({ RequestItems: both }),
      [
        ["BatchGetItem", arn("orders")],
        ["BatchGetItem", arn("customers")],
      ],
    ],
    [
      "BatchWriteItem",
      () => db.batchWriteItem({ RequestItems: { customers: [{ DeleteRequest: { Key } }] } }),
      [["BatchWriteItem", arn("customers")]],
    ],
    [
      "TransactGetItems",
      () => db.transactGetItems({ TransactItems: [{ Get: { TableName: "orders", Key } }] }),
      [["GetItem", arn("orders")]],
    ],
    [
      "TransactWriteItems",
      () =>
        db.transactWriteItems({
          TransactItems: [
            { ConditionCheck: exists },
            { Put: { TableName: "orders", Item: item("b") } },
            { Update: updated },
            { Delete: { TableName: "orders", Key: item("c") } },
          ],
        }),
      [
        ["ConditionCheckItem", arn("customers")],
        ["PutItem", arn("orders")],
        ["UpdateItem", arn("orders")],
        ["DeleteItem", arn("orders")],
      ],
    ],
    [
      "TagResource",
      () => db.tagResource({ ResourceArn: arn("customers"), Tags: [{ Key: "team", Value: "iot" }] }),
      [["TagResource", arn("customers")]],
    ],
  ])("%s", async (_, call, needed) => {
    await expectNeeds(
      emulator.current,
      user,
      call,
      needed.map(([action, resource]) => [`dynamodb:${action}`, resource] as const),
    );
  });

  it("ListStreams, DescribeStream, GetShardIterator and GetRecords, which knows its stream by the iterator", async () => {
    const { StreamDescription } = await new DynamoDBStreamsClient(settings(emulator.current)).send(
      new DescribeStreamCommand({ StreamArn }),
    );
    const at = { StreamArn, ShardId: StreamDescription!.Shards![0]!.ShardId, ShardIteratorType: "LATEST" } as const;
    let ShardIterator: string | undefined;
    const calls: [string, string, () => Promise<unknown>][] = [
      ["ListStreams", "*", () => streams.send(new ListStreamsCommand())],
      ["DescribeStream", StreamArn, () => streams.send(new DescribeStreamCommand({ StreamArn }))],
      [
        "GetShardIterator",
        StreamArn,
        async () => {
          ({ ShardIterator } = await streams.send(new GetShardIteratorCommand(at)));
        },
      ],
      ["GetRecords", StreamArn, () => streams.send(new GetRecordsCommand({ ShardIterator }))],
    ];
    for (const [action, resource, call] of calls)
      await expectNeeds(emulator.current, user, call, [[`dynamodb:${action}`, resource]]);
  });
});

describe("fine-grained access control", () => {
  const allowed = { Effect: "Allow", Action: "dynamodb:*", Resource: [arn("orders"), arn("orders/index/*")] };
  const denied = expect.objectContaining({ name: "AccessDeniedException" });

  it("lets a user see only items with the user's own partition key", async () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of policies
    const own = { "ForAllValues:StringEquals": { "dynamodb:LeadingKeys": ["${aws:username}"] } };
    await user.allow({ ...allowed, Condition: own });
    const TableName = "orders";
    const query = (text: string, KeyConditionExpression = "#k = :k") =>
      db.query({
        ...{ TableName, KeyConditionExpression },
        ExpressionAttributeNames: { "#k": "pk" },
        ExpressionAttributeValues: { ":k": { S: text } },
      });
    await db.putItem({ TableName, Item: item(user.name) });
    expect((await db.getItem({ TableName, Key: item(user.name) })).Item).toEqual(item(user.name));
    expect((await query(user.name)).Count).toBe(1);
    expect((await query(user.name, ":k = #k")).Count).toBe(1);
    const KeyConditions = { pk: { ComparisonOperator: "EQ" as const, AttributeValueList: [{ S: "a" }] } };
    for (const call of [
      () => db.getItem({ TableName, Key }),
      () => db.putItem({ TableName, Item: Key }),
      () => query("a"),
      () => db.query({ TableName, KeyConditions }),
      () => db.batchGetItem({ RequestItems: { orders: { Keys: [item(user.name), Key] } } }),
      () => db.batchWriteItem({ RequestItems: { orders: [{ PutRequest: { Item: Key } }] } }),
      () => db.transactWriteItems({ TransactItems: [{ Delete: { TableName, Key } }] }),
    ])
      await expect(call()).rejects.toEqual(denied);
  });

  it("lets a user read only some attributes, if asked for by name", async () => {
    const Condition = {
      "ForAllValues:StringEquals": { "dynamodb:Attributes": ["pk", "day"] },
      StringEquals: { "dynamodb:Select": "SPECIFIC_ATTRIBUTES" },
    };
    await user.allow({ ...allowed, Condition });
    const get = (ProjectionExpression?: string, names?: Record<string, string>) =>
      db.getItem({ TableName: "orders", Key, ProjectionExpression, ExpressionAttributeNames: names });
    expect((await get("pk, #d", { "#d": "day" })).Item).toEqual(item("a", { day: "monday" }));
    await expect(get("pk, #s", { "#s": "secret" })).rejects.toEqual(denied);
    await expect(get("pk, secret")).rejects.toEqual(denied);
    await expect(get()).rejects.toEqual(denied);
    const filtered = { FilterExpression: "begins_with(secret, :x)", ExpressionAttributeValues: { ":x": { S: "x" } } };
    const scan = db.scan({ TableName: "orders", ProjectionExpression: "pk", ...filtered });
    await expect(scan).rejects.toEqual(denied);
  });

  it("keeps a user from changing some attributes and from seeing the old ones", async () => {
    const Condition = {
      "ForAllValues:StringEquals": { "dynamodb:Attributes": ["pk", "n"] },
      StringEquals: { "dynamodb:ReturnValues": ["NONE", "UPDATED_NEW"] },
    };
    await user.allow({ ...allowed, Condition });
    const ExpressionAttributeValues = { ":v": { N: "1" } };
    const update = (UpdateExpression: string, ReturnValues?: "ALL_OLD" | "UPDATED_NEW") =>
      db.updateItem({ TableName: "orders", Key, UpdateExpression, ExpressionAttributeValues, ReturnValues });
    expect((await update("SET n = if_not_exists(n, :v) + :v", "UPDATED_NEW")).Attributes).toBeDefined();
    await expect(update("SET n = :v", "ALL_OLD")).rejects.toEqual(denied);
    await expect(update("SET n = :v, secret = :v")).rejects.toEqual(denied);
    await expect(update("SET n = if_not_exists(secret, :v)")).rejects.toEqual(denied);
  });

  it("tells writes in transactions from others", async () => {
    const Condition = { StringEquals: { "dynamodb:EnclosingOperation": "TransactWriteItems" } };
    await user.allow({ ...allowed, Condition });
    const Put = { TableName: "orders", Item: item("t") };
    await expect(db.putItem(Put)).rejects.toEqual(denied);
    await db.transactWriteItems({ TransactItems: [{ Put }] });
  });

  it("goes by the tags of tables and of requests", async () => {
    const tagged = await makeSession(
      emulator.current,
      { ...allowed, Resource: "*", Condition: { StringEquals: { "aws:ResourceTag/team": "web" } } },
      { ...allowed, Resource: "*", Condition: { StringEquals: { "aws:RequestTag/team": "web" } } },
    );
    const session = new Dynamo.DynamoDB(tagged.settings);
    const TableName = "tagged";
    const create = (Value: string) =>
      session.createTable({
        ...{ TableName, BillingMode: "PAY_PER_REQUEST", Tags: [{ Key: "team", Value }] },
        KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
        AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
      });
    await expect(create("other")).rejects.toEqual(denied);
    await create("web");
    await session.putItem({ TableName, Item: Key });
    await admin.untagResource({ ResourceArn: arn(TableName), TagKeys: ["team"] });
    await expect(session.putItem({ TableName, Item: Key })).rejects.toEqual(denied);
  });
});

describe("the policy of a table", () => {
  const statement = { Effect: "Allow", Action: "dynamodb:GetItem", Resource: arn("customers") };
  const get = (client: Dynamo.DynamoDB) => client.getItem({ TableName: arn("customers"), Key });

  it("lets in a user whom no other policy does", async () => {
    await user.allow();
    const Policy = policyOf({ ...statement, Principal: { AWS: user.arn } });
    await admin.putResourcePolicy({ ResourceArn: arn("customers"), Policy });
    await get(db);
    await expect(db.deleteItem({ TableName: "customers", Key })).rejects.toMatchObject({
      name: "AccessDeniedException",
    });
  });

  it("lets in another account, which names the table by its ARN and lets its own users in", async () => {
    const stranger = await makeUser(emulator.current, { accessKeyId: "111122223333" });
    const strangers = new Dynamo.DynamoDB(stranger.settings);
    const root = new Dynamo.DynamoDB(settings(emulator.current, { accessKeyId: "111122223333" }));
    await admin.deleteResourcePolicy({ ResourceArn: arn("customers") });
    await expect(get(root)).rejects.toMatchObject({
      name: "AccessDeniedException",
      $metadata: { httpStatusCode: 400 },
      message: `User: arn:aws:iam::111122223333:root is not authorized to perform: dynamodb:GetItem on resource: ${arn("customers")} because no resource-based policy allows the dynamodb:GetItem action`,
    });
    const Policy = policyOf({ ...statement, Principal: { AWS: "111122223333" } });
    await admin.putResourcePolicy({ ResourceArn: arn("customers"), Policy });
    await get(root);
    await expect(get(strangers)).rejects.toMatchObject({
      message: expect.stringContaining("no identity-based policy"),
    });
    await stranger.allow(statement);
    await get(strangers);
  });

  it("refuses even the account's root what it denies", async () => {
    const Policy = policyOf({ ...statement, Effect: "Deny", Principal: "*" });
    await admin.putResourcePolicy({ ResourceArn: arn("customers"), Policy });
    await expect(get(admin)).rejects.toMatchObject({
      message: `User: arn:aws:iam::000000000000:root is not authorized to perform: dynamodb:GetItem on resource: ${arn("customers")} with an explicit deny in a resource-based policy`,
    });
  });
});
