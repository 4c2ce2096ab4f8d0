import { get } from "node:http";
import {
  APIGatewayClient,
  CreateApiKeyCommand,
  CreateAuthorizerCommand,
  CreateBasePathMappingCommand,
  CreateDeploymentCommand,
  CreateDomainNameCommand,
  CreateModelCommand,
  CreateStageCommand,
  DeleteDeploymentCommand,
  DeleteGatewayResponseCommand,
  DeleteModelCommand,
  GetApiKeyCommand,
  GetApiKeysCommand,
  GetDeploymentCommand,
  GetDeploymentsCommand,
  GetGatewayResponsesCommand,
  GetIntegrationCommand,
  GetMethodCommand,
  GetResourcesCommand,
  GetStageCommand,
  PutIntegrationCommand,
  PutMethodCommand,
  UpdateIntegrationCommand,
  UpdateMethodCommand,
  UpdateStageCommand,
} from "@aws-sdk/client-api-gateway";
import { beforeAll, describe, expect, test } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { outcome, RestApiBuilder } from "./harness/rest-api";

const emulator = useEmulator();
let client: APIGatewayClient;
beforeAll(() => {
  client = new APIGatewayClient(settings(emulator.current));
});
const makeApi = () => RestApiBuilder.create(client, emulator.current);
const refusal = (name: string, message: string | RegExp) => ({
  name,
  message: typeof message === "string" ? message : expect.stringMatching(message),
});

describe("methods and integrations", () => {
  test("are put, patched and shown with what belongs to them", async () => {
    const api = await makeApi();
    await api.add("GET /pets");
    const where = { restApiId: api.id, resourceId: await api.resource("/pets"), httpMethod: "GET" };
    await client.send(
      new UpdateMethodCommand({
        ...where,
        patchOperations: [
          { op: "replace", path: "/apiKeyRequired", value: "true" },
          { op: "add", path: "/requestParameters/method.request.querystring.q", value: "true" },
        ],
      }),
    );
    await client.send(
      new UpdateIntegrationCommand({
        ...where,
        patchOperations: [
          { op: "add", path: "/requestTemplates/text~1plain", value: '{"statusCode": 200}' },
          { op: "replace", path: "/timeoutInMillis", value: "1000" },
        ],
      }),
    );
    const { $metadata: _, ...method } = await client.send(new GetMethodCommand(where));
    expect(method).toEqual({
      httpMethod: "GET",
      authorizationType: "NONE",
      apiKeyRequired: true,
      requestParameters: { "method.request.querystring.q": true },
      methodResponses: { 200: { statusCode: "200", responseParameters: {} } },
      methodIntegration: {
        type: "MOCK",
        requestTemplates: { "application/json": '{"statusCode": 200}', "text/plain": '{"statusCode": 200}' },
        passthroughBehavior: "WHEN_NO_MATCH",
        timeoutInMillis: 1000,
        cacheNamespace: where.resourceId,
        cacheKeyParameters: [],
        integrationResponses: { 200: { statusCode: "200" } },
      },
    });
  });

  const method = { authorizationType: "NONE" };
  test.each([
    [
      { httpMethod: "FETCH" },
      "Invalid HttpMethod specified. Valid options are GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY",
    ],
    [{ authorizationType: "CUSTOM", authorizerId: "abc123" }, /^Invalid authorizer ID specified/],
    [{ requestValidatorId: "abc123" }, "Invalid Request Validator identifier specified"],
    [{ requestModels: { "application/json": "Pet" } }, "Invalid model identifier specified: Pet"],
    [
      { requestParameters: { "method.request.header.a": true, "method.request.querystring.a": true } },
      "Parameter names must be unique across querystring, header and path",
    ],
  ])("a method with %o is refused", async (input, message) => {
    const api = await makeApi();
    const where = { restApiId: api.id, resourceId: await api.resource("/"), httpMethod: "GET" };
    await expect(client.send(new PutMethodCommand({ ...where, ...method, ...input }))).rejects.toMatchObject(
      refusal("BadRequestException", message),
    );
  });

  test.each([
    [{ type: "HTTPS" as "HTTP" }, "ValidationException", /at 'putIntegrationInput.type' failed to satisfy constraint/],
    [
      { type: "HTTP" as const, uri: "http://a" },
      "BadRequestException",
      "Enumeration value for HttpMethod must be non-empty",
    ],
    [
      { type: "HTTP" as const, integrationHttpMethod: "GET", uri: "a" },
      "BadRequestException",
      /^Invalid HTTP endpoint/,
    ],
    [{ type: "AWS" as const, integrationHttpMethod: "GET", uri: "a" }, "BadRequestException", /^Invalid ARN/],
    [
      { type: "MOCK" as const, timeoutInMillis: 29_001 },
      "BadRequestException",
      "Timeout should be between 50 ms and 29000 ms",
    ],
    [
      { type: "MOCK" as const, timeoutInMillis: 49 },
      "BadRequestException",
      "Timeout should be between 50 ms and 29000 ms",
    ],
  ])("an integration with %o is refused", async (input, name, message) => {
    const api = await makeApi();
    const where = { restApiId: api.id, resourceId: await api.resource("/"), httpMethod: "GET" };
    await client.send(new PutMethodCommand({ ...where, ...method }));
    await expect(client.send(new PutIntegrationCommand({ ...where, ...input }))).rejects.toMatchObject(
      refusal(name, message),
    );
    await expect(client.send(new GetIntegrationCommand(where))).rejects.toMatchObject(
      refusal("NotFoundException", "Invalid Integration identifier specified"),
    );
  });
});

describe("deployments and stages", () => {
  test("an API without methods, and a method without integration, are not deployed", async () => {
    const { id: restApiId } = await makeApi();
    const deploy = () => client.send(new CreateDeploymentCommand({ restApiId, stageName: "prod" }));
    await expect(deploy()).rejects.toMatchObject(
      refusal("BadRequestException", "The REST API doesn't contain any methods"),
    );
    const { items } = await client.send(new GetResourcesCommand({ restApiId }));
    const where = { restApiId, resourceId: items![0]!.id, httpMethod: "GET" };
    await client.send(new PutMethodCommand({ ...where, authorizationType: "NONE" }));
    await expect(deploy()).rejects.toMatchObject(refusal("BadRequestException", "No integration defined for method"));
  });

  test("a deployment tells its methods when asked, and stays while a stage serves it", async () => {
    const api = await makeApi();
    await (await api.add("GET /pets")).deploy();
    const restApiId = api.id;
    const { items } = await client.send(new GetDeploymentsCommand({ restApiId }));
    const deploymentId = items![0]!.id;
    const { apiSummary } = await client.send(
      new GetDeploymentCommand({ restApiId, deploymentId, embed: ["apisummary"] }),
    );
    expect(apiSummary).toEqual({ "/pets": { GET: { authorizationType: "NONE", apiKeyRequired: false } } });
    await expect(client.send(new DeleteDeploymentCommand({ restApiId, deploymentId }))).rejects.toMatchObject(
      refusal("BadRequestException", "Active stages pointing to this deployment must be moved or deleted"),
    );
  });

  test("a stage keeps method settings, variables, tracing and cache settings", async () => {
    const api = await makeApi();
    await (await api.add("GET /pets/{id}")).deploy();
    const where = { restApiId: api.id, stageName: "prod" };
    await client.send(
      new UpdateStageCommand({
        ...where,
        patchOperations: [
          { op: "replace", path: "/*/*/metrics/enabled", value: "true" },
          { op: "replace", path: "/~1pets~1{id}/GET/throttling/rateLimit", value: "5.5" },
          { op: "replace", path: "/variables/table", value: "readings" },
          { op: "replace", path: "/tracingEnabled", value: "true" },
          { op: "replace", path: "/cacheClusterEnabled", value: "true" },
        ],
      }),
    );
    const stage = await client.send(new GetStageCommand(where));
    expect(stage).toMatchObject({
      variables: { table: "readings" },
      tracingEnabled: true,
      cacheClusterEnabled: true,
      cacheClusterSize: "0.5",
      cacheClusterStatus: "AVAILABLE",
    });
    expect(stage.methodSettings!["*/*"]).toMatchObject({ metricsEnabled: true, throttlingRateLimit: -1 });
    expect(stage.methodSettings!["pets/{id}/GET"]).toMatchObject({ throttlingRateLimit: 5.5, metricsEnabled: true });
  });

  test.each([
    [{ stageName: "a/b" }, "BadRequestException", /^Stage name only allows/],
    [{ deploymentId: "nope" }, "BadRequestException", "Deployment id does not exist"],
    [{ stageName: "prod" }, "ConflictException", "Stage already exists"],
    [{ variables: { "a-b": "x" } }, "BadRequestException", /^Stage variable name/],
    [{ variables: { a: "x y" } }, "BadRequestException", /^Stage variable value/],
  ])("a stage with %o is refused", async (input, name, message) => {
    const api = await makeApi();
    await (await api.add("GET /")).deploy();
    const { items } = await client.send(new GetDeploymentsCommand({ restApiId: api.id }));
    const stage = { restApiId: api.id, stageName: "next", deploymentId: items![0]!.id, ...input };
    await expect(client.send(new CreateStageCommand(stage))).rejects.toMatchObject(refusal(name, message));
  });
});

describe("the rest", () => {
  test("API keys show their value only when asked, and are found by the start of their name", async () => {
    const value = "a-value-that-is-long-enough";
    const { id } = await client.send(new CreateApiKeyCommand({ name: "sensor-1", value, enabled: true }));
    await client.send(new CreateApiKeyCommand({ name: "gateway" }));
    expect((await client.send(new GetApiKeyCommand({ apiKey: id }))).value).toBeUndefined();
    expect((await client.send(new GetApiKeyCommand({ apiKey: id, includeValue: true }))).value).toBe(value);
    const { items } = await client.send(new GetApiKeysCommand({ nameQuery: "sensor", includeValues: true }));
    expect(items).toMatchObject([{ id, value }]);
    await expect(client.send(new CreateApiKeyCommand({ value }))).rejects.toMatchObject(
      refusal("ConflictException", "API Key already exists"),
    );
  });

  test("a model in use is not deleted", async () => {
    const api = await makeApi();
    const schema = '{"type":"object"}';
    await client.send(
      new CreateModelCommand({ restApiId: api.id, name: "Pet", contentType: "application/json", schema }),
    );
    await api.add("POST /pets", { method: { requestModels: { "application/json": "Pet" } } });
    await expect(client.send(new DeleteModelCommand({ restApiId: api.id, modelName: "Pet" }))).rejects.toMatchObject(
      refusal("ConflictException", "Cannot delete model 'Pet', is referenced in method request: /pets/POST"),
    );
  });

  test.each(["{", '{"type":"string","pattern":"("}', ""])("a model with the schema %s is refused", async (schema) => {
    const { id: restApiId } = await makeApi();
    const model = { restApiId, name: "Wrong", contentType: "application/json", schema };
    await expect(client.send(new CreateModelCommand(model))).rejects.toMatchObject({ name: "BadRequestException" });
  });

  test("an authorizer of an unknown API is refused as AWS does", async () => {
    await expect(
      client.send(new CreateAuthorizerCommand({ restApiId: "nope", name: "a", type: "TOKEN" })),
    ).rejects.toMatchObject(refusal("ConflictException", /^Unable to complete operation/));
  });

  test("all gateway responses are listed, defaults first", async () => {
    const { id: restApiId } = await makeApi();
    const { items } = await client.send(new GetGatewayResponsesCommand({ restApiId }));
    expect(items).toHaveLength(21);
    expect(items!.every(({ defaultResponse }) => defaultResponse)).toBe(true);
    await expect(
      client.send(new DeleteGatewayResponseCommand({ restApiId, responseType: "THROTTLED" })),
    ).rejects.toMatchObject(refusal("NotFoundException", "Gateway response type not defined on api"));
  });
});

describe("custom domain names", () => {
  test("reach an API by the base path of a mapping", async () => {
    const api = await makeApi();
    const text = "$context.domainName $context.path";
    await (await api.add("GET /pets", { responses: [{ responseTemplates: { "application/json": text } }] })).deploy();
    const domainName = "api.example.com";
    await client.send(
      new CreateDomainNameCommand({
        domainName,
        regionalCertificateArn: "arn:aws:acm:eu-west-1:000000000000:certificate/1",
        endpointConfiguration: { types: ["REGIONAL"] },
      }),
    );
    await client.send(
      new CreateBasePathMappingCommand({ domainName, basePath: "v1", restApiId: api.id, stage: "prod" }),
    );
    const at = (path: string) => outcome(fetch(`${emulator.current.endpoint}/_aws/execute-api/${domainName}${path}`));
    expect(await at("/v1/pets")).toMatchObject({ status: 200, body: "api.example.com /v1/pets" });
    expect(await at("/v2/pets")).toMatchObject({ status: 403, body: '{"message":"Forbidden"}' });
    await client.send(new CreateBasePathMappingCommand({ domainName, restApiId: api.id, stage: "prod" }));
    expect(await at("/pets")).toMatchObject({ status: 200 });
    expect(await byHost(emulator.current.port, domainName, "/v1/pets")).toBe("api.example.com /v1/pets");
  });
});

/** The body of a GET whose Host header names another machine, as after a DNS entry. */
function byHost(port: number, host: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port, path, headers: { host } }, async (response) => {
      let body = "";
      for await (const chunk of response) body += chunk;
      resolve(body);
    }).on("error", reject);
  });
}
