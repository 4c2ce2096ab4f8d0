import { describe, expect, test } from "vitest";
import { IoTStream, type IoTStreamArgs } from "../components";

const mistakes = (args: unknown, name = "fleet"): string => {
  try {
    new IoTStream(name, args as IoTStreamArgs);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("there was no mistake");
};

const topic = "devices/+/telemetry";

describe("wrong arguments of an IoTStream", () => {
  test("are told all at once, each with the option, what it must be, and what to use", () => {
    const message = mistakes({ topic: "devices/#/x", timeout: 901, sinks: [{ dynamo: true }] });
    expect(message).toContain('IoTStream "fleet": topic must be an MQTT topic filter of at most 8 parts');
    expect(message).toContain("timeout must be a whole number from 5 to 900 (seconds), not 901; use 60");
    expect(message).toContain(
      "sinks[0] must be an object with one of dynamodb, queue, s3, timestream, onRecords; use { dynamodb: true }",
    );
  });

  test.each([
    [{}, 'topic must be given; use "devices/+/telemetry"'],
    [{ topic: [] }, "topic must be 1 to 10 topic filters"],
    [{ topic: "devices/a+/x" }, "topic must be an MQTT topic filter"],
    [{ topic: "it's/+" }, "topic must be an MQTT topic filter"],
    [{ topic: "a/b/c/d/e/f/g/h/+" }, "topic must be an MQTT topic filter of at most 8 parts"],
    [{ topic: `${"x".repeat(256)}/+` }, "topic must be an MQTT topic filter"],
    [{ topic: ["devices/+", 7] }, "topic[1] must be an MQTT topic filter"],
    [{ topic: "flespi/#" }, 'device must be given, for topic has no + that would stand for the device; use "ident"'],
    [{ topic, device: 0 }, "device must be a whole number from 1 to 8"],
    [{ topic, device: 4 }, "device must be the number of a part of topic, which has 3; use 2"],
    [{ topic, device: "a b" }, "device must be a field of the payload"],
    [{ topic, time: "at.the-end" }, "time must be a field of the payload"],
    [{ topic, where: " " }, "where must be a condition"],
    [{ topic, sinks: [] }, "sinks must be a list of 1 to 25 sinks"],
    [{ topic, sinks: Array(26).fill({ s3: true }) }, "sinks must be a list of 1 to 25 sinks"],
    [{ topic, sinks: [{ dynamodb: true, s3: true }] }, "sinks[0] must be an object with one of"],
    [{ topic, sinks: [{ dynamodb: undefined }] }, "sinks[0].dynamodb must be true, or settings; use true"],
    [{ topic, sinks: [null] }, "sinks[0] must be an object with one of"],
    [{ topic, direct: "yes" }, "direct must be true, or settings; use true"],
    [{ topic, sinks: [{ dynamodb: { ttlDays: 0 } }] }, "sinks[0].dynamodb.ttlDays must be a whole number of 1 or more"],
    [{ topic, sinks: [{ dynamodb: { existing: {} } }] }, "sinks[0].dynamodb.existing must have a name and an arn"],
    [{ topic, sinks: [{ queue: { url: "https://q" } }] }, "sinks[0].queue must have a url and an arn"],
    [{ topic, sinks: [{ s3: { days: 1 } }] }, "sinks[0].s3.days must not be given"],
    [
      { topic, sinks: [{ timestream: { database: "iot" } }] },
      "sinks[0].timestream must have a database, a table and its",
    ],
    [{ topic, sinks: [{ onRecords: "log" }] }, "sinks[0].onRecords must be a function"],
    [{ topic, transform: {} }, "transform must be a function"],
    [{ topic, direct: true, sinks: [{ s3: true }] }, "sinks must not be given with direct, where no function runs"],
    [{ topic, direct: { ttlDays: 1.5 } }, "direct.ttlDays must be a whole number"],
    [{ topic, devices: "sensor-1" }, "devices must be a list of names"],
    [{ topic, devices: ["a/b"] }, "devices[0] must be at most 128 letters, digits and _ - :"],
    [
      { topic: "+/+/#", device: 2, devices: ["sensor-1"] },
      "topic must have no wildcard before the device's part beside filters that take topics of other lengths",
    ],
    [
      { topic: ["a/b/+/data", "a/*/+", "c/d/+/#"], device: 3, fleet: true },
      "topic[1] must have no wildcard before the device's part",
    ],
    [{ topic, devices: ["a", "a"] }, "devices[1] must differ from the others"],
    [{ topic, stream: { shards: 0 } }, "stream.shards must be a whole number from 1 to 500"],
    [{ topic, stream: { retentionHours: 12 } }, "stream.retentionHours must be a whole number from 24 to 8760 (hours)"],
    [{ topic, batch: { size: 20_000 } }, "batch.size must be a whole number from 1 to 10000"],
    [{ topic, batch: { windowSeconds: -1 } }, "batch.windowSeconds must be a whole number from 0 to 300"],
    [{ topic, retries: 0.5 }, "retries must be a whole number"],
    [{ topic, giveUpAfterSeconds: "1h" }, "giveUpAfterSeconds must be a whole number"],
    [{ topic, deadLetter: { retentionDays: 15 } }, "deadLetter.retentionDays must be a whole number from 1 to 14"],
    [{ topic, environment: { IOT_NAME: "x" } }, "environment.IOT_NAME must not begin with IOT_"],
    [{ topic, logRetentionDays: 15 }, "logRetentionDays must be one of 14, 0, 1"],
    [{ topic, alarms: {} }, "alarms.topicArn must be an SNS topic's ARN"],
    [{ topic, sink: true }, "sink must not be given: there is no such option"],
  ])("such as %j are refused", (args, message) => {
    expect(mistakes(args)).toContain(message);
  });

  test("include a name that no bucket could have", () => {
    expect(mistakes({ topic }, "My Fleet")).toContain("the name must be at most 30 lower-case letters");
  });
});
