import { describe, expect, test } from "vitest";
import { ThingseeIngest, type ThingseeIngestArgs } from "../components";
import { closureCode } from "../components/closure";
import { functionCode, startFunction } from "./harness/function";

const mistakes = (args: unknown, name = "ingest"): string => {
  try {
    new ThingseeIngest(name, args as ThingseeIngestArgs);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("there was no mistake");
};

describe("wrong arguments", () => {
  test("are told all at once, each with the option, what it must be, and what to use", () => {
    const message = mistakes({
      timeout: 30,
      memorySize: 64,
      auth: { apiKeys: [{ name: "thingsee", throttle: { rateLimit: -1, burstLimit: 10 } }] },
    });
    expect(message).toContain('ThingseeIngest "ingest": ');
    expect(message).toContain(
      "auth.apiKeys[0].throttle.rateLimit must be a number of 0 or more (requests per second), not -1; use 100",
    );
    expect(message).toContain("timeout must be a whole number from 3 to 29 (seconds), not 30; use 29");
    expect(message).toContain("memorySize must be");
  });

  test.each([
    [{ auth: "password" }, 'auth must be one of apiKey, iam, none, not "password"; use "apiKey"'],
    [{ auth: {} }, "auth must be one kind of authorization"],
    [{ auth: { apiKeys: [], cognito: {} } }, "auth must be one kind of authorization"],
    [{ auth: { apiKeys: [] } }, "auth.apiKeys must hold a key"],
    [{ auth: { apiKeys: [{ name: "a" }, { name: "a" }] } }, "auth.apiKeys[1].name must differ from the others"],
    [{ auth: { apiKeys: [{ name: "a", quota: { limit: 0 } }] } }, "auth.apiKeys[0].quota.limit must be"],
    [{ auth: { apiKeys: [{ name: "a", quota: { limit: 1, period: "YEAR" } }] } }, "quota.period must be one of DAY"],
    [{ auth: { cognito: { userPoolArns: [] } } }, "auth.cognito.userPoolArns must name a user pool"],
    [{ auth: { lambda: { authorize: "yes" } } }, "auth.lambda.authorize must be a function"],
    [{ auth: { lambda: { authorize: () => null, ttlSeconds: 3601 } } }, "auth.lambda.ttlSeconds must be"],
    [{ path: "/thingsee" }, "path must be parts"],
    [{ stageName: "a b" }, "stageName must be"],
    [{ onMessage: "drop" }, "onMessage must be a function"],
    [{ table: { ttlDays: 0 } }, "table.ttlDays must be a whole number of 1 or more (days), not 0"],
    [{ table: { existing: {} } }, "table.existing must have a name and an arn"],
    [{ archive: { expiryDays: 1.5 } }, "archive.expiryDays must be a whole number"],
    [{ forwardTo: [{ url: "https://queue" }] }, "forwardTo[0] must have a url and an arn"],
    [{ deadLetter: { retentionDays: 15 } }, "deadLetter.retentionDays must be a whole number from 1 to 14"],
    [{ logRetentionDays: 15 }, "logRetentionDays must be one of 14, 0, 1"],
    [{ environment: { THINGSEE_TABLE: "x" } }, "environment.THINGSEE_TABLE must not begin with THINGSEE_"],
    [{ alarms: {} }, "alarms.topicArn must be an SNS topic's ARN"],
    [{ stage: "prod" }, "stage must not be given: there is no such option"],
  ])("such as %j are refused", (args, message) => {
    expect(mistakes(args)).toContain(message);
  });

  test("never repeat the value of a key", () => {
    expect(mistakes({ auth: { apiKeys: [{ name: "a", value: "short-secret" }] } })).toMatch(
      /auth\.apiKeys\[0\]\.value must be 20 to 128 characters long; (?!.*short-secret)/,
    );
  });

  test("include a name that no bucket could have", () => {
    expect(mistakes({}, "My Ingest")).toContain("the name must be at most 30 lower-case letters");
  });
});

describe("a callback that cannot run in Lambda", () => {
  test("is refused by its name, and with what it refers to", async () => {
    const socket = new (await import("node:net")).Socket();
    const failing = closureCode(() => async () => socket.write("x"), 'ThingseeIngest "ingest": onMessage');
    await expect(failing).rejects.toThrow(/^ThingseeIngest "ingest": onMessage cannot become a Lambda function/);
    await expect(failing).rejects.toThrow(/'socket'/);
  });

  const devices = new Map([["a", 1]]);
  const since = new Date();
  const bytes = new Uint8Array(2);
  class NotFound extends Error {}
  const bound = function (this: { a: number }) {
    return this.a;
  }.bind({ a: 1 });
  test.each([
    ["a Map", () => async () => devices.get("a"), "captured 'devices', a Map whose content"],
    ["a Date", () => async () => since.getTime(), "captured 'since', a Date whose content"],
    ["bytes", () => async () => bytes[0], "captured 'bytes', a Uint8Array whose content"],
    ["a class of errors", () => async () => new NotFound("a"), "captured a class that extends Error"],
    ["a bound function", () => async () => bound(), "captured a function made by bind()"],
  ])(
    "is refused when it refers to %s of the program, which would arrive without its content",
    async (_, factory, why) => {
      await expect(closureCode(factory, "the callback")).rejects.toThrow(why);
    },
  );

  test("may refer to plain data, functions, patterns and modules of the program", async () => {
    const names = { TSPR: "presence" };
    const pattern = /^(TS[A-Z]{2})/;
    const kind = (tuid: string) => names[pattern.exec(tuid)?.[1] as "TSPR"];
    const running = startFunction(await functionCode(() => async (tuid: string) => kind(tuid)), {});
    expect(await running.invoke("TSPR04E2O90201558")).toBe("presence");
    await running[Symbol.asyncDispose]();
  });

  test("is refused when it needs a module that is not installed", async () => {
    const load = new Function("return () => async () => require('no-such-module')")() as () => () => unknown;
    await expect(closureCode(load(), "the callback")).rejects.toThrow(/the callback cannot be bundled.*no-such-module/);
  });
});

test("the same callback gives the same code, so that an unchanged function is not deployed again", async () => {
  const make = (greeting: string) => () => async (name: string) => `${greeting}, ${name}`;
  const [one, two, other] = await Promise.all([make("Hi"), make("Hi"), make("Hello")].map((f) => closureCode(f, "it")));
  expect(one!.text).toBe(two!.text);
  expect(one!.text).not.toBe(other!.text);
});
