import { TimestreamWrite } from "@aws-sdk/client-timestream-write";
import { expect, it } from "vitest";
import { type Declared, declaring, deployDeclared, find } from "./harness/deploying";
import { settings, useEmulator } from "./harness/emulator";

const emulator = useEmulator();

/** A database with a table, before and after a change. */
const program = (changed: boolean, tableName = "readings"): Declared[] => [
  {
    type: "timestreamwrite.Database",
    name: "fleet",
    args: { databaseName: "fleet", tags: changed ? { stage: "after" } : { stage: "before", old: "yes" } },
  },
  {
    type: "timestreamwrite.Table",
    name: "readings",
    args: {
      databaseName: "$fleet.databaseName",
      tableName,
      schema: {
        compositePartitionKey: {
          type: "DIMENSION",
          name: "ident",
          enforcementInRecord: changed ? "OPTIONAL" : "REQUIRED",
        },
      },
      ...(changed
        ? {
            retentionProperties: { memoryStoreRetentionPeriodInHours: 24, magneticStoreRetentionPeriodInDays: 30 },
            magneticStoreWriteProperties: {
              enableMagneticStoreWrites: true,
              magneticStoreRejectedDataLocation: {
                s3Configuration: { bucketName: "rejected", encryptionOption: "SSE_S3" },
              },
            },
          }
        : { tags: { stage: "before" } }),
    },
  },
];

it("deploys, changes, replaces and destroys databases and tables of Timestream", async () => {
  const timestream = new TimestreamWrite(settings(emulator.current));
  const table = async (TableName = "readings") =>
    (await timestream.describeTable({ DatabaseName: "fleet", TableName })).Table!;
  const tags = async (ResourceARN: string) => (await timestream.listTagsForResource({ ResourceARN })).Tags;

  const first = await deployDeclared(emulator.current, program(false), { outputs: { arn: "$readings.arn" } });
  const { Arn } = await table();
  expect(first.outputs.arn!.value).toBe(Arn);
  expect(find(first, "readings").id).toBe("readings:fleet");
  expect(await table()).toMatchObject({
    RetentionProperties: { MemoryStoreRetentionPeriodInHours: 6 },
    Schema: { CompositePartitionKey: [{ Type: "DIMENSION", Name: "ident", EnforcementInRecord: "REQUIRED" }] },
  });
  expect(await tags(Arn!)).toEqual([{ Key: "stage", Value: "before" }]);

  const second = await first.update(declaring(program(true)));
  expect(second.summary).toMatchObject({ created: 0, updated: 2, replaced: 0, deleted: 0 });
  expect(await table()).toMatchObject({
    RetentionProperties: { MemoryStoreRetentionPeriodInHours: 24, MagneticStoreRetentionPeriodInDays: 30 },
    MagneticStoreWriteProperties: {
      EnableMagneticStoreWrites: true,
      MagneticStoreRejectedDataLocation: {
        S3Configuration: { BucketName: "rejected", EncryptionOption: "SSE_S3" },
      },
    },
    Schema: { CompositePartitionKey: [{ Name: "ident", EnforcementInRecord: "OPTIONAL" }] },
  });
  expect(await tags(Arn!)).toEqual([]);
  const { Database } = await timestream.describeDatabase({ DatabaseName: "fleet" });
  expect(await tags(Database!.Arn!)).toEqual([{ Key: "stage", Value: "after" }]);

  const third = await second.update(declaring(program(true, "measurements")));
  expect(third.summary).toMatchObject({ updated: 0, replaced: 1 });
  expect((await table("measurements")).TableStatus).toBe("ACTIVE");
  await expect(table()).rejects.toMatchObject({ name: "ResourceNotFoundException" });

  await third.destroy();
  expect((await timestream.listDatabases({})).Databases).toEqual([]);
  timestream.destroy();
}, 60_000);
