import { APIGateway } from "@aws-sdk/client-api-gateway";
import { CloudWatchLogs } from "@aws-sdk/client-cloudwatch-logs";
import { EventBridge } from "@aws-sdk/client-eventbridge";
import { IAM } from "@aws-sdk/client-iam";
import { IoT } from "@aws-sdk/client-iot";
import { TimestreamWrite } from "@aws-sdk/client-timestream-write";
import { beforeAll, expect, it } from "vitest";
import { outcome, Subjects, type User } from "./harness/access";
import { useEmulator } from "./harness/emulator";
import { trustOf } from "./harness/policies";

const emulator = useEmulator();
let subjects: Subjects;
let ann: User;
beforeAll(async () => {
  subjects = new Subjects(emulator.current);
  ann = await subjects.user("ann");
});

const calls = {
  readLogs: () => new CloudWatchLogs(ann.settings).describeLogGroups({}),
  makeLogs: () => new CloudWatchLogs(ann.settings).createLogGroup({ logGroupName: "/new" }),
  readApis: () => new APIGateway(ann.settings).getRestApis({}),
  makeApi: () => new APIGateway(ann.settings).createRestApi({ name: "new" }),
  readThings: () => new IoT(ann.settings).listThings({}),
  makeThing: () => new IoT(ann.settings).createThing({ thingName: "new" }),
  readTables: () => new TimestreamWrite(ann.settings).listTables({}),
  makeRule: () => new EventBridge(ann.settings).putRule({ Name: "new", ScheduleExpression: "rate(1 day)" }),
  readRoles: () => new IAM(ann.settings).listRoles({}),
  makeRole: () =>
    new IAM(ann.settings).createRole({
      RoleName: "new",
      AssumeRolePolicyDocument: trustOf({ Service: "lambda.amazonaws.com" }),
    }),
};
type Call = keyof typeof calls;
const reading: Call[] = ["readLogs", "readApis", "readThings", "readTables", "readRoles"];
const all = Object.keys(calls) as Call[];

it.each<[string, Call[]]>([
  ["AdministratorAccess", all],
  ["PowerUserAccess", all.filter((name) => name !== "makeRole")],
  ["ReadOnlyAccess", reading],
  ["IAMFullAccess", ["readRoles", "makeRole"]],
  ["IAMReadOnlyAccess", ["readRoles"]],
  ["CloudWatchLogsFullAccess", ["readLogs", "makeLogs"]],
  ["CloudWatchLogsReadOnlyAccess", ["readLogs"]],
  ["AmazonAPIGatewayAdministrator", ["readApis", "makeApi"]],
  ["AWSIoTFullAccess", ["readThings", "makeThing"]],
  ["AWSIoTConfigReadOnlyAccess", ["readThings"]],
  ["AmazonTimestreamReadOnlyAccess", ["readTables"]],
  ["AmazonEventBridgeFullAccess", ["makeRule"]],
  ["service-role/AWSLambdaBasicExecutionRole", ["makeLogs"]],
  ["service-role/AWSIoTLogging", ["makeLogs"]],
])("%s allows what AWS's policy of that name does", async (name, expected) => {
  const attachment = { UserName: ann.name, PolicyArn: `arn:aws:iam::aws:policy/${name}` };
  const admin = new IAM(subjects.admin);
  await admin.attachUserPolicy(attachment);
  const allowed = [];
  for (const call of all) if ((await outcome(calls[call]())) === "allowed") allowed.push(call);
  await admin.detachUserPolicy(attachment);
  expect(allowed).toEqual(all.filter((call) => expected.includes(call)));
});
