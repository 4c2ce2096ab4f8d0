import {
  APIGatewayClient,
  CreateApiKeyCommand,
  CreateAuthorizerCommand,
  CreateBasePathMappingCommand,
  CreateDeploymentCommand,
  CreateDomainNameCommand,
  CreateModelCommand,
  CreateResourceCommand,
  CreateRestApiCommand,
  CreateStageCommand,
  DeleteDeploymentCommand,
  DeleteGatewayResponseCommand,
  DeleteModelCommand,
  DeleteResourceCommand,
  DeleteRestApiCommand,
  GetApiKeyCommand,
  GetApiKeysCommand,
  GetDeploymentCommand,
  GetDeploymentsCommand,
  GetGatewayResponsesCommand,
  GetIntegrationCommand,
  GetMethodCommand,
  GetResourcesCommand,
  GetRestApiCommand,
  GetRestApisCommand,
  GetStageCommand,
  GetTagsCommand,
  PutIntegrationCommand,
  PutMethodCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateIntegrationCommand,
  UpdateMethodCommand,
  UpdateResourceCommand,
  UpdateRestApiCommand,
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

describe("REST APIs", () => {
  test("are created with AWS's defaults and found again", async () => {
    const { $metadata, ...created } = await client.send(new CreateRestApiCommand({ name: "plain" }));
    expect($metadata.httpStatusCode).toBe(201);
    expect(created).toEqual({
      id: expect.stringMatching(/^[a-z0-9]{10}$/),
      name: "plain",
      createdDate: expect.any(Date),
      apiKeySource: "HEADER",
      endpointConfiguration: { types: ["EDGE"], ipAddressType: "ipv4" },
      disableExecuteApiEndpoint: false,
      rootResourceId: expect.stringMatching(/^[a-z0-9]{10}$/),
    });
    const { $metadata: _, ...found } = await client.send(new GetRestApiCommand({ restApiId: created.id }));
    expect(found).toEqual(created);
  });

  test("are listed page by page", async () => {
    const west = new APIGatewayClient(settings(emulator.current, { region: "us-west-2" }));
    for (const name of ["a", "b", "c"]) await west.send(new CreateRestApiCommand({ name }));
    const first = await west.send(new GetRestApisCommand({ limit: 2 }));
    const second = await west.send(new GetRestApisCommand({ limit: 2, position: first.position }));
    expect([first.items, second.items].map((items) => items!.map(({ name }) => name))).toEqual([["a", "b"], ["c"]]);
    expect(second.position).toBeUndefined();
  });

  test("belong to one account and region; elsewhere they are unknown", async () => {
    const { id } = await makeApi();
    const other = new APIGatewayClient(settings(emulator.current, { accessKeyId: "111122223333" }));
    await expect(other.send(new GetRestApiCommand({ restApiId: id }))).rejects.toMatchObject(
      refusal("NotFoundException", `Invalid API identifier specified 111122223333:${id}`),
    );
  });

  test("are gone after they are deleted", async () => {
    const { id } = await makeApi();
    expect((await client.send(new DeleteRestApiCommand({ restApiId: id }))).$metadata.httpStatusCode).toBe(202);
    await expect(client.send(new GetRestApiCommand({ restApiId: id }))).rejects.toMatchObject(
      refusal("NotFoundException", `Invalid API identifier specified 000000000000:${id}`),
    );
  });

  test.each([
    [{ name: "x", description: "" }, "BadRequestException", "Description cannot be an empty string"],
    [{ name: "x", minimumCompressionSize: -1 }, "BadRequestException", /^Invalid minimum compression size/],
    [
      { name: "x", endpointConfiguration: { types: ["EDGE" as const, "REGIONAL" as const] } },
      "BadRequestException",
      "Cannot create an api with multiple Endpoint Types.",
    ],
    [
      { name: "x", endpointConfiguration: { types: ["wrong" as "EDGE"] } },
      "ValidationException",
      /^1 validation error detected: Value '\[wrong\]' at 'createRestApiInput.endpointConfiguration.types'/,
    ],
    [{ name: "x", policy: "{" }, "BadRequestException", /^Invalid policy document/],
  ])("%o is refused", async (input, name, message) => {
    await expect(client.send(new CreateRestApiCommand(input))).rejects.toMatchObject(refusal(name, message));
  });

  const patch = (restApiId: string, op: string, path?: string, value?: string) =>
    client.send(new UpdateRestApiCommand({ restApiId, patchOperations: [{ op: op as "add", path, value }] }));

  test("take patches, also of binary types with an escaped slash", async () => {
    const { id } = await makeApi();
    await patch(id, "add", "/binaryMediaTypes/image~1png");
    await patch(id, "add", "/binaryMediaTypes/*~1*");
    await patch(id, "remove", "/binaryMediaTypes/image~1png");
    await patch(id, "replace", "/minimumCompressionSize", "10");
    const api = await patch(id, "replace", "/name", "renamed");
    expect(api).toMatchObject({ name: "renamed", binaryMediaTypes: ["*/*"], minimumCompressionSize: 10 });
    expect((await patch(id, "replace", "/minimumCompressionSize")).minimumCompressionSize).toBeUndefined();
  });

  test.each([
    ["replace", "/binaryMediaTypes", "BadRequestException", "Invalid patch path /binaryMediaTypes"],
    [
      "add",
      "/minimumCompressionSize",
      "BadRequestException",
      "Invalid patch operation specified. Must be one of: [replace]",
    ],
    ["replace", undefined, "BadRequestException", "Invalid patch path null"],
    [
      "wrong",
      "/name",
      "ValidationException",
      "1 validation error detected: Value 'wrong' at 'updateRestApiInput.patchOperations.1.member.op' failed to satisfy constraint: Member must satisfy enum value set: [add, remove, move, test, replace, copy]",
    ],
  ])("refuse the patch %s %s", async (op, path, name, message) => {
    const { id } = await makeApi();
    await expect(patch(id, op, path, "x")).rejects.toMatchObject(refusal(name, message));
  });

  test("change nothing when one of several patches is refused", async () => {
    const { id } = await makeApi();
    const patchOperations = [
      { op: "replace" as const, path: "/name", value: "changed" },
      { op: "replace" as const, path: "/nothing", value: "x" },
    ];
    await expect(client.send(new UpdateRestApiCommand({ restApiId: id, patchOperations }))).rejects.toThrow();
    expect((await client.send(new GetRestApiCommand({ restApiId: id }))).name).toBe("test");
  });

  test("carry tags", async () => {
    const { id } = await makeApi();
    const resourceArn = `arn:aws:apigateway:eu-west-1::/restapis/${id}`;
    await client.send(new TagResourceCommand({ resourceArn, tags: { team: "iot", cost: "7" } }));
    await client.send(new UntagResourceCommand({ resourceArn, tagKeys: ["cost"] }));
    expect((await client.send(new GetTagsCommand({ resourceArn }))).tags).toEqual({ team: "iot" });
    expect((await client.send(new GetRestApiCommand({ restApiId: id }))).tags).toEqual({ team: "iot" });
  });
});

describe("resources", () => {
  const add = (restApiId: string, parentId: string, pathPart: string) =>
    client.send(new CreateResourceCommand({ restApiId, parentId, pathPart }));

  test("are listed by path and deleted with those below them", async () => {
    const api = await makeApi();
    const id = await api.resource("/pets");
    await api.resource("/pets/{id}/toys");
    await api.resource("/{proxy+}");
    expect(await api.paths()).toEqual(["/", "/pets", "/pets/{id}", "/pets/{id}/toys", "/{proxy+}"]);
    await client.send(new DeleteResourceCommand({ restApiId: api.id, resourceId: id }));
    expect(await api.paths()).toEqual(["/", "/{proxy+}"]);
  });

  test("move with those below them", async () => {
    const api = await makeApi();
    const id = await api.resource("/pets");
    await api.resource("/pets/{id}");
    const patchOperations = [{ op: "replace" as const, path: "/pathPart", value: "dogs" }];
    await client.send(new UpdateResourceCommand({ restApiId: api.id, resourceId: id, patchOperations }));
    expect(await api.paths()).toEqual(["/", "/dogs", "/dogs/{id}"]);
  });

  test.each([
    [
      "/{proxy+}",
      "{id}",
      "BadRequestException",
      "A sibling ({proxy+}) of this resource already has a variable path part -- only one is allowed",
    ],
    ["/pets", "pets", "ConflictException", "Another resource with the same parent already has this name: pets"],
    ["/pets", "a b", "BadRequestException", /^Resource's path part only allow/],
    ["/pets", "{a", "BadRequestException", /^Resource's path part only allow/],
  ])("beside %s, %s is refused", async (sibling, part, name, message) => {
    const api = await makeApi();
    await api.resource(sibling);
    await expect(add(api.id, await api.resource("/"), part)).rejects.toMatchObject(refusal(name, message));
  });

  test("below a greedy one are refused", async () => {
    const api = await makeApi();
    await expect(add(api.id, await api.resource("/{proxy+}"), "more")).rejects.toMatchObject(
      refusal("BadRequestException", "Cannot create a child of a resource with a greedy path variable: {proxy+}"),
    );
  });

  test("show their methods only when asked", async () => {
    const api = await makeApi();
    await api.add("GET /pets");
    const list = async (embed?: string[]) =>
      (await client.send(new GetResourcesCommand({ restApiId: api.id, embed }))).items!.at(-1)!.resourceMethods;
    expect(await list()).toEqual({ GET: {} });
    expect((await list(["methods"]))!.GET).toMatchObject({ httpMethod: "GET", methodIntegration: { type: "MOCK" } });
  });
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
  });
});
