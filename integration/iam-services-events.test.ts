import { gunzipSync } from "node:zlib";
import { CloudWatchLogs } from "@aws-sdk/client-cloudwatch-logs";
import { EventBridge } from "@aws-sdk/client-eventbridge";
import { AddPermissionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import type { Message, SQSClient } from "@aws-sdk/client-sqs";
import { beforeAll, describe, expect, it } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { arnOf, principal, Rules } from "./harness/event-rules";
import { answer, makeFunction } from "./harness/functions";
import { useKinesis } from "./harness/kinesis";
import { makeRole } from "./harness/permissions";
import { refusal } from "./harness/policies";
import { makeOpenQueue, servicePolicy, takeUntil } from "./harness/topics";

const emulator = useEmulator({ onFault: () => {} });
const kinesis = useKinesis(emulator);
let rules: Rules;
let sqs: SQSClient;
let logs: CloudWatchLogs;
beforeAll(() => {
  rules = new Rules(emulator.current);
  ({ sqs } = rules);
  logs = new CloudWatchLogs(settings(emulator.current));
});

const lastDenial = () => emulator.current.denials.at(-1)!;
const attributes = ({ MessageAttributes = {} }: Message) =>
  Object.fromEntries(Object.entries(MessageAttributes).map(([name, { StringValue }]) => [name, StringValue]));

describe("a rule of EventBridge", () => {
  it("puts records as its target's role, which has to trust it and to allow it", async () => {
    const stream = await kinesis.stream();
    const Arn = kinesis.arn(stream);
    const role = await makeRole(sqs, "to-stream", "lambda.amazonaws.com");
    const Name = rules.newName();
    const dead = await makeOpenQueue(sqs, principal, arnOf(`rule/${Name}`));
    const target = { Id: "stream", Arn, RoleArn: role.arn, DeadLetterConfig: { Arn: dead.arn } };
    const { source } = await rules.make([target], { Name });
    const letter = async () => attributes((await takeUntil(sqs, dead.url, 1))[0]!);
    await rules.put(source);
    expect(await letter()).toMatchObject({ ERROR_CODE: "NO_PERMISSIONS", RETRY_ATTEMPTS: "0" });
    expect(lastDenial()).toMatchObject({ principal, action: "sts:AssumeRole", resource: role.arn });
    await role.trust(principal);
    await rules.put(source);
    expect(await letter()).toMatchObject({
      ERROR_CODE: "NO_PERMISSIONS",
      ERROR_MESSAGE: `User: arn:aws:sts::000000000000:assumed-role/to-stream/${Name} is not authorized to perform: kinesis:PutRecord on resource: ${Arn} because no identity-based policy allows the kinesis:PutRecord action`,
    });
    await role.allow(["kinesis:PutRecord", Arn]);
    await rules.put(source, { n: 3 });
    await expect.poll(async () => (await kinesis.read(stream)).length).toBe(1);
  });

  it("puts events on another account's bus only where the role and the bus allow it", async () => {
    const other = new EventBridge(settings(emulator.current, { accessKeyId: "111122223333" }));
    await other.createEventBus({ Name: "shared" });
    const Arn = "arn:aws:events:eu-west-1:111122223333:event-bus/shared";
    const role = await makeRole(sqs, "to-bus", principal);
    const { source } = await rules.make([{ Id: "bus", Arn, RoleArn: role.arn }]);
    const decided: boolean[] = [];
    const stop = emulator.current.watchAccess(({ action, allowed }) => {
      if (action === "events:PutEvents") decided.push(allowed);
    });
    const deliver = async () => {
      decided.length = 0;
      await rules.put(source);
      await expect.poll(() => decided.length).toBeGreaterThan(1);
      // The first one is about who put the event.
      return decided.slice(1);
    };
    expect(await deliver()).toEqual([false]);
    expect(lastDenial().place).toBe(`the policy of ${Arn}`);
    const permission = { EventBusName: "shared", StatementId: "them", Action: "events:PutEvents" };
    await other.putPermission({ ...permission, Principal: "000000000000" });
    expect(await deliver()).toEqual([false]);
    expect(lastDenial()).toMatchObject({ place: role.arn, resource: Arn });
    await role.allow(["events:PutEvents", Arn]);
    expect(await deliver()).toEqual([true]);
    stop();
  });

  it("writes to a log group only as a policy of CloudWatch Logs says", async () => {
    await logs.createLogGroup({ logGroupName: "/aws/events/said" });
    const { source, arn } = await rules.make([{ Id: "logs", Arn: arnOf("log-group:/aws/events/said", "logs") }]);
    await rules.put(source);
    await expect
      .poll(lastDenial)
      .toMatchObject({ principal, action: "logs:CreateLogStream", statement: { Principal: { Service: principal } } });
    const policyDocument = servicePolicy(principal, "logs:*", arnOf("log-group:/aws/events/*:*", "logs"), arn);
    await logs.putResourcePolicy({ policyName: "rules", policyDocument });
    await rules.put(source);
    const written = async () => (await logs.filterLogEvents({ logGroupName: "/aws/events/said" })).events?.length;
    await expect.poll(written).toBe(1);
  });
});

describe("a subscription filter", () => {
  const put = (filterName: string, destinationArn: string, roleArn?: string) =>
    logs.putSubscriptionFilter({ logGroupName: "app", filterName, filterPattern: "", destinationArn, roleArn });
  const write = (message: string) => {
    const logEvents = [{ timestamp: emulator.current.clock.now(), message }];
    return logs.putLogEvents({ logGroupName: "app", logStreamName: "s", logEvents });
  };
  beforeAll(async () => {
    await logs.createLogGroup({ logGroupName: "app" });
    await logs.createLogStream({ logGroupName: "app", logStreamName: "s" });
  });

  it("is taken for a function whose policy lets this group invoke it", async () => {
    const lambda = new LambdaClient(settings(emulator.current));
    const sink = await makeFunction(lambda, "sink", answer(1));
    const group = "arn:aws:logs:eu-west-1:000000000000:log-group:app:*";
    const refused = [
      "InvalidParameterException",
      "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your function.",
      400,
    ];
    const letIn = (StatementId: string, Principal: string, SourceArn: string) => {
      const statement = { FunctionName: "sink", Action: "lambda:InvokeFunction", StatementId, Principal, SourceArn };
      return lambda.send(new AddPermissionCommand(statement));
    };
    expect(await refusal(put("functions", sink))).toEqual(refused);
    await letIn("other-group", "logs.amazonaws.com", group.replace("app", "other"));
    await letIn("other-region", "logs.us-east-1.amazonaws.com", group);
    expect(await refusal(put("functions", sink))).toEqual(refused);
    expect(lastDenial()).toMatchObject({ principal: "logs.amazonaws.com", place: `the policy of ${sink}` });
    // The region's own name of the service, as older guides have it.
    await letIn("group", "logs.eu-west-1.amazonaws.com", group);
    await put("functions", sink);
    await logs.deleteSubscriptionFilter({ logGroupName: "app", filterName: "functions" });
  });

  it("sends to a data stream as its role, after a test message", async () => {
    const stream = await kinesis.stream();
    const role = await makeRole(sqs, "subscriber", "events.amazonaws.com");
    const refused = [
      "InvalidParameterException",
      "Could not deliver test message to specified Kinesis stream. Check if the given kinesis stream is in ACTIVE state.",
      400,
    ];
    expect(await refusal(put("streams", kinesis.arn(stream), role.arn))).toEqual(refused);
    expect(lastDenial()).toMatchObject({ principal: "logs.amazonaws.com", action: "sts:AssumeRole" });
    await role.trust("logs.eu-west-1.amazonaws.com");
    expect(await refusal(put("streams", kinesis.arn(stream), role.arn))).toEqual(refused);
    expect(lastDenial()).toMatchObject({ action: "kinesis:PutRecord", place: role.arn });
    await role.allow(["kinesis:PutRecord", kinesis.arn(stream)]);
    await put("streams", kinesis.arn(stream), role.arn);
    await write("hello");
    const records = async () => {
      const { Records = [] } = await kinesis.get(await kinesis.iterator(stream));
      return Records.map(({ Data, PartitionKey }) => ({
        key: PartitionKey,
        ...JSON.parse(gunzipSync(Data!).toString()),
      }));
    };
    await expect.poll(async () => (await records()).length).toBe(2);
    expect(await records()).toMatchObject([
      { messageType: "CONTROL_MESSAGE", logEvents: [{ message: expect.stringContaining("CWL CONTROL MESSAGE") }] },
      { key: "s", messageType: "DATA_MESSAGE", logGroup: "app", logEvents: [{ message: "hello" }] },
    ]);
  });
});
