import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import {
  CreateFunctionCommand,
  type CreateFunctionCommandInput,
  GetFunctionCommand,
  InvokeCommand,
  LambdaClient,
  PutFunctionEventInvokeConfigCommand,
  UpdateFunctionConfigurationCommand,
} from "@aws-sdk/client-lambda";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { beforeAll, describe, expect, it } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { answer, arnOf, invoke, makeFunction, zip } from "./harness/functions";
import { makeRole } from "./harness/permissions";
import { refusal } from "./harness/policies";
import { take, takeUntil } from "./harness/topics";

const faults: string[] = [];
const emulator = useEmulator({ onFault: (error, where) => faults.push(`${where}: ${(error as Error).message}`) });
let lambda: LambdaClient;
let sqs: SQSClient;
beforeAll(() => {
  lambda = new LambdaClient(settings(emulator.current));
  sqs = new SQSClient(settings(emulator.current));
});

const principal = "lambda.amazonaws.com";
const queueArn = (name: string) => `arn:aws:sqs:eu-west-1:000000000000:${name}`;
const makeQueue = async (QueueName: string) => (await sqs.send(new CreateQueueCommand({ QueueName }))).QueueUrl!;
const create = (FunctionName: string, Role: string, more: Partial<CreateFunctionCommandInput> = {}) =>
  lambda.send(
    new CreateFunctionCommand({
      FunctionName,
      Role,
      Runtime: "nodejs24.x",
      Handler: "index.handler",
      Code: { ZipFile: zip({ "index.js": answer("fine") }) },
      ...more,
    }),
  );
const refused = (message: string) => ["InvalidParameterValueException", message, 400];
const notAssumable = refused("The role defined for the function cannot be assumed by Lambda.");
const lastDenial = () => emulator.current.denials.at(-1)!;

describe("a function's role", () => {
  it("has to be there and to trust Lambda, when the function is made and when it gets another", async () => {
    const missing = "arn:aws:iam::000000000000:role/missing";
    expect(await refusal(create("homeless", missing))).toEqual(notAssumable);
    expect(lastDenial()).toMatchObject({ principal, action: "sts:AssumeRole", resource: missing });
    const role = await makeRole(lambda, "gateways", "apigateway.amazonaws.com");
    expect(await refusal(create("homeless", role.arn))).toEqual(notAssumable);
    expect(lastDenial()).toMatchObject({
      place: `the trust policy of ${role.arn}`,
      statement: { Effect: "Allow", Principal: { Service: principal }, Action: "sts:AssumeRole" },
    });
    expect((await refusal(lambda.send(new GetFunctionCommand({ FunctionName: "homeless" }))))[2]).toBe(404);
    await role.trust(principal);
    await create("homeless", role.arn);
    const update = { FunctionName: "homeless", Role: missing };
    expect(await refusal(lambda.send(new UpdateFunctionConfigurationCommand(update)))).toEqual(notAssumable);
    const { Configuration } = await lambda.send(new GetFunctionCommand({ FunctionName: "homeless" }));
    expect(Configuration!.Role).toBe(role.arn);
  });

  const vpc = { SubnetIds: ["subnet-1"], SecurityGroupIds: ["sg-1"] };
  const networks = ["ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DeleteNetworkInterface"];
  it.each<[string, Partial<CreateFunctionCommandInput>, string[], string]>([
    ["traces", { TracingConfig: { Mode: "Active" } }, ["xray:Put*"], "PutTraceSegments on XRAY"],
    ["a network", { VpcConfig: vpc }, networks, "CreateNetworkInterface on EC2"],
    ["dead letters", { DeadLetterConfig: { TargetArn: queueArn("x") } }, ["sqs:SendMessage"], "SendMessage on SQS"],
  ])("has to allow what the function's settings take: %s", async (what, options, actions, call) => {
    const name = what.replace(/\W/g, "-");
    const role = await makeRole(lambda, name, principal, ["logs:*"]);
    const lacking = refused(`The provided execution role does not have permissions to call ${call}`);
    expect(await refusal(create(name, role.arn, options))).toEqual(lacking);
    expect(lastDenial()).toMatchObject({ principal: `arn:aws:sts::000000000000:assumed-role/${name}/${name}` });
    await create(name, role.arn);
    const update = () => lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: name, ...options }));
    expect(await refusal(update())).toEqual(lacking);
    await role.allow([actions]);
    expect(await update()).toMatchObject({ LastUpdateStatus: "InProgress" });
  });

  it("has to allow what destinations take, when they are set and when they are sent to", async () => {
    const [OnSuccess, OnFailure] = [{ Destination: queueArn("done") }, { Destination: arnOf("tidy") }];
    const url = await makeQueue("done");
    const role = await makeRole(lambda, "sender", principal, ["sqs:SendMessage", queueArn("done")]);
    await makeFunction(lambda, "worker", answer("done"), { Role: role.arn });
    await makeFunction(lambda, "tidy", answer("tidied"));
    const config = (DestinationConfig: object) =>
      lambda.send(new PutFunctionEventInvokeConfigCommand({ FunctionName: "worker", DestinationConfig }));
    expect(await refusal(config({ OnSuccess, OnFailure }))).toEqual(
      refused(
        `The function's execution role does not have permissions to call InvokeFunction on ${OnFailure.Destination}`,
      ),
    );
    await config({ OnSuccess });
    const run = () => lambda.send(new InvokeCommand({ FunctionName: "worker", InvocationType: "Event" }));
    await run();
    expect(JSON.parse((await takeUntil(sqs, url, 1))[0]!.Body!)).toMatchObject({ responsePayload: "done" });
    await role.allow();
    await run();
    await expect.poll(() => faults.join()).toContain("could not deliver to arn:aws:sqs:eu-west-1:000000000000:done");
    expect(lastDenial()).toMatchObject({
      action: "sqs:SendMessage",
      place: role.arn,
      statement: { Effect: "Allow", Action: "sqs:SendMessage", Resource: queueArn("done") },
    });
    expect(await take(sqs, url)).toEqual([]);
  });

  it("is what the code may do, and nothing when the role is deleted", async () => {
    const QueueUrl = await makeQueue("reach");
    const role = await makeRole(lambda, "sweeper", principal, ["sqs:GetQueueAttributes", queueArn("reach")]);
    const code = `const { SQSClient, GetQueueAttributesCommand, DeleteQueueCommand } = require("@aws-sdk/client-sqs");
      const sqs = new SQSClient({});
      const QueueUrl = ${JSON.stringify(QueueUrl)};
      exports.handler = async (fails) => {
        try {
          await sqs.send(fails ? new DeleteQueueCommand({ QueueUrl }) : new GetQueueAttributesCommand({ QueueUrl }));
          return "allowed";
        } catch (error) {
          return error.name + ": " + error.message;
        }
      };`;
    await makeFunction(lambda, "sweep", code, { Role: role.arn, Timeout: 20 });
    const run = async (fails: boolean) => (await invoke(lambda, "sweep", fails)).result;
    const user = "User: arn:aws:sts::000000000000:assumed-role/sweeper/sweep is not authorized to perform:";
    expect(await run(false)).toBe("allowed");
    // SQS writes actions in small letters.
    expect(await run(true)).toContain(`AccessDenied: ${user} sqs:deletequeue`);
    await role.delete();
    expect(await run(false)).toContain(`${user} sqs:getqueueattributes`);
    // New environments come up without the role.
    await emulator.current.clock.advance("2 hours");
    expect(await run(false)).toContain(`${user} sqs:getqueueattributes`);
    const places = emulator.current.denials.filter(({ resource }) => resource === role.arn).map(({ place }) => place);
    expect(new Set(places)).toEqual(new Set([`${role.arn}, which does not exist`]));
  });
});

describe("the log of a function", () => {
  const logged = async (name: string) => {
    const logs = new CloudWatchLogsClient(settings(emulator.current));
    const { events = [] } = await logs
      .send(new FilterLogEventsCommand({ logGroupName: `/aws/lambda/${name}`, filterPattern: "LINE" }))
      .catch((error: Error) => {
        if (error.name !== "ResourceNotFoundException") throw error;
        return { events: [] };
      });
    return events.length;
  };

  it("is written only while the role may, and what is missing is listed once, not for each line", async () => {
    const role = await makeRole(lambda, "printer", principal);
    const code = 'exports.handler = async () => { for (let i = 0; i < 3; i++) console.log("LINE", i); }';
    await makeFunction(lambda, "print", code, { Role: role.arn });
    const denied = () =>
      emulator.current.denials.filter(({ principal: who }) => who.endsWith("assumed-role/printer/print"));
    for (let i = 0; i < 3; i++) await invoke(lambda, "print");
    expect(denied()).toMatchObject([
      {
        action: "logs:CreateLogGroup",
        resource: "arn:aws:logs:eu-west-1:000000000000:log-group:/aws/lambda/print:log-stream:",
      },
    ]);
    expect(await logged("print")).toBe(0);
    // All that the console's policy for a function allows.
    await role.allow(
      ["logs:CreateLogGroup", "arn:aws:logs:eu-west-1:000000000000:*"],
      [
        ["logs:CreateLogStream", "logs:PutLogEvents"],
        "arn:aws:logs:eu-west-1:000000000000:log-group:/aws/lambda/print:*",
      ],
    );
    await invoke(lambda, "print");
    await expect.poll(() => logged("print")).toBe(3);
    await role.allow([["logs:CreateLogStream"]]);
    for (let i = 0; i < 3; i++) await invoke(lambda, "print");
    expect(denied().map(({ action }) => action)).toEqual(["logs:CreateLogGroup", "logs:PutLogEvents"]);
    expect(await logged("print")).toBe(3);
  });
});

describe("a package in a bucket", () => {
  it("is taken with the permissions of who makes the function", async () => {
    const s3 = new S3Client({ ...settings(emulator.current), forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: "packages" }));
    await s3.send(new PutObjectCommand({ Bucket: "packages", Key: "one.zip", Body: zip({ "index.js": answer(1) }) }));
    const maker = await makeRole(lambda, "maker", "lambda.amazonaws.com", ["lambda:*"], ["iam:PassRole"]);
    const code = `const { LambdaClient, CreateFunctionCommand } = require("@aws-sdk/client-lambda");
      exports.handler = (input) => new LambdaClient({}).send(new CreateFunctionCommand(input))
        .then(() => "made", (error) => error.name + ": " + error.message);`;
    await makeFunction(lambda, "make", code, { Role: maker.arn, Timeout: 20 });
    const Code = { S3Bucket: "packages", S3Key: "one.zip" };
    const input = { FunctionName: "made", Role: maker.arn, Runtime: "nodejs24.x", Handler: "index.handler", Code };
    expect((await invoke(lambda, "make", input)).result).toContain(
      "AccessDeniedException: Your access has been denied by S3, please make sure your request credentials have permission to GetObject for packages/one.zip.",
    );
    await maker.allow(["lambda:*"], ["iam:PassRole"], ["s3:GetObject", "arn:aws:s3:::packages/*"]);
    expect((await invoke(lambda, "make", input)).result).toBe("made");
  });
});
