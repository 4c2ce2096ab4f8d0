import * as Timestream from "@aws-sdk/client-timestream-write";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { template, useRules } from "./harness/rules";
import { query } from "./harness/timestream";

const emulator = useEmulator();
const rules = useRules(emulator);
let client: Timestream.TimestreamWrite;
let count = 0;
beforeAll(async () => {
  client = new Timestream.TimestreamWrite(settings(emulator.current));
  await client.createDatabase({ DatabaseName: "fleet" });
});
afterAll(() => client.destroy());

/** A table of its own, and ways to fill it. */
async function makeTable(more: Partial<Timestream.CreateTableCommandInput> = {}) {
  const names = { DatabaseName: "fleet", TableName: `readings-${++count}` };
  await client.createTable({ ...names, ...more });
  return {
    ...names,
    write: (Records: Timestream._Record[], CommonAttributes?: Timestream._Record) =>
      client.writeRecords({ ...names, Records, CommonAttributes }),
    /** Why records were refused, by their places. */
    async refused(Records: Timestream._Record[], CommonAttributes?: Timestream._Record) {
      const error = await client.writeRecords({ ...names, Records, CommonAttributes }).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      if (error instanceof Timestream.RejectedRecordsException) return error.RejectedRecords!;
      throw error ?? new Error("all records were taken");
    },
  };
}

/** A record of now. */
const record = (more: Partial<Timestream._Record> = {}): Timestream._Record => ({
  Dimensions: [{ Name: "device", Value: "a" }],
  MeasureName: "temperature",
  MeasureValue: "21.5",
  MeasureValueType: "DOUBLE",
  Time: String(emulator.current.clock.now()),
  ...more,
});

describe("databases and tables", () => {
  test("are made, described, listed by pages, changed and deleted", async () => {
    const { Database } = await client.createDatabase({ DatabaseName: "temporary", Tags: [{ Key: "a", Value: "1" }] });
    expect(Database).toMatchObject({
      Arn: "arn:aws:timestream:eu-west-1:000000000000:database/temporary",
      TableCount: 0,
    });
    const names = { DatabaseName: "temporary", TableName: "readings" };
    const { Table } = await client.createTable(names);
    expect(Table).toMatchObject({
      Arn: `${Database!.Arn}/table/readings`,
      TableStatus: "ACTIVE",
      RetentionProperties: { MemoryStoreRetentionPeriodInHours: 6, MagneticStoreRetentionPeriodInDays: 73000 },
      MagneticStoreWriteProperties: { EnableMagneticStoreWrites: false },
      Schema: { CompositePartitionKey: [{ Type: "MEASURE" }] },
    });
    const RetentionProperties = { MemoryStoreRetentionPeriodInHours: 24, MagneticStoreRetentionPeriodInDays: 7 };
    await client.updateTable({ ...names, RetentionProperties });
    expect((await client.describeTable(names)).Table).toMatchObject({ RetentionProperties });
    await client.updateDatabase({ DatabaseName: "temporary", KmsKeyId: "alias/other" });
    expect((await client.describeDatabase({ DatabaseName: "temporary" })).Database).toMatchObject({
      TableCount: 1,
      KmsKeyId: "alias/other",
    });
    const first = await client.listDatabases({ MaxResults: 1 });
    const second = await client.listDatabases({ NextToken: first.NextToken });
    expect([first, second].flatMap(({ Databases }) => Databases!.map((one) => one.DatabaseName))).toEqual([
      "fleet",
      "temporary",
    ]);
    await expect(client.deleteDatabase({ DatabaseName: "temporary" })).rejects.toMatchObject({
      name: "ValidationException",
    });
    await client.deleteTable(names);
    await client.deleteDatabase({ DatabaseName: "temporary" });
    await expect(client.describeDatabase({ DatabaseName: "temporary" })).rejects.toMatchObject({
      name: "ResourceNotFoundException",
      message: "The database temporary does not exist.",
    });
  });

  test("keep their tags", async () => {
    const { DatabaseName, TableName } = await makeTable({ Tags: [{ Key: "stage", Value: "test" }] });
    const ResourceARN = `arn:aws:timestream:eu-west-1:000000000000:database/${DatabaseName}/table/${TableName}`;
    await client.tagResource({ ResourceARN, Tags: [{ Key: "owner", Value: "me" }] });
    await client.untagResource({ ResourceARN, TagKeys: ["stage"] });
    expect((await client.listTagsForResource({ ResourceARN })).Tags).toEqual([{ Key: "owner", Value: "me" }]);
  });

  test("refuse what AWS refuses, and change nothing", async () => {
    await expect(client.createDatabase({ DatabaseName: "fleet" })).rejects.toMatchObject({ name: "ConflictException" });
    await expect(client.createDatabase({ DatabaseName: "a b" })).rejects.toMatchObject({
      name: "ValidationException",
      message: expect.stringContaining("Value 'a b' at 'databaseName'"),
    });
    const table = await makeTable();
    await expect(
      client.updateTable({
        ...{ DatabaseName: table.DatabaseName, TableName: table.TableName },
        RetentionProperties: { MemoryStoreRetentionPeriodInHours: 0, MagneticStoreRetentionPeriodInDays: 1 },
      }),
    ).rejects.toThrow("'retentionProperties.memoryStoreRetentionPeriodInHours'");
    await expect(client.createTable({ DatabaseName: "nowhere", TableName: "readings" })).rejects.toMatchObject({
      name: "ResourceNotFoundException",
    });
    await expect(client.listBatchLoadTasks({})).rejects.toMatchObject({ name: "NotImplemented" });
  });
});

describe("records", () => {
  test("of all types are written, with what they have in common", async () => {
    const { write } = await makeTable();
    const Time = String(emulator.current.clock.now() * 1_000_000);
    const common = { Dimensions: [{ Name: "device", Value: "a" }], Time, TimeUnit: "NANOSECONDS" as const };
    const { RecordsIngested } = await write(
      [
        { MeasureName: "d", MeasureValue: "-1.5e3" },
        { MeasureName: "i", MeasureValue: "9223372036854775807", MeasureValueType: "BIGINT" },
        { MeasureName: "s", MeasureValue: "open", MeasureValueType: "VARCHAR" },
        { MeasureName: "b", MeasureValue: "true", MeasureValueType: "BOOLEAN" },
        {
          MeasureName: "m",
          MeasureValueType: "MULTI",
          MeasureValues: [{ Name: "at", Value: Time, Type: "TIMESTAMP" }],
        },
      ],
      common,
    );
    expect(RecordsIngested).toEqual({ Total: 5, MemoryStore: 5, MagneticStore: 0 });
  });

  test("written again are taken; with another value they need a higher version", async () => {
    const { write, refused } = await makeTable();
    const one = record({ Version: 2 });
    await write([one, one]);
    await write([one]);
    const [again] = await refused([{ ...one, MeasureValue: "22" }]);
    expect(again).toMatchObject({
      RecordIndex: 0,
      ExistingVersion: 2,
      Reason: expect.stringContaining("already exists"),
    });
    expect(await refused([record({ MeasureName: "other" }), { ...one, Version: 1 }])).toEqual([
      {
        RecordIndex: 1,
        ExistingVersion: 2,
        Reason:
          "The record version 1 is lower than the existing version 2. A higher version is required to update the measure value.",
      },
    ]);
    await write([{ ...one, MeasureValue: "22", Version: 3 }]);
    await write([{ ...one, MeasureValue: "22", Version: 3 }]);
  });

  test("older than the memory store are rejected, and with magnetic writes they go to that store", async () => {
    const { refused } = await makeTable();
    const old = record({ Time: String(emulator.current.clock.now() - 7 * 3_600_000) });
    const soon = record({ Time: String(emulator.current.clock.now() + 16 * 60_000) });
    const reasons = await refused([old, record(), soon]);
    expect(reasons.map(({ RecordIndex }) => RecordIndex)).toEqual([0, 2]);
    expect(reasons[0]!.Reason).toContain("outside the time range");
    const magnetic = await makeTable({ MagneticStoreWriteProperties: { EnableMagneticStoreWrites: true } });
    expect((await magnetic.write([old, record()])).RecordsIngested).toEqual({
      Total: 2,
      MemoryStore: 1,
      MagneticStore: 1,
    });
  });

  test("that exceed a limit or a column's type are rejected alone", async () => {
    const { write, refused } = await makeTable();
    await write([record()]);
    const rejected = await refused([
      record({ Dimensions: [{ Name: "d".repeat(61), Value: "a" }] }),
      record({ MeasureName: "note", MeasureValue: "n".repeat(2049), MeasureValueType: "VARCHAR" }),
      record({ MeasureValue: "21", MeasureValueType: "BIGINT", Version: 9 }),
      record({ MeasureName: "fine" }),
    ]);
    expect(rejected.map(({ RecordIndex }) => RecordIndex)).toEqual([0, 1, 2]);
    expect(rejected[2]!.Reason).toContain("does not match its type in the table, DOUBLE");
  });

  test.each([
    ["a time that is none", { Time: "soon" }, "Invalid time for record."],
    ["a value of another type", { MeasureValue: "warm" }, "temperature must be a DOUBLE"],
    ["a name of the system", { MeasureName: "time" }, "the measure name time is reserved"],
    ["no dimension", { Dimensions: [] }, "At least one dimension is required for a record."],
    ["a TIMESTAMP alone", { MeasureValueType: "TIMESTAMP" as const }, "multi-measure records only"],
    ["an unknown unit", { TimeUnit: "HOURS" as never }, "at 'records.2.member.timeUnit'"],
  ])("with %s refuse the whole call", async (_name, wrong, message) => {
    const { write } = await makeTable();
    const good = record({ Version: 5 });
    await expect(write([good, record(wrong)])).rejects.toMatchObject({
      name: "ValidationException",
      message: expect.stringContaining(message),
    });
    // Nothing of it was written: a lower version is still taken.
    await write([{ ...good, Version: 1 }]);
  });

  test("end at their highest versions, in whatever order and however often they come", async () => {
    const { DatabaseName, TableName, write } = await makeTable();
    let run = 0;
    const versions = fc.uniqueArray(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 6 });
    const sent = versions.chain((all) =>
      fc.array(fc.constantFrom(...all), { maxLength: 12 }).map((more) => [...all, ...more]),
    );
    await fc.assert(
      fc.asyncProperty(sent, async (order) => {
        const Dimensions = [{ Name: "run", Value: String(run++) }];
        const Time = String(emulator.current.clock.now());
        for (const Version of order) {
          await write([record({ Dimensions, Time, Version, MeasureValue: String(Version) })]).catch((error: Error) =>
            expect(error.name).toBe("RejectedRecordsException"),
          );
        }
        const { rows } = await query(
          emulator.current,
          `SELECT measure_value::double FROM "${DatabaseName}"."${TableName}" WHERE run = '${run - 1}'`,
        );
        expect(rows).toEqual([[`${Math.max(...order)}.0`]]);
      }),
      { numRuns: 20 },
    );
  });

  test("of any content are written or refused as AWS refuses", async () => {
    const { write } = await makeTable();
    const text = fc.oneof(
      fc.string({ maxLength: 5 }),
      fc.constantFrom("1e999", "-0", "99999999999999999999", "\ud800"),
    );
    const type = fc.constantFrom("DOUBLE", "BIGINT", "VARCHAR", "BOOLEAN", "TIMESTAMP", "MULTI") as fc.Arbitrary<never>;
    const any = fc.record(
      {
        Dimensions: fc.array(fc.record({ Name: text, Value: text }), { maxLength: 2 }),
        MeasureName: text,
        MeasureValue: text,
        MeasureValueType: type,
        MeasureValues: fc.array(fc.record({ Name: text, Value: text, Type: type }), { maxLength: 2 }),
        Time: fc.oneof(text, fc.constant(String(emulator.current.clock.now()))),
        Version: fc.integer(),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(any, any, async (one, common) => {
        const outcome = await write([record(one), record()], common).catch((error: Error) => error.name);
        if (typeof outcome === "string") {
          expect(["ValidationException", "RejectedRecordsException"]).toContain(outcome);
        }
      }),
      { numRuns: 60 },
    );
  });

  test("come a hundred at most", async () => {
    const { write } = await makeTable();
    const many = Array.from({ length: 101 }, (_, i) => record({ MeasureName: `m${i}` }));
    await expect(write(many)).rejects.toThrow("length less than or equal to 100");
    await write(many.slice(1));
  });

  test("must have the dimension that a table demands as its partition key", async () => {
    const { write, refused } = await makeTable({
      Schema: { CompositePartitionKey: [{ Type: "DIMENSION", Name: "site", EnforcementInRecord: "REQUIRED" }] },
    });
    expect((await refused([record()]))[0]!.Reason).toContain("lacks the dimension site");
    await write([record({ Dimensions: [{ Name: "site", Value: "north" }] })]);
  });
});

test("the SDK's endpoint discovery finds the emulator", async () => {
  const { endpoint, region, credentials } = settings(emulator.current);
  const { Endpoints } = await client.describeEndpoints({});
  expect(Endpoints).toEqual([{ Address: new URL(endpoint).hostname, CachePeriodInMinutes: 1440 }]);
  process.env.AWS_ENDPOINT_URL = endpoint;
  const discovering = new Timestream.TimestreamWrite({ region, credentials, maxAttempts: 1 });
  try {
    expect((await discovering.describeDatabase({ DatabaseName: "fleet" })).Database!.DatabaseName).toBe("fleet");
  } finally {
    delete process.env.AWS_ENDPOINT_URL;
    discovering.destroy();
  }
});

describe("a topic rule", () => {
  const { roleArn } = rules;

  test("writes each value that it selects as a record, with the dimensions and the time that templates make", async () => {
    const { DatabaseName, TableName } = await makeTable();
    const at = emulator.current.clock.now();
    await rules.create(
      [
        {
          timestream: {
            ...{ roleArn, databaseName: DatabaseName, tableName: TableName },
            dimensions: [{ name: "device", value: template("topic(2)") }],
            timestamp: { value: template("at"), unit: "MILLISECONDS" },
          },
        },
      ],
      { sql: "SELECT temp, rounds, state, open, more FROM 'timestream/+/up'" },
    );
    const more = '{"rounds":12345678901234567890,"list":[1,"x"]}';
    await rules.publish(
      "timestream/a/up",
      `{"temp":21.5,"rounds":7,"state":"on","open":false,"more":${more},"at":${at}}`,
    );
    const stored = async () => {
      const { rows } = await query(
        emulator.current,
        `SELECT device, measure_name, time, measure_value::bigint, measure_value::boolean, measure_value::double, measure_value::varchar FROM "${DatabaseName}"."${TableName}" ORDER BY measure_name`,
      );
      return rows;
    };
    const time = `${new Date(at).toISOString().replace("T", " ").slice(0, 23)}000000`;
    await expect
      .poll(() => stored().catch(() => []))
      .toEqual([
        ["a", "more", time, null, null, null, more],
        ["a", "open", time, null, "false", null, null],
        ["a", "rounds", time, "7", null, null, null],
        ["a", "state", time, null, null, null, "on"],
        ["a", "temp", time, null, null, "21.5", null],
      ]);
  });

  test("reports records that were rejected to its error action", async () => {
    const { DatabaseName, TableName } = await makeTable();
    const failures = await rules.queue();
    await rules.create(
      [
        {
          timestream: {
            ...{ roleArn, databaseName: DatabaseName, tableName: TableName },
            dimensions: [{ name: "device", value: "a" }],
            timestamp: { value: "1000", unit: "SECONDS" },
          },
        },
      ],
      { sql: "SELECT temp FROM 'timestream/late'", errorAction: failures.action },
    );
    await rules.publish("timestream/late", { temp: 1 });
    const [report] = await failures.take(1);
    expect(report).toContain("RejectedRecordsException");
  });

  test("is refused without dimensions, and with an unknown unit", async () => {
    const action = { roleArn, databaseName: "fleet", tableName: "readings", dimensions: [] };
    await expect(rules.create([{ timestream: action }])).rejects.toThrow("timestream.dimensions");
    const dimensions = [{ name: "device", value: "a" }];
    await expect(
      rules.create([{ timestream: { ...action, dimensions, timestamp: { value: "1", unit: "HOURS" } } }]),
    ).rejects.toThrow("must be one of SECONDS");
  });
});
