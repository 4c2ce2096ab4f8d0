import {
  ApiGatewayV2Client,
  GetApiCommand,
  GetIntegrationCommand,
  GetRouteCommand,
  GetStageCommand,
} from "@aws-sdk/client-apigatewayv2";
import { afterAll, describe, expect, it } from "vitest";
import { type Declared, declaring, deployDeclared, find } from "./harness/deploying";
import { settings, useEmulator } from "./harness/emulator";

const emulator = useEmulator();
let client: ApiGatewayV2Client | undefined;
const api = () => {
  client ??= new ApiGatewayV2Client(settings(emulator.current));
  return client;
};
afterAll(() => client?.destroy());

const lambda =
  "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:000000000000:function:f/invocations";

/** One of each type of a WebSocket API; `n` is what changes. */
const everything = (n: number): Declared[] => [
  { type: "cloudwatch.LogGroup", name: "log" },
  {
    type: "apigatewayv2.Api",
    name: "api",
    args: {
      protocolType: "WEBSOCKET",
      routeSelectionExpression: "$request.body.action",
      tags: { n: `${n}` },
      ...(n === 1 && { description: "first" }),
    },
  },
  {
    type: "apigatewayv2.Authorizer",
    name: "authorizer",
    args: {
      apiId: "$api.id",
      authorizerType: "REQUEST",
      authorizerUri: lambda,
      identitySources: [`route.request.header.H${n}`],
    },
  },
  {
    type: "apigatewayv2.Model",
    name: "model",
    args: { apiId: "$api.id", contentType: "application/json", schema: `{"type":"${n === 1 ? "object" : "array"}"}` },
  },
  {
    type: "apigatewayv2.Integration",
    name: "integration",
    args: {
      apiId: "$api.id",
      integrationType: "MOCK",
      requestTemplates: { "200": `{"statusCode":20${n}}` },
      ...(n === 1 && { templateSelectionExpression: "200", description: "first" }),
    },
  },
  {
    type: "apigatewayv2.IntegrationResponse",
    name: "answer",
    args: {
      apiId: "$api.id",
      integrationId: "$integration.id",
      integrationResponseKey: "$default",
      responseTemplates: { "200": `{"n":${n}}` },
    },
  },
  {
    type: "apigatewayv2.Route",
    name: "route",
    args: {
      apiId: "$api.id",
      routeKey: "$connect",
      target: "integrations/<integration.id>",
      ...(n === 1 ? { authorizationType: "CUSTOM", authorizerId: "$authorizer.id" } : {}),
    },
  },
  {
    type: "apigatewayv2.Route",
    name: "echo",
    args: { apiId: "$api.id", routeKey: `echo${n}`, routeResponseSelectionExpression: "$default" },
  },
  {
    type: "apigatewayv2.RouteResponse",
    name: "reply",
    args: { apiId: "$api.id", routeId: "$echo.id", routeResponseKey: "$default" },
  },
  {
    type: "apigatewayv2.Deployment",
    name: "deployed",
    args: { apiId: "$api.id", triggers: { n: `${n}` } },
    options: { dependsOn: ["$route", "$echo"] },
  },
  {
    type: "apigatewayv2.Stage",
    name: "stage",
    args: {
      apiId: "$api.id",
      name: "v1",
      deploymentId: "$deployed.id",
      stageVariables: { n: `${n}`, [`only${n}`]: "x" },
      defaultRouteSettings: { throttlingRateLimit: 5 * n, throttlingBurstLimit: 10 },
      ...(n === 1 && { description: "first" }),
    },
  },
  {
    type: "apigatewayv2.DomainName",
    name: "domain",
    args: {
      domainName: "live.example.com",
      domainNameConfiguration: {
        certificateArn: `arn:aws:acm:eu-west-1:000000000000:certificate/${n}`,
        endpointType: "REGIONAL",
        securityPolicy: "TLS_1_2",
      },
    },
  },
  {
    type: "apigatewayv2.ApiMapping",
    name: "mapping",
    args: { apiId: "$api.id", domainName: "$domain.id", stage: "$stage.name", apiMappingKey: `v${n}` },
  },
];

describe("the types of a WebSocket API", () => {
  it("are created, updated or replaced, and deleted, and nothing is touched without a change", async () => {
    const first = await deployDeclared(emulator.current, everything(1));
    expect(first.summary).toMatchObject({ created: everything(1).length });
    expect(first.recorded).toEqual([]);
    const second = await first.update(declaring(everything(2)));
    const actions = Object.fromEntries(second.resources.map(({ name, action }) => [name, action]));
    const others: Record<string, string> = { log: "same", reply: "same", deployed: "replace" };
    for (const { name } of everything(2))
      expect(`${name}: ${actions[name]}`).toBe(`${name}: ${others[name] ?? "update"}`);

    const ApiId = String(find(second, "api").id);
    expect(await api().send(new GetApiCommand({ ApiId }))).toMatchObject({ Tags: { n: "2" } });
    const stage = await api().send(new GetStageCommand({ ApiId, StageName: "v1" }));
    expect(stage).toMatchObject({ DeploymentId: find(second, "deployed").id });
    expect(stage.DefaultRouteSettings).toMatchObject({ ThrottlingRateLimit: 10, ThrottlingBurstLimit: 10 });
    const route = await api().send(new GetRouteCommand({ ApiId, RouteId: find(second, "route").id }));
    expect(route.AuthorizationType).toBe("NONE");
    const IntegrationId = find(second, "integration").id;
    const integration = await api().send(new GetIntegrationCommand({ ApiId, IntegrationId }));
    expect(integration.RequestTemplates).toEqual({ "200": '{"statusCode":202}' });

    const third = await second.update();
    expect(third.summary).toEqual({ created: 0, updated: 0, replaced: 0, deleted: 0, same: everything(2).length });
    expect((await third.destroy()).deleted).toBe(everything(2).length);
    await expect(api().send(new GetApiCommand({ ApiId }))).rejects.toMatchObject({ name: "NotFoundException" });
  });

  it("give ARNs as AWS does, and URLs that work at this endpoint", async () => {
    const stack = await deployDeclared(emulator.current, [
      {
        type: "apigatewayv2.Api",
        name: "live",
        args: { protocolType: "WEBSOCKET", routeSelectionExpression: "$request.body.action" },
      },
      { type: "apigatewayv2.Stage", name: "stage", args: { apiId: "$live.id", name: "prod", autoDeploy: true } },
      { type: "apigatewayv2.Api", name: "web", args: { protocolType: "HTTP" } },
      { type: "apigatewayv2.Stage", name: "web-stage", args: { apiId: "$web.id", name: "v2", autoDeploy: true } },
    ]);
    const value = (name: string, output: string) => find(stack, name).outputs[output]?.value;
    const [live, web] = [find(stack, "live").id, find(stack, "web").id];
    const { port } = new URL(emulator.current.endpoint);
    expect(value("live", "arn")).toBe(`arn:aws:apigateway:eu-west-1::/apis/${live}`);
    expect(value("live", "executionArn")).toBe(`arn:aws:execute-api:eu-west-1:000000000000:${live}`);
    expect(value("live", "apiEndpoint")).toBe(`ws://localhost:${port}/_aws/execute-api/${live}`);
    expect(value("stage", "invokeUrl")).toBe(`ws://localhost:${port}/_aws/execute-api/${live}/prod`);
    expect(value("stage", "executionArn")).toBe(`arn:aws:execute-api:eu-west-1:000000000000:${live}/prod`);
    expect(value("web-stage", "invokeUrl")).toBe(`http://localhost:${port}/_aws/execute-api/${web}/v2`);
    await stack.destroy();
  });

  it("say so when an API is to be made from an OpenAPI document", async () => {
    const declared = { type: "apigatewayv2.Api", name: "api", args: { protocolType: "HTTP", body: "{}" } };
    await expect(deployDeclared(emulator.current, [declared])).rejects.toThrow(/OpenAPI document\) is not supported/);
  });
});
