import {
  APIGatewayClient,
  CreateApiKeyCommand,
  CreateAuthorizerCommand,
  type CreateAuthorizerCommandInput,
  CreateUsagePlanCommand,
  CreateUsagePlanKeyCommand,
  FlushStageAuthorizersCacheCommand,
} from "@aws-sdk/client-api-gateway";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { beforeAll, describe, expect, test } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { makeFunction } from "./harness/functions";
import { letInvoke } from "./harness/permissions";
import { functionUri, outcome, proxyTo, RestApiBuilder } from "./harness/rest-api";

const emulator = useEmulator();
let client: APIGatewayClient;
let decide: string;
let echo: string;
beforeAll(async () => {
  client = new APIGatewayClient(settings(emulator.current));
  const lambda = new LambdaClient(settings(emulator.current));
  echo = await makeFunction(
    lambda,
    "echo",
    "exports.handler = async (event) => ({ statusCode: 200, body: JSON.stringify(event.requestContext.authorizer ?? null) });",
  );
  // The token says what to decide. "count" tells how often the function ran.
  decide = await makeFunction(
    lambda,
    "decide",
    `let count = 0;
    const policy = (Effect, Resource) => ({ Version: "2012-10-17", Statement: [{ Effect, Action: "execute-api:Invoke", Resource }] });
    exports.handler = async (event) => {
      count++;
      const token = event.authorizationToken ?? event.headers.token;
      const stage = event.methodArn.split("/").slice(0, 2).join("/") + "/*";
      switch (token) {
        case "throw-unauthorized": throw new Error("Unauthorized");
        case "throw-other": throw new Error("database is down");
        case "no-policy": return { principalId: "me" };
        case "no-principal": return { policyDocument: policy("Allow", "*") };
        case "bad-context": return { principalId: "me", policyDocument: policy("Allow", "*"), context: { list: [1] } };
        case "nothing": return null;
        case "deny": return { principalId: "me", policyDocument: policy("Deny", stage) };
        case "elsewhere": return { principalId: "me", policyDocument: policy("Allow", stage.replace("/*", "/GET/elsewhere")) };
        case "this-method": return { principalId: "me", policyDocument: policy("Allow", event.methodArn) };
        default: return {
          principalId: "me",
          policyDocument: policy("Allow", stage),
          context: { count, run: crypto.randomUUID(), admin: true, name: "Ann", type: event.type },
          usageIdentifierKey: token.startsWith("key:") ? token.slice(4) : undefined,
        };
      }
    };`,
  );
  await letInvoke(client, decide, "apigateway");
});

/** An API whose methods all ask the authorizer. */
async function guarded(
  input: Partial<CreateAuthorizerCommandInput> = {},
  options: { apiKeySource?: "AUTHORIZER"; apiKeyRequired?: boolean } = {},
) {
  const api = await RestApiBuilder.create(client, emulator.current, { apiKeySource: options.apiKeySource });
  const { id } = await client.send(
    new CreateAuthorizerCommand({
      restApiId: api.id,
      name: "guard",
      type: "TOKEN",
      authorizerUri: functionUri(decide),
      identitySource: "method.request.header.Token",
      ...input,
    }),
  );
  const method = { authorizationType: "CUSTOM", authorizerId: id, apiKeyRequired: options.apiKeyRequired };
  for (const route of ["GET /one", "GET /two", "POST /one"])
    await api.add(route, { method, integration: proxyTo(echo) });
  const url = await api.deploy();
  const call = (token: string | undefined, path = "/one", init: RequestInit = {}) =>
    fetch(`${url}${path}`, { ...init, headers: token === undefined ? {} : { token } });
  return { api, call };
}

const unauthorized = { status: 401, body: '{"message":"Unauthorized"}', errorType: "UnauthorizedException" };
const denied = (message: string) => ({
  status: 403,
  body: JSON.stringify({ Message: message }),
  errorType: "AccessDeniedException",
});
const failed = (errorType: string) => ({ status: 500, body: '{"message":null}', errorType });

describe.each([["TOKEN" as const], ["REQUEST" as const]])("a %s authorizer", (type) => {
  test("lets in whom its policy allows, and passes its context on as text", async () => {
    const { call } = await guarded({ type });
    expect(await (await call("anybody")).json()).toEqual({
      principalId: "me",
      count: expect.stringMatching(/^\d+$/),
      run: expect.any(String),
      admin: "true",
      name: "Ann",
      type,
      integrationLatency: expect.any(Number),
    });
  });

  test.each([
    ["undefined, the identity source is missing", undefined, unauthorized],
    ["empty", "", unauthorized],
    ["one the function calls Unauthorized", "throw-unauthorized", unauthorized],
    ["one it denies", "deny", denied("User is not authorized to access this resource with an explicit deny")],
    ["one it allows elsewhere only", "elsewhere", denied("User is not authorized to access this resource")],
    ["one that makes it throw anything else", "throw-other", failed("AuthorizerFailureException")],
    ["one that gets no policy", "no-policy", failed("AuthorizerConfigurationException")],
    ["one that gets no principal", "no-principal", failed("AuthorizerConfigurationException")],
    ["one whose context has a list", "bad-context", failed("AuthorizerConfigurationException")],
    ["one that gets nothing", "nothing", failed("AuthorizerConfigurationException")],
  ])("refuses a token that is %s", async (_, token, expected) => {
    const { call } = await guarded({ type });
    expect(await outcome(call(token))).toEqual(expected);
  });
});

describe("the identity source", () => {
  test("that does not match the validation expression gives 401, and the function is not called", async () => {
    const { call } = await guarded({ identityValidationExpression: "Bearer .+", authorizerResultTtlInSeconds: 0 });
    const { count } = (await (await call("Bearer a")).json()) as { count: string };
    expect(await outcome(call("anything"))).toEqual(unauthorized);
    expect(await (await call("Bearer a")).json()).toMatchObject({ count: String(Number(count) + 1) });
  });

  test("of several parts needs every one of them", async () => {
    const identitySource = "method.request.header.Token, method.request.querystring.tenant";
    const { call } = await guarded({ type: "REQUEST", identitySource });
    expect(await outcome(call("anybody"))).toEqual(unauthorized);
    expect((await call("anybody", "/one?tenant=acme")).status).toBe(200);
  });
});

describe("the cache of decisions", () => {
  /** Which run of the function decided. */
  const run = async (response: Promise<Response>): Promise<string> =>
    ((await (await response).json()) as { run: string }).run;

  test("answers for 300 seconds unless told otherwise, then the function is asked again", async () => {
    const { call } = await guarded();
    const first = await run(call("cached"));
    expect(await run(call("cached"))).toBe(first);
    await emulator.current.clock.advance("299 seconds");
    expect(await run(call("cached"))).toBe(first);
    await emulator.current.clock.advance("2 seconds");
    expect(await run(call("cached"))).not.toBe(first);
  });

  test("keeps another token's decision apart", async () => {
    const { call } = await guarded();
    const first = await run(call("one"));
    expect(await run(call("two"))).not.toBe(first);
  });

  test("answers for all methods: a policy for one method denies the others", async () => {
    const { call } = await guarded();
    expect((await call("this-method")).status).toBe(200);
    expect(await outcome(call("this-method", "/two"))).toEqual(
      denied("User is not authorized to access this resource"),
    );
    expect((await call("this-method", "/one", { method: "POST" })).status).toBe(403);
  });

  test("is off with a TTL of 0", async () => {
    const { call } = await guarded({ authorizerResultTtlInSeconds: 0 });
    const first = await run(call("fresh"));
    expect(await run(call("fresh"))).not.toBe(first);
    expect((await call("this-method")).status).toBe(200);
    expect((await call("this-method", "/two")).status).toBe(200);
  });

  test("is emptied by FlushStageAuthorizersCache", async () => {
    const { api, call } = await guarded();
    const first = await run(call("flushed"));
    await client.send(new FlushStageAuthorizersCacheCommand({ restApiId: api.id, stageName: "prod" }));
    expect(await run(call("flushed"))).not.toBe(first);
  });
});

test("an authorizer gives the API key where the API takes keys from authorizers", async () => {
  const { api, call } = await guarded({}, { apiKeySource: "AUTHORIZER", apiKeyRequired: true });
  const { id: keyId, value } = await client.send(new CreateApiKeyCommand({ enabled: true }));
  const { id: usagePlanId } = await client.send(
    new CreateUsagePlanCommand({ name: "plan", apiStages: [{ apiId: api.id, stage: "prod" }] }),
  );
  await client.send(new CreateUsagePlanKeyCommand({ usagePlanId, keyId, keyType: "API_KEY" }));
  expect((await call(`key:${value}`)).status).toBe(200);
  expect(await outcome(call("anybody"))).toEqual({
    status: 403,
    body: '{"message":"Forbidden"}',
    errorType: "ForbiddenException",
  });
});

test("an authorizer whose function is not there gives 500", async () => {
  const { call } = await guarded({ authorizerUri: functionUri(decide.replace("decide", "gone")) });
  expect(await outcome(call("anybody"))).toEqual(failed("AuthorizerConfigurationException"));
});

test.each([
  [{ authorizerResultTtlInSeconds: 3601 }, "TTL must be between 0 and 3600"],
  [{ type: "REQUEST" as const, identitySource: undefined }, "Identity source"],
  [{ authorizerUri: "https://example.com" }, "Invalid Authorizer URI"],
  [{ identitySource: "header.Token" }, "Invalid mapping expression"],
])("an authorizer with %o is refused", async (input, problem) => {
  await expect(guarded(input)).rejects.toThrow(problem);
});
