import {
  APIGatewayClient,
  GetAccountCommand,
  UpdateAccountCommand,
  UpdateStageCommand,
} from "@aws-sdk/client-api-gateway";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { AttachRolePolicyCommand, CreateRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import { beforeAll, describe, expect, test } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { RestApiBuilder } from "./harness/rest-api";

const emulator = useEmulator();
let client: APIGatewayClient;
let iam: IAMClient;
beforeAll(() => {
  client = new APIGatewayClient(settings(emulator.current));
  iam = new IAMClient(settings(emulator.current));
});

const makeRole = async (name: string, service: string) => {
  const Statement = [{ Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" }];
  const { Role } = await iam.send(
    new CreateRoleCommand({
      RoleName: name,
      AssumeRolePolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement }),
    }),
  );
  return Role!.Arn!;
};
const setRole = (value: string) =>
  client.send(new UpdateAccountCommand({ patchOperations: [{ op: "replace", path: "/cloudwatchRoleArn", value }] }));
const logTo = (restApiId: string, group: string, format: string) =>
  client.send(
    new UpdateStageCommand({
      restApiId,
      stageName: "prod",
      patchOperations: [
        {
          op: "replace",
          path: "/accessLogSettings/destinationArn",
          value: `arn:aws:logs:eu-west-1:000000000000:log-group:${group}:*`,
        },
        { op: "replace", path: "/accessLogSettings/format", value: format },
      ],
    }),
  );

// Each step builds on the one before: an account has one role for all its APIs.
describe("access logs", () => {
  const needsRole = "CloudWatch Logs role ARN must be set in account settings to enable logging";

  test("are refused until the account has a role", async () => {
    const api = await RestApiBuilder.create(client, emulator.current);
    await (await api.add("GET /")).deploy();
    await expect(logTo(api.id, "access", "$context.requestId")).rejects.toThrow(needsRole);
    await expect(
      client.send(
        new UpdateStageCommand({
          restApiId: api.id,
          stageName: "prod",
          patchOperations: [{ op: "replace", path: "/*/*/logging/loglevel", value: "INFO" }],
        }),
      ),
    ).rejects.toThrow(needsRole);
  });

  test("need a role that exists, trusts API Gateway and may write logs", async () => {
    const problem = "The role ARN does not have required permissions configured";
    await expect(setRole("arn:aws:iam::000000000000:role/none")).rejects.toThrow(problem);
    await expect(setRole(await makeRole("other", "lambda.amazonaws.com"))).rejects.toThrow(problem);
    const arn = await makeRole("logger", "apigateway.amazonaws.com");
    await expect(setRole(arn)).rejects.toThrow(
      "API Gateway could not successfully write to CloudWatch Logs using the ARN specified",
    );
    const PolicyArn = "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs";
    await iam.send(new AttachRolePolicyCommand({ RoleName: "logger", PolicyArn }));
    await setRole(arn);
    expect(await client.send(new GetAccountCommand({}))).toMatchObject({
      cloudwatchRoleArn: arn,
      throttleSettings: { rateLimit: 10_000, burstLimit: 5_000 },
    });
  });

  test("hold one line for each request in the stage's format, with a dash for what is not known", async () => {
    const api = await RestApiBuilder.create(client, emulator.current);
    const url = await (await api.add("GET /pets/{id}")).deploy();
    const format =
      '{"id":"$context.requestId","ip":"$context.identity.sourceIp","verb":"$context.httpMethod","path":"$context.resourcePath","status":$context.status,"length":$context.responseLength,"error":"$context.error.message","type":"$context.error.responseType","who":"$context.authorizer.principalId"}';
    const { accessLogSettings } = await logTo(api.id, "/api/access", format);
    expect(accessLogSettings).toEqual({
      destinationArn: "arn:aws:logs:eu-west-1:000000000000:log-group:/api/access",
      format,
    });
    const fine = await fetch(`${url}/pets/7`);
    const lost = await fetch(`${url}/nowhere`);
    const logs = new CloudWatchLogsClient(settings(emulator.current));
    const lines = async () => {
      const { events } = await logs.send(new FilterLogEventsCommand({ logGroupName: "/api/access" }));
      return events!.map(({ message }) => JSON.parse(message!));
    };
    await expect.poll(lines).toHaveLength(2);
    const common = { ip: "127.0.0.1", verb: "GET", who: "-" };
    expect(await lines()).toEqual([
      {
        ...common,
        id: fine.headers.get("x-amzn-requestid"),
        path: "/pets/{id}",
        status: 200,
        length: 0,
        error: "-",
        type: "-",
      },
      {
        ...common,
        id: lost.headers.get("x-amzn-requestid"),
        path: "-",
        status: 403,
        length: 42,
        error: "Missing Authentication Token",
        type: "MISSING_AUTHENTICATION_TOKEN",
      },
    ]);
  });

  test("need a format that names the request", async () => {
    const api = await RestApiBuilder.create(client, emulator.current);
    await (await api.add("GET /")).deploy();
    await expect(logTo(api.id, "access", "$context.status")).rejects.toThrow("$context.requestId");
  });
});
