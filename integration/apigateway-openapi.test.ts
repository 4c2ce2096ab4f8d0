import {
  APIGatewayClient,
  CreateDeploymentCommand,
  GetAuthorizersCommand,
  GetMethodCommand,
  GetResourcesCommand,
  GetRestApiCommand,
  ImportRestApiCommand,
  PutRestApiCommand,
} from "@aws-sdk/client-api-gateway";
import { beforeAll, describe, expect, test } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { outcome } from "./harness/rest-api";

const emulator = useEmulator();
let client: APIGatewayClient;
beforeAll(() => {
  client = new APIGatewayClient(settings(emulator.current));
});

const mock = (status: number, template: string) => ({
  type: "mock",
  requestTemplates: { "application/json": `{"statusCode": ${status}}` },
  responses: { default: { statusCode: String(status), responseTemplates: { "application/json": template } } },
});

const openapi = {
  openapi: "3.0.1",
  info: { title: "readings", version: "7", description: "what sensors say" },
  "x-amazon-apigateway-binary-media-types": ["image/png"],
  "x-amazon-apigateway-request-validators": { body: { validateRequestBody: true, validateRequestParameters: false } },
  "x-amazon-apigateway-gateway-responses": { MISSING_AUTHENTICATION_TOKEN: { statusCode: "404" } },
  paths: {
    "/readings/{id}": {
      parameters: [{ name: "id", in: "path", required: true, schema: { type: "string" } }],
      get: {
        responses: { 200: { description: "" } },
        "x-amazon-apigateway-integration": mock(200, "$input.params('id')"),
      },
    },
    "/readings": {
      post: {
        operationId: "put",
        security: [{ key: [] }],
        "x-amazon-apigateway-request-validator": "body",
        requestBody: { content: { "application/json": { schema: { $ref: "#/components/schemas/Reading" } } } },
        responses: { 202: { description: "" } },
        "x-amazon-apigateway-integration": mock(202, "taken"),
      },
    },
    "/open": {
      "x-amazon-apigateway-any-method": {
        "x-amazon-apigateway-request-validator": "body",
        requestBody: { content: { "application/json": { schema: { $ref: "#/components/schemas/Reading" } } } },
        responses: { 200: { description: "" } },
        "x-amazon-apigateway-integration": mock(200, "open"),
      },
    },
  },
  components: {
    schemas: {
      Unit: { type: "string", enum: ["C", "F"] },
      Reading: { type: "object", required: ["unit"], properties: { unit: { $ref: "#/components/schemas/Unit" } } },
    },
    securitySchemes: { key: { type: "apiKey", name: "x-api-key", in: "header" } },
  },
};

const bytes = (document: unknown) => new TextEncoder().encode(JSON.stringify(document));
const deploy = async (restApiId: string) => {
  await client.send(new CreateDeploymentCommand({ restApiId, stageName: "prod" }));
  return `${emulator.current.endpoint}/_aws/execute-api/${restApiId}/prod`;
};

describe("an OpenAPI document", () => {
  test("becomes an API that serves its methods, models, keys and gateway responses", async () => {
    const api = await client.send(new ImportRestApiCommand({ body: bytes(openapi) }));
    expect(api).toMatchObject({
      name: "readings",
      version: "7",
      description: "what sensors say",
      binaryMediaTypes: ["image/png"],
    });
    const url = await deploy(api.id!);
    expect(await (await fetch(`${url}/readings/7`)).text()).toBe("7");
    expect((await fetch(`${url}/readings`, { method: "POST" })).status).toBe(403);
    expect((await fetch(`${url}/nowhere`)).status).toBe(404);
    const post = (unit: string) =>
      outcome(
        fetch(`${url}/open`, {
          method: "POST",
          body: JSON.stringify({ unit }),
          headers: { "content-type": "application/json" },
        }),
      );
    expect(await post("C")).toMatchObject({ status: 200, body: "open" });
    expect(await post("K")).toMatchObject({ status: 400, body: '{"message":"Invalid request body"}' });
  });

  test("of Swagger 2 brings its authorizers", async () => {
    const body = bytes({
      swagger: "2.0",
      info: { title: "guarded" },
      securityDefinitions: {
        guard: {
          type: "apiKey",
          name: "Authorization",
          in: "header",
          "x-amazon-apigateway-authtype": "custom",
          "x-amazon-apigateway-authorizer": {
            type: "token",
            authorizerUri: "arn:aws:apigateway:eu-west-1:lambda:path/x",
            authorizerResultTtlInSeconds: 60,
          },
        },
        signed: { type: "apiKey", name: "Authorization", in: "header", "x-amazon-apigateway-authtype": "awsSigv4" },
      },
      paths: {
        "/": {
          get: { security: [{ guard: [] }], "x-amazon-apigateway-integration": mock(200, "") },
          post: { security: [{ signed: [] }], "x-amazon-apigateway-integration": mock(200, "") },
        },
      },
    });
    const { id: restApiId, rootResourceId: resourceId } = await client.send(new ImportRestApiCommand({ body }));
    const { items } = await client.send(new GetAuthorizersCommand({ restApiId }));
    expect(items).toMatchObject([
      {
        name: "guard",
        type: "TOKEN",
        identitySource: "method.request.header.Authorization",
        authorizerResultTtlInSeconds: 60,
      },
    ]);
    const method = (httpMethod: string) => client.send(new GetMethodCommand({ restApiId, resourceId, httpMethod }));
    expect(await method("GET")).toMatchObject({ authorizationType: "CUSTOM", authorizerId: items![0]!.id });
    expect(await method("POST")).toMatchObject({ authorizationType: "AWS_IAM" });
  });

  const paths = async (restApiId: string) =>
    (await client.send(new GetResourcesCommand({ restApiId }))).items!.map(({ path }) => path);

  test.each([
    ["merge" as const, ["/", "/extra", "/open", "/readings", "/readings/{id}"]],
    ["overwrite" as const, ["/", "/extra"]],
  ])("put with mode %s leaves %j", async (mode, expected) => {
    const { id: restApiId } = await client.send(new ImportRestApiCommand({ body: bytes(openapi) }));
    const extra = { get: { responses: { 200: {} }, "x-amazon-apigateway-integration": mock(200, "extra") } };
    const document = { openapi: "3.0.1", info: { title: "second" }, paths: { "/extra": extra } };
    await client.send(new PutRestApiCommand({ restApiId, mode, body: bytes(document) }));
    expect(await paths(restApiId!)).toEqual(expected);
    expect(await (await fetch(`${await deploy(restApiId!)}/extra`)).text()).toBe("extra");
  });

  test("that is refused leaves the API as it was", async () => {
    const { id: restApiId } = await client.send(new ImportRestApiCommand({ body: bytes(openapi) }));
    const before = await paths(restApiId!);
    const wrong = { "/a": { get: {} }, "/b c": { get: {} } };
    const document = { openapi: "3.0.1", info: { title: "broken" }, paths: wrong };
    const put = client.send(new PutRestApiCommand({ restApiId, mode: "overwrite", body: bytes(document) }));
    await expect(put).rejects.toMatchObject({ name: "BadRequestException" });
    expect(await paths(restApiId!)).toEqual(before);
    expect((await client.send(new GetRestApiCommand({ restApiId }))).name).toBe("readings");
  });

  test.each([
    ["openapi: 3.0.1", /not JSON/],
    ['{"openapi":"4"}', /Swagger 2.0 or OpenAPI 3.0/],
  ])("%s is refused", async (text, problem) => {
    const body = new TextEncoder().encode(text);
    await expect(client.send(new ImportRestApiCommand({ body }))).rejects.toThrow(problem);
  });
});
