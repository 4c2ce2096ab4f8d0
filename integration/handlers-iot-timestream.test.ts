import { type _Record, TimestreamWrite } from "@aws-sdk/client-timestream-write";
import { describe, expect, test } from "vitest";
import { settings } from "./harness/emulator";
import { many, streamRecord, useIoTFunctions } from "./harness/iot-functions";

const iot = useIoTFunctions();
const { start, consume, letters, sinks } = iot;

describe("Timestream", () => {
  /** A database and a table, and what is written to it. */
  async function timestream() {
    const client = new TimestreamWrite(settings(iot.world.emulator));
    await client.createDatabase({ DatabaseName: "iot" });
    await client.createTable({ DatabaseName: "iot", TableName: "telemetry" });
    client.destroy();
    const written: _Record[] = [];
    iot.world.aws.fault = (operation, body) => {
      if (operation === "WriteRecords") written.push(...(JSON.parse(body) as { Records: _Record[] }).Records);
      return undefined;
    };
    return written;
  }
  const now = () => ({ receivedAt: Date.now() });

  test("gets a multi-measure record of each message, those of one millisecond at times of their own", async () => {
    const written = await timestream();
    const at = now();
    const payloads = [{ temp: 21.5, open: true, at: { lat: 60 }, none: null }, { temp: 22 }, { temp: 22 }];
    const records = payloads.map((payload, n) => streamRecord(n, payload, at));
    expect(await consume(start([sinks.timestream]), records)).toBeUndefined();
    expect(await letters()).toEqual([]);
    expect(written[0]).toMatchObject({
      Dimensions: [
        { Name: "ident", Value: "sensor-1" },
        { Name: "topic", Value: "devices/sensor-1/telemetry" },
      ],
      MeasureValues: [
        { Name: "temp", Value: "21.5", Type: "DOUBLE" },
        { Name: "open", Value: "true", Type: "BOOLEAN" },
        { Name: "at.lat", Value: "60", Type: "DOUBLE" },
      ],
      TimeUnit: "NANOSECONDS",
    });
    expect(new Set(written.map(({ Time }) => Time)).size).toBe(3);
    expect(new Set(written.map(({ Time }) => Time!.slice(0, -6)))).toEqual(new Set([String(at.receivedAt)]));
  });

  test("takes what comes again for what it has", async () => {
    await timestream();
    const one = start([sinks.timestream], { IOT_TIME: "at" });
    const payload = { temp: 21, at: Date.now() };
    await consume(one, [streamRecord(0, payload, now())]);
    await consume(one, [streamRecord(0, payload, now()), streamRecord(1, payload, now())]);
    expect(await letters()).toEqual([]);
  });

  test("has the records that it rejects dead-lettered with its reason", async () => {
    await timestream();
    const old = { receivedAt: Date.now() - 30 * 86_400_000 };
    const records = [
      streamRecord(0, { temp: 1 }, now()),
      streamRecord(1, { temp: 1 }, old),
      streamRecord(2, { list: [1] }, now()),
    ];
    expect(await consume(start([sinks.timestream]), records)).toBeUndefined();
    expect((await letters()).map(({ reason }) => reason)).toEqual([
      expect.stringMatching(/^timestream: .*time/i),
      "timestream: the payload has no number, text or truth value",
    ]);
  });

  test("gets the neighbours of a record that makes their call invalid, which is dead-lettered", async () => {
    const written = await timestream();
    const records = many(7).map((_, n) => streamRecord(n, n === 4 ? { "a:b": 1 } : { n }, now()));
    expect(await consume(start([sinks.timestream]), records)).toBeUndefined();
    expect((await letters()).map(({ id, reason }) => [id, reason])).toEqual([
      [records[4]!.eventID, expect.stringContaining("timestream: ValidationException: ")],
    ]);
    const taken = written.flatMap(({ MeasureValues }) => MeasureValues!.map(({ Value }) => Value));
    expect(new Set(taken)).toEqual(new Set(["0", "1", "2", "3", "5", "6"]));
  });

  test("gets fields that have the names of its own columns in columns under `data.`", async () => {
    const written = await timestream();
    const payload = { time: 5, ident: "x", topic: "y", ts_1: true, at: { time: 1 } };
    expect(await consume(start([sinks.timestream]), [streamRecord(0, payload, now())])).toBeUndefined();
    expect(await letters()).toEqual([]);
    expect(written[0]!.MeasureValues!.map(({ Name }) => Name)).toEqual([
      ...["data.time", "data.ident", "data.topic", "data.ts_1", "at.time"],
    ]);
  });
});
