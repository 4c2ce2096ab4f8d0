import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import {
  APIGatewayClient,
  CreateModelCommand,
  CreateRequestValidatorCommand,
  PutGatewayResponseCommand,
} from "@aws-sdk/client-api-gateway";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { type MethodSetup, outcome, RestApiBuilder } from "./harness/rest-api";

const emulator = useEmulator();
let client: APIGatewayClient;
let backend: Server;
let backendUrl: string;
let received: { method?: string; url?: string; headers: IncomingMessage["headers"]; body: string };
beforeAll(async () => {
  client = new APIGatewayClient(settings(emulator.current));
  backend = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      received = {
        method: request.method,
        url: request.url,
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
      };
      if (request.url?.startsWith("/hang")) return;
      const status = Number(/status=(\d+)/.exec(request.url ?? "")?.[1] ?? 200);
      response
        .writeHead(status, { "content-type": "application/json", "x-backend": "yes", "set-cookie": ["a=1", "b=2"] })
        .end('{"items":[{"n":1},{"n":2}]}');
    });
  });
  await new Promise<void>((done) => void backend.listen(0, "127.0.0.1", done));
  backendUrl = `http://127.0.0.1:${(backend.address() as AddressInfo).port}`;
});
afterAll(() => {
  backend.closeAllConnections();
  backend.close();
});

async function deployed(route: string, setup: MethodSetup, input: Parameters<typeof RestApiBuilder.create>[2] = {}) {
  const api = await RestApiBuilder.create(client, emulator.current, input);
  return (await api.add(route, setup)).deploy("prod", { name: "v" });
}
const json = { "content-type": "application/json" };
const post = (url: string, body: string, headers: Record<string, string> = json) =>
  fetch(url, { method: "POST", headers, body });
const misconfigured = {
  status: 500,
  body: '{"message": "Internal server error"}',
  errorType: "InternalServerErrorException",
};

describe("mapping templates", () => {
  /** What a template makes of a request body. */
  const rendered = async (template: string, body = "{}") => {
    const url = await deployed("POST /{id}", {
      integration: {
        type: "HTTP",
        integrationHttpMethod: "POST",
        uri: backendUrl,
        requestTemplates: { "application/json": template },
      },
    });
    await post(`${url}/7?q=x%20y`, body, { ...json, "x-tenant": "acme" });
    return received.body;
  };

  test.each([
    ["$input.body", '{"a":1}', '{"a":1}'],
    ["$input.json('$.a')", '{"a":{"b":[1,"x"]}}', '{"b":[1,"x"]}'],
    ["$input.json('$.a.b[1]')", '{"a":{"b":[1,"x"]}}', '"x"'],
    ["$input.path('$.list').size()", '{"list":[1,2,3]}', "3"],
    ["#foreach($i in $input.path('$.list'))$i.n#if($foreach.hasNext),#end#end", '{"list":[{"n":1},{"n":2}]}', "1,2"],
    ["$input.params('id') $input.params('q') $input.params('x-tenant')", "{}", "7 x y acme"],
    ["$input.params().querystring.q", "{}", "x y"],
    ["#foreach($k in $input.params().path.keySet())$k=$input.params().path.get($k)#end", "{}", "id=7"],
    ["$context.httpMethod $context.resourcePath $context.stage", "{}", "POST /{id} prod"],
    ["$context.identity.sourceIp", "{}", "127.0.0.1"],
    ["[$context.authorizer.principalId]", "{}", "[]"],
    ["$stageVariables.name $stageVariables.get('name')", "{}", "v v"],
    ["$util.escapeJavaScript($input.json('$.s'))", '{"s":"it\'s"}', '\\"it\\\'s\\"'],
    ["$util.urlEncode('a b&c') $util.urlDecode('a+b%26c')", "{}", "a+b%26c a b&c"],
    ["$util.base64Encode('hi') $util.base64Decode('aGk=')", "{}", "aGk= hi"],
    ["$util.parseJson('{\"x\":5}').x", "{}", "5"],
    ["#set($s = 'a-b')$s.split('-')[1] $s.replaceAll('-','+') $s.length() $s.contains('a')", "{}", "b a+b 3 true"],
    ["#if($input.path('$.a') == 1)one#{else}other#end", '{"a":1}', "one"],
  ])("%s", async (template, body, expected) => {
    expect(await rendered(template, body)).toBe(expected);
  });

  test("$input.json gives any JSON body back as it was", async () => {
    const url = await deployed("POST /", {
      integration: {
        type: "HTTP",
        integrationHttpMethod: "POST",
        uri: backendUrl,
        requestTemplates: { "application/json": "$input.json('$')" },
      },
    });
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.string(), fc.jsonValue()), async (value) => {
        const body = JSON.stringify(value);
        await post(url, body);
        expect(JSON.parse(received.body)).toEqual(JSON.parse(body));
      }),
      { numRuns: 40 },
    );
  });

  test("a template overrides status and headers of the answer", async () => {
    const template = `#set($context.responseOverride.status = 418)#set($context.responseOverride.header.X-Kind = "pot")short`;
    const url = await deployed("GET /", { responses: [{ responseTemplates: { "application/json": template } }] });
    const response = await fetch(url);
    expect([response.status, response.headers.get("x-kind"), await response.text()]).toEqual([418, "pot", "short"]);
  });

  test("a template that fails gives 500", async () => {
    const url = await deployed("GET /", {
      integration: { requestTemplates: { "application/json": "$util.parseJson('{')" } },
    });
    expect(await outcome(fetch(url))).toEqual(misconfigured);
  });
});

describe("passthrough of types without a template", () => {
  const withTemplate = (passthroughBehavior: string, requestTemplates?: Record<string, string>) =>
    deployed("POST /", {
      integration: {
        type: "HTTP",
        integrationHttpMethod: "POST",
        uri: backendUrl,
        passthroughBehavior,
        requestTemplates,
      },
    });
  const mapped = { "application/json": "mapped" };
  const unsupported = { status: 415, body: '{"message":"Unsupported Media Type"}', errorType: "BadRequestException" };

  test.each([
    ["WHEN_NO_MATCH", mapped, "as it is"],
    ["WHEN_NO_TEMPLATES", undefined, "as it is"],
  ])("%s passes text through", async (behavior, templates, expected) => {
    await post(await withTemplate(behavior, templates), "as it is", { "content-type": "text/plain" });
    expect(received.body).toBe(expected);
  });

  test.each([
    ["WHEN_NO_TEMPLATES", mapped],
    ["NEVER", undefined],
    ["NEVER", mapped],
  ])("%s with templates %o refuses with 415", async (behavior, templates) => {
    const url = await withTemplate(behavior, templates);
    expect(await outcome(post(url, "text", { "content-type": "text/plain" }))).toEqual(unsupported);
  });
});

describe("HTTP integrations", () => {
  test("HTTP_PROXY passes method, greedy path, query, headers and body, and the answer back", async () => {
    const url = await deployed("ANY /{proxy+}", {
      method: { requestParameters: { "method.request.path.proxy": true } },
      integration: {
        type: "HTTP_PROXY",
        integrationHttpMethod: "ANY",
        uri: `${backendUrl}/base/{proxy}`,
        requestParameters: {
          "integration.request.path.proxy": "method.request.path.proxy",
          "integration.request.header.X-Stage": "stageVariables.name",
          "integration.request.header.X-Fixed": "'fixed'",
        },
      },
    });
    const response = await fetch(`${url}/a/b?x=1&x=2&status=404`, {
      method: "PATCH",
      body: "data",
      headers: { "x-mine": "m" },
    });
    expect(received).toMatchObject({ method: "PATCH", url: "/base/a/b?x=1&x=2&status=404", body: "data" });
    expect(received.headers).toMatchObject({ "x-mine": "m", "x-stage": "v", "x-fixed": "fixed" });
    expect([response.status, response.headers.get("x-backend")]).toEqual([404, "yes"]);
    expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
  });

  test("HTTP chooses the response by the status and maps headers and body", async () => {
    const url = await deployed("GET /", {
      integration: {
        type: "HTTP",
        integrationHttpMethod: "GET",
        uri: `${backendUrl}/`,
        requestParameters: { "integration.request.querystring.status": "method.request.querystring.want" },
      },
      responses: [
        {
          statusCode: "200",
          responseParameters: {
            "method.response.header.X-Seen": "integration.response.header.X-Backend",
            "method.response.header.X-Second": "integration.response.body.items[1].n",
          },
          responseTemplates: { "application/json": "$input.path('$.items').size() items" },
        },
        { statusCode: "502", selectionPattern: "5\\d{2}", responseTemplates: { "application/json": "down" } },
      ],
    });
    const fine = await fetch(url);
    expect([fine.status, await fine.text()]).toEqual([200, "2 items"]);
    expect([fine.headers.get("x-seen"), fine.headers.get("x-second")]).toEqual(["yes", "2"]);
    expect(await outcome(fetch(`${url}?want=503`))).toMatchObject({ status: 502, body: "down" });
  });

  test("an answer that no response matches gives 500", async () => {
    const url = await deployed("GET /", {
      integration: { type: "HTTP", integrationHttpMethod: "GET", uri: backendUrl },
      responses: [{ selectionPattern: "404" }],
    });
    expect(await outcome(fetch(url))).toEqual(misconfigured);
  });

  test("an endpoint that is not there gives 504, one that hangs 504 after the timeout", async () => {
    const proxy = (uri: string): MethodSetup => ({
      integration: { type: "HTTP_PROXY", integrationHttpMethod: "GET", uri, timeoutInMillis: 50 },
    });
    expect(await outcome(fetch(await deployed("GET /", proxy("http://127.0.0.1:1/"))))).toMatchObject({
      status: 504,
      body: '{"message": "Network error communicating with endpoint"}',
    });
    expect(await outcome(fetch(await deployed("GET /", proxy(`${backendUrl}/hang`))))).toMatchObject({
      status: 504,
      body: '{"message": "Endpoint request timed out"}',
    });
  });
});

describe("CORS by MOCK", () => {
  const cors: MethodSetup = {
    responses: [
      {
        responseParameters: {
          "method.response.header.Access-Control-Allow-Origin": "'*'",
          "method.response.header.Access-Control-Allow-Methods": "'GET,POST'",
        },
      },
    ],
  };
  const preflight = (url: string) => fetch(url, { method: "OPTIONS", headers: { ...json, accept: "*/*" } });

  test("OPTIONS answers the preflight with the mapped headers", async () => {
    const response = await preflight(await deployed("OPTIONS /", cors));
    expect(response.status).toBe(200);
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    expect(response.headers.get("access-control-allow-methods")).toBe("GET,POST");
  });

  test("binary type */* breaks it, unless OPTIONS converts to text", async () => {
    const input = { binaryMediaTypes: ["*/*"] };
    expect(await outcome(preflight(await deployed("OPTIONS /", cors, input)))).toEqual(misconfigured);
    const converting = { ...cors, integration: { contentHandling: "CONVERT_TO_TEXT" as const } };
    expect((await preflight(await deployed("OPTIONS /", converting, input))).status).toBe(200);
  });

  test("a status that the template does not give is 500", async () => {
    const url = await deployed("GET /", { integration: { requestTemplates: { "application/json": "{}" } } });
    expect(await outcome(fetch(url))).toEqual(misconfigured);
  });
});

describe("request validation", () => {
  const schema = {
    type: "object",
    required: ["id", "temp"],
    properties: { id: { type: "string", minLength: 1 }, temp: { type: "number", maximum: 100 } },
    additionalProperties: false,
  };
  async function validated() {
    const api = await RestApiBuilder.create(client, emulator.current);
    const restApiId = api.id;
    await client.send(
      new CreateModelCommand({
        restApiId,
        name: "Reading",
        contentType: "application/json",
        schema: JSON.stringify(schema),
      }),
    );
    const { id } = await client.send(
      new CreateRequestValidatorCommand({
        restApiId,
        name: "all",
        validateRequestBody: true,
        validateRequestParameters: true,
      }),
    );
    const method = {
      requestValidatorId: id,
      requestModels: { "application/json": "Reading" },
      requestParameters: { "method.request.header.X-Tenant": true, "method.request.querystring.unit": true },
    };
    await api.add("POST /", { method });
    return { api, url: await api.deploy() };
  }
  const tenant = { ...json, "x-tenant": "acme" };

  test("missing parameters are named, all at once", async () => {
    const { url } = await validated();
    expect(await outcome(post(url, "{}"))).toEqual({
      status: 400,
      body: '{"message":"Missing required request parameters: [X-Tenant, unit]"}',
      errorType: "BadRequestException",
    });
  });

  test.each([
    ["no JSON", "nope"],
    ["empty", ""],
    ["without a required member", '{"id":"a"}'],
    ["with a wrong type", '{"id":"a","temp":"hot"}'],
    ["with a value out of range", '{"id":"a","temp":101}'],
    ["with an unknown member", '{"id":"a","temp":1,"more":true}'],
  ])("a body that is %s gives 400 Invalid request body", async (_, body) => {
    const { url } = await validated();
    expect(await outcome(post(`${url}?unit=C`, body, tenant))).toEqual({
      status: 400,
      body: '{"message":"Invalid request body"}',
      errorType: "BadRequestException",
    });
  });

  test("a body that fits the model goes through", async () => {
    const { url } = await validated();
    expect((await post(`${url}?unit=C`, '{"id":"a","temp":20}', tenant)).status).toBe(200);
  });

  test("an own gateway response says what is wrong", async () => {
    const { api } = await validated();
    await client.send(
      new PutGatewayResponseCommand({
        restApiId: api.id,
        responseType: "BAD_REQUEST_BODY",
        statusCode: "422",
        responseTemplates: { "application/json": '{"why":"$context.error.validationErrorString"}' },
        responseParameters: { "gatewayresponse.header.Access-Control-Allow-Origin": "'*'" },
      }),
    );
    const response = await post(`${await api.deploy()}?unit=C`, '{"id":"a"}', tenant);
    expect(response.status).toBe(422);
    expect(await response.text()).toContain('missing required properties (["temp"])');
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
  });

  test("DEFAULT_4XX replaces the status of every 4XX answer of the gateway", async () => {
    const { api } = await validated();
    await client.send(
      new PutGatewayResponseCommand({ restApiId: api.id, responseType: "DEFAULT_4XX", statusCode: "404" }),
    );
    const url = await api.deploy();
    expect((await fetch(`${url}/none`)).status).toBe(404);
    expect((await post(url, "{}")).status).toBe(404);
  });
});

test("a compressed answer when the API compresses and the client takes gzip", async () => {
  const url = await deployed(
    "GET /",
    { responses: [{ responseTemplates: { "application/json": "x".repeat(2000) } }] },
    { minimumCompressionSize: 1000 },
  );
  const packed = await fetch(url, { headers: { "accept-encoding": "gzip" } });
  expect(packed.headers.get("content-encoding")).toBe("gzip");
  expect(await packed.text()).toBe("x".repeat(2000));
  const plain = await fetch(url, { headers: { "accept-encoding": "identity" } });
  expect(plain.headers.get("content-encoding")).toBeNull();
});
