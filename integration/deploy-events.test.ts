import { EventBridge } from "@aws-sdk/client-eventbridge";
import { SQS } from "@aws-sdk/client-sqs";
import { beforeAll, expect, it } from "vitest";
import { type Declared, declaring, deployDeclared, find } from "./harness/deploying";
import { settings, useEmulator } from "./harness/emulator";
import { role } from "./harness/functions";
import { adminRole } from "./harness/permissions";
import { account, servicePolicy, takeUntil } from "./harness/topics";

const emulator = useEmulator();
let events: EventBridge;
let sqs: SQS;
beforeAll(async () => {
  events = new EventBridge(settings(emulator.current));
  sqs = new SQS(settings(emulator.current));
  await adminRole(sqs);
});

/** Sends what it is given to the queue `seen`. */
const code = {
  assets: {
    "index.js": {
      text: `const { SQSClient, SendMessageCommand } = require("@aws-sdk/client-sqs");
        const sqs = new SQSClient({});
        exports.handler = (event) =>
          sqs.send(new SendMessageCommand({ QueueUrl: process.env.SEEN, MessageBody: JSON.stringify(event) }));`,
    },
  },
};

const arnOf = (service: string, resource: string) => `arn:aws:${service}:eu-west-1:${account}:${resource}`;
const toAlarms = servicePolicy(
  "events.amazonaws.com",
  "sqs:SendMessage",
  arnOf("sqs", "alarms"),
  arnOf("events", "rule/plant/orders"),
);

/** A function on a schedule, and a bus with a rule for a queue, before and after a change. */
const program = (changed: boolean): Declared[] => [
  { type: "sqs.Queue", name: "seen" },
  {
    type: "lambda.Function",
    name: "job",
    args: {
      role,
      runtime: "nodejs24.x",
      handler: "index.handler",
      code,
      environment: { variables: { SEEN: "$seen.url" } },
    },
  },
  {
    type: "cloudwatch.EventRule",
    name: "hourly",
    args: {
      scheduleExpression: changed ? "rate(2 hours)" : "rate(1 hour)",
      description: "Runs the job",
      tags: changed ? { stage: "after" } : { stage: "before", old: "yes" },
    },
  },
  {
    type: "lambda.Permission",
    name: "may",
    args: {
      action: "lambda:InvokeFunction",
      function: "$job.name",
      principal: "events.amazonaws.com",
      sourceArn: "$hourly.arn",
    },
  },
  {
    type: "cloudwatch.EventTarget",
    name: "run",
    args: {
      rule: "$hourly.name",
      arn: "$job.arn",
      input: JSON.stringify({ run: changed ? "second" : "first" }),
      retryPolicy: { maximumRetryAttempts: 3, maximumEventAgeInSeconds: 3600 },
    },
  },
  { type: "sqs.Queue", name: "alarms", args: { name: "alarms", policy: toAlarms } },
  {
    type: "cloudwatch.EventBus",
    name: "plant",
    args: { name: "plant", description: changed ? undefined : "the plant" },
  },
  {
    type: "cloudwatch.EventPermission",
    name: "others",
    args: { eventBusName: "$plant.name", principal: changed ? "222222222222" : "111111111111", statementId: "Others" },
  },
  {
    type: "cloudwatch.EventRule",
    name: "orders",
    args: {
      name: "orders",
      eventBusName: "$plant.name",
      eventPattern: JSON.stringify({ source: ["shop"] }),
      ...(changed && { state: "DISABLED" }),
    },
  },
  {
    type: "cloudwatch.EventTarget",
    name: "queue",
    args: {
      rule: "$orders.name",
      eventBusName: "$plant.name",
      targetId: "alarms",
      arn: "$alarms.arn",
      inputTransformer: { inputPaths: { id: "$.detail.id" }, inputTemplate: '{"order":<id>}' },
    },
  },
];

it("runs a function on its schedule, changes and destroys rules, targets, buses and permissions", async () => {
  const { clock } = emulator.current;
  const first = await deployDeclared(emulator.current, program(false));
  expect(first.recorded).toEqual([]);
  const Name = find(first, "hourly").id;
  expect(Name).toMatch(/^hourly-[0-9a-f]{7}$/);
  const seen = find(first, "seen").id!;
  await clock.advance("1 hour");
  expect((await takeUntil(sqs, seen, 1)).map(({ Body }) => Body)).toEqual(['{"run":"first"}']);

  const put = { EventBusName: "plant", Source: "shop", DetailType: "Order", Detail: '{"id":7}' };
  await events.putEvents({ Entries: [put] });
  expect((await takeUntil(sqs, find(first, "alarms").id!, 1)).map(({ Body }) => Body)).toEqual(['{"order":7}']);
  expect(find(first, "orders").id).toBe("plant/orders");
  expect(await events.describeEventBus({ Name: "plant" })).toMatchObject({
    Description: "the plant",
    Policy: expect.stringContaining("111111111111"),
  });

  const second = await first.update(declaring(program(true)));
  expect(second.summary).toEqual({ created: 0, updated: 5, replaced: 0, deleted: 0, same: 5 });
  const rule = await events.describeRule({ Name });
  expect(rule).toMatchObject({ ScheduleExpression: "rate(2 hours)", State: "ENABLED", Description: "Runs the job" });
  const tags = await events.listTagsForResource({ ResourceARN: rule.Arn });
  expect(tags.Tags).toEqual([{ Key: "stage", Value: "after" }]);
  expect((await events.describeRule({ Name: "orders", EventBusName: "plant" })).State).toBe("DISABLED");
  const bus = await events.describeEventBus({ Name: "plant" });
  expect(bus.Policy).toContain("222222222222");
  expect(bus.Policy).not.toContain("111111111111");
  expect(bus.Description ?? "").toBe("");
  await clock.advance("2 hours");
  expect((await takeUntil(sqs, seen, 1)).map(({ Body }) => Body)).toEqual(['{"run":"second"}']);

  await second.destroy();
  expect((await events.listRules({})).Rules).toEqual([]);
  expect((await events.listEventBuses({})).EventBuses?.map((one) => one.Name)).toEqual(["default"]);
});

it("says which setting of a target is not supported", async () => {
  const rule: Declared = { type: "cloudwatch.EventRule", name: "daily", args: { scheduleExpression: "rate(1 day)" } };
  const target: Declared = {
    type: "cloudwatch.EventTarget",
    name: "task",
    args: {
      rule: "$daily.name",
      arn: arnOf("ecs", "cluster/c"),
      ecsTarget: { taskDefinitionArn: arnOf("ecs", "task-definition/t") },
    },
  };
  await expect(deployDeclared(emulator.current, [rule, target])).rejects.toThrow(/ecsTarget is not supported/);
});
