import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DeleteTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  ListTablesCommand,
  QueryCommand,
  UpdateTableCommand,
  type UpdateTableCommandInput,
  waitUntilTableExists,
  waitUntilTableNotExists,
} from "@aws-sdk/client-dynamodb";
import { describe, expect, it } from "vitest";
import { invalid, keyed, refusal, useDynamo } from "./harness/dynamodb";
import { settings } from "./harness/emulator";

const dynamo = useDynamo();
const create = (input: CreateTableCommandInput) => dynamo.client.send(new CreateTableCommand(input));
const update = (TableName: string, input: Omit<UpdateTableCommandInput, "TableName">) =>
  dynamo.client.send(new UpdateTableCommand({ TableName, ...input }));
const look = async (TableName: string) => (await dynamo.client.send(new DescribeTableCommand({ TableName }))).Table!;
const remove = (TableName: string) => dynamo.client.send(new DeleteTableCommand({ TableName }));

describe("a table", () => {
  it("is being created in the answer, and active for whoever looks next", async () => {
    const { TableDescription } = await create({ TableName: "fresh", ...keyed("N") });
    expect(TableDescription).toMatchObject({ TableStatus: "CREATING", ItemCount: 0 });
    await waitUntilTableExists({ client: dynamo.client, maxWaitTime: 60 }, { TableName: "fresh" });
    expect(await look("fresh")).toMatchObject({
      TableName: "fresh",
      TableArn: "arn:aws:dynamodb:eu-west-1:000000000000:table/fresh",
      TableId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      TableStatus: "ACTIVE",
      CreationDateTime: expect.any(Date),
      KeySchema: keyed("N").KeySchema,
      AttributeDefinitions: keyed("N").AttributeDefinitions,
      BillingModeSummary: { BillingMode: "PAY_PER_REQUEST" },
      ProvisionedThroughput: { ReadCapacityUnits: 0, WriteCapacityUnits: 0, NumberOfDecreasesToday: 0 },
      DeletionProtectionEnabled: false,
    });
  });

  it("counts its items and bytes", async () => {
    const table = await dynamo.table();
    await dynamo.put(table, { pk: { S: "1" }, number: { N: "1234" } }, { pk: { S: "2" } });
    // pk1 + number and 1234 in three bytes; pk2
    expect(await look(table)).toMatchObject({ ItemCount: 2, TableSizeBytes: 3 + 9 + 3 });
  });

  it("is gone when it was deleted", async () => {
    const table = await dynamo.table();
    expect((await remove(table)).TableDescription).toMatchObject({ TableName: table, TableStatus: "DELETING" });
    await waitUntilTableNotExists({ client: dynamo.client, maxWaitTime: 60 }, { TableName: table });
    await expect(look(table)).rejects.toEqual(
      refusal("ResourceNotFoundException", `Requested resource not found: Table: ${table} not found`),
    );
    await expect(remove(table)).rejects.toEqual(refusal("ResourceNotFoundException", /not found$/));
  });

  it("with deletion protection stays until it is taken off", async () => {
    const table = await dynamo.table({ ...keyed(), DeletionProtectionEnabled: true });
    await expect(remove(table)).rejects.toEqual(
      invalid(
        "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.",
      ),
    );
    await update(table, { DeletionProtectionEnabled: false });
    await expect(remove(table)).resolves.toBeDefined();
  });

  it("can be named by its ARN", async () => {
    const table = await dynamo.table();
    expect(await look(`arn:aws:dynamodb:eu-west-1:000000000000:table/${table}`)).toMatchObject({ TableName: table });
  });

  it("belongs to its region", async () => {
    const table = await dynamo.table();
    const elsewhere = new DynamoDBClient(settings(dynamo.emulator, { region: "us-east-1" }));
    await expect(elsewhere.send(new DescribeTableCommand({ TableName: table }))).rejects.toEqual(
      refusal("ResourceNotFoundException", /not found$/),
    );
    await elsewhere.send(new CreateTableCommand({ TableName: table, ...keyed() }));
    expect((await elsewhere.send(new ListTablesCommand({}))).TableNames).toEqual([table]);
  });

  it("shows its stream, its encryption and its class", async () => {
    const table = await dynamo.table({
      ...keyed(),
      StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_AND_OLD_IMAGES" },
      SSESpecification: { Enabled: true, SSEType: "KMS", KMSMasterKeyId: "1234" },
      TableClass: "STANDARD_INFREQUENT_ACCESS",
    });
    const seen = await look(table);
    expect(seen).toMatchObject({
      StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_AND_OLD_IMAGES" },
      LatestStreamArn: `${seen.TableArn}/stream/${seen.LatestStreamLabel}`,
      SSEDescription: {
        Status: "ENABLED",
        SSEType: "KMS",
        KMSMasterKeyArn: "arn:aws:kms:eu-west-1:000000000000:key/1234",
      },
      TableClassSummary: { TableClass: "STANDARD_INFREQUENT_ACCESS" },
    });
    await update(table, { StreamSpecification: { StreamEnabled: false } });
    expect(await look(table)).toMatchObject({ LatestStreamArn: seen.LatestStreamArn });
    expect((await look(table)).StreamSpecification).toBeUndefined();
    await expect(update(table, { StreamSpecification: { StreamEnabled: false } })).rejects.toEqual(invalid(/stream/));
  });
});

describe("CreateTable refuses", () => {
  const units = { ReadCapacityUnits: 1, WriteCapacityUnits: 1 };
  const prefix = "One or more parameter values were invalid: ";
  const index = {
    IndexName: "index",
    KeySchema: [{ AttributeName: "g", KeyType: "HASH" as const }],
    Projection: { ProjectionType: "ALL" as const },
  };

  it.each<[what: string, input: Partial<CreateTableCommandInput>, message: string | RegExp]>([
    [
      "a name that is too short",
      { TableName: "ab" },
      "1 validation error detected: Value 'ab' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 3",
    ],
    [
      "an unknown billing mode",
      { BillingMode: "FREE" as "PROVISIONED" },
      "1 validation error detected: Value 'FREE' at 'billingMode' failed to satisfy constraint: Member must satisfy enum value set: [PROVISIONED, PAY_PER_REQUEST]",
    ],
    [
      "throughput on demand",
      { ProvisionedThroughput: units },
      `${prefix}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST`,
    ],
    [
      "no throughput for provisioned billing",
      { BillingMode: "PROVISIONED" },
      `${prefix}ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED`,
    ],
    [
      "a key that is not defined",
      { AttributeDefinitions: [{ AttributeName: "x", AttributeType: "S" }] },
      `${prefix}Some index key attributes are not defined in AttributeDefinitions. Keys: [pk], AttributeDefinitions: [x]`,
    ],
    [
      "a definition that no key uses",
      { AttributeDefinitions: [...keyed().AttributeDefinitions!, { AttributeName: "x", AttributeType: "S" }] },
      `${prefix}Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions`,
    ],
    [
      "a range key alone",
      { KeySchema: [{ AttributeName: "pk", KeyType: "RANGE" }] },
      "Invalid KeySchema: The first KeySchemaElement is not a HASH key type",
    ],
    [
      "a local index without a range key in the table",
      { LocalSecondaryIndexes: [index] },
      `${prefix}Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex`,
    ],
    [
      "an index on an undefined attribute",
      { GlobalSecondaryIndexes: [index] },
      `${prefix}Some index key attributes are not defined in AttributeDefinitions. Keys: [g], AttributeDefinitions: [pk]`,
    ],
    [
      "attributes for a projection of all",
      {
        AttributeDefinitions: [...keyed().AttributeDefinitions!, { AttributeName: "g", AttributeType: "S" }],
        GlobalSecondaryIndexes: [{ ...index, Projection: { ProjectionType: "ALL", NonKeyAttributes: ["a"] } }],
      },
      `${prefix}ProjectionType is ALL, but NonKeyAttributes is specified`,
    ],
    [
      "two indexes of one name",
      {
        AttributeDefinitions: [...keyed().AttributeDefinitions!, { AttributeName: "g", AttributeType: "S" }],
        GlobalSecondaryIndexes: [index, index],
      },
      `${prefix}Duplicate index name: index`,
    ],
  ])("%s", async (_, input, message) => {
    await expect(create({ TableName: "refused", ...keyed(), ...input })).rejects.toEqual(invalid(message));
    await expect(look("refused")).rejects.toEqual(refusal("ResourceNotFoundException", /refused not found$/));
  });

  it("a name that is taken", async () => {
    const table = await dynamo.table();
    await expect(create({ TableName: table, ...keyed() })).rejects.toEqual(
      refusal("ResourceInUseException", `Table already exists: ${table}`),
    );
  });
});

describe("UpdateTable", () => {
  const bySite = {
    AttributeDefinitions: [...keyed().AttributeDefinitions!, { AttributeName: "site", AttributeType: "S" as const }],
    GlobalSecondaryIndexUpdates: [
      {
        Create: {
          IndexName: "by-site",
          KeySchema: [{ AttributeName: "site", KeyType: "HASH" as const }],
          Projection: { ProjectionType: "ALL" as const },
        },
      },
    ],
  };

  it("adds an index over the items that are there, leaving out those whose key is of another type", async () => {
    const table = await dynamo.table();
    await dynamo.put(
      table,
      { pk: { S: "1" }, site: { S: "north" } },
      { pk: { S: "2" }, site: { N: "1" } },
      { pk: { S: "3" } },
    );
    const { TableDescription } = await update(table, bySite);
    expect(TableDescription).toMatchObject({
      TableStatus: "UPDATING",
      GlobalSecondaryIndexes: [{ IndexStatus: "CREATING" }],
    });
    const { Items } = await dynamo.client.send(
      new QueryCommand({
        TableName: table,
        IndexName: "by-site",
        KeyConditionExpression: "site = :s",
        ExpressionAttributeValues: { ":s": { S: "north" } },
      }),
    );
    expect(Items).toEqual([{ pk: { S: "1" }, site: { S: "north" } }]);
    const seen = await look(table);
    expect(seen.GlobalSecondaryIndexes).toMatchObject([
      { IndexName: "by-site", IndexStatus: "ACTIVE", ItemCount: 1, IndexArn: `${seen.TableArn}/index/by-site` },
    ]);
  });

  it("takes an index away, and with it the definition of its key", async () => {
    const table = await dynamo.table();
    await update(table, bySite);
    const { TableDescription } = await update(table, {
      GlobalSecondaryIndexUpdates: [{ Delete: { IndexName: "by-site" } }],
    });
    expect(TableDescription?.GlobalSecondaryIndexes).toMatchObject([{ IndexStatus: "DELETING" }]);
    const seen = await look(table);
    expect(seen.GlobalSecondaryIndexes).toBeUndefined();
    expect(seen.AttributeDefinitions).toEqual(keyed().AttributeDefinitions);
  });

  it("changes billing and throughput", async () => {
    const table = await dynamo.table();
    const units = { ReadCapacityUnits: 3, WriteCapacityUnits: 2 };
    await update(table, { BillingMode: "PROVISIONED", ProvisionedThroughput: units });
    expect(await look(table)).toMatchObject({ ProvisionedThroughput: units });
    await expect(update(table, { ProvisionedThroughput: units })).rejects.toEqual(
      invalid(
        /^The provisioned throughput for the table will not change. The requested value equals the current value./,
      ),
    );
    await update(table, { BillingMode: "PAY_PER_REQUEST" });
    expect(await look(table)).toMatchObject({
      BillingModeSummary: { BillingMode: "PAY_PER_REQUEST" },
      ProvisionedThroughput: { ReadCapacityUnits: 0 },
    });
  });

  it("refuses to do nothing, to drop an index that is not there and to build two at once", async () => {
    const table = await dynamo.table();
    await expect(update(table, {})).rejects.toEqual(invalid(/^At least one of ProvisionedThroughput, BillingMode/));
    await expect(
      update(table, { GlobalSecondaryIndexUpdates: [{ Delete: { IndexName: "by-site" } }] }),
    ).rejects.toEqual(refusal("ResourceNotFoundException", /by-site not found/));
    const [{ Create }] = bySite.GlobalSecondaryIndexUpdates as [(typeof bySite.GlobalSecondaryIndexUpdates)[0]];
    const two = { ...bySite, GlobalSecondaryIndexUpdates: [{ Create }, { Create: { ...Create, IndexName: "other" } }] };
    await expect(update(table, two)).rejects.toEqual(
      refusal(
        "LimitExceededException",
        "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table",
      ),
    );
    expect((await look(table)).GlobalSecondaryIndexes).toBeUndefined();
  });
});

it("lists tables in order, page by page", async () => {
  const client = new DynamoDBClient(settings(dynamo.emulator, { region: "eu-north-1" }));
  for (const TableName of ["ccc", "aaa", "bbb"]) await client.send(new CreateTableCommand({ TableName, ...keyed() }));
  const first = await client.send(new ListTablesCommand({ Limit: 2 }));
  expect(first).toMatchObject({ TableNames: ["aaa", "bbb"], LastEvaluatedTableName: "bbb" });
  const rest = await client.send(new ListTablesCommand({ ExclusiveStartTableName: first.LastEvaluatedTableName }));
  expect(rest.TableNames).toEqual(["ccc"]);
  expect(rest.LastEvaluatedTableName).toBeUndefined();
});
