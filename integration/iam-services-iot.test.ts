import { CloudWatchLogs } from "@aws-sdk/client-cloudwatch-logs";
import { CreateTableCommand, DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { type Action, CreateThingCommand, SetV2LoggingOptionsCommand } from "@aws-sdk/client-iot";
import { IoTDataPlaneClient, UpdateThingShadowCommand } from "@aws-sdk/client-iot-data-plane";
import { AddPermissionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { SNSClient } from "@aws-sdk/client-sns";
import { TimestreamWrite } from "@aws-sdk/client-timestream-write";
import { beforeAll, describe, expect, it } from "vitest";
import type { Authorization } from "../emulator";
import { keyed } from "./harness/dynamodb";
import { settings, useEmulator } from "./harness/emulator";
import { answer, makeFunction } from "./harness/functions";
import { useKinesis } from "./harness/kinesis";
import { type Allowed, makeRole, type TestRole } from "./harness/permissions";
import { refusal } from "./harness/policies";
import { template, useRules } from "./harness/rules";
import { makeBucket, s3Client } from "./harness/s3";
import { makeTopic } from "./harness/topics";

const faults: string[] = [];
const emulator = useEmulator({ onFault: (error, where) => faults.push(`${where}: ${(error as Error).message}`) });
const rules = useRules(emulator);
const kinesis = useKinesis(emulator);
const decisions: Authorization[] = [];
let role: TestRole;
beforeAll(async () => {
  emulator.current.watchAccess((decision) => decisions.push(decision));
  role = await makeRole(rules.iot, "actions", "iot.amazonaws.com");
});

const arn = (service: string, resource: string) => `arn:aws:${service}:eu-west-1:000000000000:${resource}`;
const session = "User: arn:aws:sts::000000000000:assumed-role/actions/\\w{8} is not authorized to perform:";
const granted = ([action, resource]: readonly [string, string]) => ({
  ...{ principal: role.arn, action, resource, allowed: true },
});

/** Makes what an action sends to. Gives the action, what the role needs for it, and how the service says no. */
type Setup = (roleArn: string) => Promise<{ action: Action; needed: [action: string, resource: string][] }>;

const table = async (TableName: string) =>
  void (await new DynamoDBClient(settings(emulator.current)).send(new CreateTableCommand({ TableName, ...keyed() })));
const onTable = { hashKeyField: "pk", hashKeyValue: "a" };

const json = "Status Code: 400; Error Code: AccessDeniedException";
const setups: [name: string, error: string, setup: Setup][] = [
  [
    "Kinesis",
    `Service: AmazonKinesis; ${json}`,
    async (roleArn) => {
      const streamName = await kinesis.stream();
      return {
        action: { kinesis: { roleArn, streamName, partitionKey: "a" } },
        needed: [["kinesis:PutRecord", kinesis.arn(streamName)]],
      };
    },
  ],
  [
    "Sqs",
    "Service: AmazonSQS; Status Code: 403; Error Code: AccessDenied",
    async (roleArn) => {
      const { url: queueUrl } = await rules.queue();
      const needed = ["sqs:SendMessage", arn("sqs", queueUrl.split("/").at(-1)!)] as [string, string];
      return { action: { sqs: { roleArn, queueUrl } }, needed: [needed] };
    },
  ],
  [
    "Sns",
    "Service: AmazonSNS; Status Code: 403; Error Code: AuthorizationError",
    async (roleArn) => {
      const targetArn = await makeTopic(new SNSClient(settings(emulator.current)));
      return { action: { sns: { roleArn, targetArn } }, needed: [["sns:Publish", targetArn]] };
    },
  ],
  [
    "S3",
    "Service: Amazon S3; Status Code: 403; Error Code: AccessDenied",
    async (roleArn) => {
      const bucketName = await makeBucket(s3Client(emulator.current));
      const action = { s3: { roleArn, bucketName, key: "a/b" } };
      return { action, needed: [["s3:PutObject", `arn:aws:s3:::${bucketName}/a/b`]] };
    },
  ],
  [
    "DynamoDB",
    `Service: AmazonDynamoDBv2; ${json}`,
    async (roleArn) => {
      await table("table-v1");
      const action = { dynamoDB: { roleArn, tableName: "table-v1", ...onTable } };
      return { action, needed: [["dynamodb:PutItem", arn("dynamodb", "table/table-v1")]] };
    },
  ],
  [
    "DynamoDBv2",
    `Service: AmazonDynamoDBv2; ${json}`,
    async (roleArn) => {
      await table("table-v2");
      const action = { dynamoDBv2: { roleArn, putItem: { tableName: "table-v2" } } };
      return { action, needed: [["dynamodb:PutItem", arn("dynamodb", "table/table-v2")]] };
    },
  ],
  [
    "CloudwatchLogs",
    `Service: AWSLogs; ${json}`,
    async (roleArn) => {
      const logs = new CloudWatchLogs(settings(emulator.current));
      await logs.createLogGroup({ logGroupName: "rules" });
      const stream = arn("logs", "log-group:rules:log-stream:rule_CloudwatchLogs");
      const action = { cloudwatchLogs: { roleArn, logGroupName: "rules" } };
      return {
        action,
        needed: [
          ["logs:CreateLogStream", stream],
          ["logs:PutLogEvents", stream],
        ],
      };
    },
  ],
  [
    "Timestream",
    `Service: AmazonTimestreamWrite; ${json}`,
    async (roleArn) => {
      const timestream = new TimestreamWrite(settings(emulator.current));
      const [databaseName, tableName] = ["fleet", "readings"];
      await timestream.createDatabase({ DatabaseName: databaseName });
      await timestream.createTable({ DatabaseName: databaseName, TableName: tableName });
      const dimensions = [{ name: "device", value: "a" }];
      return {
        action: { timestream: { roleArn, databaseName, tableName, dimensions } },
        needed: [
          ["timestream:DescribeEndpoints", "*"],
          ["timestream:WriteRecords", arn("timestream", "database/fleet/table/readings")],
        ],
      };
    },
  ],
  [
    "Republish",
    "Service: AWSIot; Status Code: 401; Error Code: UnauthorizedException",
    async (roleArn) => ({
      action: { republish: { roleArn, topic: `again/${template("topic(2)")}` } },
      needed: [["iot:Publish", arn("iot", "topic/again/up")]],
    }),
  ],
];

describe("a rule's action", () => {
  it.each(setups)(
    "%s does what its role allows, and its refusal reaches the error action",
    async (name, error, setup) => {
      const { action, needed } = await setup(role.arn);
      const errors = await rules.queue();
      await rules.create([action], {
        ruleName: `rule_${name}`,
        sql: `SELECT 1 AS n, 'a' AS pk FROM '${name}/up'`,
        errorAction: errors.action,
      });
      for (const [index, [missing, resource]] of needed.entries()) {
        await role.allow(...needed.slice(0, index).map((one): Allowed => one));
        await rules.publish(`${name}/up`, {});
        const { failures } = await errors.report();
        expect(failures).toMatchObject([{ failedAction: `${name}Action` }]);
        expect(failures[0]!.errorMessage).toMatch(new RegExp(`The error received was ${session} ${missing}`, "i"));
        expect(failures[0]!.errorMessage).toContain(`(${error}`);
        expect(emulator.current.denials.at(-1)).toMatchObject({ action: missing, resource, place: role.arn });
      }
      decisions.length = 0;
      await role.allow(...needed.map((one): Allowed => one));
      await rules.publish(`${name}/up`, {});
      for (const one of needed) await expect.poll(() => decisions).toContainEqual(granted(one));
      expect(decisions.filter(({ allowed }) => !allowed)).toEqual([]);
    },
  );

  it("invokes a function only where its policy lets this rule do so", async () => {
    const lambda = new LambdaClient(settings(emulator.current));
    const functionArn = await makeFunction(lambda, "told", answer(1));
    const errors = await rules.queue();
    const options = { sql: "SELECT * FROM 'told'", errorAction: errors.action };
    const rule = await rules.create([{ lambda: { functionArn } }], options);
    const letIn = (StatementId: string, SourceArn: string) =>
      lambda.send(
        new AddPermissionCommand({
          ...{ FunctionName: "told", StatementId, SourceArn, Action: "lambda:InvokeFunction" },
          Principal: "iot.amazonaws.com",
        }),
      );
    await letIn("other", arn("iot", "rule/other"));
    await rules.publish("told", {});
    expect((await errors.report()).failures[0]!.errorMessage).toContain(
      "User: iot.amazonaws.com is not authorized to perform: lambda:InvokeFunction",
    );
    expect(emulator.current.denials.at(-1)).toMatchObject({
      principal: "iot.amazonaws.com",
      place: `the policy of ${functionArn}`,
      statement: { Condition: { ArnLike: { "aws:SourceArn": rule.arn } } },
    });
    await letIn("this", rule.arn);
    decisions.length = 0;
    await rules.publish("told", {});
    const isLetIn = { principal: "iot.amazonaws.com", action: "lambda:InvokeFunction", resource: functionArn };
    await expect.poll(() => decisions).toContainEqual({ ...isLetIn, allowed: true });
  });
});

describe("a role for a rule", () => {
  it("has to trust AWS IoT, for this rule where its trust policy names one", async () => {
    const own = await makeRole(rules.iot, "others", "lambda.amazonaws.com");
    const create = () => rules.create([{ republish: { roleArn: own.arn, topic: "a" } }]);
    expect(await refusal(create())).toEqual([
      "InvalidRequestException",
      expect.stringContaining(`iot.amazonaws.com is unable to perform: sts:AssumeRole on resource: ${own.arn}`),
      400,
    ]);
    expect(emulator.current.denials.at(-1)).toMatchObject({
      principal: "iot.amazonaws.com",
      action: "sts:AssumeRole",
      place: `the trust policy of ${own.arn}`,
    });
    await own.trust("iot.amazonaws.com");
    await create();
  });
});

describe("a function of a statement", () => {
  const cases: [name: string, call: (roleArn: string) => string, needed: [string, string], answer: string][] = [
    [
      "get_thing_shadow",
      (roleArn) => `get_thing_shadow('lamp', '${roleArn}').state.desired.on`,
      ["iot:GetThingShadow", arn("iot", "thing/lamp")],
      "true",
    ],
    [
      "get_registry_data",
      (roleArn) => `get_registry_data('DescribeThing', 'lamp', '${roleArn}').thingName`,
      ["iot:DescribeThing", arn("iot", "thing/lamp")],
      '"lamp"',
    ],
    [
      "get_dynamodb",
      (roleArn) => `get_dynamodb('asked', 'pk', 'a', '${roleArn}').room`,
      ["dynamodb:GetItem", arn("dynamodb", "table/asked")],
      '"hall"',
    ],
  ];
  beforeAll(async () => {
    await table("asked");
    const Item = { pk: { S: "a" }, room: { S: "hall" } };
    await new DynamoDBClient(settings(emulator.current)).send(new PutItemCommand({ TableName: "asked", Item }));
    await rules.iot.send(new CreateThingCommand({ thingName: "lamp" }));
    const payload = Buffer.from(JSON.stringify({ state: { desired: { on: true } } }));
    const data = new IoTDataPlaneClient(settings(emulator.current));
    await data.send(new UpdateThingShadowCommand({ thingName: "lamp", payload }));
  });

  it.each(cases)("%s needs the permission in its role", async (name, call, needed, answered) => {
    const queue = await rules.queue();
    const sql = `SELECT ${call(role.arn)} AS answer FROM 'asking/${name}'`;
    const { ruleName } = await rules.create([queue.action], { sql });
    await role.allow();
    await rules.publish(`asking/${name}`, {});
    await expect.poll(() => faults.join()).toContain(`the statement of rule ${ruleName} failed`);
    expect(emulator.current.denials.at(-1)).toMatchObject({ action: needed[0], resource: needed[1], place: role.arn });
    await role.allow(needed);
    await rules.publish(`asking/${name}`, {});
    expect(await queue.take(1)).toEqual([`{"answer":${answered}}`]);
  });
});

it("AWS IoT writes its log as the role for logging, and lists once that the role may not", async () => {
  const logs = new CloudWatchLogs(settings(emulator.current));
  const logging = await makeRole(rules.iot, "logging", "iot.amazonaws.com");
  await rules.iot.send(new SetV2LoggingOptionsCommand({ roleArn: logging.arn, defaultLogLevel: "INFO" }));
  const queue = await rules.queue();
  await rules.create([queue.action], { sql: "SELECT * FROM 'logged'" });
  for (let i = 0; i < 3; i++) await rules.publish("logged", { i });
  await queue.take(3);
  const denied = () => emulator.current.denials.filter(({ place }) => place === logging.arn);
  expect(denied().map(({ action }) => action)).toEqual(["logs:CreateLogGroup"]);
  await logging.allow(["logs:*", arn("logs", "log-group:AWSIotLogsV2:*")]);
  await rules.publish("logged", {});
  const written = async () => {
    const found = await logs.filterLogEvents({ logGroupName: "AWSIotLogsV2" }).catch(() => ({ events: [] }));
    return found.events?.length;
  };
  await expect.poll(written).toBe(2);
  expect(denied()).toHaveLength(1);
});
