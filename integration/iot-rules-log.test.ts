import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import {
  DeleteRoleCommand,
  DetachRolePolicyCommand,
  IAMClient,
  UpdateAssumeRolePolicyCommand,
} from "@aws-sdk/client-iam";
import { GetV2LoggingOptionsCommand, SetV2LoggingOptionsCommand } from "@aws-sdk/client-iot";
import { expect, test } from "vitest";
import { refusal } from "./harness/dynamodb";
import { settings, useEmulator } from "./harness/emulator";
import { adminRole } from "./harness/permissions";
import { trust, useRules } from "./harness/rules";

const faults: string[] = [];
const emulator = useEmulator({ onFault: (_error, where) => faults.push(where) });
const rules = useRules(emulator);
const { roleArn } = rules;

/** What the log of AWS IoT says of a topic. */
async function entriesOf(topicName: string) {
  const logs = new CloudWatchLogsClient(settings(emulator.current));
  const found = logs.send(new FilterLogEventsCommand({ logGroupName: "AWSIotLogsV2" }));
  const { events = [] } = await found.catch(() => ({ events: [] }));
  return events.map(({ message }) => JSON.parse(message!)).filter((entry) => entry.topicName === topicName);
}

test("writes what becomes of messages to the log, once logging is on, at its level", async () => {
  const options = new GetV2LoggingOptionsCommand({});
  await expect(rules.iot.send(options)).rejects.toMatchObject({ name: "NotConfiguredException" });
  const [queue, errors] = [await rules.queue(), await rules.queue()];
  const failing = { s3: { roleArn, bucketName: "missing", key: "a" } };
  const { ruleName } = await rules.create([queue.action, failing], {
    sql: "SELECT * FROM 'logged/+'",
    errorAction: errors.action,
  });
  await rules.iot.send(new SetV2LoggingOptionsCommand({ roleArn, defaultLogLevel: "ERROR" }));
  await rules.publish("logged/errors", {});
  const { cloudwatchTraceId: traceId } = await errors.report();
  const failure = {
    timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$/),
    logLevel: "ERROR",
    accountId: "000000000000",
    traceId,
    status: "Failure",
    eventType: "RuleExecution",
    clientId: "n/a",
    principalId: "test",
    topicName: "logged/errors",
    ruleName,
    ruleAction: "S3Action",
    resources: { s3: "missing" },
    details: expect.stringMatching("The specified bucket does not exist"),
  };
  await expect.poll(() => entriesOf("logged/errors")).toEqual([failure]);

  await rules.iot.send(new SetV2LoggingOptionsCommand({ defaultLogLevel: "INFO" }));
  await rules.publish("logged/all", {});
  const kinds = async (topic: string) =>
    (await entriesOf(topic)).map(({ eventType, status }) => `${eventType} ${status}`).sort();
  const all = ["RuleExecution Failure", "RuleExecution Success", "RuleExecution Success", "RuleMatch Success"];
  await expect.poll(() => kinds("logged/all")).toEqual(all);

  await rules.iot.send(new SetV2LoggingOptionsCommand({ disableAllLogs: true }));
  expect(await rules.iot.send(options)).toMatchObject({ roleArn, defaultLogLevel: "INFO", disableAllLogs: true });
  await rules.publish("logged/nothing", {});
  await errors.take(2);
  expect(await entriesOf("logged/nothing")).toEqual([]);
});

test("says that a message of Basic Ingest names no rule, and reports no fault of the emulator", async () => {
  faults.length = 0;
  await rules.iot.send(new SetV2LoggingOptionsCommand({ roleArn, defaultLogLevel: "ERROR", disableAllLogs: false }));
  await rules.publish("$aws/rules/nobody/aside", {});
  await expect
    .poll(() => entriesOf("aside"))
    .toEqual([expect.objectContaining({ eventType: "RuleNotFound", status: "Failure", ruleName: "nobody" })]);
  expect(faults).toEqual([]);
});

test("refuses logging without a role that AWS IoT can act as", async () => {
  const nobody = new SetV2LoggingOptionsCommand({ roleArn: `${roleArn}-2`, defaultLogLevel: "INFO" });
  await expect(rules.iot.send(nobody)).rejects.toThrow(refusal("InvalidRequestException", /there is no such role/));
});

test("stops acting as a role that trusts AWS IoT no more, or that is gone", async () => {
  const iam = new IAMClient(settings(emulator.current));
  const RoleName = "fickle";
  const roleArn = await adminRole(iam, RoleName);
  const [queue, errors] = [await rules.queue(), await rules.queue()];
  await rules.create([{ sqs: { roleArn, queueUrl: queue.url } }], {
    sql: "SELECT * FROM 'fickle'",
    errorAction: errors.action,
  });
  await rules.publish("fickle", { n: 1 });
  expect(await queue.take(1)).toEqual(['{"n":1}']);
  const PolicyDocument = trust("lambda.amazonaws.com");
  await iam.send(new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument }));
  await rules.publish("fickle", { n: 2 });
  expect((await errors.report()).failures[0]!.errorMessage).toMatch(/unable to perform: sts:AssumeRole.*trust policy/);
  const PolicyArn = "arn:aws:iam::aws:policy/AdministratorAccess";
  await iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn }));
  await iam.send(new DeleteRoleCommand({ RoleName }));
  await rules.publish("fickle", { n: 3 });
  expect((await errors.report()).failures[0]!.errorMessage).toMatch(/there is no such role/);
});
