import {
  DeleteResourcePolicyCommand,
  DescribeContinuousBackupsCommand,
  DescribeLimitsCommand,
  DescribeTimeToLiveCommand,
  GetItemCommand,
  GetResourcePolicyCommand,
  ListTagsOfResourceCommand,
  PutResourcePolicyCommand,
  ScanCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateContinuousBackupsCommand,
  UpdateTimeToLiveCommand,
} from "@aws-sdk/client-dynamodb";
import { describe, expect, it } from "vitest";
import { invalid, keyed, refusal, useDynamo } from "./harness/dynamodb";

const dynamo = useDynamo();
const arnOf = (table: string) => `arn:aws:dynamodb:eu-west-1:000000000000:table/${table}`;

describe("time to live", () => {
  const turn = (TableName: string, Enabled: boolean, AttributeName = "ttl") =>
    dynamo.client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification: { Enabled, AttributeName } }));
  const left = async (TableName: string) =>
    (await dynamo.client.send(new ScanCommand({ TableName }))).Items!.map(({ pk }) => pk!.S).sort();
  const expiring = (name: string, seconds: number) => ({
    pk: { S: name },
    ttl: { N: String(Math.floor(dynamo.emulator.clock.now() / 1000) + seconds) },
  });

  it("deletes items when their time has passed on the emulator's clock", async () => {
    const table = await dynamo.table();
    await dynamo.put(table, expiring("before", 100));
    await turn(table, true);
    await dynamo.put(table, expiring("later", 7_200), expiring("soon", 60), { pk: { S: "never" } });
    await dynamo.emulator.clock.advance("10 minutes");
    expect(await left(table)).toEqual(["later", "never"]);
    await dynamo.emulator.clock.advance("2 hours");
    expect(await left(table)).toEqual(["never"]);
  });

  it("goes by the last value that was written", async () => {
    const table = await dynamo.table();
    await turn(table, true);
    await dynamo.put(table, expiring("1", 60), expiring("1", 7_200), expiring("2", 60), { pk: { S: "2" } });
    await dynamo.emulator.clock.advance("1 hour");
    expect(await left(table)).toEqual(["1", "2"]);
    await dynamo.emulator.clock.advance("1 hour");
    expect(await left(table)).toEqual(["2"]);
  });

  it("leaves alone what is no number, and what expired more than five years ago", async () => {
    const table = await dynamo.table();
    await turn(table, true);
    await dynamo.put(table, { pk: { S: "text" }, ttl: { S: "1" } }, expiring("ancient", -6 * 365 * 86_400));
    await dynamo.emulator.clock.advance("1 day");
    expect(await left(table)).toEqual(["ancient", "text"]);
  });

  it("takes expired items out of the indexes", async () => {
    const table = await dynamo.table({
      ...keyed(),
      AttributeDefinitions: [...keyed().AttributeDefinitions!, { AttributeName: "ttl", AttributeType: "N" }],
      GlobalSecondaryIndexes: [
        {
          IndexName: "by-ttl",
          KeySchema: [{ AttributeName: "ttl", KeyType: "HASH" }],
          Projection: { ProjectionType: "ALL" },
        },
      ],
    });
    await turn(table, true);
    await dynamo.put(table, expiring("1", 60));
    const count = async () =>
      (await dynamo.client.send(new ScanCommand({ TableName: table, IndexName: "by-ttl" }))).Count;
    expect(await count()).toBe(1);
    await dynamo.emulator.clock.advance("2 minutes");
    expect(await count()).toBe(0);
  });

  it("can be looked at, turned off and is not turned on twice", async () => {
    const table = await dynamo.table();
    const status = async () =>
      (await dynamo.client.send(new DescribeTimeToLiveCommand({ TableName: table }))).TimeToLiveDescription;
    expect(await status()).toEqual({ TimeToLiveStatus: "DISABLED" });
    await turn(table, true);
    expect(await status()).toEqual({ TimeToLiveStatus: "ENABLED", AttributeName: "ttl" });
    await expect(turn(table, true)).rejects.toEqual(invalid("TimeToLive is already enabled"));
    await expect(turn(table, false, "other")).rejects.toEqual(
      invalid("TimeToLive is active on a different AttributeName: current AttributeName is ttl"),
    );
    await dynamo.put(table, expiring("kept", 60));
    await turn(table, false);
    await dynamo.emulator.clock.advance("1 hour");
    expect(await left(table)).toEqual(["kept"]);
    await expect(turn(table, false)).rejects.toEqual(invalid("TimeToLive is already disabled"));
  });

  it("also works without anybody moving the clock", async () => {
    const table = await dynamo.table();
    await turn(table, true);
    await dynamo.put(table, expiring("1", 0));
    await expect.poll(() => left(table)).toEqual([]);
  });
});

describe("tags", () => {
  it("are given with the table, added, changed, listed and taken away", async () => {
    const table = await dynamo.table({ ...keyed(), Tags: [{ Key: "a", Value: "1" }] });
    const ResourceArn = arnOf(table);
    await dynamo.client.send(
      new TagResourceCommand({
        ResourceArn,
        Tags: [
          { Key: "a", Value: "2" },
          { Key: "b", Value: "" },
        ],
      }),
    );
    const list = async () => (await dynamo.client.send(new ListTagsOfResourceCommand({ ResourceArn }))).Tags;
    expect(await list()).toEqual([
      { Key: "a", Value: "2" },
      { Key: "b", Value: "" },
    ]);
    await dynamo.client.send(new UntagResourceCommand({ ResourceArn, TagKeys: ["a", "nowhere"] }));
    expect(await list()).toEqual([{ Key: "b", Value: "" }]);
  });

  it("need a table", async () => {
    await expect(
      dynamo.client.send(new ListTagsOfResourceCommand({ ResourceArn: arnOf("no-such-table") })),
    ).rejects.toEqual(refusal("ResourceNotFoundException", /^Requested resource not found/));
  });
});

it("point-in-time recovery is off until it is turned on", async () => {
  const table = await dynamo.table();
  const status = async () =>
    (await dynamo.client.send(new DescribeContinuousBackupsCommand({ TableName: table }))).ContinuousBackupsDescription;
  expect(await status()).toEqual({
    ContinuousBackupsStatus: "ENABLED",
    PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: "DISABLED" },
  });
  await dynamo.client.send(
    new UpdateContinuousBackupsCommand({
      TableName: table,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    }),
  );
  expect(await status()).toMatchObject({
    PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: "ENABLED", RecoveryPeriodInDays: 35 },
  });
  await expect(dynamo.client.send(new DescribeContinuousBackupsCommand({ TableName: "nowhere" }))).rejects.toEqual(
    refusal("TableNotFoundException", "Table not found: nowhere"),
  );
});

it("a resource policy is kept, and is not overwritten under another revision", async () => {
  const table = await dynamo.table();
  const ResourceArn = arnOf(table);
  const Policy = JSON.stringify({ Version: "2012-10-17", Statement: [] });
  const read = () => dynamo.client.send(new GetResourcePolicyCommand({ ResourceArn }));
  await expect(read()).rejects.toEqual(refusal("PolicyNotFoundException", /^Resource-based policy not found/));
  const { RevisionId } = await dynamo.client.send(new PutResourcePolicyCommand({ ResourceArn, Policy }));
  expect(await read()).toMatchObject({ Policy, RevisionId });
  await expect(
    dynamo.client.send(new PutResourcePolicyCommand({ ResourceArn, Policy, ExpectedRevisionId: "NO_POLICY" })),
  ).rejects.toEqual(refusal("PolicyNotFoundException", /./));
  await dynamo.client.send(new DeleteResourcePolicyCommand({ ResourceArn, ExpectedRevisionId: RevisionId }));
  await expect(read()).rejects.toEqual(refusal("PolicyNotFoundException", /./));
});

it("tells the limits of an account", async () => {
  expect(await dynamo.client.send(new DescribeLimitsCommand({}))).toMatchObject({
    AccountMaxReadCapacityUnits: 80_000,
    TableMaxReadCapacityUnits: 40_000,
  });
});

it("forgets everything with the emulator's reset", async () => {
  const table = await dynamo.table();
  await dynamo.put(table, { pk: { S: "1" } });
  await dynamo.emulator.reset();
  await expect(dynamo.client.send(new GetItemCommand({ TableName: table, Key: { pk: { S: "1" } } }))).rejects.toEqual(
    refusal("ResourceNotFoundException", "Requested resource not found"),
  );
});
