import { CloudWatchLogs } from "@aws-sdk/client-cloudwatch-logs";
import { beforeAll, describe, expect, it } from "vitest";
import { missing, needs, outcome, Subjects, type User } from "./harness/access";
import { useEmulator } from "./harness/emulator";
import { refusal } from "./harness/policies";

const emulator = useEmulator();
let ann: User;
let logs: CloudWatchLogs;
const arn = (rest: string) => `arn:aws:logs:eu-west-1:000000000000:log-group:${rest}`;
const app = { logGroupName: "/app" };
const events = () => [{ timestamp: emulator.current.clock.now(), message: "hello" }];

beforeAll(async () => {
  const subjects = new Subjects(emulator.current);
  ann = await subjects.user("ann");
  logs = new CloudWatchLogs(ann.settings);
  const admin = new CloudWatchLogs(subjects.admin);
  await admin.createLogGroup({ ...app, tags: { team: "blue" } });
  await admin.createLogStream({ ...app, logStreamName: "one" });
});

describe("a call of CloudWatch Logs needs permission for", () => {
  it.each<[string, () => Promise<unknown>, string[]]>([
    ["a new group", () => logs.createLogGroup({ logGroupName: "/new" }), ["logs:CreateLogGroup /new:log-stream:"]],
    [
      "a new group, and its tags by its bare name",
      () => logs.createLogGroup({ logGroupName: "/tagged", tags: { team: "blue" } }),
      ["logs:CreateLogGroup /tagged:log-stream:", "logs:TagResource /tagged"],
    ],
    [
      "a stream",
      () => logs.createLogStream({ ...app, logStreamName: "two" }),
      ["logs:CreateLogStream /app:log-stream:two"],
    ],
    [
      "events of a stream",
      () => logs.putLogEvents({ ...app, logStreamName: "one", logEvents: events() }),
      ["logs:PutLogEvents /app:log-stream:one"],
    ],
    [
      "the events of a stream, whose group is named by its ARN",
      () => logs.getLogEvents({ logGroupIdentifier: arn("/app"), logStreamName: "one" }),
      ["logs:GetLogEvents /app:log-stream:one"],
    ],
    ["all events of a group", () => logs.filterLogEvents(app), ["logs:FilterLogEvents /app:log-stream:"]],
    ["all groups", () => logs.describeLogGroups({}), ["logs:DescribeLogGroups :log-stream:"]],
    [
      "the tags of a group by its bare name",
      () => logs.listTagsForResource({ resourceArn: arn("/app") }),
      ["logs:ListTagsForResource /app"],
    ],
    [
      "how long a group keeps",
      () => logs.putRetentionPolicy({ ...app, retentionInDays: 1 }),
      ["logs:PutRetentionPolicy /app:log-stream:"],
    ],
  ])("%s", async (_, call, expected) => {
    expect(await needs(emulator.current, ann, call)).toEqual(expected.map((one) => one.replace(" ", ` ${arn("")}`)));
  });

  it("the role that a subscription filter is given", async () => {
    const roleArn = "arn:aws:iam::000000000000:role/reader";
    const destinationArn = "arn:aws:lambda:eu-west-1:000000000000:function:f";
    const call = () =>
      logs.putSubscriptionFilter({ ...app, filterName: "f", filterPattern: "", destinationArn, roleArn });
    expect(await needs(emulator.current, ann, call)).toEqual([
      `logs:PutSubscriptionFilter ${arn("/app:log-stream:")}`,
      `iam:PassRole ${roleArn}`,
    ]);
  });
});

it("refuses in AWS's words", async () => {
  await ann.clear();
  const call = logs.createLogStream({ ...app, logStreamName: "x" });
  expect(await refusal(call)).toEqual([
    "AccessDeniedException",
    missing(ann.arn, "logs:CreateLogStream", arn("/app:log-stream:x")),
    400,
  ]);
});

it("takes the ARN that ends in a star, as lists show it, for calls, and the bare one for tags only", async () => {
  await ann.clear();
  await ann.allow({ Action: "logs:*", Resource: arn("/app") });
  const [filter, tags] = [
    () => outcome(logs.filterLogEvents(app)),
    () => outcome(logs.listTagsForResource({ resourceArn: arn("/app") })),
  ];
  expect([await filter(), await tags()]).toEqual([
    missing(ann.arn, "logs:FilterLogEvents", arn("/app:log-stream:")),
    "allowed",
  ]);
  await ann.allow({ Action: "logs:*", Resource: arn("/app:*") });
  expect([await filter(), await tags()]).toEqual(["allowed", "allowed"]);
});

it("shows the tags of a group to conditions", async () => {
  for (const [team, expected] of [
    ["blue", true],
    ["red", false],
  ] as const) {
    await ann.clear();
    await ann.allow({ Action: "logs:FilterLogEvents", Condition: { StringEquals: { "aws:ResourceTag/team": team } } });
    expect((await outcome(logs.filterLogEvents(app))) === "allowed").toBe(expected);
  }
});
