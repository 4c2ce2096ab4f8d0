import { CreateRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import * as Iot from "@aws-sdk/client-iot";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { Devices, inbox } from "./harness/devices";
import { refusal } from "./harness/dynamodb";
import { settings, useEmulator } from "./harness/emulator";
import { useKinesis } from "./harness/kinesis";
import { template, trust, useRules } from "./harness/rules";
import { failure } from "./harness/s3";

const faults: string[] = [];
const emulator = useEmulator({ onFault: (_error, where) => faults.push(where) });
const kinesis = useKinesis(emulator);
const rules = useRules(emulator);
const { roleArn } = rules;
let devices: Devices;
beforeAll(() => {
  devices = new Devices(emulator.current);
});
afterAll(() => devices.close());

const get = async (ruleName: string) => (await rules.iot.send(new Iot.GetTopicRuleCommand({ ruleName }))).rule;
const replace = (ruleName: string, topicRulePayload: Iot.TopicRulePayload) =>
  rules.iot.send(new Iot.ReplaceTopicRuleCommand({ ruleName, topicRulePayload }));
const anAction: Iot.Action = { republish: { roleArn, topic: "elsewhere" } };

test("keeps a rule as it was given, lists it by topic and state, and takes it away", async () => {
  const payload = rules.payload([anAction], {
    sql: "SELECT a FROM 'listed/+'",
    description: "one",
    errorAction: anAction,
  });
  const { ruleName, arn } = await rules.create([anAction], { ...payload, ruleName: "listed_a" });
  await rules.create([anAction], { sql: "SELECT * FROM 'listed/#'", ruleName: "listed_b", ruleDisabled: true });
  await rules.create([anAction], { sql: "SELECT *", ruleName: "listed_c" });
  expect(await get(ruleName)).toEqual({ ...payload, ruleName, ruleDisabled: false, createdAt: expect.any(Date) });
  const list = async (input: Iot.ListTopicRulesCommandInput) => {
    const { rules: found = [], nextToken } = await rules.iot.send(new Iot.ListTopicRulesCommand(input));
    return { names: found.map((one) => one.ruleName), nextToken, found };
  };
  const { found } = await list({ topic: "listed/x" });
  expect(found).toEqual([
    {
      ruleArn: arn,
      ruleName,
      topicPattern: "listed/+",
      createdAt: expect.any(Date),
      ruleDisabled: false,
    },
    expect.objectContaining({ ruleName: "listed_b", ruleDisabled: true }),
  ]);
  expect((await list({ topic: "listed/x", ruleDisabled: true })).names).toEqual(["listed_b"]);
  const first = await list({ maxResults: 2 });
  expect(first.names).toEqual(["listed_a", "listed_b"]);
  expect((await list({ maxResults: 2, nextToken: first.nextToken })).names).toEqual(["listed_c"]);
  await rules.delete(ruleName);
  await expect(get(ruleName)).rejects.toThrow(
    refusal("UnauthorizedException", "Access to topic rule 'listed_a' was denied"),
  );
});

test("gives a rule tags when it is made, and later", async () => {
  const topicRulePayload = rules.payload([anAction], { sql: "SELECT * FROM 'tagged'" });
  await rules.iot.send(new Iot.CreateTopicRuleCommand({ ruleName: "tagged", topicRulePayload, tags: "a=1&b=x%20y" }));
  const resourceArn = "arn:aws:iot:eu-west-1:000000000000:rule/tagged";
  await rules.iot.send(new Iot.TagResourceCommand({ resourceArn, tags: [{ Key: "c", Value: "3" }] }));
  await rules.iot.send(new Iot.UntagResourceCommand({ resourceArn, tagKeys: ["a"] }));
  const { tags } = await rules.iot.send(new Iot.ListTagsForResourceCommand({ resourceArn }));
  expect(tags).toEqual([
    { Key: "b", Value: "x y" },
    { Key: "c", Value: "3" },
  ]);
});

test.each<[string, Partial<Iot.TopicRulePayload> & { ruleName?: string }, string, RegExp]>([
  ["a statement that is no SQL, with its place", { sql: "SELECT a FRM 'b'" }, "SqlParseException", /line 1:1\d/],
  [
    "a template that is no SQL, with its member",
    { actions: [{ republish: { roleArn, topic: template("topic(") } }] },
    "SqlParseException",
    /^topicRulePayload\.actions\.1\.member\.republish\.topic: /,
  ],
  ["a version that does not exist", { awsIotSqlVersion: "2020-01-01" }, "SqlParseException", /version/i],
  ["a name with other characters", { ruleName: "no-dashes" }, "InvalidRequestException", /ruleName.*\[a-zA-Z0-9_\]\+/],
  [
    "more than ten actions",
    { actions: Array.from({ length: 11 }, () => anAction) },
    "InvalidRequestException",
    /actions.*less than or equal to 10/,
  ],
  [
    "an action without what it needs",
    { actions: [{ s3: { roleArn, bucketName: "b", key: undefined } }] },
    "InvalidRequestException",
    /topicRulePayload\.actions\.1\.member\.s3\.key.*must not be null/,
  ],
  [
    "two actions in one",
    { actions: [{ ...anAction, sqs: { roleArn, queueUrl: "x" } }] },
    "InvalidRequestException",
    /exactly one action, and has/,
  ],
  [
    "a role that is not there",
    { actions: [{ republish: { roleArn: `${roleArn}-2`, topic: "a" } }] },
    "InvalidRequestException",
    /unable to perform: sts:AssumeRole on resource: .*rules-2 \(there is no such role\)/,
  ],
  [
    "a role of another account",
    { errorAction: { republish: { roleArn: roleArn.replace("000000000000", "111111111111"), topic: "a" } } },
    "InvalidRequestException",
    /Cross-account/,
  ],
  [
    "a text that is no role",
    { actions: [{ republish: { roleArn: "me", topic: "a" } }] },
    "InvalidRequestException",
    /Invalid role ARN: me/,
  ],
  [
    "actions that are not emulated, by name",
    { actions: [{ firehose: { roleArn, deliveryStreamName: "x" } }] },
    "NotImplemented",
    /firehose/,
  ],
  [
    "functions that are not emulated, by name",
    { sql: `SELECT get_secret('key', 'SecretString', '${roleArn}') AS s FROM 'a'` },
    "NotImplemented",
    /get_secret/,
  ],
  ["error actions that are not emulated", { errorAction: { http: { url: "https://x" } } }, "NotImplemented", /http/],
])("refuses %s, and changes nothing", async (_what, wrong, name, message) => {
  const { ruleName = "refused", ...payload } = wrong;
  const topicRulePayload = rules.payload([anAction], { ...payload });
  const call = rules.iot.send(new Iot.CreateTopicRuleCommand({ ruleName, topicRulePayload }));
  expect(await failure(call)).toMatchObject({ name, message: expect.stringMatching(message) });
  if (ruleName !== "refused") return;
  await expect(get(ruleName)).rejects.toThrow("denied");
  const kept = await rules.create([anAction], { sql: "SELECT * FROM 'kept'" });
  await expect(replace(kept.ruleName, topicRulePayload)).rejects.toMatchObject({ name });
  expect(await get(kept.ruleName)).toMatchObject({ sql: "SELECT * FROM 'kept'", actions: [anAction] });
  await rules.delete(kept.ruleName);
});

test("refuses a role that does not trust AWS IoT", async () => {
  const iam = new IAMClient(settings(emulator.current));
  const document = trust("lambda.amazonaws.com");
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName: "lambdas", AssumeRolePolicyDocument: document }));
  await expect(rules.create([{ republish: { roleArn: Role!.Arn, topic: "a" } }])).rejects.toThrow(
    refusal("InvalidRequestException", /its trust policy does not allow it/),
  );
});

test("refuses a rule of the same name", async () => {
  await rules.create([anAction], { ruleName: "once", sql: "SELECT *" });
  const again = rules.create([anAction], { ruleName: "once", sql: "SELECT *" });
  expect(await failure(again)).toMatchObject({ name: "ResourceAlreadyExistsException", status: 409 });
});

test("runs no disabled rule, and runs it again when it is enabled", async () => {
  const queue = await rules.queue();
  const { ruleName } = await rules.create([queue.action], { sql: "SELECT * FROM 'switched'", ruleDisabled: true });
  await rules.publish("switched", { n: 1 });
  await rules.iot.send(new Iot.EnableTopicRuleCommand({ ruleName }));
  await rules.publish("switched", { n: 2 });
  await rules.iot.send(new Iot.DisableTopicRuleCommand({ ruleName }));
  await rules.publish("switched", { n: 3 });
  await rules.iot.send(new Iot.EnableTopicRuleCommand({ ruleName }));
  await rules.publish("switched", { n: 4 });
  expect(await queue.take(2)).toEqual(['{"n":2}', '{"n":4}']);
});

test("runs a replaced rule as it is now", async () => {
  const [before, after] = [await rules.queue(), await rules.queue()];
  const { ruleName } = await rules.create([before.action], { sql: "SELECT * FROM 'old'" });
  await replace(ruleName, rules.payload([after.action], { sql: "SELECT *, 2 AS version FROM 'new'" }));
  await rules.publish("old", { n: 1 });
  await rules.publish("new", { n: 2 });
  expect(await after.take(1)).toEqual(['{"n":2,"version":2}']);
  expect(await get(ruleName)).toMatchObject({ ruleName, sql: "SELECT *, 2 AS version FROM 'new'" });
});

test("gives Basic Ingest to its rule only, on the topic behind the rule's name", async () => {
  const [own, other] = [await rules.queue(), await rules.queue()];
  const { ruleName } = await rules.create([own.action], { sql: "SELECT *, topic() AS topic" });
  await rules.create([other.action], { sql: "SELECT *, topic() AS topic FROM '#'" });
  const subscriber = await devices.connect(await devices.certificate(), { clientId: "subscriber" });
  const messages = inbox(subscriber);
  await subscriber.subscribeAsync("#");
  await rules.publish(`$aws/rules/${ruleName}/basic/a`, { n: 1 });
  await rules.publish("basic/b", { n: 2 });
  expect(await own.take(1)).toEqual(['{"n":1,"topic":"basic/a"}']);
  expect(await other.take(1)).toEqual(['{"n":2,"topic":"basic/b"}']);
  await vi.waitFor(() => expect(messages).toEqual([["basic/b", '{"n":2}']]));
});

test("runs rules for lifecycle events, and tells a device's client id to SQL", async () => {
  const [events, messages] = [await rules.queue(), await rules.queue()];
  await rules.create([events.action], {
    sql: "SELECT clientId, eventType FROM '$aws/events/presence/connected/alive'",
  });
  await rules.create([messages.action], { sql: "SELECT clientid() AS id FROM 'alive/up'" });
  const client = await devices.connect(await devices.certificate(), { clientId: "alive" });
  expect(await events.take(1)).toEqual(['{"clientId":"alive","eventType":"connected"}']);
  await client.publishAsync("alive/up", "{}", { qos: 1 });
  expect(await messages.take(1)).toEqual(['{"id":"alive"}']);
});

test("ends a circle of rules that feed each other", async () => {
  faults.length = 0;
  const queue = await rules.queue();
  await rules.create([{ republish: { roleArn, topic: "round" } }], { sql: "SELECT n + 1 AS n FROM 'round'" });
  await rules.create([queue.action], { sql: "SELECT VALUE n FROM 'round'" });
  await rules.publish("round", { n: 0 });
  await vi.waitFor(() => expect(faults).toEqual([expect.stringMatching("rules that feed each other")]));
  expect(await queue.take(21)).toHaveLength(21);
});

test("ends an avalanche of rules that make three messages of one", async () => {
  faults.length = 0;
  const fall: Iot.Action = { republish: { roleArn, topic: "avalanche" } };
  const { ruleName } = await rules.create([fall, fall, fall], { sql: "SELECT n + 1 AS n FROM 'avalanche'" });
  await rules.publish("avalanche", { n: 0 });
  await vi.waitFor(() => expect(faults).toHaveLength(3 * 1_001 - 1_000));
  expect(faults[0]).toMatch("Rules have made 1000 messages of one");
  await rules.delete(ruleName);
});

test("ends a circle of a rule and a shadow", async () => {
  faults.length = 0;
  const update = "$aws/things/circle/shadow/update";
  await rules.create([{ republish: { roleArn, topic: `$${update}` } }], {
    sql: `SELECT {'reported': {'n': version}} AS state FROM '${update}/accepted'`,
  });
  await rules.publish(update, { state: { reported: { n: 0 } } });
  await vi.waitFor(() => expect(faults).toEqual([expect.stringMatching("rules that feed each other")]));
});

test("keeps the messages of each device in order on their way to Kinesis: 1,000 of 10 devices", async () => {
  const streamName = await kinesis.stream({ ShardCount: 4 });
  await rules.create([{ kinesis: { roleArn, streamName, partitionKey: template("topic(2)") } }], {
    sql: "SELECT topic(2) AS device, n FROM 'order/+/up'",
  });
  const identity = await devices.certificate();
  const sensors = await Promise.all(
    Array.from({ length: 10 }, (_, n) => devices.connect(identity, { clientId: `sensor-${n}` })),
  );
  await Promise.all(
    sensors.flatMap((sensor, device) =>
      Array.from({ length: 100 }, (_, n) => sensor.publishAsync(`order/${device}/up`, `{"n":${n}}`, { qos: 1 })),
    ),
  );
  const read = async () => {
    const shards = await kinesis.shards(streamName);
    const texts = await Promise.all(shards.map(({ ShardId }) => kinesis.read(streamName, { ShardId })));
    return texts.flat().map((text): { device: string; n: number } => JSON.parse(text));
  };
  await expect.poll(async () => (await read()).length, { interval: 1000, timeout: 10_000 }).toBe(1_000);
  await emulator.current.clock.advance("2 seconds");
  const records = await read();
  for (let device = 0; device < 10; device++) {
    const numbers = records.filter((record) => record.device === String(device)).map(({ n }) => n);
    expect(numbers).toEqual(Array.from({ length: 100 }, (_, n) => n));
  }
});
