import { EventBridge, type PutRuleCommandInput, type Target } from "@aws-sdk/client-eventbridge";
import { beforeAll, describe, expect, it } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { arnOf, everything, Rules, refusal } from "./harness/event-rules";
import { account } from "./harness/topics";

const emulator = useEmulator();
let rules: Rules;
let events: EventBridge;
beforeAll(() => {
  rules = new Rules(emulator.current);
  ({ events } = rules);
});

describe("rules and targets", () => {
  it("are described, listed in pages and by target", async () => {
    const names = ["list-a", "list-b", "list-c"];
    for (const Name of names)
      await rules.make([{ Id: "q", Arn: arnOf("listed", "sqs"), Input: "{}" }], { Name, Description: "d" });
    expect(await events.describeRule({ Name: "list-a" })).toMatchObject({
      ...{ Name: "list-a", Arn: arnOf("rule/list-a"), State: "ENABLED", Description: "d", EventBusName: "default" },
      ...{ EventPattern: '{"source":["test.list-a"]}', CreatedBy: account },
    });
    const first = await events.listRules({ NamePrefix: "list-", Limit: 2 });
    const second = await events.listRules({ NamePrefix: "list-", Limit: 2, NextToken: first.NextToken });
    expect([first, second].flatMap(({ Rules = [] }) => Rules.map(({ Name }) => Name))).toEqual(names);
    expect(second.NextToken).toBeUndefined();
    expect((await events.listRuleNamesByTarget({ TargetArn: arnOf("listed", "sqs") })).RuleNames).toEqual(names);
    const { Targets } = await events.listTargetsByRule({ Rule: "list-a" });
    expect(Targets).toEqual([{ Id: "q", Arn: arnOf("listed", "sqs"), Input: "{}" }]);
  });

  it("are replaced as a whole, but for targets and tags", async () => {
    const Tags = [{ Key: "stage", Value: "test" }];
    const { name, arn } = await rules.make([{ Id: "q", Arn: arnOf("q", "sqs") }], { Description: "before", Tags });
    await events.putRule({ Name: name, ScheduleExpression: "rate(1 day)", State: "DISABLED" });
    const rule = await events.describeRule({ Name: name });
    expect(rule).toMatchObject({ ScheduleExpression: "rate(1 day)", State: "DISABLED" });
    expect([rule.Description, rule.EventPattern]).toEqual([undefined, undefined]);
    expect((await events.listTargetsByRule({ Rule: name })).Targets).toHaveLength(1);
    expect((await events.listTagsForResource({ ResourceARN: arn })).Tags).toEqual(Tags);
    await events.untagResource({ ResourceARN: arn, TagKeys: ["stage"] });
    expect((await events.listTagsForResource({ ResourceARN: arn })).Tags).toEqual([]);
  });

  it("are not deleted before what hangs on them", async () => {
    await events.createEventBus({ Name: "busy" });
    const { name } = await rules.make([{ Id: "q", Arn: arnOf("q", "sqs") }], { EventBusName: "busy" });
    const rule = { Name: name, EventBusName: "busy" };
    const targets = "ValidationException: Rule can't be deleted since it has targets.";
    expect(await refusal(events.deleteRule({ ...rule, Force: true }))).toBe(targets);
    expect(await refusal(events.deleteEventBus({ Name: "busy" }))).toMatch(/can't be deleted since it has rules/);
    const removed = await events.removeTargets({ Rule: name, EventBusName: "busy", Ids: ["q", "none"] });
    expect(removed.FailedEntries).toEqual([
      {
        TargetId: "none",
        ErrorCode: "ResourceNotFoundException",
        ErrorMessage: `Rule '${name}' does not have a target with the Id 'none'.`,
      },
    ]);
    await events.deleteRule(rule);
    await events.deleteEventBus({ Name: "busy" });
    expect(await refusal(events.describeRule(rule))).toBe("ResourceNotFoundException: Event bus busy does not exist.");
  });

  it.each<[string, Partial<PutRuleCommandInput>, RegExp]>([
    ["no name", { Name: undefined }, /'name' failed to satisfy constraint: Member must not be null/],
    ["a name with a space", { Name: "a b" }, /at 'name' failed .* pattern: \[\.\\-_A-Za-z0-9\]\+$/],
    ["neither pattern nor schedule", {}, /Parameter\(s\) EventPattern or ScheduleExpression must be specified\./],
    [
      "a pattern that is no JSON",
      { EventPattern: "{" },
      /^InvalidEventPatternException: Event pattern is not valid\. Reason: ./,
    ],
    ["a pattern without lists", { EventPattern: '{"source":"a"}' }, /^InvalidEventPatternException: /],
    [
      "a bus that is not there",
      { EventPattern: everything, EventBusName: "x" },
      /ResourceNotFoundException: Event bus x does not exist\./,
    ],
    ["an unknown state", { EventPattern: everything, State: "ON" as "ENABLED" }, /at 'state' failed/],
  ])("refuses a rule with %s", async (_what, input, message) => {
    expect(await refusal(events.putRule({ Name: "refused", ...input }))).toMatch(message);
    expect((await events.listRules({ NamePrefix: "refused" })).Rules).toEqual([]);
  });

  it.each<[string, Partial<Target>, RegExp]>([
    ["an id with a space", { Id: "a b" }, /'targets\.1\.member\.id' failed/],
    ["no ARN", { Arn: "queue" }, /Parameter queue is not valid\. Reason: Provided Arn is not in correct format\./],
    ["a state machine", { Arn: arnOf("stateMachine:m", "states") }, /^NotImplemented: .*stateMachine:m/],
    ["settings of a container", { EcsParameters: { TaskDefinitionArn: "t" } }, /^NotImplemented: .*EcsParameters/],
    [
      "a stream without a role",
      { Arn: arnOf("stream/s", "kinesis") },
      /RoleArn is required for target arn:aws:kinesis:/,
    ],
    [
      "two inputs",
      { Input: "{}", InputPath: "$.detail" },
      /Only one of Input, InputPath, or InputTransformer must be provided for target a\./,
    ],
    ["an input that is no JSON", { Input: "{" }, /JSON syntax error in input for target a/],
    ["a path that is none", { InputPath: "detail" }, /Parameter InputPath is not valid/],
    [
      "too many retries",
      { RetryPolicy: { MaximumRetryAttempts: 186 } },
      /maximumRetryAttempts' failed .* less than or equal to 185/,
    ],
    [
      "a FIFO dead-letter queue",
      { DeadLetterConfig: { Arn: arnOf("d.fifo", "sqs") } },
      /Parameter DeadLetterConfig is not valid/,
    ],
    ["another region", { Arn: `arn:aws:sqs:us-east-1:${account}:q` }, /has to be in the Region of the rule/],
  ])("refuses a target with %s, and keeps none of the request", async (_what, target, message) => {
    const { name } = await rules.make([]);
    const good = { Id: "a", Arn: arnOf("q", "sqs") };
    expect(await refusal(events.putTargets({ Rule: name, Targets: [{ ...good, ...target }, good] }))).toMatch(message);
    expect((await events.listTargetsByRule({ Rule: name })).Targets).toEqual([]);
  });

  it("has five targets at most", async () => {
    const target = (n: number) => ({ Id: `t${n}`, Arn: arnOf("q", "sqs") });
    const { name } = await rules.make([1, 2, 3, 4, 5].map(target));
    const sixth = events.putTargets({ Rule: name, Targets: [target(6)] });
    expect(await refusal(sixth)).toBe(
      "LimitExceededException: The requested resource exceeds the maximum number allowed.",
    );
    await events.putTargets({ Rule: name, Targets: [target(5)] });
  });

  it("can be tried with TestEventPattern", async () => {
    const event = { id: "1", "detail-type": "x", source: "a", account, time: "t", region: "r", detail: { n: 5 } };
    const test = async (pattern: object, Event: object = event) =>
      (await events.testEventPattern({ EventPattern: JSON.stringify(pattern), Event: JSON.stringify(Event) })).Result;
    expect(await test({ source: ["a"], detail: { n: [{ numeric: [">", 4] }] } })).toBe(true);
    expect(await test({ source: ["b"] })).toBe(false);
    expect(await refusal(test({ source: ["a"] }, { source: "a" }))).toMatch(
      /^ValidationException: Parameter Event is not valid\./,
    );
  });

  it.each<[unknown, unknown, boolean]>([
    [{ wildcard: "dir/*.png" }, "dir/a/b.png", true],
    [{ wildcard: "dir/*.png" }, "dir/.png.jpg", false],
    [{ wildcard: "a*b*a" }, "aba", true],
    [{ wildcard: "a*b*a" }, "ab", false],
    [{ wildcard: "ab*ba" }, "aba", false],
    [{ wildcard: "\\*" }, "*", true],
    [{ wildcard: "\\*" }, "x", false],
    [{ cidr: "10.0.0.0/24" }, "10.0.0.255", true],
    [{ cidr: "10.0.0.0/24" }, "10.0.1.0", false],
    [{ cidr: "2001:db8::/32" }, "2001:db8::1", true],
    [{ cidr: "10.0.0.0/24" }, "no address", false],
    [{ "anything-but": { prefix: ["a", "b"] } }, "cab", true],
    [{ "anything-but": { prefix: ["a", "b"] } }, "bac", false],
    [{ "anything-but": { wildcard: "*.tmp" } }, "x.tmp", false],
    [{ "anything-but": ["x", 1] }, "y", true],
    [{ "anything-but": { "equals-ignore-case": ["X"] } }, "x", false],
  ])("match %j with %j: %s", async (rule, value, matches) => {
    const EventPattern = JSON.stringify({ detail: { field: [rule] } });
    const fields = { id: "1", "detail-type": "x", source: "a", account, time: "t", region: "r" };
    const Event = JSON.stringify({ ...fields, detail: { field: value } });
    expect((await events.testEventPattern({ EventPattern, Event })).Result).toBe(matches);
  });

  it.each([
    { wildcard: "a**" },
    { wildcard: "\\a" },
    { wildcard: 1 },
    { cidr: "10.0.0.0" },
    { cidr: "10.0.0.0/33" },
    { "anything-but": { prefix: [] } },
    { magic: "x" },
  ])("do not take %j", async (rule) => {
    const put = events.putRule({ Name: "refused", EventPattern: JSON.stringify({ source: [rule] }) });
    expect(await refusal(put)).toMatch(/^InvalidEventPatternException: Event pattern is not valid\. Reason: ./);
  });

  it("are nobody else's to see or change", async () => {
    const other = new EventBridge(settings(emulator.current, { accessKeyId: "222222222222" }));
    const { arn } = await rules.make([]);
    const EventBusName = arnOf("event-bus/default");
    for (const call of [
      () => other.putRule({ Name: "theirs", EventBusName, EventPattern: everything }),
      () => other.describeEventBus({ Name: EventBusName }),
      () => other.listRules({ EventBusName }),
      () => other.tagResource({ ResourceARN: arn, Tags: [{ Key: "a", Value: "b" }] }),
    ]) {
      expect(await refusal(call())).toMatch(/^AccessDeniedException: /);
    }
    expect((await other.listRules({})).Rules).toEqual([]);
    expect((await events.listTagsForResource({ ResourceARN: arn })).Tags).toEqual([]);
  });

  it("keeps what is not emulated for 501", async () => {
    expect(await refusal(events.listArchives({}))).toMatch(/^NotImplemented: events:ListArchives is not emulated/);
  });
});
