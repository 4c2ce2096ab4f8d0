import { EventBridge } from "@aws-sdk/client-eventbridge";
import { beforeAll, describe, expect, it } from "vitest";
import { missing, needs, outcome, policyOf, Subjects, type User } from "./harness/access";
import { useEmulator } from "./harness/emulator";
import { refusal } from "./harness/policies";

const emulator = useEmulator();
let subjects: Subjects;
let ann: User;
let events: EventBridge;
let admin: EventBridge;
const arn = (rest: string, account = "000000000000") => `arn:aws:events:eu-west-1:${account}:${rest}`;
const role = "arn:aws:iam::000000000000:role/targets";
const EventPattern = JSON.stringify({ source: ["app"], "detail-type": ["Reading"] });
const entry = (more: object = {}) => ({ Source: "app", DetailType: "Reading", Detail: "{}", ...more });

beforeAll(async () => {
  subjects = new Subjects(emulator.current);
  ann = await subjects.user("ann");
  events = new EventBridge(ann.settings);
  admin = new EventBridge(subjects.admin);
  await admin.createEventBus({ Name: "own" });
  await admin.putRule({ Name: "there", EventBusName: "own", EventPattern: JSON.stringify({ source: ["nobody"] }) });
});

describe("a call of EventBridge needs permission for", () => {
  it.each<[string, () => Promise<unknown>, string[]]>([
    ["a new bus", () => events.createEventBus({ Name: "new" }), [`events:CreateEventBus ${arn("event-bus/new")}`]],
    ["all buses", () => events.listEventBuses({}), [`events:ListEventBuses ${arn("event-bus/*")}`]],
    ["all rules", () => events.listRules({}), [`events:ListRules ${arn("rule/*")}`]],
    [
      "a rule of the default bus, and its role",
      () => events.putRule({ Name: "r", EventPattern, RoleArn: role }),
      [`events:PutRule ${arn("rule/r")}`, `iam:PassRole ${role}`],
    ],
    [
      "a rule of another bus",
      () => events.describeRule({ Name: "there", EventBusName: "own" }),
      [`events:DescribeRule ${arn("rule/own/there")}`],
    ],
    [
      "a rule's targets, and each role once",
      () =>
        events.putTargets({
          Rule: "there",
          EventBusName: "own",
          Targets: ["a", "b"].map((Id) => ({
            Id,
            Arn: `arn:aws:kinesis:eu-west-1:000000000000:stream/${Id}`,
            RoleArn: role,
          })),
        }),
      [`events:PutTargets ${arn("rule/own/there")}`, `iam:PassRole ${role}`],
    ],
    [
      "every bus that it puts events on",
      () => events.putEvents({ Entries: [entry(), entry({ EventBusName: "own" })] }),
      [`events:PutEvents ${arn("event-bus/default")}`, `events:PutEvents ${arn("event-bus/own")}`],
    ],
    [
      "the tags of a rule",
      () => events.tagResource({ ResourceARN: arn("rule/own/there"), Tags: [{ Key: "team", Value: "blue" }] }),
      [`events:TagResource ${arn("rule/own/there")}`],
    ],
  ])("%s", async (_, call, expected) => {
    expect(await needs(emulator.current, ann, call)).toEqual(expected);
  });
});

describe("PutEvents", () => {
  it("is refused as a whole where one of its entries is not allowed", async () => {
    await ann.clear();
    await ann.allow({ Action: "events:PutEvents", Resource: arn("event-bus/default") });
    const call = events.putEvents({ Entries: [entry(), entry({ EventBusName: "own" })] });
    expect(await refusal(call)).toEqual([
      "AccessDeniedException",
      missing(ann.arn, "events:PutEvents", arn("event-bus/own")),
      400,
    ]);
  });

  it("shows source and detail type of each entry to conditions", async () => {
    await ann.clear();
    await ann.allow({
      Action: "events:PutEvents",
      Condition: { StringEquals: { "events:source": "app", "events:detail-type": "Reading" } },
    });
    const put = (...Entries: ReturnType<typeof entry>[]) => outcome(events.putEvents({ Entries }));
    expect(await put(entry(), entry())).toBe("allowed");
    expect(await put(entry(), entry({ Source: "other" }))).toContain("is not authorized");
    expect(await put(entry({ DetailType: "Alarm" }))).toContain("is not authorized");
  });

  it("is allowed by the bus's own policy alone, and refused by it whatever the user's says", async () => {
    await ann.clear();
    const bus = { EventBusName: "own" };
    const put = () => outcome(events.putEvents({ Entries: [entry(bus)] }));
    const statement = { Sid: "a", Action: "events:PutEvents", Principal: { AWS: ann.arn } };
    await admin.putPermission({ ...bus, Policy: policyOf(statement) });
    expect(await put()).toBe("allowed");
    await ann.allow({ Action: "events:*" });
    await admin.putPermission({ ...bus, Policy: policyOf({ ...statement, Effect: "Deny" }) });
    expect(await put()).toBe(
      `User: ${ann.arn} is not authorized to perform: events:PutEvents on resource: ${arn("event-bus/own")} with an explicit deny in a resource-based policy`,
    );
    await admin.removePermission({ ...bus, RemoveAllPermissions: true });
  });

  it("to another account is for the user's policies as a whole, and for the bus's policy entry by entry", async () => {
    const there = new Subjects(emulator.current, { accessKeyId: "111111111111" });
    const foreign = new EventBridge(there.admin);
    await foreign.createEventBus({ Name: "open" });
    const bus = arn("event-bus/open", "111111111111");
    const put = () => events.putEvents({ Entries: [entry({ EventBusName: bus }), entry()] });
    await ann.clear();
    expect(await outcome(put())).toBe(missing(ann.arn, "events:PutEvents", bus));
    await ann.allow({ Action: "events:PutEvents" });
    const closed = await put();
    expect(closed).toMatchObject({
      FailedEntryCount: 1,
      Entries: [{ ErrorCode: "AccessDeniedException" }, { EventId: expect.any(String) }],
    });
    expect(closed.Entries![0]!.ErrorMessage).toBe(
      `User: ${ann.arn} is not authorized to perform: events:PutEvents on resource: ${bus} because no resource-based policy allows the events:PutEvents action`,
    );
    // The policy names the user, not the account.
    const Policy = policyOf({ Sid: "a", Action: "events:PutEvents", Principal: { AWS: ann.arn } });
    await foreign.putPermission({ EventBusName: "open", Policy });
    expect(await put()).toMatchObject({ FailedEntryCount: 0 });
  });
});

describe("a condition sees", () => {
  const may = async (call: () => Promise<unknown>, Action: string, Condition: object) => {
    await ann.clear();
    await ann.allow({ Action, Condition });
    return (await outcome(call())) === "allowed";
  };

  it("the sources that a rule's pattern asks for", async () => {
    const put = (source: string[]) => () =>
      events.putRule({ Name: "sourced", EventPattern: JSON.stringify({ source }) });
    const own = { "ForAllValues:StringEquals": { "events:source": ["app", "db"] }, Null: { "events:source": "false" } };
    expect(await may(put(["app", "db"]), "events:PutRule", own)).toBe(true);
    expect(await may(put(["app", "aws.s3"]), "events:PutRule", own)).toBe(false);
  });

  it("the targets that a rule is given", async () => {
    const put =
      (...names: string[]) =>
      () =>
        events.putTargets({
          Rule: "there",
          EventBusName: "own",
          Targets: names.map((Id) => ({ Id, Arn: `arn:aws:sqs:eu-west-1:000000000000:${Id}` })),
        });
    const only = { "ForAllValues:ArnLike": { "events:TargetArn": "arn:aws:sqs:*:*:jobs-*" } };
    expect(await may(put("jobs-1", "jobs-2"), "events:PutTargets", only)).toBe(true);
    expect(await may(put("jobs-1", "other"), "events:PutTargets", only)).toBe(false);
  });

  it("who made a rule, and its tags", async () => {
    await admin.tagResource({ ResourceARN: arn("rule/own/there"), Tags: [{ Key: "team", Value: "blue" }] });
    const describe = () => events.describeRule({ Name: "there", EventBusName: "own" });
    const of = (account: string, team: string) => ({
      StringEquals: { "events:creatorAccount": account, "aws:ResourceTag/team": team },
    });
    expect(await may(describe, "events:DescribeRule", of("000000000000", "blue"))).toBe(true);
    expect(await may(describe, "events:DescribeRule", of("111111111111", "blue"))).toBe(false);
    expect(await may(describe, "events:DescribeRule", of("000000000000", "red"))).toBe(false);
  });
});
