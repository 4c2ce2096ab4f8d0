import { describe, expect, test } from "vitest";
import { FlespiReceiver, type FlespiReceiverArgs, IoTStream, type IoTStreamArgs } from "../components";
import { token } from "./harness/flespi-standin";

const mistakes = (args: object, name = "trucks"): string => {
  try {
    new FlespiReceiver(name, { channelId: 429, token, ...args } as FlespiReceiverArgs);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("there was no mistake");
};

describe("wrong arguments of a FlespiReceiver", () => {
  test("are told all at once, each with the option, what it must be, and what to use", () => {
    expect(mistakes({ channelId: undefined, timeout: 5, publishTo: "a/#" })).toBe(
      'FlespiReceiver "trucks": channelId must be the channel\'s number; use 429. ' +
        "Also: publishTo must be a topic of AWS IoT (the topic must not hold +, # or a null character); " +
        `use "flespi/\${ident}". Also: timeout must be a whole number from 10 to 900 (seconds), not 5; use 300`,
    );
  });

  test.each([
    [{ channelId: "trucks" }, 'channelId must be the channel\'s number, not "trucks"; use 429'],
    [{ channelId: -1 }, "channelId must be the channel's number"],
    [{ url: "http://flespi.io" }, 'url must be an https:// address without a path, not "http://flespi.io"; use "https'],
    [{ url: "https://flespi.io/gw" }, "url must be an https:// address without a path"],
    [{ schedule: "rate(1 minutes)" }, 'schedule must be rate(...), cron(...) or "none", not "rate(1 minutes)"'],
    [{ schedule: "rate(0 minutes)" }, "schedule must be rate(...)"],
    [{ schedule: "every minute" }, 'schedule must be rate(...), cron(...) or "none"'],
    [{ waitSeconds: 61 }, "waitSeconds must be a whole number from 0 to 60 (seconds), not 61; use 0"],
    [{ limitCount: 1 }, "limitCount must be a whole number from 2 to 10000 (messages), not 1; use 1000"],
    [{ limitSize: 10 }, "limitSize must be a whole number from 1000 to 10000000 (bytes), not 10; use 1000000"],
    [{ publishTo: { url: "https://queue" } }, "publishTo must have a url and an arn; use an aws.sqs.Queue"],
    [{ publishTo: null }, "publishTo must have a url and an arn"],
    [{ handler: {} }, "handler must be a function"],
    [{ environment: { FLESPI_TOKEN: "x" } }, "environment.FLESPI_TOKEN must not begin with FLESPI_"],
    [{ deadLetter: { retentionDays: 15 } }, "deadLetter.retentionDays must be a whole number from 1 to 14"],
    [{ logRetentionDays: 2 }, "logRetentionDays must be one of 14, 0, 1"],
    [{ memorySize: 1 }, "memorySize must be a whole number from 128 to 10240"],
    [{ alarms: {} }, "alarms.topicArn must be an SNS topic's ARN"],
    [{ delete: true }, "delete must not be given: there is no such option"],
  ])("such as %j are refused", (args, message) => {
    expect(mistakes(args)).toContain(message);
  });

  test("never repeat the token", () => {
    const message = mistakes({ token: "short secret" });
    expect(message).toContain('token must be a flespi token; use config.requireSecret("flespiToken")');
    expect(message).not.toContain("short secret");
  });

  test("include a name that no function could have", () => {
    expect(mistakes({}, "My Trucks")).toContain("the name must be at most 40 lower-case letters");
  });
});

describe("wrong settings of a channel of an IoTStream", () => {
  const ofStream = (args: object): string => {
    try {
      new IoTStream("fleet", { topic: "flespi/+", ...args } as IoTStreamArgs);
    } catch (error) {
      return (error as Error).message;
    }
    throw new Error("there was no mistake");
  };
  const flespi = { channelId: 429, token };

  test.each([
    [{ flespi: true }, "flespi must be the settings of a channel"],
    [{ flespi: { token } }, "flespi.channelId must be the channel's number; use 429"],
    [{ flespi: { ...flespi, token: "" } }, "flespi.token must be a flespi token"],
    [{ flespi: { ...flespi, publishTo: "x" } }, "flespi.publishTo must not be given: there is no such option"],
    [{ flespi: { ...flespi, topic: "cars/x" } }, "flespi.topic must be a topic that topic takes, which is flespi/+"],
    [{ flespi: { ...flespi, topic: `flespi/\${ident}/x` } }, "flespi.topic must be a topic that topic takes"],
    [{ flespi: { ...flespi, topic: "flespi/+" } }, "flespi.topic must be a topic of AWS IoT"],
    [{ flespi: { ...flespi, topic: 7 } }, "flespi.topic must be a text"],
    [{ flespi, topic: "+/+/x" }, "flespi.topic must be given, for topic is not one filter with one +"],
    [{ flespi, topic: undefined }, "topic must be given"],
    [{ flespi, direct: true }, "flespi must not be given with direct"],
  ])("such as %j are refused", (args, message) => {
    expect(ofStream(args)).toContain(message);
  });
});
