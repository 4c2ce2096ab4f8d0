import * as Lambda from "@aws-sdk/client-lambda";
import { CreateQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { beforeAll, beforeEach, describe, expect, it, test } from "vitest";
import { settings } from "./harness/emulator";
import { answer, arnOf, makeFunction, role, useLambda, zip } from "./harness/functions";
import { denialOf, expectNeeds, makeSession, makeUser, type User } from "./harness/identities";

const { emulator, lambda: admin } = useLambda();
const denied = { name: "AccessDeniedException", $metadata: { httpStatusCode: 403 } };
const queue = "arn:aws:sqs:eu-west-1:000000000000:jobs";

let user: User;
let lambda: Lambda.Lambda;
let UUID: string;

beforeAll(async () => {
  await makeFunction(admin(), "hello", answer("hello"), { Publish: true });
  const alias = { FunctionName: "hello", Name: "live", FunctionVersion: "1" };
  await admin().send(new Lambda.CreateAliasCommand(alias));
  await new SQSClient(settings(emulator.current)).send(new CreateQueueCommand({ QueueName: "jobs" }));
  const mapping = { FunctionName: "hello", EventSourceArn: queue, Enabled: false };
  ({ UUID: UUID = "" } = await admin().send(new Lambda.CreateEventSourceMappingCommand(mapping)));
  user = await makeUser(emulator.current);
  lambda = new Lambda.Lambda(user.settings);
});
beforeEach(() => user.allow());

const creation = (FunctionName: string) => ({
  ...{ FunctionName, Role: role, Runtime: "nodejs24.x" as const, Handler: "index.handler" },
  Code: { ZipFile: zip({ "index.js": answer(1) }) },
});
const mappingArn = () => `arn:aws:lambda:eu-west-1:000000000000:event-source-mapping:${UUID}`;
const FunctionName = "hello";

type Case = [what: string, call: () => Promise<unknown>, ...needed: [action: string, resource: () => string][]];

describe("what a user may not do with functions is said in AWS's words, and the suggested statement allows it", () => {
  const fn = (qualifier?: string) => () => arnOf(qualifier ? `hello:${qualifier}` : "hello");
  const everywhere = () => "*";
  const passed = ["iam:PassRole", () => role] as [string, () => string];
  test.each<Case>([
    ["ListFunctions", () => lambda.listFunctions(), ["lambda:ListFunctions", everywhere]],
    ["GetFunction", () => lambda.getFunction({ FunctionName }), ["lambda:GetFunction", fn()]],
    [
      "GetFunction of a version",
      () => lambda.getFunction({ FunctionName, Qualifier: "1" }),
      ["lambda:GetFunction", fn("1")],
    ],
    ["GetAlias", () => lambda.getAlias({ FunctionName, Name: "live" }), ["lambda:GetAlias", fn()]],
    ["Invoke", () => lambda.invoke({ FunctionName }), ["lambda:InvokeFunction", fn()]],
    [
      "Invoke of an alias by ARN",
      () => lambda.invoke({ FunctionName: arnOf("hello:live") }),
      ["lambda:InvokeFunction", fn("live")],
    ],
    [
      "CreateFunction",
      () => lambda.createFunction(creation("made")),
      ["lambda:CreateFunction", () => arnOf("made")],
      passed,
    ],
    [
      "CreateFunction with tags",
      () => lambda.createFunction({ ...creation("tagged"), Tags: { team: "iot" } }),
      ["lambda:CreateFunction", () => arnOf("tagged")],
      ["lambda:TagResource", () => arnOf("tagged")],
      passed,
    ],
    [
      "UpdateFunctionConfiguration",
      () => lambda.updateFunctionConfiguration({ FunctionName, Timeout: 5 }),
      ["lambda:UpdateFunctionConfiguration", fn()],
    ],
    [
      "UpdateFunctionConfiguration of the role",
      () => lambda.updateFunctionConfiguration({ FunctionName, Role: role }),
      ["lambda:UpdateFunctionConfiguration", fn()],
      passed,
    ],
    ["ListTags", () => lambda.listTags({ Resource: arnOf("hello") }), ["lambda:ListTags", fn()]],
    ["ListTags of a mapping", () => lambda.listTags({ Resource: mappingArn() }), ["lambda:ListTags", mappingArn]],
    [
      "CreateEventSourceMapping",
      () => lambda.createEventSourceMapping({ FunctionName: "hello:live", EventSourceArn: queue, Enabled: false }),
      ["lambda:CreateEventSourceMapping", everywhere],
    ],
    [
      "GetEventSourceMapping",
      () => lambda.getEventSourceMapping({ UUID }),
      ["lambda:GetEventSourceMapping", mappingArn],
    ],
    ["ListEventSourceMappings", () => lambda.listEventSourceMappings(), ["lambda:ListEventSourceMappings", everywhere]],
  ])("%s", async (_, call, ...needed) => {
    await expectNeeds(
      emulator.current,
      user,
      call,
      needed.map(([action, resource]) => [action, resource()] as const),
    );
  });
});

describe("conditions see", () => {
  const allow = (Action: string, Condition: object) =>
    user.allow({ Effect: "Allow", Action, Resource: "*", Condition });

  it("to which service a role is passed", async () => {
    const statement = { Effect: "Allow", Action: "lambda:CreateFunction", Resource: "*" };
    const pass = (service: string) => ({
      ...{ Effect: "Allow", Action: "iam:PassRole", Resource: role },
      Condition: { StringEquals: { "iam:PassedToService": service } },
    });
    await user.allow(statement, pass("states.amazonaws.com"));
    await expect(lambda.createFunction(creation("passed"))).rejects.toMatchObject({
      ...denied,
      message: denialOf(user, "iam:PassRole", role),
    });
    await user.allow(statement, pass("lambda.amazonaws.com"));
    await lambda.createFunction(creation("passed"));
  });

  it("the function that an event source is for", async () => {
    await allow("lambda:*EventSourceMapping", { ArnEquals: { "lambda:FunctionArn": arnOf("other") } });
    await expect(lambda.getEventSourceMapping({ UUID })).rejects.toMatchObject(denied);
    await expect(lambda.createEventSourceMapping({ FunctionName, EventSourceArn: queue })).rejects.toMatchObject(
      denied,
    );
    await allow("lambda:*EventSourceMapping", { ArnEquals: { "lambda:FunctionArn": arnOf("hello") } });
    await lambda.getEventSourceMapping({ UUID });
  });

  it("whom a permission would let in", async () => {
    await allow("lambda:AddPermission", { StringEquals: { "lambda:Principal": "s3.amazonaws.com" } });
    const add = (StatementId: string, Principal: string) =>
      lambda.addPermission({ FunctionName, StatementId, Principal, Action: "lambda:InvokeFunction" });
    await expect(add("one", "sns.amazonaws.com")).rejects.toMatchObject(denied);
    await add("one", "s3.amazonaws.com");
  });

  it("the tags of functions and of requests", async () => {
    await allow("lambda:*", { StringEquals: { "aws:ResourceTag/team": "iot" } });
    await expect(lambda.getFunction({ FunctionName })).rejects.toMatchObject(denied);
    const tag = (team: string) => lambda.tagResource({ Resource: arnOf("hello"), Tags: { team } });
    await allow("lambda:TagResource", { StringEquals: { "aws:RequestTag/team": "iot" } });
    await expect(tag("web")).rejects.toMatchObject(denied);
    await tag("iot");
    await allow("lambda:*", { StringEquals: { "aws:ResourceTag/team": "iot" } });
    await lambda.getFunction({ FunctionName });
  });
});

it("the policy of an alias lets in who is named there, and to the alias alone", async () => {
  const { arn, settings: own } = await makeSession(emulator.current);
  const caller = new Lambda.Lambda(own);
  const [, name] = arn.split("/");
  const permission = { FunctionName, StatementId: "guest", Action: "lambda:InvokeFunction" };
  const Principal = `arn:aws:iam::000000000000:role/${name}`;
  await admin().send(new Lambda.AddPermissionCommand({ ...permission, Qualifier: "live", Principal }));
  await caller.invoke({ FunctionName, Qualifier: "live" });
  await expect(caller.invoke({ FunctionName })).rejects.toMatchObject(denied);
});

it("another account may not even see whether there is a function", async () => {
  const stranger = new Lambda.Lambda(settings(emulator.current, { accessKeyId: "111122223333" }));
  for (const name of ["hello", "missing"])
    await expect(stranger.invoke({ FunctionName: arnOf(name) })).rejects.toMatchObject({
      ...denied,
      message: `User: arn:aws:iam::111122223333:root is not authorized to perform: lambda:InvokeFunction on resource: ${arnOf(name)} because no resource-based policy allows the lambda:InvokeFunction action`,
    });
});
