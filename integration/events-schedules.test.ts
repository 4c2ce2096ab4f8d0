import * as EB from "@aws-sdk/client-eventbridge";
import * as SQS from "@aws-sdk/client-sqs";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { readSchedule } from "../emulator/services/events/schedule";
import { settings, useEmulator } from "./harness/emulator";
import { account, makeOpenQueue, take } from "./harness/topics";

const emulator = useEmulator();
let events: EB.EventBridgeClient;
let sqs: SQS.SQSClient;
beforeAll(() => {
  events = new EB.EventBridgeClient(settings(emulator.current));
  sqs = new SQS.SQSClient(settings(emulator.current));
});

const ruleArn = (name: string) => `arn:aws:events:eu-west-1:${account}:rule/${name}`;
const putRule = (Name: string, more: Partial<EB.PutRuleCommandInput>) =>
  events.send(new EB.PutRuleCommand({ Name, ...more }));

let rules = 0;

/** A rule with a schedule, and a queue that is told of each run. */
async function scheduled(ScheduleExpression: string, target: Partial<EB.Target> = {}, State: EB.RuleState = "ENABLED") {
  const Rule = `schedule-${++rules}`;
  const queue = await makeOpenQueue(sqs, "events.amazonaws.com", ruleArn(Rule));
  await putRule(Rule, { ScheduleExpression, State });
  await events.send(new EB.PutTargetsCommand({ Rule, Targets: [{ Id: "queue", Arn: queue.arn, ...target }] }));
  return { name: Rule, queue };
}

const at = (text: string) => Date.parse(`${text}Z`);
const stamp = (time: number | undefined) => time && new Date(time).toISOString().slice(0, 16);
/** The first runs of a schedule that begins at a time. */
function runs(expression: string, start: string, count: number): (string | undefined | 0)[] {
  const next = readSchedule(expression);
  const found: number[] = [];
  for (
    let time = next(at(start), at(start));
    time !== undefined && found.length < count;
    time = next(at(start), time)
  ) {
    found.push(time);
  }
  return found.map(stamp);
}

describe("a cron expression", () => {
  // 2026-11-21 is a Saturday.
  it.each([
    ["0 10 * * ? *", "2026-11-21T09:59", ["2026-11-21T10:00", "2026-11-22T10:00"]],
    ["15 12 * * ? *", "2026-11-21T12:15", ["2026-11-22T12:15", "2026-11-23T12:15"]],
    ["0 18 ? * MON-FRI *", "2026-11-20T17:00", ["2026-11-20T18:00", "2026-11-23T18:00", "2026-11-24T18:00"]],
    ["0 8 1 * ? *", "2026-11-21T00:00", ["2026-12-01T08:00", "2027-01-01T08:00"]],
    ["0/15 * * * ? *", "2026-11-21T23:40", ["2026-11-21T23:45", "2026-11-22T00:00", "2026-11-22T00:15"]],
    ["0/10 * ? * MON-FRI *", "2026-11-20T23:45", ["2026-11-20T23:50", "2026-11-23T00:00"]],
    ["0/5 8-17 ? * MON-FRI *", "2026-11-20T17:50", ["2026-11-20T17:55", "2026-11-23T08:00"]],
    ["0/30 20-23 ? * MON-FRI *", "2026-11-20T22:45", ["2026-11-20T23:00", "2026-11-20T23:30", "2026-11-23T20:00"]],
    ["0 9 ? * 2#1 *", "2026-11-21T00:00", ["2026-12-07T09:00", "2027-01-04T09:00"]],
    ["0 0 ? * 3#5 *", "2026-11-21T00:00", ["2026-12-29T00:00", "2027-03-30T00:00"]],
    ["0 7 ? * TUE#2 *", "2026-11-21T00:00", ["2026-12-08T07:00"]],
    ["0 0 L * ? *", "2028-01-15T00:00", ["2028-01-31T00:00", "2028-02-29T00:00", "2028-03-31T00:00"]],
    ["0 0 LW * ? *", "2026-10-15T00:00", ["2026-10-30T00:00", "2026-11-30T00:00"]],
    ["0 0 3W * ? *", "2026-09-20T00:00", ["2026-10-02T00:00", "2026-11-03T00:00", "2026-12-03T00:00"]],
    ["0 0 1W 8,11 ? *", "2026-07-01T00:00", ["2026-08-03T00:00", "2026-11-02T00:00"]],
    ["0 0 31W 10 ? *", "2026-01-01T00:00", ["2026-10-30T00:00", "2027-10-29T00:00"]],
    ["0 0 ? * L *", "2026-11-21T00:00", ["2026-11-28T00:00"]],
    ["0 0 ? * 6L *", "2026-11-21T00:00", ["2026-11-27T00:00", "2026-12-25T00:00"]],
    ["0 0 ? * friL *", "2026-11-28T00:00", ["2026-12-25T00:00"]],
    ["30 1 29 2 ? *", "2026-01-01T00:00", ["2028-02-29T01:30", "2032-02-29T01:30"]],
    [
      "0 0 1 JAN,FEB,MAR ? 2027-2029/2",
      "2026-01-01T00:00",
      ["2027-01-01T00:00", "2027-02-01T00:00", "2027-03-01T00:00", "2029-01-01T00:00"],
    ],
    ["1/10 0 ? * 1-7/3 *", "2026-11-21T00:50", ["2026-11-21T00:51", "2026-11-22T00:01"]],
    ["59 23 31 12 ? 2199", "2026-01-01T00:00", ["2199-12-31T23:59"]],
    ["0 0 30 2 ? *", "2026-01-01T00:00", []],
    ["0 0 1 1 ? 2020", "2026-01-01T00:00", []],
  ])("%s runs after %s at %j", (fields, start, expected) => {
    expect(runs(`cron(${fields})`, start, Math.max(1, expected.length))).toEqual(expected);
  });

  it("always names a later time, that its fields match", () => {
    const list = (min: number, max: number) => fc.uniqueArray(fc.integer({ min, max }), { minLength: 1, maxLength: 4 });
    const time = fc.integer({ min: at("1970-01-01"), max: at("2190-01-01") });
    const property = fc.property(
      list(0, 59),
      list(0, 23),
      list(1, 28),
      list(1, 12),
      time,
      (m, h, days, months, after) => {
        const next = readSchedule(`cron(${m} ${h} ${days} ${months} ? *)`)(0, after)!;
        const date = new Date(next);
        expect(next).toBeGreaterThan(after);
        expect(next % 60_000).toBe(0);
        expect(m).toContain(date.getUTCMinutes());
        expect(h).toContain(date.getUTCHours());
        expect(days).toContain(date.getUTCDate());
        expect(months).toContain(date.getUTCMonth() + 1);
      },
    );
    fc.assert(property, { numRuns: 200 });
  });

  it("misses no time in between", () => {
    const time = fc.integer({ min: at("2020-01-01"), max: at("2040-01-01") });
    const property = fc.property(
      time,
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 0, max: 23 }),
      (after, day, hour) => {
        const next = readSchedule(`cron(0 ${hour} ? * ${day} *)`)(0, after)!;
        expect(next - after).toBeLessThanOrEqual(7 * 86_400_000);
        expect(new Date(next).getUTCDay()).toBe(day - 1);
      },
    );
    fc.assert(property, { numRuns: 200 });
  });
});

describe("a rate", () => {
  it("counts from when the rule began", () => {
    expect(runs("rate(1 minute)", "2026-11-21T00:00:30", 2)).toEqual(["2026-11-21T00:01", "2026-11-21T00:02"]);
    expect(runs("rate(7 days)", "2026-11-21T05:00", 2)).toEqual(["2026-11-28T05:00", "2026-12-05T05:00"]);
  });
});

describe("PutRule refuses", () => {
  const rates = ["rate()", "rate(5)", "rate(1 minutes)", "rate(5 minute)", "rate(0 minutes)", "rate(10 seconds)"];
  const crons = ["0 10 * * *", "0 10 * * * *", "0 10 ? * ? *", "60 10 * * ? *", "0 24 * * ? *", "0 0 0 * ? *"];
  const more = [
    "0 0 ? * 3#6 *",
    "0 0 ? * 3#1,6#3 *",
    "0 0 * FOO ? *",
    "5-1 * * * ? *",
    "0/0 * * * ? *",
    "0 0 * * ? 1969",
  ];
  it.each(["daily", " rate(1 minute)", "rate(1e3 days)", ...rates, ...[...crons, ...more].map((f) => `cron(${f})`)])(
    "%s",
    async (ScheduleExpression) => {
      await expect(putRule("bad", { ScheduleExpression })).rejects.toMatchObject({
        name: "ValidationException",
        message: expect.stringMatching(/^Parameter ScheduleExpression is not valid\. Reason: ./),
      });
      await expect(events.send(new EB.DescribeRuleCommand({ Name: "bad" }))).rejects.toMatchObject({
        name: "ResourceNotFoundException",
        message: "Rule bad does not exist on EventBus default.",
      });
    },
  );
});

describe("a scheduled rule", () => {
  it("sends the event that AWS sends", async () => {
    const { name, queue } = await scheduled("rate(1 hour)");
    await emulator.current.clock.advance("1 hour");
    const [message] = await take(sqs, queue.url);
    expect(JSON.parse(message!.Body!)).toEqual({
      version: "0",
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      "detail-type": "Scheduled Event",
      source: "aws.events",
      account,
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      region: "eu-west-1",
      resources: [ruleArn(name)],
      detail: {},
    });
  });

  it("runs as often as time passes, in order, and not before", async () => {
    const { queue } = await scheduled("rate(20 hours)");
    await emulator.current.clock.advance("19 hours");
    expect(await take(sqs, queue.url)).toHaveLength(0);
    await emulator.current.clock.advance("3 days");
    const times = (await take(sqs, queue.url)).map(({ Body }) => Date.parse(JSON.parse(Body!).time));
    expect(times.slice(1).map((time, i) => time - times[i]!)).toEqual([20, 20, 20].map((hours) => hours * 3_600_000));
  });

  it("sends its input instead, when it has one", async () => {
    const { queue } = await scheduled("cron(0 12 * * ? *)", { Input: '{"job":"reconcile"}' });
    await emulator.current.clock.advance("1 day");
    expect((await take(sqs, queue.url)).map(({ Body }) => Body)).toEqual(['{"job":"reconcile"}']);
  });

  it("rests while it is disabled, and counts from when it is enabled", async () => {
    const { name, queue } = await scheduled("rate(10 hours)", {}, "DISABLED");
    await emulator.current.clock.advance("25 hours");
    await events.send(new EB.EnableRuleCommand({ Name: name }));
    await emulator.current.clock.advance("9 hours");
    expect(await take(sqs, queue.url)).toHaveLength(0);
    await emulator.current.clock.advance("1 hour");
    expect(await take(sqs, queue.url)).toHaveLength(1);
    await events.send(new EB.DisableRuleCommand({ Name: name }));
    await emulator.current.clock.advance("3 days");
    expect(await take(sqs, queue.url)).toHaveLength(0);
  });

  it("goes on counting when it is put again as it was, and begins anew with another schedule", async () => {
    const { name, queue } = await scheduled("rate(10 hours)");
    await emulator.current.clock.advance("6 hours");
    await putRule(name, { ScheduleExpression: "rate(10 hours)", Description: "the same" });
    await emulator.current.clock.advance("4 hours");
    expect(await take(sqs, queue.url)).toHaveLength(1);
    await putRule(name, { ScheduleExpression: "rate(3 hours)" });
    await emulator.current.clock.advance("3 hours");
    expect(await take(sqs, queue.url)).toHaveLength(1);
  });

  it("ends with the rule, and with a reset", async () => {
    const { name, queue } = await scheduled("rate(1 day)");
    await events.send(new EB.RemoveTargetsCommand({ Rule: name, Ids: ["queue"] }));
    await events.send(new EB.DeleteRuleCommand({ Name: name }));
    await emulator.current.clock.advance("2 days");
    expect(await take(sqs, queue.url)).toHaveLength(0);
    await scheduled("rate(1 day)");
    await emulator.current.reset();
    await emulator.current.clock.advance("2 days");
    const { Rules } = await events.send(new EB.ListRulesCommand({}));
    expect(Rules).toEqual([]);
  });

  it("is for the default event bus alone", async () => {
    await events.send(new EB.CreateEventBusCommand({ Name: "custom" }));
    const put = putRule("elsewhere", { ScheduleExpression: "rate(1 day)", EventBusName: "custom" });
    await expect(put).rejects.toThrow("ScheduleExpression is supported only on the default event bus.");
  });
});
