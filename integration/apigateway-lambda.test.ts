import { connect } from "node:http2";
import { APIGatewayClient } from "@aws-sdk/client-api-gateway";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { beforeAll, describe, expect, test } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { makeFunction } from "./harness/functions";
import { functionUri, outcome, proxyTo, RestApiBuilder } from "./harness/rest-api";

const emulator = useEmulator();
let client: APIGatewayClient;
let lambda: LambdaClient;
let echo: string;
/** Answers with what the request body says, or throws. */
let scripted: string;
beforeAll(async () => {
  client = new APIGatewayClient(settings(emulator.current));
  lambda = new LambdaClient(settings(emulator.current));
  echo = await makeFunction(
    lambda,
    "echo",
    "exports.handler = async (event) => ({ statusCode: 200, body: JSON.stringify(event) });",
  );
  scripted = await makeFunction(
    lambda,
    "scripted",
    `exports.handler = async (event) => {
      const script = JSON.parse(event.body ?? JSON.stringify(event));
      if (script.fail) throw new Error(script.fail);
      if (script.hang) await new Promise(() => setInterval(() => {}, 1000));
      return script.answer;
    };`,
    { Timeout: 60 },
  );
});

/** The parts of an event that these tests read one by one. */
interface ProxyEvent {
  headers: Record<string, string>;
  multiValueHeaders: Record<string, string[]>;
  requestContext: Record<string, unknown>;
}

const broken = { status: 502, body: '{"message": "Internal server error"}', errorType: "InternalServerErrorException" };
const misconfigured = { ...broken, status: 500 };

describe("the event of a proxy integration", () => {
  let url: string;
  let id: string;
  beforeAll(async () => {
    const api = await RestApiBuilder.create(client, emulator.current, { binaryMediaTypes: ["image/png"] });
    await api.add("ANY /things/{id}", { integration: proxyTo(echo) });
    url = await api.deploy("prod", { table: "readings" });
    id = api.id;
  });

  test("carries path, method, parameters, headers, stage variables and body", async () => {
    const response = await fetch(`${url}/things/a%20b?x=1&y=2&x=3&plus=a+b`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-many": "one" },
      body: '{"temp":21.5}',
    });
    const event = (await response.json()) as ProxyEvent;
    expect(event).toMatchObject({
      resource: "/things/{id}",
      path: "/things/a%20b",
      httpMethod: "POST",
      queryStringParameters: { x: "3", y: "2", plus: "a b" },
      multiValueQueryStringParameters: { x: ["1", "3"], y: ["2"], plus: ["a b"] },
      pathParameters: { id: "a%20b" },
      stageVariables: { table: "readings" },
      body: '{"temp":21.5}',
      isBase64Encoded: false,
    });
    expect(event.headers).toMatchObject({ "content-type": "application/json", "x-many": "one" });
    expect(event.multiValueHeaders["x-many"]).toEqual(["one"]);
    expect(event.headers["X-Forwarded-For"]).toBe("127.0.0.1");
    expect(event.headers["X-Amzn-Trace-Id"]).toMatch(/^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$/);
    expect(Object.keys(event.headers)).not.toContain("content-length");
    expect(response.headers.get("x-amzn-trace-id")).toBe(event.headers["X-Amzn-Trace-Id"]);
  });

  test("carries the body of an HTTP/2 client, whose fields tell no length", async () => {
    const { origin, pathname } = new URL(`${url}/things/1`);
    const session = connect(origin);
    const stream = session.request({ ":method": "POST", ":path": pathname, "content-type": "text/plain" });
    const answer = stream.end("by HTTP/2").toArray();
    const event = JSON.parse(Buffer.concat(await answer).toString()) as ProxyEvent & { body: string };
    session.close();
    expect(event.body).toBe("by HTTP/2");
    expect(Object.keys(event.headers).filter((name) => name.startsWith(":"))).toEqual([]);
  });

  test("has null where the request has nothing", async () => {
    const event = await (await fetch(`${url}/things/1`)).json();
    expect(event).toMatchObject({
      queryStringParameters: null,
      multiValueQueryStringParameters: null,
      body: null,
      isBase64Encoded: false,
    });
  });

  test("tells the whole request context", async () => {
    const response = await fetch(`${url}/things/1`, { headers: { "user-agent": "probe" } });
    const { requestContext } = (await response.json()) as ProxyEvent;
    expect(requestContext).toEqual({
      resourceId: expect.stringMatching(/^[a-z0-9]{6}$/),
      resourcePath: "/things/{id}",
      httpMethod: "GET",
      extendedRequestId: expect.stringMatching(/=$/),
      requestTime: expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/),
      path: "/prod/things/1",
      accountId: "000000000000",
      protocol: "HTTP/1.1",
      stage: "prod",
      domainPrefix: id,
      requestTimeEpoch: expect.any(Number),
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      identity: {
        cognitoIdentityPoolId: null,
        accountId: null,
        cognitoIdentityId: null,
        caller: null,
        sourceIp: "127.0.0.1",
        principalOrgId: null,
        accessKey: null,
        cognitoAuthenticationType: null,
        cognitoAuthenticationProvider: null,
        userArn: null,
        userAgent: "probe",
        user: null,
      },
      domainName: expect.stringContaining(`${id}.execute-api.`),
      deploymentId: expect.stringMatching(/^[a-z0-9]{6}$/),
      apiId: id,
    });
  });

  test("holds a binary body as Base64 when its type is one of the API's binary types", async () => {
    const bytes = Buffer.from([0x89, 0x50, 0xff, 0x00]);
    const send = (type: string) =>
      fetch(`${url}/things/1`, { method: "PUT", headers: { "content-type": type }, body: bytes });
    expect(await (await send("image/png")).json()).toMatchObject({
      isBase64Encoded: true,
      body: bytes.toString("base64"),
    });
    expect(await (await send("image/gif")).json()).toMatchObject({ isBase64Encoded: false, body: "\ufffdP\ufffd\0" });
  });
});

describe("the answer of a proxy integration", () => {
  let url: string;
  beforeAll(async () => {
    const api = await RestApiBuilder.create(client, emulator.current, { binaryMediaTypes: ["image/png"] });
    await api.add("POST /", { integration: proxyTo(scripted) });
    url = await api.deploy();
  });
  const run = (script: object, headers: Record<string, string> = {}) =>
    fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(script),
    });

  test("sets status, headers, several values of one header and the body", async () => {
    const response = await run({
      answer: {
        statusCode: "201",
        headers: { "X-One": 1 },
        multiValueHeaders: { "Set-Cookie": ["a=1", "b=2"] },
        body: "made",
      },
    });
    expect([response.status, await response.text()]).toEqual([201, "made"]);
    expect(response.headers.get("x-one")).toBe("1");
    expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    expect(response.headers.get("content-type")).toBe("application/json");
  });

  test("is sent as bytes only when the client accepts a binary type of the API", async () => {
    const answer = {
      statusCode: 200,
      isBase64Encoded: true,
      headers: { "content-type": "image/png" },
      body: "iVD/AA==",
    };
    const bytes = await (await run({ answer }, { accept: "image/png" })).arrayBuffer();
    expect([...new Uint8Array(bytes)]).toEqual([0x89, 0x50, 0xff, 0]);
    expect(await (await run({ answer }, { accept: "text/html" })).text()).toBe("iVD/AA==");
  });

  test("headers that the gateway keeps for itself are remapped", async () => {
    const { headers } = await run({ answer: { statusCode: 200, headers: { Date: "never", Server: "mine" } } });
    expect(headers.get("x-amzn-remapped-date")).toBe("never");
    expect(headers.get("x-amzn-remapped-server")).toBe("mine");
  });

  test.each([
    ["no status", { body: "x" }],
    ["a body that is no text", { statusCode: 200, body: { a: 1 } }],
    ["a member that is not of the format", { statusCode: 200, message: "hi" }],
    ["text instead of an object", "fine"],
    ["nothing", null],
    ["headers that are no map", { statusCode: 200, headers: ["a"] }],
  ])("that has %s gives 502", async (_, answer) => {
    expect(await outcome(run({ answer }))).toEqual(broken);
  });

  test("of a function that throws is 502", async () => {
    expect(await outcome(run({ fail: "boom" }))).toEqual(broken);
  });
});

describe("failures on the way to the function", () => {
  const deployed = async (setup: Parameters<RestApiBuilder["add"]>[1]) => {
    const api = await RestApiBuilder.create(client, emulator.current);
    return (await api.add("POST /", setup)).deploy();
  };
  const post = (url: string, body: string) => outcome(fetch(url, { method: "POST", body }));

  test("a function that does not exist gives 500", async () => {
    const url = await deployed({ integration: proxyTo(echo.replace("echo", "gone")) });
    expect(await post(url, "{}")).toEqual(misconfigured);
  });

  test("calling the function by another method than POST gives 500", async () => {
    const url = await deployed({ integration: { ...proxyTo(echo), integrationHttpMethod: "GET" } });
    expect(await post(url, "{}")).toEqual(misconfigured);
  });

  test("a function that takes longer than the integration's timeout gives 504", async () => {
    const url = await deployed({ integration: { ...proxyTo(scripted), timeoutInMillis: 50 } });
    expect(await post(url, '{"hang":true}')).toEqual({
      status: 504,
      body: '{"message": "Endpoint request timed out"}',
      errorType: "InternalServerErrorException",
    });
  });

  test("more than 10 MB gives 413, before any function is asked", async () => {
    const url = await deployed({ integration: proxyTo(echo) });
    const tooLong = { status: 413, body: '{"message":"Request Too Long"}', errorType: "RequestTooLargeException" };
    expect(await post(url, "x".repeat(10 * 1024 * 1024 + 1))).toEqual(tooLong);
  });

  test("an event of more than 6 MB gives 413", async () => {
    const url = await deployed({ integration: proxyTo(echo) });
    expect((await post(url, "x".repeat(6.5 * 1024 * 1024))).status).toBe(413);
  });
});

describe("stage variables and mapped events", () => {
  test("a stage variable in the URI chooses the function", async () => {
    const api = await RestApiBuilder.create(client, emulator.current);
    await api.add("GET /", {
      integration: { ...proxyTo(echo), uri: functionUri(echo.replace("echo", "$" + "{stageVariables.fn}")) },
    });
    const url = await api.deploy("prod", { fn: "echo" });
    expect((await fetch(url)).status).toBe(200);
    const other = await api.deploy("test", { fn: "missing" });
    expect((await fetch(other)).status).toBe(500);
  });

  test("a Lambda integration with templates gets the mapped body and chooses the response by the error message", async () => {
    const api = await RestApiBuilder.create(client, emulator.current);
    await api.add("POST /", {
      integration: {
        type: "AWS",
        integrationHttpMethod: "POST",
        uri: functionUri(scripted),
        requestTemplates: {
          "application/json": '{"fail": $input.json("$.fail"), "answer": {"got": $input.json("$.n")}}',
        },
      },
      responses: [
        { statusCode: "200", responseTemplates: { "application/json": "n=$input.path('$.got')" } },
        {
          statusCode: "400",
          selectionPattern: "bad .*",
          responseTemplates: { "application/json": "$input.path('$.errorMessage')" },
        },
      ],
    });
    const url = await api.deploy();
    const post = (body: object) =>
      outcome(
        fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
      );
    expect(await post({ fail: "", n: 7 })).toMatchObject({ status: 200, body: "n=7" });
    expect(await post({ fail: "bad input" })).toMatchObject({ status: 400, body: "bad input" });
  });
});
