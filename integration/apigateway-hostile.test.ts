import { request } from "node:http";
import {
  APIGatewayClient,
  CreateAuthorizerCommand,
  CreateModelCommand,
  CreateRequestValidatorCommand,
} from "@aws-sdk/client-api-gateway";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { beforeAll, describe, expect, it } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { makeFunction } from "./harness/functions";
import { letInvoke } from "./harness/permissions";
import { functionUri, outcome, proxyTo, RestApiBuilder } from "./harness/rest-api";

const faults: unknown[] = [];
const emulator = useEmulator({ onFault: (error) => faults.push(error) });
let client: APIGatewayClient;
let lambda: LambdaClient;
let url: string;
beforeAll(async () => {
  client = new APIGatewayClient(settings(emulator.current));
  lambda = new LambdaClient(settings(emulator.current));
  const code = "exports.handler = async (event) => ({ statusCode: 200, body: JSON.stringify(event) });";
  const echo = await makeFunction(lambda, "echo", code);
  const api = await RestApiBuilder.create(client, emulator.current);
  const restApiId = api.id;
  await api.add("ANY /echo", { integration: proxyTo(echo) });
  await api.add("GET /things/{constructor}", { integration: proxyTo(echo) });
  const schema = JSON.stringify({ type: "object", required: ["n"] });
  await client.send(
    new CreateModelCommand({ restApiId, name: "constructor", contentType: "application/json", schema }),
  );
  const { id: requestValidatorId } = await client.send(
    new CreateRequestValidatorCommand({
      restApiId,
      name: "all",
      validateRequestBody: true,
      validateRequestParameters: true,
    }),
  );
  const requestModels = { "application/json": "constructor" };
  const requestParameters = { "method.request.querystring.constructor": true };
  await api.add("POST /checked", {
    method: { requestModels, requestParameters, requestValidatorId },
    integration: proxyTo(echo),
  });
  const template = `{"params":"$!input.params('constructor')","variable":"$!stageVariables.constructor"}`;
  await api.add("GET /mapped", { responses: [{ responseTemplates: { "application/json": template } }] });
  url = await api.deploy("prod", { other: "value" });
});

/** A request with header names that `fetch` does not let through. */
const send = (path: string, headers: string[]) =>
  new Promise<{ status: number; body: string }>((resolve, reject) => {
    const call = request(`${url}${path}`, { headers: ["host", new URL(url).host, ...headers] }, async (answer) => {
      let body = "";
      for await (const chunk of answer) body += chunk;
      resolve({ status: answer.statusCode ?? 0, body });
    });
    call.on("error", reject);
    call.end();
  });

describe("a client that names things as objects name their own", () => {
  it("gets its headers, parameters and paths through like all others", async () => {
    const headers = ["__proto__", "a", "__proto__", "b", "constructor", "c", "hasOwnProperty", "d"];
    const { status, body } = await send("/echo?__proto__=1&__proto__=2&constructor=3&toString=4", headers);
    expect(status).toBe(200);
    const own = (value: object) =>
      Object.entries(value).filter(([name]) => /proto|constructor|Own|toString/.test(name));
    const event = JSON.parse(body);
    expect(own(event.headers)).toEqual([
      ["__proto__", "b"],
      ["constructor", "c"],
      ["hasOwnProperty", "d"],
    ]);
    expect(own(event.multiValueHeaders)).toEqual([
      ["__proto__", ["a", "b"]],
      ["constructor", ["c"]],
      ["hasOwnProperty", ["d"]],
    ]);
    expect(own(event.queryStringParameters)).toEqual([
      ["__proto__", "2"],
      ["constructor", "3"],
      ["toString", "4"],
    ]);
    expect(own(event.multiValueQueryStringParameters)).toEqual([
      ["__proto__", ["1", "2"]],
      ["constructor", ["3"]],
      ["toString", ["4"]],
    ]);
    const thing = await fetch(`${url}/things/__proto__`);
    expect(((await thing.json()) as { pathParameters: object }).pathParameters).toEqual({ constructor: "__proto__" });
    expect(faults).toEqual([]);
  });

  it("does not pass the checks of a method by them", async () => {
    const post = (query: string, type: string, body: string) =>
      outcome(fetch(`${url}/checked${query}`, { method: "POST", headers: { "content-type": type }, body }));
    const parameters = "Missing required request parameters: [constructor]";
    expect(await post("", "application/json", '{"n":1}')).toMatchObject({
      status: 400,
      body: expect.stringContaining(parameters),
    });
    // A body of a type without a model goes through unread.
    for (const type of ["constructor", "__proto__", "toString"]) {
      expect((await post("?constructor=1", type, '"text"')).status).toBe(200);
    }
    expect((await post("?constructor=1", "application/json", "{}")).status).toBe(400);
    expect((await post("?constructor=1", "application/json", '{"n":1}')).status).toBe(200);
    expect(faults).toEqual([]);
  });
});

describe("an authorizer's function", () => {
  /** The URL of a method behind an authorizer of this code. */
  async function guardedBy(name: string, code: string, identitySource = "method.request.header.Token", type = "TOKEN") {
    const decide = await makeFunction(lambda, name, code, { Timeout: 60 });
    await letInvoke(client, decide, "apigateway");
    const api = await RestApiBuilder.create(client, emulator.current);
    const authorizer = { restApiId: api.id, name: "guard", authorizerUri: functionUri(decide), identitySource };
    const { id } = await client.send(new CreateAuthorizerCommand({ ...authorizer, type: type as "TOKEN" }));
    await api.add("GET /one", { method: { authorizationType: "CUSTOM", authorizerId: id } });
    return `${await api.deploy()}/one`;
  }
  const allow = `({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "execute-api:Invoke", Resource: "*" }] })`;

  it("may answer 8 KB at most", async () => {
    const guarded = await guardedBy(
      "wordy",
      `exports.handler = async ({ authorizationToken }) => {
        const answer = { principalId: "me", policyDocument: ${allow}, context: { fill: "" } };
        answer.context.fill = "x".repeat(Number(authorizationToken) - JSON.stringify(answer).length);
        return answer;
      };`,
    );
    const status = async (bytes: number) => outcome(fetch(guarded, { headers: { token: String(bytes) } }));
    expect((await status(8 * 1024)).status).toBe(200);
    expect(await status(8 * 1024 + 1)).toMatchObject({ status: 500, errorType: "AuthorizerConfigurationException" });
  });

  it("has 29 seconds for its answer", async () => {
    const guarded = await guardedBy("slow", "exports.handler = () => new Promise((done) => setTimeout(done, 60_000));");
    let answered = false;
    const call = outcome(fetch(guarded, { headers: { token: "x" } })).finally(() => {
      answered = true;
    });
    await expect
      .poll(async () => {
        await emulator.current.clock.advance("15 seconds");
        return answered;
      })
      .toBe(true);
    expect((await call).status).toBe(500);
  });

  it("is asked for each set of identities, however they are put together", async () => {
    const code = `exports.handler = async ({ queryStringParameters: { a, b } }) => ({
      principalId: "me",
      policyDocument: a === "1" ? ${allow} : { Version: "2012-10-17", Statement: [] },
    });`;
    const guarded = await guardedBy(
      "pairs",
      code,
      "method.request.querystring.a, method.request.querystring.b",
      "REQUEST",
    );
    expect((await fetch(`${guarded}?a=1&b=2%0A3`)).status).toBe(200);
    expect((await fetch(`${guarded}?a=1%0A2&b=3`)).status).not.toBe(200);
  });
});

it("has no values in templates for parameters and stage variables that are not there", async () => {
  expect(await (await fetch(`${url}/mapped`)).json()).toEqual({ params: "", variable: "" });
});
