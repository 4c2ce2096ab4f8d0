import {
  APIGatewayClient,
  CreateAuthorizerCommand,
  UpdateAccountCommand,
  UpdateStageCommand,
} from "@aws-sdk/client-api-gateway";
import { ApiGatewayManagementApiClient, PostToConnectionCommand } from "@aws-sdk/client-apigatewaymanagementapi";
import { ApiGatewayV2Client } from "@aws-sdk/client-apigatewayv2";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from "@aws-sdk/client-iam";
import { AddPermissionCommand, LambdaClient, RemovePermissionCommand } from "@aws-sdk/client-lambda";
import { CreateQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { beforeAll, describe, expect, it } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { makeFunction } from "./harness/functions";
import { makeRole } from "./harness/permissions";
import { allowed } from "./harness/policies";
import { functionUri, outcome, proxyTo, RestApiBuilder } from "./harness/rest-api";
import { type Keys, signedHeaders } from "./harness/signing";
import { proxyTo as routeTo, TestClient, WebSocketApi } from "./harness/websocket-api";

const emulator = useEmulator();
let client: APIGatewayClient;
let sockets: ApiGatewayV2Client;
let lambda: LambdaClient;
beforeAll(() => {
  client = new APIGatewayClient(settings(emulator.current));
  sockets = new ApiGatewayV2Client(settings(emulator.current));
  lambda = new LambdaClient(settings(emulator.current));
});

const principal = "apigateway.amazonaws.com";
const apiArn = (id: string, rest: string) => `arn:aws:execute-api:eu-west-1:000000000000:${id}/${rest}`;
const lastDenial = () => emulator.current.denials.at(-1)!;
const misconfigured = {
  status: 500,
  body: '{"message": "Internal server error"}',
  errorType: "InternalServerErrorException",
};

/** Takes back what the harness lets API Gateway invoke. */
const shut = (FunctionName: string) =>
  lambda.send(new RemovePermissionCommand({ FunctionName, StatementId: "apigateway" }));

/** Lets API Gateway invoke a function for this alone. */
async function letIn(FunctionName: string, SourceArn: string): Promise<void> {
  const statement = { FunctionName, StatementId: "only" };
  await lambda.send(new RemovePermissionCommand(statement)).catch((error: Error) => {
    if (error.name !== "ResourceNotFoundException") throw error;
  });
  const action = { Action: "lambda:InvokeFunction", Principal: principal, SourceArn };
  await lambda.send(new AddPermissionCommand({ ...statement, ...action }));
}

describe("a REST API", () => {
  it("invokes a function only as its policy says: this method and path of this stage", async () => {
    const hello = await makeFunction(
      lambda,
      "hello",
      'exports.handler = async () => ({ statusCode: 200, body: "hi" })',
    );
    const api = await RestApiBuilder.create(client, emulator.current);
    await api.add("GET /pets/{id}", { integration: proxyTo(hello) });
    await shut(hello);
    await api.deploy("test");
    const url = await api.deploy("prod");
    const get = (base = url) => outcome(fetch(`${base}/pets/7`));
    expect(await get()).toEqual(misconfigured);
    const source = apiArn(api.id, "prod/GET/pets/{id}");
    expect(lastDenial()).toMatchObject({
      principal,
      action: "lambda:InvokeFunction",
      resource: hello,
      place: `the policy of ${hello}`,
      statement: {
        Effect: "Allow",
        Principal: { Service: principal },
        Action: "lambda:InvokeFunction",
        Resource: hello,
        Condition: { ArnLike: { "aws:SourceArn": source } },
      },
    });
    for (const other of ["test/GET/pets/{id}", "prod/POST/pets/{id}", "prod/GET/pets"]) {
      await letIn(hello, apiArn(api.id, other));
      expect(await get()).toEqual(misconfigured);
    }
    await letIn(hello, source);
    expect((await get()).status).toBe(200);
    expect(await get(api.url("test"))).toEqual(misconfigured);
    await letIn(hello, apiArn(api.id, "*"));
    expect((await get(api.url("test"))).status).toBe(200);
  });

  it("asks an authorizer's function only where that is allowed for the authorizer", async () => {
    const gate = await makeFunction(
      lambda,
      "gate",
      `exports.handler = async () => ({ principalId: "me", policyDocument: { Version: "2012-10-17", Statement: [{
        Effect: "Allow", Action: "execute-api:Invoke", Resource: "*" }] } });`,
    );
    const api = await RestApiBuilder.create(client, emulator.current);
    const authorizer = { restApiId: api.id, name: "gate", type: "TOKEN", authorizerUri: functionUri(gate) } as const;
    const identitySource = "method.request.header.Token";
    const { id } = await client.send(new CreateAuthorizerCommand({ ...authorizer, identitySource }));
    await api.add("GET /", { method: { authorizationType: "CUSTOM", authorizerId: id } });
    const url = await api.deploy();
    const get = () => outcome(fetch(url, { headers: { token: "x" } }));
    const failed = { status: 500, body: '{"message":null}', errorType: "AuthorizerConfigurationException" };
    expect(await get()).toEqual(failed);
    await letIn(gate, apiArn(api.id, "prod/GET/"));
    expect(await get()).toEqual(failed);
    await letIn(gate, apiArn(api.id, `authorizers/${id}`));
    expect((await get()).status).toBe(200);
  });

  it("acts as the role of an integration, if that trusts it and may invoke the function", async () => {
    const name = "backed";
    const backed = await makeFunction(lambda, name, "exports.handler = async () => ({ statusCode: 204 })");
    const role = await makeRole(lambda, "invoker", "lambda.amazonaws.com");
    const api = await RestApiBuilder.create(client, emulator.current);
    await api.add("GET /", { integration: { ...proxyTo(backed), credentials: role.arn } });
    await shut(backed);
    const url = await api.deploy();
    expect(await outcome(fetch(url))).toEqual(misconfigured);
    expect(lastDenial()).toMatchObject({ principal, action: "sts:AssumeRole", resource: role.arn });
    await role.trust(principal);
    expect(await outcome(fetch(url))).toEqual(misconfigured);
    expect(lastDenial()).toMatchObject({
      principal: "arn:aws:sts::000000000000:assumed-role/invoker/BackplaneAssumeRoleSession",
      action: "lambda:InvokeFunction",
      place: role.arn,
    });
    await role.allow(["lambda:InvokeFunction", backed]);
    expect((await fetch(url)).status).toBe(204);
  });

  it("calls a service with no more than the role of the integration may do", async () => {
    const sqs = new SQSClient(settings(emulator.current));
    await sqs.send(new CreateQueueCommand({ QueueName: "orders" }));
    const role = await makeRole(lambda, "orders", principal);
    const api = await RestApiBuilder.create(client, emulator.current);
    await api.add("POST /", {
      integration: {
        type: "AWS",
        integrationHttpMethod: "POST",
        uri: "arn:aws:apigateway:eu-west-1:sqs:path/000000000000/orders",
        credentials: role.arn,
        requestParameters: { "integration.request.header.Content-Type": "'application/x-www-form-urlencoded'" },
        requestTemplates: { "application/json": "Action=SendMessage&MessageBody=one" },
      },
      responses: [{ statusCode: "200" }, { statusCode: "403", selectionPattern: "403" }],
    });
    const url = await api.deploy();
    const post = async () => (await fetch(url, { method: "POST" })).status;
    expect(await post()).toBe(403);
    expect(lastDenial()).toMatchObject({
      principal: "arn:aws:sts::000000000000:assumed-role/orders/BackplaneAssumeRoleSession",
      action: "sqs:SendMessage",
      resource: "arn:aws:sqs:eu-west-1:000000000000:orders",
    });
    await role.allow(["sqs:SendMessage", "arn:aws:sqs:eu-west-1:000000000000:orders"]);
    expect(await post()).toBe(200);
    await role.trust("lambda.amazonaws.com");
    expect(await post()).toBe(500);
  });

  it("writes the stage's access log as the account's role, with what went wrong, only while that may write", async () => {
    const logs = new CloudWatchLogsClient(settings(emulator.current));
    const role = await makeRole(lambda, "access-logs", principal, ["logs:*"]);
    const value = role.arn;
    await client.send(
      new UpdateAccountCommand({ patchOperations: [{ op: "replace", path: "/cloudwatchRoleArn", value }] }),
    );
    const quiet = await makeFunction(lambda, "quiet", "exports.handler = async () => ({ statusCode: 200 })");
    const api = await RestApiBuilder.create(client, emulator.current);
    await api.add("GET /", { integration: proxyTo(quiet) });
    await shut(quiet);
    const url = await api.deploy();
    const destination = "arn:aws:logs:eu-west-1:000000000000:log-group:access";
    const format = "$context.requestId $context.status $context.integration.error";
    await client.send(
      new UpdateStageCommand({
        restApiId: api.id,
        stageName: "prod",
        patchOperations: [
          { op: "replace", path: "/accessLogSettings/destinationArn", value: destination },
          { op: "replace", path: "/accessLogSettings/format", value: format },
        ],
      }),
    );
    const lines = async () => {
      const { events = [] } = await logs.send(new FilterLogEventsCommand({ logGroupName: "access" }));
      return events.map(({ message = "" }) => message.replace(/^\S+ /, ""));
    };
    await fetch(url);
    await expect
      .poll(lines)
      .toEqual(["500 Execution failed due to configuration error: Invalid permissions on Lambda function"]);
    await role.allow(["logs:CreateLogStream"]);
    for (let i = 0; i < 3; i++) await fetch(url);
    const denied = () => emulator.current.denials.filter(({ action }) => action === "logs:PutLogEvents");
    await expect.poll(denied).toHaveLength(1);
    await role.allow(["logs:*", `${destination}:*`]);
    await fetch(url);
    await expect.poll(lines).toHaveLength(2);
    expect(denied()).toHaveLength(1);
  });
});

/** A user with access keys, who may do nothing yet; `allow` gives a policy. */
async function makeUser(UserName: string, accessKeyId = "test") {
  const users = new IAMClient(settings(emulator.current, { accessKeyId }));
  const { User } = await users.send(new CreateUserCommand({ UserName }));
  const { AccessKey } = await users.send(new CreateAccessKeyCommand({ UserName }));
  const allow = (action: string, resource: string) =>
    users.send(new PutUserPolicyCommand({ UserName, PolicyName: "test", PolicyDocument: allowed(action, resource) }));
  const keys: Keys = { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! };
  return { arn: User!.Arn!, keys, allow };
}

describe("a method with AWS_IAM", () => {
  const statement = (Effect: string, AWS: string) => ({
    ...{ Effect, Principal: { AWS }, Action: "execute-api:Invoke", Resource: "execute-api:/prod/GET/*" },
  });
  /** The URL of a method of an API with this policy. */
  async function guarded(...Statement: object[]) {
    const policy = Statement.length > 0 ? JSON.stringify({ Version: "2012-10-17", Statement }) : undefined;
    const api = await RestApiBuilder.create(client, emulator.current, { policy });
    await api.add("GET /things", { method: { authorizationType: "AWS_IAM" } });
    return { id: api.id, url: `${await api.deploy()}/things` };
  }
  const call = async (url: string, keys: Keys) => {
    const answer = await outcome(fetch(url, { headers: await signedHeaders(url, keys) }));
    return answer.status === 200 ? "allowed" : `${answer.status} ${answer.body}`;
  };
  const denied = (arn: string, id: string, why = "") =>
    `403 ${JSON.stringify({ Message: `User: ${arn} is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:eu-west-1:********0000:${id}/prod/GET/things${why}` })}`;

  it("lets in whom the signer's own policies or that of the API allow, and nobody whom one denies", async () => {
    const ben = await makeUser("ben");
    const open = await guarded();
    expect(await call(open.url, ben.keys)).toBe(denied(ben.arn, open.id));
    expect(lastDenial()).toMatchObject({ principal: ben.arn, place: ben.arn, action: "execute-api:Invoke" });
    const named = await guarded(statement("Allow", ben.arn));
    expect(await call(named.url, ben.keys)).toBe("allowed");
    const silent = await guarded(statement("Allow", "arn:aws:iam::000000000000:user/nobody"));
    expect(await call(silent.url, ben.keys)).toBe(denied(ben.arn, silent.id));
    await ben.allow("execute-api:Invoke", apiArn("*", "prod/GET/things"));
    expect(await call(open.url, ben.keys)).toBe("allowed");
    expect(await call(silent.url, ben.keys)).toBe("allowed");
    const shut = await guarded(statement("Deny", ben.arn), statement("Allow", "*"));
    expect(await call(shut.url, ben.keys)).toBe(denied(ben.arn, shut.id, " with an explicit deny"));
  });

  it("lets in somebody of another account only where both policies allow it", async () => {
    const eve = await makeUser("eve", "111122223333");
    const named = await guarded(statement("Allow", eve.arn));
    const open = await guarded();
    expect(await call(named.url, eve.keys)).toBe(denied(eve.arn, named.id));
    await eve.allow("execute-api:*", "*");
    expect(await call(named.url, eve.keys)).toBe("allowed");
    expect(await call(open.url, eve.keys)).toBe(denied(eve.arn, open.id));
  });
});

describe("a WebSocket API", () => {
  const echo = "exports.handler = async ({ body }) => ({ statusCode: 200, body })";
  it("invokes a function only as its policy says: this route of this stage", async () => {
    const fn = await makeFunction(lambda, "routed", echo);
    const api = await WebSocketApi.create(sockets, emulator.current);
    await api.add("$connect", { integration: routeTo(fn) });
    await api.add("$default", { integration: routeTo(fn), answers: true });
    await shut(fn);
    await api.stage();
    const connect = () => TestClient.connect(api.url());
    await expect(connect()).rejects.toMatchObject({ status: 500 });
    expect(lastDenial()).toMatchObject({
      principal,
      resource: fn,
      statement: { Condition: { ArnLike: { "aws:SourceArn": apiArn(api.id, "live/$connect") } } },
    });
    await letIn(fn, apiArn(api.id, "live/$connect"));
    const opened = await connect();
    expect(await opened.ask("hello")).toMatchObject({ message: "Internal server error" });
    await letIn(fn, apiArn(api.id, "live/*"));
    opened.send("hello");
    expect(await opened.next()).toBe("hello");
    opened.socket.close();
  });

  it("lets in a signer who may invoke $connect, and a backend that may manage its connections", async () => {
    const kim = await makeUser("kim");
    const api = await WebSocketApi.create(sockets, emulator.current);
    await api.add("$connect", { route: { AuthorizationType: "AWS_IAM" } });
    await api.add("$default", {
      integration: {
        IntegrationType: "MOCK",
        TemplateSelectionExpression: "200",
        RequestTemplates: { "200": '{"statusCode": 200}' },
      },
      responses: [{ IntegrationResponseKey: "$default", ResponseTemplates: { $default: "$context.connectionId" } }],
      answers: true,
    });
    await api.stage();
    const connect = async () =>
      TestClient.connect(api.url(), [], {
        headers: await signedHeaders(api.url().replace("ws:", "http:"), kim.keys),
      });
    await expect(connect()).rejects.toMatchObject({
      status: 403,
      body: expect.stringContaining(
        `User: ${kim.arn} is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:eu-west-1:********0000:${api.id}/live/$connect`,
      ),
    });
    await kim.allow("execute-api:Invoke", apiArn(api.id, "live/$connect"));
    const opened = await connect();
    opened.send("who am I");
    const ConnectionId = await opened.next();
    const credentials = kim.keys;
    const management = new ApiGatewayManagementApiClient({
      ...settings(emulator.current),
      endpoint: api.management(),
      credentials,
    });
    const post = () => management.send(new PostToConnectionCommand({ ConnectionId, Data: Buffer.from("news") }));
    await expect(post()).rejects.toMatchObject({
      name: "AccessDeniedException",
      message: `User: ${kim.arn} is not authorized to perform: execute-api:ManageConnections on resource: arn:aws:execute-api:eu-west-1:********0000:${api.id}/live/POST/@connections/{connectionId}`,
      $metadata: { httpStatusCode: 403 },
    });
    await kim.allow("execute-api:ManageConnections", apiArn(api.id, `live/POST/@connections/${ConnectionId}`));
    await expect(post()).rejects.toMatchObject({ name: "AccessDeniedException" });
    await kim.allow("execute-api:ManageConnections", apiArn(api.id, "live/POST/@connections/*"));
    await post();
    expect(await opened.next()).toBe("news");
    opened.socket.close();
  });
});
