import { TimestreamQuery } from "@aws-sdk/client-timestream-query";
import * as Timestream from "@aws-sdk/client-timestream-write";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { query as ask } from "./harness/timestream";

const emulator = useEmulator();
const query = (sql: string, more: Parameters<typeof ask>[2] = {}) => ask(emulator.current, sql, more);
const rowsOf = async (sql: string) => (await query(sql)).rows;
let start: number;
/** The n-th minute from the start, as answers have times. */
const minute = (n: number) => `${new Date(start + n * 60_000).toISOString().replace("T", " ").slice(0, 23)}000000`;

beforeAll(async () => {
  const client = new Timestream.TimestreamWrite(settings(emulator.current));
  await client.createDatabase({ DatabaseName: "fleet" });
  for (const TableName of ["readings", "singles", "empty"]) {
    await client.createTable({ DatabaseName: "fleet", TableName });
  }
  start = Math.floor(emulator.current.clock.now() / 600_000) * 600_000 - 3_600_000;
  const at = (n: number, device: string, values: [string, string, Timestream.ScalarMeasureValueType][]) => ({
    Dimensions: [{ Name: "device", Value: device }],
    MeasureName: "telemetry",
    MeasureValueType: "MULTI" as const,
    MeasureValues: values.map(([Name, Value, Type]) => ({ Name, Value, Type })),
    Time: String(start + n * 60_000),
  });
  await client.writeRecords({
    DatabaseName: "fleet",
    TableName: "readings",
    Records: [
      at(0, "a", [
        ["temp", "20", "DOUBLE"],
        ["rounds", "1", "BIGINT"],
        ["state", "on", "VARCHAR"],
      ]),
      at(1, "a", [
        ["temp", "22.5", "DOUBLE"],
        ["rounds", "9007199254740993", "BIGINT"],
        ["open", "true", "BOOLEAN"],
      ]),
      at(5, "b", [
        ["temp", "-3e-5", "DOUBLE"],
        ["state", "off_1", "VARCHAR"],
      ]),
      at(6, "b", [
        ["rounds", "2", "BIGINT"],
        ["state", "offline", "VARCHAR"],
        ["open", "false", "BOOLEAN"],
      ]),
    ],
  });
  await client.writeRecords({
    DatabaseName: "fleet",
    TableName: "singles",
    CommonAttributes: { Dimensions: [{ Name: "device", Value: "a" }], Time: String(start) },
    Records: [
      { MeasureName: "temp", MeasureValue: "12345678", MeasureValueType: "DOUBLE" },
      { MeasureName: "state", MeasureValue: "on", MeasureValueType: "VARCHAR" },
    ],
  });
  client.destroy();
});

describe("SELECT", () => {
  test("* has dimensions, measure name, time and the values of multi-measure records, with their types", async () => {
    const { columns, rows } = await query('SELECT * FROM "fleet"."readings" ORDER BY time LIMIT 1');
    expect(columns).toEqual({
      device: "VARCHAR",
      measure_name: "VARCHAR",
      time: "TIMESTAMP",
      temp: "DOUBLE",
      rounds: "BIGINT",
      state: "VARCHAR",
      open: "BOOLEAN",
    });
    const byName = Object.fromEntries(Object.keys(columns).map((name, i) => [name, rows[0]![i]]));
    expect(byName).toEqual({
      ...{ device: "a", measure_name: "telemetry", time: minute(0) },
      ...{ temp: "20.0", rounds: "1", state: "on", open: null },
    });
  });

  test("has the values of single-measure records in columns of their types", async () => {
    const { columns, rows } = await query(
      `SELECT measure_name AS m, measure_value::double, measure_value::varchar FROM fleet.singles ORDER BY m`,
    );
    expect(columns).toEqual({ m: "VARCHAR", "measure_value::double": "DOUBLE", "measure_value::varchar": "VARCHAR" });
    expect(rows).toEqual([
      ["state", null, "on"],
      ["temp", "1.2345678E7", null],
    ]);
  });

  test.each([
    ["device = 'a' AND temp > 20", [1]],
    ["device = 'a' OR rounds = 2", [0, 1, 6]],
    ["rounds > 9007199254740992", [1]],
    ["temp < 0", [5]],
    ["state IN ('on', 'offline')", [0, 6]],
    ["state NOT IN ('on')", [5, 6]],
    ["state IN ('on', NULL)", [0]],
    ["state LIKE 'off_1'", [5]],
    ["state LIKE '%ff%'", [5, 6]],
    ["state NOT LIKE 'off%'", [0]],
    ["state IS NULL", [1]],
    ["NOT open", [6]],
    ["open IS NOT NULL AND (device = 'b' OR temp BETWEEN 22 AND 23)", [1, 6]],
    ["time > ago(1d) AND time < now() - 1ms", [0, 1, 5, 6]],
    ["time > now()", []],
    ["time > ago(30minute)", []],
    ["time > ago(2day)", [0, 1, 5, 6]],
    ["device = 'it''s'", []],
  ])("WHERE %s", async (where, minutes) => {
    const rows = await rowsOf(`SELECT time FROM "fleet"."readings" WHERE ${where} ORDER BY time -- in order`);
    expect(rows).toEqual(minutes.map((n) => [minute(n)]));
  });

  test("WHERE compares with times as texts of TIMESTAMP", async () => {
    const sql = `SELECT device FROM "fleet"."readings" WHERE time = TIMESTAMP '${minute(5)}'`;
    expect(await rowsOf(sql)).toEqual([["b"]]);
  });

  test("aggregates all rows, those of groups, and bins of time", async () => {
    const all = await query(
      'SELECT count(*), count(temp) AS temps, min(temp) AS low, max(state) AS last, avg(rounds), sum(rounds) FROM "fleet"."readings" WHERE device = \'b\'',
    );
    expect(all.columns).toEqual({
      ...{ _col0: "BIGINT", temps: "BIGINT", low: "DOUBLE", last: "VARCHAR", _col4: "DOUBLE", _col5: "BIGINT" },
    });
    expect(all.rows).toEqual([["2", "1", "-3.0E-5", "offline", "2.0", "2"]]);
    expect(
      await rowsOf(
        'SELECT device, bin(time, 5m) AS slot, count(*) AS n FROM "fleet"."readings" GROUP BY device, bin(time, 5m) ORDER BY n DESC, slot DESC',
      ),
    ).toEqual([
      ["b", minute(5), "2"],
      ["a", minute(0), "2"],
    ]);
    expect(await rowsOf('SELECT device FROM "fleet"."readings" GROUP BY 1 ORDER BY max(time) DESC LIMIT 1')).toEqual([
      ["b"],
    ]);
    expect(await rowsOf('SELECT count(*), sum(1) FROM "fleet"."empty"')).toEqual([["0", null]]);
  });

  test("orders with nulls last, or first where it says so", async () => {
    const temps = async (order: string) =>
      (await rowsOf(`SELECT temp FROM "fleet"."readings" ORDER BY temp ${order}`)).map(([temp]) => temp);
    expect(await temps("")).toEqual(["-3.0E-5", "20.0", "22.5", null]);
    expect(await temps("DESC")).toEqual(["22.5", "20.0", "-3.0E-5", null]);
    expect(await temps("NULLS FIRST")).toEqual([null, "-3.0E-5", "20.0", "22.5"]);
  });

  test("comes in pages that fit together, whatever is written meanwhile", async () => {
    const sql = 'SELECT time FROM "fleet"."readings" ORDER BY time';
    const first = await query(sql, { MaxRows: 3 });
    const { NextToken } = first;
    const second = await query(sql, { MaxRows: 3, NextToken });
    expect([...first.rows, ...second.rows]).toEqual([0, 1, 5, 6].map((n) => [minute(n)]));
    expect(second.NextToken).toBeUndefined();
    await expect(query("SELECT 1 FROM fleet.readings", { NextToken })).rejects.toThrow("Invalid pagination token");
    await expect(query(sql, { NextToken: "bm8" })).rejects.toThrow("Invalid pagination token");
  });
});

describe("a statement", () => {
  test.each([
    ["SELEC 1", "line 1:1: mismatched input 'SELEC'"],
    ['SELECT nothing FROM "fleet"."readings"', "line 1:8: Column 'nothing' does not exist"],
    ['SELECT time FROM "fleet"."readings" WHERE time > \'2026-01-01\'', "'>' cannot be applied to timestamp, varchar"],
    ['SELECT time FROM "fleet"."readings" WHERE temp', "WHERE clause must evaluate to a boolean"],
    ['SELECT time FROM "fleet"."readings" WHERE count(*) > 1', "WHERE clause cannot contain aggregations"],
    ['SELECT time, count(*) FROM "fleet"."readings"', "must be an aggregate expression or appear in GROUP BY"],
    ['SELECT avg(state) FROM "fleet"."readings"', "Unexpected parameters (varchar) for function avg"],
    ['SELECT max(max(temp)) FROM "fleet"."readings"', "Cannot nest aggregations"],
    ['SELECT now() + 9999999999d FROM "fleet"."readings"', "out of the range of timestamps"],
    ['SELECT time FROM "fleet"."readings" WHERE time > ago(9999999999d)', "out of the range of timestamps"],
    ["SELECT TIMESTAMP '2026-02-31' FROM fleet.readings", "is not a valid timestamp literal"],
    ['SELECT bin(time, 0s) FROM "fleet"."readings"', "longer than 0"],
    ['SELECT time FROM "fleet"."readings" LIMIT x', "a number of rows"],
    [`SELECT ${"(".repeat(5000)}1 FROM fleet.readings`, "nested too deep"],
    ['SELECT time FROM "fleet"."nothing"', "The table nothing does not exist"],
    ["SELECT # FROM x", "extraneous input '#'"],
  ])("that is wrong is refused with its place: %s", async (sql, message) => {
    await expect(query(sql)).rejects.toMatchObject({
      name: "ValidationException",
      message: expect.stringContaining(message),
    });
  });

  test.each([
    ["a subquery", "SELECT time FROM (SELECT 1)"],
    ["HAVING", "SELECT count(*) FROM fleet.readings GROUP BY device HAVING count(*) > 1"],
    ["JOIN", "SELECT time FROM fleet.readings JOIN fleet.singles"],
    ["WITH", "WITH x AS (SELECT 1) SELECT time FROM fleet.readings"],
    ["DISTINCT", "SELECT DISTINCT device FROM fleet.readings"],
    ["DISTINCT", "SELECT count(DISTINCT device) FROM fleet.readings"],
    ["the function round", "SELECT round(temp) FROM fleet.readings"],
    ["the operator *", "SELECT temp * 2 FROM fleet.readings"],
    ["the operator + of other things than a time and an interval", "SELECT temp + 2 FROM fleet.readings"],
    ["an alias of the table", "SELECT time FROM fleet.readings r"],
    ["OVER", "SELECT count(*) OVER () FROM fleet.readings"],
    ["CASE", "SELECT CASE WHEN temp > 1 THEN 1 END FROM fleet.readings"],
  ])("beyond what is emulated is answered with 501 and its name: %s", async (what, sql) => {
    await expect(query(sql)).rejects.toMatchObject({
      name: "NotImplemented",
      message: expect.stringContaining(`Query: ${what} is not emulated`),
    });
  });

  test("of any characters gets an answer or a clear refusal", async () => {
    const words = [
      "SELECT",
      "*",
      "time",
      "FROM",
      '"fleet"."readings"',
      "WHERE",
      "(",
      ")",
      ",",
      "1",
      "5m",
      "'a'",
      "NOT",
    ];
    const text = fc.array(fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 3 })), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(text, async (parts) => {
        const answer = await query(`SELECT ${parts.join(" ")} FROM "fleet"."readings"`).catch(
          (error: Error) => error.name,
        );
        if (typeof answer === "string") expect(["ValidationException", "NotImplemented"]).toContain(answer);
      }),
      { numRuns: 60 },
    );
  });
});

test("an answer of more than a megabyte comes in pages", async () => {
  const client = new Timestream.TimestreamWrite(settings(emulator.current));
  const names = { DatabaseName: "fleet", TableName: "large" };
  await client.createTable(names);
  const CommonAttributes = {
    MeasureName: "note",
    MeasureValueType: "VARCHAR" as const,
    MeasureValue: "n".repeat(2000),
  };
  for (let call = 0; call < 6; call++) {
    const Records = Array.from({ length: 100 }, (_, i) => ({
      Dimensions: [{ Name: "device", Value: "a" }],
      Time: String(start + call * 100 + i),
    }));
    await client.writeRecords({ ...names, CommonAttributes, Records });
  }
  client.destroy();
  const sql = "SELECT time, measure_value::varchar FROM fleet.large ORDER BY 1";
  const first = await query(sql);
  const second = await query(sql, { NextToken: first.NextToken });
  expect(first.rows.length).toBeLessThan(600);
  expect(new Set([...first.rows, ...second.rows].map(([time]) => time)).size).toBe(600);
});

test("records are there for as long as the table keeps them", async () => {
  const client = new Timestream.TimestreamWrite(settings(emulator.current));
  const names = { DatabaseName: "fleet", TableName: "short" };
  await client.createTable({
    ...names,
    RetentionProperties: { MemoryStoreRetentionPeriodInHours: 1, MagneticStoreRetentionPeriodInDays: 1 },
  });
  const Time = String(emulator.current.clock.now());
  const Dimensions = [{ Name: "device", Value: "a" }];
  await client.writeRecords({ ...names, Records: [{ Dimensions, Time, MeasureName: "temp", MeasureValue: "1" }] });
  client.destroy();
  await emulator.current.clock.advance("23 hours");
  expect(await rowsOf("SELECT count(*) FROM fleet.short")).toEqual([["1"]]);
  await emulator.current.clock.advance("2 hours");
  expect(await rowsOf("SELECT count(*) FROM fleet.short")).toEqual([["0"]]);
});

test("prepared and cancelled queries are answered with 501", async () => {
  const client = new TimestreamQuery(settings(emulator.current));
  await expect(client.prepareQuery({ QueryString: "SELECT 1" })).rejects.toMatchObject({ name: "NotImplemented" });
  await expect(client.cancelQuery({ QueryId: "ABC" })).rejects.toMatchObject({ name: "NotImplemented" });
  expect((await client.describeEndpoints({})).Endpoints![0]!.Address).toBe("127.0.0.1");
  client.destroy();
});
