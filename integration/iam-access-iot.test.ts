import { IoT } from "@aws-sdk/client-iot";
import { IoTDataPlane } from "@aws-sdk/client-iot-data-plane";
import { beforeAll, describe, expect, it } from "vitest";
import { missing, needs, outcome, Subjects, type User } from "./harness/access";
import { iotPolicy } from "./harness/devices";
import { useEmulator } from "./harness/emulator";
import { refusal, trustOf } from "./harness/policies";

const emulator = useEmulator();
let subjects: Subjects;
let ann: User;
let iot: IoT;
let data: IoTDataPlane;
let certificate: { arn: string; id: string };
const arn = (rest: string) => `arn:aws:iot:eu-west-1:000000000000:${rest}`;
const role = "arn:aws:iam::000000000000:role/rules";
const payload = Buffer.from(JSON.stringify({ state: { desired: { on: true } } }));

beforeAll(async () => {
  subjects = new Subjects(emulator.current);
  ann = await subjects.user("ann");
  iot = new IoT(ann.settings);
  data = new IoTDataPlane(ann.settings);
  const admin = new IoT(subjects.admin);
  await subjects.role("rules", [], { trust: trustOf({ Service: "iot.amazonaws.com" }) });
  await admin.createThing({ thingName: "lamp" });
  await admin.createThingGroup({ thingGroupName: "lamps", tags: [{ Key: "team", Value: "blue" }] });
  await admin.createPolicy({ policyName: "all", policyDocument: iotPolicy() });
  const made = await admin.createKeysAndCertificate({ setAsActive: true });
  certificate = { arn: made.certificateArn!, id: made.certificateId! };
});

const republish = (roleArn: string) => ({ republish: { topic: "b", roleArn } });
const rule = (roleArn: string) => ({
  ruleName: "copy",
  topicRulePayload: { sql: "SELECT * FROM 'a'", actions: [republish(roleArn)], errorAction: republish(roleArn) },
});

describe("a call of AWS IoT needs permission for", () => {
  it.each<[string, () => Promise<unknown>, () => string[]]>([
    ["a thing", () => iot.describeThing({ thingName: "lamp" }), () => [`iot:DescribeThing ${arn("thing/lamp")}`]],
    [
      "a new thing, and the billing group that it comes into",
      () => iot.createThing({ thingName: "new", billingGroupName: "bills" }),
      () => [`iot:CreateThing ${arn("thing/new")}`, `iot:CreateThing ${arn("billinggroup/bills")}`],
    ],
    ["all things", () => iot.listThings({}), () => ["iot:ListThings *"]],
    [
      "a thing and its group",
      () => iot.addThingToThingGroup({ thingName: "lamp", thingGroupName: "lamps" }),
      () => [`iot:AddThingToThingGroup ${arn("thing/lamp")}`, `iot:AddThingToThingGroup ${arn("thinggroup/lamps")}`],
    ],
    ["a policy", () => iot.getPolicy({ policyName: "all" }), () => [`iot:GetPolicy ${arn("policy/all")}`]],
    [
      "what a policy is attached to",
      () => iot.attachPolicy({ policyName: "all", target: certificate.arn }),
      () => [`iot:AttachPolicy ${certificate.arn}`],
    ],
    [
      "a thing's certificate",
      () => iot.attachThingPrincipal({ thingName: "lamp", principal: certificate.arn }),
      () => [`iot:AttachThingPrincipal ${certificate.arn}`],
    ],
    [
      "a certificate by its id",
      () => iot.describeCertificate({ certificateId: certificate.id }),
      () => [`iot:DescribeCertificate ${certificate.arn}`],
    ],
    ["a new certificate", () => iot.createKeysAndCertificate({}), () => ["iot:CreateKeysAndCertificate *"]],
    [
      "a rule, and the roles of its actions",
      () => iot.createTopicRule(rule(role)),
      () => [`iot:CreateTopicRule ${arn("rule/copy")}`, `iam:PassRole ${role}`],
    ],
    [
      "the role that writes the log",
      () => iot.setV2LoggingOptions({ roleArn: role }),
      () => ["iot:SetV2LoggingOptions *", `iam:PassRole ${role}`],
    ],
    [
      "the tags of a group",
      () => iot.listTagsForResource({ resourceArn: arn("thinggroup/lamps") }),
      () => [`iot:ListTagsForResource ${arn("thinggroup/lamps")}`],
    ],
  ])("%s", async (_, call, expected) => {
    expect(await needs(emulator.current, ann, call)).toEqual(expected());
  });
});

describe("a call of its data plane needs permission for", () => {
  it.each<[string, () => Promise<unknown>, string[]]>([
    ["the topic of a message", () => data.publish({ topic: "a/b" }), ["iot:Publish topic/a/b"]],
    [
      "the topic of a message that stays, twice",
      () => data.publish({ topic: "a/b", retain: true }),
      ["iot:Publish topic/a/b", "iot:RetainPublish topic/a/b"],
    ],
    ["a retained message", () => data.getRetainedMessage({ topic: "a/b" }), ["iot:GetRetainedMessage topic/a/b"]],
    [
      "the shadow of a thing",
      () => data.updateThingShadow({ thingName: "lamp", payload }),
      ["iot:UpdateThingShadow thing/lamp"],
    ],
    [
      "a named shadow of a thing",
      () => data.getThingShadow({ thingName: "lamp", shadowName: "light" }),
      ["iot:GetThingShadow thing/lamp/light"],
    ],
    ["a client", () => data.getConnection({ clientId: "lamp" }), ["iot:GetConnection client/lamp"]],
  ])("%s", async (_, call, expected) => {
    expect(await needs(emulator.current, ann, call)).toEqual(expected.map((one) => one.replace(" ", ` ${arn("")}`)));
  });

  it("all retained messages", async () => {
    expect(await needs(emulator.current, ann, () => data.listRetainedMessages({}))).toEqual([
      "iot:ListRetainedMessages *",
    ]);
  });
});

it("refuses in AWS's words, in its data plane with one", async () => {
  await ann.clear();
  expect(await refusal(iot.describeThing({ thingName: "lamp" }))).toEqual([
    "AccessDeniedException",
    missing(ann.arn, "iot:DescribeThing", arn("thing/lamp")),
    403,
  ]);
  const principal = "eu-west-1:6d3e4f5a-0000-4000-8000-000000000000";
  expect((await refusal(iot.attachPolicy({ policyName: "all", target: principal })))[1]).toBe(
    missing(ann.arn, "iot:AttachPolicy", principal),
  );
  expect(await refusal(data.publish({ topic: "a" }))).toEqual(["ForbiddenException", "Forbidden", 403]);
});

describe("a condition sees", () => {
  it("the thing that a certificate is for", async () => {
    const attach = () => outcome(iot.attachThingPrincipal({ thingName: "lamp", principal: certificate.arn }));
    for (const [name, expected] of [
      ["lamp", true],
      ["door", false],
    ] as const) {
      await ann.clear();
      await ann.allow({ Action: "iot:*", Condition: { ArnEquals: { "iot:thingArn": arn(`thing/${name}`) } } });
      expect((await attach()) === "allowed").toBe(expected);
    }
  });

  it("the tags of a group, and those of a new rule", async () => {
    for (const [team, expected] of [
      ["blue", true],
      ["red", false],
    ] as const) {
      await ann.clear();
      await ann.allow({ Action: "iot:*", Condition: { StringEquals: { "aws:ResourceTag/team": team } } });
      expect((await outcome(iot.describeThingGroup({ thingGroupName: "lamps" }))) === "allowed").toBe(expected);
      await ann.clear();
      await ann.allow(
        { Action: "iot:CreateTopicRule", Condition: { StringEquals: { "aws:RequestTag/team": team } } },
        { Action: "iam:PassRole" },
      );
      const call = iot.createTopicRule({ ...rule(role), tags: "team=blue" });
      expect((await outcome(call)) === "allowed").toBe(expected);
    }
  });

  it("that AWS IoT is whom a role is handed to", async () => {
    for (const [service, expected] of [
      ["iot.amazonaws.com", true],
      ["lambda.amazonaws.com", false],
    ] as const) {
      await ann.clear();
      await ann.allow(
        { Action: "iot:*" },
        { Action: "iam:PassRole", Condition: { StringEquals: { "iam:PassedToService": service } } },
      );
      expect((await outcome(iot.setV2LoggingOptions({ roleArn: role }))) === "allowed").toBe(expected);
    }
  });
});
